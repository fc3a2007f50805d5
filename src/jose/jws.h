/* JSON Web Signatures in compact form (RFC 7515), strictly: what is not plainly right is refused
 * before any key is looked at. */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include "core/json.h"
#include "jose/jwk.h"
#include "jose/signer.h"

/* JWS_REFUSAL(NAME, "name for logs and audit") */
#define JWS_REFUSAL_TABLE(JWS_REFUSAL)                                                             \
    JWS_REFUSAL(FINE, "fine")                                                                      \
    JWS_REFUSAL(TOO_LONG, "jws_too_long")         /* over LIMIT_JWS_BYTES */                       \
    JWS_REFUSAL(PARTS, "jws_parts")               /* not two dots, or an empty header */           \
    JWS_REFUSAL(BASE64, "jws_base64")             /* not canonical base64url */                    \
    JWS_REFUSAL(HEADER, "jws_header")             /* not a strict JSON object, wrong types */      \
    JWS_REFUSAL(CRIT, "jws_crit")                 /* critical extensions: none is understood */    \
    JWS_REFUSAL(HEADER_KEY, "jws_header_key")     /* jku, x5u, x5c, jwk: keys from the message */  \
    JWS_REFUSAL(TRANSFORM, "jws_transform")       /* b64, zip: signed is not what is meant */      \
    JWS_REFUSAL(ALG, "jws_alg")                   /* missing, none, or not one of alg.h */         \
    JWS_REFUSAL(UNSIGNED, "jws_unsigned")         /* the signature is empty */                     \
    JWS_REFUSAL(ALG_MISMATCH, "jws_alg_mismatch") /* the header does not name the key's alg */     \
    JWS_REFUSAL(KID_MISMATCH, "jws_kid_mismatch") /* header and key have a kid, and they differ */ \
    JWS_REFUSAL(SIGNATURE, "jws_signature")       /* wrong length or value */

typedef enum {
#define JWS_REFUSAL(name, text) JWS_##name,
    JWS_REFUSAL_TABLE(JWS_REFUSAL)
#undef JWS_REFUSAL
        JWS_REFUSAL_COUNT
} jws_refusal_t;

/** The name for logs; static. */
str_t jws_refusal_name(jws_refusal_t refusal);

/** A parsed token; borrows its text, the rest lives in the arena. Nothing is verified yet. */
typedef struct {
    jws_refusal_t refusal; /* JWS_FINE, or why it may not be verified: the rest is meaningless */
    str_t signing_input;   /* header '.' payload */
    str_t payload;         /* decoded */
    str_t signature;       /* decoded */
    const json_t *header;
    alg_t alg; /* as the header claims */
    str_t kid; /* unset when absent */
    str_t typ; /* unset when absent */
} jws_t;

/* For jws_parse. */
enum { JWS_ALLOW_JWK = 1u << 0 }; /* a DPoP proof carries its key (RFC 9449 section 4.2) */

/** Takes the compact form apart; out->refusal says whether it may be verified at all (RFC 7515
 *  section 5.2, RFC 8725 sections 3.1 and 3.10). RC_MEMORY. */
rc_t jws_parse(arena_t *a, str_t text, unsigned flags, jws_t *out) MUST_USE;
/** Verifies with exactly this key: the algorithm is the key's, the header must equal it. JWS_FINE
 *  for a good signature. Any thread. */
jws_refusal_t jws_verify(const jws_t *jws, const jwk_t *jwk) MUST_USE;

typedef struct {
    alg_t alg;
    str_t kid;
    str_t typ; /* e.g. "at+jwt"; unset: none is written */
    str_t payload;
} jws_sign_t;

/** Appends the first part of what jws_sign signs, encoded; `payload` does not count. RC_LIMIT, or
 * why the builder failed. */
rc_t jws_header_write(const jws_sign_t *what, buf_t *out) MUST_USE;
/** Signs `payload` under the header {"alg","typ","kid"}; the text is in the arena. RC_LIMIT when
 *  it is longer than LIMIT_JWS_BYTES; otherwise what the signer answers. */
rc_t jws_sign(arena_t *a, const signer_port_t *signer, const jws_sign_t *what, str_t *out) MUST_USE;

#endif
