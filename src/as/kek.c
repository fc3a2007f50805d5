#include "as/kek.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/hex.h"
#include "core/secret.h"
#include "jose/digest.h"
#include "jose/seal.h"

enum { HEX_CHARS = 2 * SEAL_KEY_BYTES, AD_BYTES = 512, NAME_BYTES = 6 };

static bool is_hex(str_t text)
{
    for (size_t i = 0; i < text.n; i++)
        if (hex_value(text.p[i]) < 0)
            return false;
    return true;
}

static rc_t decode_hex(str_t text, uint8_t out[SEAL_KEY_BYTES])
{
    if (!is_hex(text))
        return RC_MALFORMED;
    for (size_t i = 0; i < SEAL_KEY_BYTES; i++)
        out[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
    return RC_OK;
}

/* Padding says nothing that the length does not. */
static rc_t decode_base64(str_t text, uint8_t out[SEAL_KEY_BYTES])
{
    char plain[HEX_CHARS];
    if (str_ends(text, STR("=")))
        text.n--;
    if (text.n > sizeof plain)
        return RC_MALFORMED;
    for (size_t i = 0; i < text.n; i++)
        plain[i] = (char)(text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
    rc_t rc = b64url_decode_to(str_of(plain, text.n), out, SEAL_KEY_BYTES);
    secret_wipe(plain, sizeof plain);
    return rc;
}

/* The hash of a hash with a purpose: nothing that the key is used for shows in it. */
static rc_t name_it(arena_t *a, as_kek_t *kek)
{
    uint8_t hash[SHA256_BYTES];
    hmac_sha256(kek->key, STR("name of a key-encryption key"), hash);
    kek->name = b64url_encode(a, hash, NAME_BYTES);
    return str_is_set(kek->name) ? RC_OK : RC_MEMORY;
}

static rc_t decode(str_t bytes, uint8_t out[SEAL_KEY_BYTES])
{
    str_t text = str_trim(bytes, " \t\r\n");
    if (bytes.n == SEAL_KEY_BYTES && !is_hex(bytes)) {
        memcpy(out, bytes.p, SEAL_KEY_BYTES);
        return RC_OK;
    }
    return text.n == HEX_CHARS ? decode_hex(text, out) : decode_base64(text, out);
}

rc_t as_kek_read(arena_t *a, str_t bytes, as_kek_t *out)
{
    *out = (as_kek_t){.key = STR_UNSET};
    uint8_t *key = secret_alloc(a, SEAL_KEY_BYTES);
    if (!key)
        return RC_MEMORY;
    TRY(decode(bytes, key));
    out->key = str_of(key, SEAL_KEY_BYTES);
    return name_it(a, out);
}

static bool fits(const as_kek_t *kek, const key_record_t *r)
{
    return !str_is_set(r->sealed_by) || str_eq(r->sealed_by, kek->name);
}

const key_record_t *as_kek_misfit(const as_kek_t *kek, const key_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!fits(kek, &records[i]))
            return &records[i];
    return NULL;
}

const key_record_t *as_kek_planted(const key_record_t *records, size_t n)
{
    const key_record_t *plain = NULL;
    bool any_sealed = false;
    for (size_t i = 0; i < n; i++) {
        any_sealed |= str_is_set(records[i].sealed_by);
        if (!plain && records[i].use == KEY_SIGN && !str_is_set(records[i].sealed_by))
            plain = &records[i];
    }
    return any_sealed ? plain : NULL;
}

static rc_t purpose(arena_t *a, const key_record_t *r, str_t *out)
{
    static const char *const USE[] = {
        [KEY_SIGN] = "sign", [KEY_DERIVE] = "derive", [KEY_SEAL] = "seal"};
    buf_t b = buf_new(a, AD_BYTES);
    buf_put(&b, str_c(USE[r->use]));
    buf_char(&b, ' ');
    buf_put(&b, r->kid);
    return buf_done(&b, out);
}

static rc_t open_one(arena_t *a, const as_kek_t *kek, key_record_t *r)
{
    str_t ad;
    if (!str_is_set(r->sealed_by))
        return RC_OK;
    TRY(purpose(a, r, &ad));
    TRY(jose_open(a, kek->key, ad, r->secret, &r->secret));
    r->sealed_by = STR_UNSET;
    return RC_OK;
}

rc_t as_kek_open(arena_t *a, const as_kek_t *kek, const key_record_t *records, size_t n,
                 const key_record_t **out)
{
    *out = NULL;
    if (as_kek_misfit(kek, records, n))
        return RC_CONFIG;
    key_record_t *v = ARENA_ARRAY(a, n + 1, key_record_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++) {
        v[i] = records[i];
        TRY(open_one(a, kek, &v[i]));
    }
    *out = v;
    return RC_OK;
}

rc_t as_kek_seal(arena_t *a, const as_kek_t *kek, random_port_t random, const key_record_t *plain,
                 key_record_t *out)
{
    str_t ad;
    *out = *plain;
    if (!str_is_set(kek->key)) /* what is to be sealed elsewhere is never left plain */
        return str_is_set(kek->name) ? RC_CONFIG : RC_OK;
    TRY(purpose(a, plain, &ad));
    TRY(jose_seal(a, random, kek->key, ad, plain->secret, &out->secret));
    out->sealed_by = kek->name;
    return RC_OK;
}
