#include "as/vault.h"

#include "core/buf.h"
#include "core/secret.h"
#include "jose/seal.h"
#include "oauth/handle.h"

enum { RAW_KEY_BYTES = 32, RAW_NAME_BYTES = 12 };
_Static_assert((int)RAW_KEY_BYTES == (int)OAUTH_DERIVE_KEY_BYTES, "as oauth/handle.h has it");
_Static_assert((int)RAW_KEY_BYTES == (int)SEAL_KEY_BYTES, "as jose/seal.h has it");

static rc_t open_behind(arena_t *a, const as_vault_t *vault, key_record_t *r)
{
    TRY(vault->open(vault->ctx, a, r, &r->secret));
    r->sealed_by = STR_UNSET;
    return RC_OK;
}

static rc_t open_all(arena_t *a, const as_opener_t *o, const key_record_t *records, size_t n,
                     const key_record_t **out)
{
    key_record_t *v = ARENA_ARRAY(a, n + 1, key_record_t);
    *out = NULL;
    if (as_kek_misfit(&o->kek, records, n))
        return RC_CONFIG;
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++) {
        v[i] = records[i];
        TRY(open_behind(a, o->vault, &v[i]));
    }
    *out = v;
    return o->vault->settle(o->vault->ctx);
}

rc_t as_vault_open(arena_t *a, const as_opener_t *o, const key_record_t *records, size_t n,
                   const key_record_t **out)
{
    return o->vault ? open_all(a, o, records, n, out) : as_kek_open(a, &o->kek, records, n, out);
}

void as_vault_public(keyring_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        records[i].spki = records[i].pkcs8.hidden;
        records[i].pkcs8 = secret_of(STR_UNSET);
    }
}

rc_t as_vault_seal(arena_t *a, const as_opener_t *o, const key_record_t *r, key_record_t *out)
{
    *out = *r;
    if (str_is_set(r->sealed_by))
        return RC_OK;
    if (!o->vault)
        return as_kek_seal(a, &o->kek, o->random, r, out);
    out->sealed_by = o->kek.name;
    return o->vault->seal(o->vault->ctx, a, r, out);
}

/* ---- new keys ---- */

static rc_t raw_name(arena_t *a, random_port_t random, const char *prefix, str_t *out)
{
    uint8_t name[RAW_NAME_BYTES];
    TRY(random.fill(random.ctx, name, sizeof name));
    buf_t kid = buf_new(a, 64);
    buf_put(&kid, str_c(prefix));
    buf_b64url(&kid, name, sizeof name);
    return buf_done(&kid, out);
}

static rc_t make_raw(arena_t *a, random_port_t random, key_record_t *r)
{
    uint8_t *key = secret_alloc(a, RAW_KEY_BYTES);
    if (!key)
        return RC_MEMORY;
    TRY(random.fill(random.ctx, key, RAW_KEY_BYTES));
    r->secret = str_of(key, RAW_KEY_BYTES);
    return raw_name(a, random, r->use == KEY_DERIVE ? "derive-" : "seal-", &r->kid);
}

static rc_t make_signing(arena_t *a, key_record_t *r)
{
    keyring_record_t made;
    TRY(keyring_record_make(a, alg_parse(r->alg), KEYRING_CURRENT, 0, &made));
    r->kid = made.kid;
    r->secret = made.pkcs8.hidden;
    return RC_OK;
}

rc_t as_vault_make(arena_t *a, const as_opener_t *o, key_record_t *r)
{
    r->sealed_by = o->vault ? o->kek.name : STR_UNSET;
    if (o->vault)
        return o->vault->make(o->vault->ctx, a, r);
    TRY(r->use == KEY_SIGN ? make_signing(a, r) : make_raw(a, o->random, r));
    const key_record_t plain = *r;
    return as_kek_seal(a, &o->kek, o->random, &plain, r);
}
