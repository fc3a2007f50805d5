/* What the records of the store are to the rooms that use them. */
#include "as/keys.h"

#include "jose/seal.h"
#include "oauth/handle.h"

static keyring_state_t ring_state(key_state_t state)
{
    return state == KEY_NEXT      ? KEYRING_NEXT
           : state == KEY_CURRENT ? KEYRING_CURRENT
                                  : KEYRING_RETIRED;
}

static rc_t read_signing(const key_record_t *r, keyring_record_t *out)
{
    *out = (keyring_record_t){.kid = r->kid,
                              .alg = alg_parse(r->alg),
                              .state = ring_state(r->state),
                              .pkcs8 = secret_of(r->secret),
                              .created_at = r->created_at,
                              .activated_at = r->activated_at,
                              .retired_at = r->retired_at};
    return out->alg == ALG_UNKNOWN ? RC_IO : RC_OK;
}

rc_t as_keys_signing(arena_t *a, const key_record_t *records, size_t n, keyring_record_t **out,
                     size_t *n_out)
{
    *n_out = 0;
    *out = ARENA_ARRAY(a, n + 1, keyring_record_t); /* one more than there are: a plan adds one */
    if (!*out)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_SIGN)
            TRY(read_signing(&records[i], &(*out)[(*n_out)++]));
    return RC_OK;
}

static const key_record_t *find_derive(const key_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_DERIVE && records[i].state == KEY_CURRENT)
            return &records[i];
    return NULL;
}

rc_t as_keys_derive(arena_t *a, const key_record_t *records, size_t n, str_t *out)
{
    const key_record_t *derive = find_derive(records, n);
    if (!derive)
        return RC_NOT_FOUND;
    if (derive->secret.n != OAUTH_DERIVE_KEY_BYTES)
        return RC_IO;
    *out = secret_dup(a, derive->secret).hidden;
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t sealing_key(arena_t *a, const key_record_t *r, as_seal_key_t *out)
{
    if (r->secret.n != SEAL_KEY_BYTES)
        return RC_IO;
    *out = (as_seal_key_t){arena_dup(a, r->kid), secret_dup(a, r->secret).hidden};
    return str_is_set(out->kid) && str_is_set(out->key) ? RC_OK : RC_MEMORY;
}

rc_t as_keys_sealing(arena_t *a, const key_record_t *records, size_t n, as_seal_keys_t *out)
{
    as_seal_key_t *v = ARENA_ARRAY(a, n + 1, as_seal_key_t);
    size_t found = 0;
    *out = (as_seal_keys_t){v, 0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_SEAL && records[i].state == KEY_CURRENT)
            TRY(sealing_key(a, &records[i], &v[found++]));
    if (found == 0)
        return RC_NOT_FOUND;
    for (size_t i = n; i-- > 0;) /* the youngest first: most clients are of its time */
        if (records[i].use == KEY_SEAL && records[i].state == KEY_RETIRED)
            TRY(sealing_key(a, &records[i], &v[found++]));
    out->n = found;
    return RC_OK;
}
