#include "oauth/own_token.h"

#include "jose/jws.h"
#include "jose/jwt.h"
#include "oauth/handle.h"
#include "oauth/revocation_list.h"

static int64_t seconds(int64_t ms)
{
    return ms == JWT_TIME_ABSENT ? 0 : ms / 1000;
}

static str_t raw_of(const json_t *all, str_t name)
{
    const json_t *value = json_get(all, name);
    return json_is(value, JSON_OBJECT) ? value->raw : STR_UNSET;
}

static access_token_t record_of(const jwt_claims_t *c)
{
    access_token_t access = {
        .jti = c->jti,
        .family_id = oauth_revocation_family(c->jti),
        .client_id = c->client_id,
        .sub = c->sub,
        .scope = c->scope,
        .resource = c->aud.n == 1 ? c->aud.v[0] : STR_UNSET,
        .jkt = json_get_str(c->cnf, STR("jkt")),
        .act = raw_of(c->all, STR("act")),
        .acr = json_get_str(c->all, STR("acr")),
        .created_at = seconds(c->iat_ms),
        .expires_at = seconds(c->exp_ms),
    };
    if (!json_get_i64(c->all, STR("auth_time"), &access.auth_time))
        access.auth_time = 0;
    return access;
}

/* Our own signature says that all of it is as we wrote it (mint.c). */
static rc_t read_jwt(arena_t *a, str_t token, const jwks_t *keys, str_t issuer,
                     oauth_own_token_t *out)
{
    jws_t jws;
    jwt_claims_t claims;
    TRY(jws_parse(a, token, 0, &jws));
    if (jws.refusal != JWS_FINE || !str_eq_nocase(jws.typ, STR("at+jwt")))
        return RC_OK;
    const jwk_t *key = jwks_find(keys, jws.kid, jws.alg);
    if (!key || jws_verify(&jws, key) != JWS_FINE)
        return RC_OK;
    TRY(jwt_claims_parse(a, jws.payload, &claims));
    out->is_jwt = claims.refusal == JWT_FINE && str_eq(claims.iss, issuer) && claims.jti.n > 0;
    if (out->is_jwt)
        out->access = record_of(&claims);
    return RC_OK;
}

rc_t oauth_own_token_read(arena_t *a, str_t token, const jwks_t *keys, str_t issuer,
                          oauth_own_token_t *out)
{
    *out = (oauth_own_token_t){.hash = oauth_handle_hash(token)};
    return str_find(token, '.', 0) == token.n ? RC_OK : read_jwt(a, token, keys, issuer, out);
}

static bool granted(const oauth_own_facts_t *f)
{
    return f->family && f->family->revoked_at == 0 && f->owner && !f->owner->disabled;
}

bool oauth_own_access_lives(const oauth_own_facts_t *f, int64_t now)
{
    return f->access && now < f->access->expires_at && f->revoked == 0 &&
           (!str_is_set(f->access->family_id) || granted(f));
}

bool oauth_own_refresh_lives(const oauth_own_facts_t *f, int64_t now)
{
    return f->refresh && f->refresh->rotated_at == 0 && granted(f) &&
           now < f->refresh->expires_at && now < f->family->expires_at;
}
