#include "jose/jwt.h"

#include "core/limits.h"

#include <math.h>

str_t jwt_refusal_name(jwt_refusal_t refusal)
{
    static const str_t NAMES[] = {
#define JWT_REFUSAL(name, text) [JWT_##name] = STR_INIT(text),
        JWT_REFUSAL_TABLE(JWT_REFUSAL)
#undef JWT_REFUSAL
    };
    return NAMES[refusal];
}

/* 9999-12-31T23:59:59Z: far from where milliseconds would leave int64_t or the exact doubles. */
static const double SECONDS_MAX = 253402300799.0;

bool jwt_numeric_date(const json_t *v, int64_t *ms)
{
    double seconds;
    if (!json_is(v, JSON_NUMBER) || !json_f64(v, &seconds))
        return false;
    if (!isfinite(seconds) || seconds < 0 || seconds > SECONDS_MAX)
        return false;
    *ms = (int64_t)(seconds * 1000.0);
    return true;
}

/* Claims that are text, and those that are times (RFC 7519 section 4.1, RFC 9068 section 2.2). */
static const struct {
    str_t name;
    size_t offset;
} TEXTS[] =
    {
        {STR_INIT("iss"), offsetof(jwt_claims_t, iss)},
        {STR_INIT("sub"), offsetof(jwt_claims_t, sub)},
        {STR_INIT("jti"), offsetof(jwt_claims_t, jti)},
        {STR_INIT("client_id"), offsetof(jwt_claims_t, client_id)},
        {STR_INIT("scope"), offsetof(jwt_claims_t, scope)},
        {STR_INIT("acr"), offsetof(jwt_claims_t, acr)},
},
  TIMES[] = {
      {STR_INIT("exp"), offsetof(jwt_claims_t, exp_ms)},
      {STR_INIT("nbf"), offsetof(jwt_claims_t, nbf_ms)},
      {STR_INIT("iat"), offsetof(jwt_claims_t, iat_ms)},
      {STR_INIT("auth_time"), offsetof(jwt_claims_t, auth_ms)},
};

static bool read_texts(const json_t *all, jwt_claims_t *out)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        const json_t *claim = json_get(all, TEXTS[i].name);
        if (!claim)
            continue;
        if (claim->type != JSON_STRING)
            return false;
        *(str_t *)(void *)((char *)out + TEXTS[i].offset) = claim->str;
    }
    return true;
}

static bool read_times(const json_t *all, jwt_claims_t *out)
{
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        int64_t *ms = (int64_t *)(void *)((char *)out + TIMES[i].offset);
        *ms = JWT_TIME_ABSENT;
        const json_t *claim = json_get(all, TIMES[i].name);
        if (claim && !jwt_numeric_date(claim, ms))
            return false;
    }
    return true;
}

/* A string or an array of strings (RFC 7519 section 4.1.3). */
static rc_t read_audience(arena_t *a, const json_t *all, jwt_claims_t *out)
{
    const json_t *aud = json_get(all, STR("aud"));
    if (!aud)
        return RC_OK;
    bool alone = aud->type == JSON_STRING;
    if (!alone && aud->type != JSON_ARRAY)
        return RC_MALFORMED;
    str_t *v = ARENA_ARRAY(a, alone ? 1 : aud->count + 1, str_t);
    if (!v)
        return RC_MEMORY;
    size_t n = 0;
    for (const json_t *one = alone ? aud : aud->child; one; one = alone ? NULL : one->next) {
        if (one->type != JSON_STRING)
            return RC_MALFORMED;
        v[n++] = one->str;
    }
    out->aud = (str_list_t){v, n};
    return RC_OK;
}

static rc_t read_claims(arena_t *a, str_t payload, jwt_claims_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_JWS_BYTES, LIMIT_JWT_DEPTH, LIMIT_JWT_NODES};
    TRY(json_parse(a, payload, &LIMITS, &out->all));
    if (out->all->type != JSON_OBJECT || !read_texts(out->all, out) || !read_times(out->all, out))
        return RC_MALFORMED;
    out->cnf = json_get(out->all, STR("cnf"));
    return read_audience(a, out->all, out);
}

rc_t jwt_claims_parse(arena_t *a, str_t payload, jwt_claims_t *out)
{
    *out = (jwt_claims_t){0};
    rc_t rc = read_claims(a, payload, out);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    *out = (jwt_claims_t){.refusal = JWT_MALFORMED};
    return RC_OK;
}

/* A media type without "application/" means the same (RFC 7515 section 4.1.9); such names do not
 * know case (RFC 2045 section 5.1). */
static bool typ_is(str_t typ, str_t wanted)
{
    str_t prefix = STR("application/");
    if (str_eq_nocase(str_first(typ, prefix.n), prefix))
        typ = str_skip(typ, prefix.n);
    return str_eq_nocase(typ, wanted);
}

static bool any_in(str_list_t list, str_list_t wanted)
{
    for (size_t i = 0; i < wanted.n; i++)
        if (str_list_has(list, wanted.v[i]))
            return true;
    return false;
}

jwt_refusal_t jwt_check_time(const jwt_claims_t *claims, int64_t now_ms, int64_t leeway_ms)
{
    if (claims->exp_ms == JWT_TIME_ABSENT)
        return JWT_NO_EXPIRY;
    /* "On or after" exp it must not be accepted (RFC 7519 section 4.1.4). */
    if (now_ms >= claims->exp_ms + leeway_ms)
        return JWT_EXPIRED;
    if (claims->nbf_ms > now_ms + leeway_ms || claims->iat_ms > now_ms + leeway_ms)
        return JWT_NOT_YET;
    return JWT_FINE;
}

jwt_refusal_t jwt_check(str_t typ, const jwt_claims_t *claims, const jwt_expect_t *expect)
{
    if (claims->refusal != JWT_FINE)
        return claims->refusal;
    if (str_is_set(expect->typ) && !(str_is_set(typ) && typ_is(typ, expect->typ)))
        return JWT_TYP;
    if (!str_is_set(claims->iss) || !str_eq(claims->iss, expect->issuer))
        return JWT_ISS;
    if (!any_in(claims->aud, expect->audiences))
        return JWT_AUD;
    if (str_is_empty(claims->sub))
        return JWT_SUB;
    return jwt_check_time(claims, expect->now_ms, expect->leeway_ms);
}
