/* JWT claims (RFC 7519) as a checked struct, and the decision whether they hold (RFC 9068). */
#ifndef JOSE_JWT_H
#define JOSE_JWT_H

#include "jose/jws.h"

enum { JWT_TIME_ABSENT = -1 };

/* JWT_REFUSAL(NAME, "name for logs") */
#define JWT_REFUSAL_TABLE(JWT_REFUSAL)                                                             \
    JWT_REFUSAL(FINE, "fine")                                                                      \
    JWT_REFUSAL(MALFORMED, "jwt_malformed") /* not a strict JSON object, a claim's type */         \
    JWT_REFUSAL(TYP, "jwt_typ")             /* another kind of token */                            \
    JWT_REFUSAL(ISS, "jwt_iss")             /* missing or another issuer */                        \
    JWT_REFUSAL(AUD, "jwt_aud")             /* missing or for somebody else */                     \
    JWT_REFUSAL(SUB, "jwt_sub")             /* missing or empty */                                 \
    JWT_REFUSAL(NO_EXPIRY, "jwt_no_exp")    /* a token without an end */                           \
    JWT_REFUSAL(EXPIRED, "jwt_expired")                                                            \
    JWT_REFUSAL(NOT_YET, "jwt_not_yet") /* nbf or iat lies ahead */

typedef enum {
#define JWT_REFUSAL(name, text) JWT_##name,
    JWT_REFUSAL_TABLE(JWT_REFUSAL)
#undef JWT_REFUSAL
        JWT_REFUSAL_COUNT
} jwt_refusal_t;

/** The name for logs; static. */
str_t jwt_refusal_name(jwt_refusal_t refusal);

/** Claims whose types were checked. Absent ones are unset, empty, NULL or JWT_TIME_ABSENT. */
typedef struct {
    jwt_refusal_t refusal; /* JWT_MALFORMED: the rest is not meaningful */
    str_t iss, sub, jti;
    str_t client_id;
    str_t scope;                    /* space-separated (RFC 8693 section 4.2) */
    str_t acr;                      /* how the person signed in (RFC 9068 section 2.2.1) */
    str_list_t aud;                 /* a lone string counts as one */
    int64_t exp_ms, nbf_ms, iat_ms; /* Unix milliseconds */
    int64_t auth_ms;                /* when the person signed in: auth_time */
    const json_t *cnf; /* confirmation (RFC 7800): the token is bound to a key; or NULL */
    const json_t *all; /* the whole object */
} jwt_claims_t;

/**
 * Reads the claims of a payload into the arena; out->refusal is JWT_FINE or JWT_MALFORMED. A
 * NumericDate (RFC 7519 section 2) is a finite number from 0 to the end of the year 9999, with or
 * without a fraction; anything else, in a string or out of range, is malformed. RC_MEMORY.
 */
rc_t jwt_claims_parse(arena_t *a, str_t payload, jwt_claims_t *out) MUST_USE;
/** A NumericDate as milliseconds, or false. */
bool jwt_numeric_date(const json_t *v, int64_t *ms);

/** What a token must be. */
typedef struct {
    str_t typ;            /* media type without "application/", e.g. "at+jwt"; unset: none wanted */
    str_t issuer;         /* byte for byte */
    str_list_t audiences; /* one of them must be in `aud`, byte for byte */
    int64_t now_ms;
    int64_t leeway_ms; /* for clocks that differ; at most 60 s makes sense */
} jwt_expect_t;

/** Decides, purely, in the order of JWT_REFUSAL_TABLE (RFC 9068 section 4, RFC 7519 section 4.1).
 *  `typ` is the header's: compared without regard to case, with or without "application/". */
jwt_refusal_t jwt_check(str_t typ, const jwt_claims_t *claims, const jwt_expect_t *expect);
/** Whether now is past exp plus leeway, or before nbf or iat minus leeway: JWT_FINE or the reason.
 *  For claims kept from an earlier check. */
jwt_refusal_t jwt_check_time(const jwt_claims_t *claims, int64_t now_ms, int64_t leeway_ms);

#endif
