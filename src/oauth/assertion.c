#include "oauth/assertion.h"

#include "core/limits.h"
#include "oauth/handle.h"

str_list_t oauth_assertion_alg_names(void)
{
    static const str_t ALL[] = {STR_INIT("ES256"), STR_INIT("EdDSA"), STR_INIT("Ed25519"),
                                STR_INIT("RS256"), STR_INIT("PS256")};
    return (str_list_t){ALL, sizeof ALL / sizeof ALL[0]};
}

rc_t oauth_assertion_read(arena_t *a, str_t text, oauth_assertion_t *out)
{
    *out = (oauth_assertion_t){0};
    TRY(jws_parse(a, text, 0, &out->jws));
    if (out->jws.refusal != JWS_FINE)
        return RC_OK;
    TRY(jwt_claims_parse(a, out->jws.payload, &out->claims));
    out->readable = out->claims.refusal == JWT_FINE;
    return RC_OK;
}

bool oauth_assertion_typ_is(const oauth_assertion_t *assertion, str_t wanted, bool plain)
{
    str_t typ = assertion->jws.typ, prefix = STR("application/");
    if (!str_is_set(typ))
        return plain;
    if (str_eq_nocase(str_first(typ, prefix.n), prefix))
        typ = str_skip(typ, prefix.n);
    return str_eq_nocase(typ, wanted) || (plain && str_eq_nocase(typ, STR("JWT")));
}

bool oauth_assertion_is_for(const oauth_assertion_t *assertion, str_list_t audiences, bool several)
{
    str_list_t aud = assertion->claims.aud;
    if (!several && json_is(json_get(assertion->claims.all, STR("aud")), JSON_ARRAY))
        return false;
    for (size_t i = 0; i < aud.n; i++)
        if (!str_list_has(audiences, aud.v[i]))
            return false;
    return aud.n > 0;
}

oauth_reason_t oauth_assertion_check_times(const oauth_assertion_t *assertion, int64_t now,
                                           const oauth_assertion_reasons_t *reasons)
{
    const jwt_claims_t *claims = &assertion->claims;
    int64_t leeway_ms = LIMIT_ASSERTION_LEEWAY_S * 1000;
    jwt_refusal_t refusal = jwt_check_time(claims, now * 1000, leeway_ms);
    if (refusal == JWT_NOT_YET)
        return reasons->not_yet;
    if (refusal != JWT_FINE)
        return reasons->expired;
    if (claims->exp_ms > (now + LIMIT_ASSERTION_LIFE_S) * 1000 + leeway_ms)
        return reasons->lifetime;
    bool has_jti = claims->jti.n > 0 && claims->jti.n <= LIMIT_ASSERTION_JTI_BYTES;
    return has_jti ? OAUTH_FINE : reasons->jti;
}

rc_t oauth_assertion_check_signature(arena_t *a, const oauth_assertion_t *assertion, str_t jwks,
                                     const oauth_assertion_reasons_t *reasons, oauth_reason_t *out)
{
    jwks_t keys = {0};
    rc_t rc = str_is_set(jwks) ? jwks_parse(a, jwks, &keys) : RC_OK;
    if (rc == RC_MEMORY)
        return rc;
    const jwk_t *key =
        rc == RC_OK ? jwks_find(&keys, assertion->jws.kid, assertion->jws.alg) : NULL;
    *out = reasons->key;
    if (key)
        *out = jws_verify(&assertion->jws, key) == JWS_FINE ? OAUTH_FINE : reasons->signature;
    return RC_OK;
}

/* With its length in front, so that no two lists of texts become one. */
static void put_text(buf_t *b, str_t s)
{
    buf_u64(b, s.n);
    buf_char(b, ':');
    buf_put(b, s);
}

/* It may be forgotten when the assertion is refused for its age alone. */
rc_t oauth_assertion_spend(arena_t *a, const oauth_assertion_t *assertion, str_t kind, str_t who,
                           const spent_t **out)
{
    str_t name;
    buf_t b = buf_new(a, LIMIT_JWS_BYTES * 2);
    put_text(&b, kind);
    put_text(&b, who);
    put_text(&b, assertion->claims.jti);
    TRY(buf_done(&b, &name));
    spent_t *spent = ARENA_NEW(a, spent_t);
    if (!spent)
        return RC_MEMORY;
    spent->id = oauth_handle_hash(name);
    spent->expires_at = assertion->claims.exp_ms / 1000 + LIMIT_ASSERTION_LEEWAY_S + 1;
    *out = spent;
    return RC_OK;
}

oauth_reason_t oauth_assertion_check_use(const spent_t *use, const oauth_spent_t *seen,
                                         const oauth_assertion_reasons_t *reasons)
{
    if (memcmp(&seen->spent, &use->id, sizeof use->id) == 0)
        return reasons->replayed;
    return seen->full ? OAUTH_SPENT_FULL : OAUTH_FINE;
}
