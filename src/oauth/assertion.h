/* Signed assertions (RFC 7521, RFC 7523): what those of clients and those that are a grant have in
 * common. Pure; the order is read, times, signature, name to be spent. */
#ifndef OAUTH_ASSERTION_H
#define OAUTH_ASSERTION_H

#include "jose/jwt.h"
#include "model/effect.h"
#include "oauth/reason.h"
#include "oauth/spent.h"

/** Taken apart; nothing is verified yet. Lives in the arena and borrows the text. */
typedef struct {
    bool readable; /* a signed JWT with claims of the right types; else the rest is meaningless */
    jws_t jws;
    jwt_claims_t claims;
} oauth_assertion_t;

/** Which reasons the refusals of one kind of assertion have. */
typedef struct {
    oauth_reason_t expired;   /* past its end, or without one */
    oauth_reason_t lifetime;  /* its end is further away than LIMIT_ASSERTION_LIFE_S */
    oauth_reason_t not_yet;   /* nbf or iat lies ahead by more than LIMIT_ASSERTION_LEEWAY_S */
    oauth_reason_t jti;       /* none, or an overlong one */
    oauth_reason_t key;       /* no key, or no single one, fits alg and kid */
    oauth_reason_t signature; /* wrong */
    oauth_reason_t replayed;  /* its jti was used before */
} oauth_assertion_reasons_t;

/** The names of algorithms that an assertion may have, for metadata; static. */
str_list_t oauth_assertion_alg_names(void);
/** RC_MEMORY. */
rc_t oauth_assertion_read(arena_t *a, str_t text, oauth_assertion_t *out) MUST_USE;
/** Whether its typ is `wanted` or, with `plain`, absent or "JWT": a token of another kind is no
 *  assertion (RFC 8725 section 3.11). */
bool oauth_assertion_typ_is(const oauth_assertion_t *assertion, str_t wanted, bool plain);
/** Whether `aud` is one string that is among `audiences`; an array too when `several`, with nobody
 *  else in it: what others may take as well is no secret between two (RFC 7523 section 3). */
bool oauth_assertion_is_for(const oauth_assertion_t *assertion, str_list_t audiences, bool several);
/** expired, lifetime, not_yet, jti or OAUTH_FINE. `now` in seconds. */
oauth_reason_t oauth_assertion_check_times(const oauth_assertion_t *assertion, int64_t now,
                                           const oauth_assertion_reasons_t *reasons);
/** key, signature or OAUTH_FINE. `jwks` is a JWK Set as text; unset: no keys. The algorithm is the
 *  key's. RC_MEMORY. */
rc_t oauth_assertion_check_signature(arena_t *a, const oauth_assertion_t *assertion, str_t jwks,
                                     const oauth_assertion_reasons_t *reasons,
                                     oauth_reason_t *out) MUST_USE;
/** Names the one use of a checked assertion, to be spent: `kind` of assertion, whose it is, and its
 *  jti. RC_MEMORY. */
rc_t oauth_assertion_spend(arena_t *a, const oauth_assertion_t *assertion, str_t kind, str_t who,
                           const spent_t **out) MUST_USE;
/** Whether a use may count now: OAUTH_FINE, `replayed`, or OAUTH_SPENT_FULL, as a use that cannot
 *  be remembered could be repeated. */
oauth_reason_t oauth_assertion_check_use(const spent_t *use, const oauth_spent_t *seen,
                                         const oauth_assertion_reasons_t *reasons);

#endif
