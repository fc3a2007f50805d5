#include "jose/keyring.h"

#include "core/limits.h"

#include <stdatomic.h>

struct keyring {
    atomic_uint count;
    arena_t *arena; /* holds the ring itself */
    jwks_t keys;
    const jwk_t *current;
    str_t document;
};

enum {
    KEYRING_ARENA_BYTES = 4 * 1024 * 1024,
    DOCUMENT_BYTES = 4 * RSA_BITS_MAX / 8 * LIMIT_JWKS_KEYS,
};

rc_t keyring_record_make(arena_t *a, alg_t alg, keyring_state_t state, int64_t now,
                         keyring_record_t *out)
{
    jose_key_t *key;
    TRY(jose_key_generate(alg, &key));
    str_t der = STR_UNSET, kid = STR_UNSET;
    rc_t rc = jose_key_pkcs8(a, key, &der);
    if (rc == RC_OK)
        rc = jwk_thumbprint(a, key, &kid);
    jose_key_free(key);
    *out = (keyring_record_t){.kid = kid,
                              .alg = alg,
                              .state = state,
                              .pkcs8 = secret_of(der),
                              .created_at = now,
                              .activated_at = state == KEYRING_CURRENT ? now : 0};
    return rc;
}

static void free_key(void *key)
{
    jose_key_free(key);
}

static rc_t read_key(const keyring_record_t *r, jose_key_t **out)
{
    return str_is_set(r->spki) ? jose_key_from_spki(r->spki, out)
                               : jose_key_from_pkcs8(r->pkcs8.hidden, out);
}

static rc_t add(keyring_t *ring, const keyring_record_t *r)
{
    jwk_t *jwk = &ring->keys.v[ring->keys.n];
    for (size_t i = 0; i < ring->keys.n; i++)
        if (str_eq(ring->keys.v[i].kid, r->kid))
            return RC_MALFORMED;
    if (r->kid.n == 0 || r->kid.n > LIMIT_KID_BYTES)
        return RC_MALFORMED;
    jwk->alg = r->alg;
    jwk->kid = arena_dup(ring->arena, r->kid);
    if (!str_is_set(jwk->kid))
        return RC_MEMORY;
    TRY(read_key(r, &jwk->key));
    TRY(arena_cleanup(ring->arena, free_key, jwk->key));
    if (!jose_key_fits(jose_key_kind(jwk->key), r->alg))
        return RC_MALFORMED;
    if (r->state == KEYRING_CURRENT) {
        if (ring->current)
            return RC_MALFORMED;
        ring->current = jwk;
    }
    ring->keys.n++;
    return RC_OK;
}

static rc_t fill(keyring_t *ring, const keyring_record_t *records, size_t n)
{
    ring->keys.v = ARENA_ARRAY(ring->arena, n + 1, jwk_t);
    if (!ring->keys.v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        TRY(add(ring, &records[i]));
    buf_t b = buf_new(ring->arena, DOCUMENT_BYTES);
    json_writer_t w = json_writer(&b);
    TRY(jwks_write(ring->arena, &w, &ring->keys));
    return buf_done(&b, &ring->document);
}

rc_t keyring_new(const keyring_record_t *records, size_t n, keyring_t **out)
{
    *out = NULL;
    if (n > LIMIT_JWKS_KEYS)
        return RC_LIMIT;
    arena_t *arena = arena_new(KEYRING_ARENA_BYTES);
    keyring_t *ring = arena ? ARENA_NEW(arena, keyring_t) : NULL;
    if (!ring) {
        arena_free(arena);
        return RC_MEMORY;
    }
    atomic_init(&ring->count, 1);
    ring->arena = arena;
    rc_t rc = fill(ring, records, n);
    if (rc != RC_OK) {
        arena_free(arena);
        return rc;
    }
    *out = ring;
    return RC_OK;
}

keyring_t *keyring_ref(keyring_t *ring)
{
    atomic_fetch_add(&ring->count, 1);
    return ring;
}

void keyring_unref(keyring_t *ring)
{
    if (ring && atomic_fetch_sub(&ring->count, 1) == 1)
        arena_free(ring->arena);
}

const jwk_t *keyring_current(const keyring_t *ring)
{
    return ring->current;
}

const jwks_t *keyring_keys(const keyring_t *ring)
{
    return &ring->keys;
}

str_t keyring_document(const keyring_t *ring)
{
    return ring->document;
}
