/* The list of access tokens that ended before their time, which resource servers follow: published
 * to everybody, as keys are. What ended is named by a hash, so that nobody learns of people or
 * clients from it; who holds a token can compute the names that would end it.
 *
 *   GET /revocations?since=SEQ
 *   {"seq":7,"entries":[{"kind":"grant","id":"…","at":1700000000}],"more":false}
 *
 * `id` is the SHA-256 of kind, ':' and the SHA-256 of the key, in base64url. `seq` is the number to
 * go on behind. */
#ifndef OAUTH_REVOCATION_LIST_H
#define OAUTH_REVOCATION_LIST_H

#include "core/arena.h"
#include "model/records.h"

/** The member of the server's metadata (RFC 8414 section 2: extensions) that says where it is. */
#define OAUTH_REVOCATIONS_MEMBER "warder_revocations_endpoint"

enum { OAUTH_REVOCATION_ID_BYTES = 32 };

/** The published name of what a revocation ends. */
void oauth_revocation_id(revoked_kind_t kind, str_t key, uint8_t out[OAUTH_REVOCATION_ID_BYTES]);
/** The family that a jti of ours names in front of its '.', or unset (mint.h). */
str_t oauth_revocation_family(str_t jti);

/** Reads `since` from a query; false: it is there and no number, or there twice. */
bool oauth_revocation_list_since(arena_t *a, str_t query, uint64_t *since);
/** The page behind `since`: at most LIMIT_REVOCATIONS_PAGE of the `n` that were asked for (one more
 *  than that says that there are more). RC_LIMIT, RC_MEMORY. */
rc_t oauth_revocation_list_write(arena_t *a, uint64_t since, const revoked_t *v, size_t n,
                                 str_t *out) MUST_USE;

/** One entry of a page that was read. */
typedef struct {
    uint8_t id[OAUTH_REVOCATION_ID_BYTES];
    int64_t at; /* Unix seconds */
} oauth_revocation_t;

typedef struct {
    uint64_t seq;
    bool more;
    const oauth_revocation_t *v;
    size_t n;
} oauth_revocation_page_t;

/** Reads a page, strictly; unknown members and kinds are no fault. RC_MALFORMED, RC_LIMIT: more
 *  than LIMIT_REVOCATIONS_BYTES or _PAGE; RC_MEMORY. */
rc_t oauth_revocation_list_read(arena_t *a, str_t text, oauth_revocation_page_t *out) MUST_USE;

#endif
