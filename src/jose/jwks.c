#include "jose/jwk.h"

#include "core/limits.h"

static void free_key(void *key)
{
    jose_key_free(key);
}

rc_t jwks_parse(arena_t *a, str_t text, jwks_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_JWKS_BYTES, 8, 4096};
    *out = (jwks_t){0};
    const json_t *json;
    TRY(json_parse(a, text, &LIMITS, &json));
    const json_t *keys = json_get(json, STR("keys"));
    if (!json_is(keys, JSON_ARRAY))
        return RC_MALFORMED;
    if (keys->count > LIMIT_JWKS_KEYS)
        return RC_LIMIT;
    out->v = ARENA_ARRAY(a, keys->count + 1, jwk_t);
    if (!out->v)
        return RC_MEMORY;
    for (const json_t *k = keys->child; k; k = k->next) {
        jwk_t jwk;
        if (jwk_parse(a, k, &jwk) != JWK_OK) {
            out->skipped++;
            continue;
        }
        TRY(arena_cleanup(a, free_key, jwk.key));
        out->v[out->n++] = jwk;
    }
    return RC_OK;
}

const jwk_t *jwks_find(const jwks_t *set, str_t kid, alg_t alg)
{
    const jwk_t *found = NULL;
    for (size_t i = 0; i < set->n; i++) {
        const jwk_t *jwk = &set->v[i];
        if (jwk->alg != alg || (str_is_set(kid) && !str_eq(jwk->kid, kid)))
            continue;
        if (found)
            return NULL;
        found = jwk;
    }
    return found;
}

rc_t jwks_write(arena_t *a, json_writer_t *w, const jwks_t *set)
{
    json_begin_object(w);
    json_key(w, STR("keys"));
    json_begin_array(w);
    for (size_t i = 0; i < set->n; i++)
        TRY(jwk_write(a, w, &set->v[i]));
    json_end_array(w);
    json_end_object(w);
    return w->buf->failed;
}
