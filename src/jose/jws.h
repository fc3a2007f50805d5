/* JSON Web Signatures in compact form (RFC 7515), strictly. */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include "core/json.h"
#include "jose/jwk.h"

/** A parsed token; borrows its text, the rest lives in the arena. Nothing is verified yet. */
typedef struct {
    str_t signing_input; /* header '.' payload */
    str_t payload;       /* decoded */
    str_t signature;     /* decoded */
    const json_t *header;
    alg_t alg; /* ALG_UNKNOWN: none, HMAC, anything else: no key will fit */
    str_t kid; /* unset when absent */
    str_t typ; /* unset when absent */
} jws_t;

/** Parses exactly three parts of canonical base64url with a JSON object as header. RC_MALFORMED
 *  also for `crit`, `b64`, `zip`, and for keys that the token brings along (`jwk`, `jku`, `x5u`,
 *  `x5c`): RFC 8725 section 3.10. RC_LIMIT over LIMIT_JWS_BYTES. */
rc_t jws_parse(arena_t *a, str_t text, jws_t *out) MUST_USE;
/** Whether `jwk` signed it: the header's algorithm must be the key's. */
bool jws_verify(const jws_t *jws, const jwk_t *jwk);

/** Signs `payload` as header {"alg","typ","kid"}; the text is in the arena. */
rc_t jws_sign(arena_t *a, jose_signing_t *signing, alg_t alg, str_t kid, str_t typ, str_t payload,
              str_t *out) MUST_USE;

#endif
