#include "core/limits.h"
#include "jose/jwk.h"
#include "oauth/client_metadata.h"

static bool is_sound(arena_t *a, const json_t *key)
{
    jwk_t jwk = {0};
    if (json_get(key, STR("x5u")) || json_get(key, STR("x5c")))
        return false;
    jwk_verdict_t verdict = jwk_parse(a, key, &jwk);
    if (verdict == JWK_OK)
        jwk_free(&jwk);
    return verdict == JWK_OK || verdict == JWK_UNSUPPORTED;
}

static bool kid_comes_again(const json_t *key)
{
    str_t kid = json_get_str(key, STR("kid"));
    for (const json_t *other = key->next; str_is_set(kid) && other; other = other->next)
        if (str_eq(json_get_str(other, STR("kid")), kid))
            return true;
    return false;
}

bool oauth_client_jwks_is_sound(arena_t *a, const json_t *jwks)
{
    const json_t *keys = json_get(jwks, STR("keys"));
    if (!json_is(keys, JSON_ARRAY) || keys->count == 0 || keys->count > LIMIT_JWKS_KEYS)
        return false;
    for (const json_t *key = keys->child; key; key = key->next)
        if (!is_sound(a, key) || kid_comes_again(key))
            return false;
    return true;
}
