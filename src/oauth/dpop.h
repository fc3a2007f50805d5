/* Proofs of possession (RFC 9449): whether a DPoP header shows that the caller holds a key. For the
 * endpoints of the authorization server and for resource servers alike. Pure. */
#ifndef OAUTH_DPOP_H
#define OAUTH_DPOP_H

#include "core/arena.h"
#include "model/effect.h"
#include "oauth/dpop_nonce.h"
#include "oauth/reason.h"
#include "oauth/spent.h"

/** What a proof must fit. */
typedef struct {
    str_t method;       /* of the request, "POST" */
    str_t url;          /* that clients use for it, of the settings: what a request says of its own
                         * place (Host, X-Forwarded-*) proves nothing */
    str_t twin;         /* another spelling of it that clients use; unset: none */
    str_t access_token; /* that came along and whose hash the proof must hold; unset: none */
    int64_t now_ms;
    const oauth_dpop_nonces_t *nonces; /* one of these must be in it; NULL: none is demanded */
} oauth_dpop_expect_t;

/** A checked proof. Lives in the arena it was checked into. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: no proof came, or a good one; else OAUTH_DPOP_* */
    str_t jkt; /* thumbprint of its key (RFC 7638); unset: none came, or it is refused */
    str_t jti;
    int64_t iat; /* Unix seconds, rounded down */
} oauth_dpop_t;

/** Checks the values of all DPoP headers (RFC 9449 section 4.3); none at all is fine, whether one
 * is needed is the caller's to say. What only a memory can tell, whether the proof was used before,
 *  is oauth_dpop_name's. RC_MEMORY. */
rc_t oauth_dpop_check(arena_t *a, str_list_t headers, const oauth_dpop_expect_t *expect,
                      oauth_dpop_t *out) MUST_USE;
/** Under which name a proof is used up: one use for a key and jti (RFC 9449 section 11.1). The time
 *  after which it is refused for its age alone is when it may be forgotten, Unix seconds. */
hash_t oauth_dpop_name(const oauth_dpop_t *proof);
int64_t oauth_dpop_forget_at(const oauth_dpop_t *proof);

/** Whether a good proof may count now: OAUTH_FINE, OAUTH_DPOP_REPLAYED, or OAUTH_SPENT_FULL, as a
 *  use that cannot be remembered could be repeated. */
oauth_reason_t oauth_dpop_check_use(const oauth_dpop_t *proof, const oauth_spent_t *seen);
/** The same of a proof that may come or not (NULL: DPoP is off). */
oauth_reason_t oauth_dpop_check_optional(const oauth_dpop_t *proof, const oauth_spent_t *seen);
/** Adds SPEND of a good proof's name. RC_MEMORY. */
rc_t oauth_dpop_spend(arena_t *a, const oauth_dpop_t *proof, const oauth_spent_t *seen, int64_t now,
                      effects_t *effects) MUST_USE;
/** A thumbprint as parameters carry it: 43 characters of base64url. */
bool oauth_dpop_is_jkt(str_t text);
/** The algorithms a proof may have, for metadata and challenges; static. */
str_list_t oauth_dpop_alg_names(void);

#endif
