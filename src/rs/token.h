/* Whether a token is good here: facts in, verdict out. Pure. */
#ifndef RS_TOKEN_H
#define RS_TOKEN_H

#include "jose/jwt.h"
#include "rs/settings.h"

typedef enum {
#define REASON(name, text, status, error, rule) RS_##name,
#include "rs/reasons.def"
#undef REASON
    RS_REASON_COUNT
} rs_reason_t;

/** The rows of reasons.def; static. */
str_t rs_reason_text(rs_reason_t reason);
int rs_reason_status(rs_reason_t reason);
str_t rs_reason_error(rs_reason_t reason);

/** Who a good token speaks for. C strings, "" where the token says nothing. */
typedef struct {
    const char *iss, *sub, *client_id, *scope, *jti;
    const char *jkt;    /* the token is bound to that key */
    const char *acr;    /* how the person signed in (RFC 9470) */
    const char *claims; /* all that it says: a JSON object */
    int64_t exp_ms;
    int64_t auth_ms; /* and when; JWT_TIME_ABSENT: it does not say */
    int64_t iat_ms;  /* likewise: when the token was issued */
} rs_principal_t;

/** A token taken apart, before any key is chosen. */
typedef struct {
    rs_reason_t reason; /* RS_ALLOWED so far, or why it is refused already */
    str_t detail;       /* the more precise name; unset: that of the reason */
    jws_t jws;
    jwt_claims_t claims;
    size_t server; /* index of the issuer in the settings */
} rs_token_t;

/** Takes it apart and finds its issuer: the keys of that one, and no others, may verify it (RFC
 *  9068 section 4, RFC 8725 section 3.8). RC_MEMORY. */
rc_t rs_token_read(arena_t *a, const rs_settings_t *s, str_t text, rs_token_t *out) MUST_USE;
/** Verifies with `key` and judges the claims at now_ms; sets reason and detail, and fills *who when
 *  it is good. RC_MEMORY. */
rc_t rs_token_judge(arena_t *a, const rs_settings_t *s, const jwk_t *key, int64_t now_ms,
                    rs_token_t *token, rs_principal_t *who) MUST_USE;

/** The same for claims that their server vouches for itself (RFC 7662): no signature, no typ. */
rc_t rs_token_judge_claims(arena_t *a, const rs_settings_t *s, int64_t now_ms, rs_token_t *token,
                           rs_principal_t *who) MUST_USE;

#endif
