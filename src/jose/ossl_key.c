/* Keys made of numbers, of PKCS#8, and of nothing. */
#include "jose/ossl_key.h"

#include "core/secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdlib.h>

/* Takes the library's key over; frees it when it is not sound. */
static rc_t wrap(EVP_PKEY *pkey, key_kind_t kind, bool is_private, jose_key_t **out)
{
    *out = NULL;
    if (!pkey || !ossl_key_is_sound(pkey, kind)) {
        EVP_PKEY_free(pkey);
        return RC_MALFORMED;
    }
    jose_key_t *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return RC_MEMORY;
    }
    key->pkey = pkey;
    key->kind = kind;
    key->is_private = is_private;
    atomic_init(&key->count, 1);
    *out = key;
    return RC_OK;
}

jose_key_t *jose_key_hold(jose_key_t *key)
{
    atomic_fetch_add(&key->count, 1);
    return key;
}

void jose_key_free(jose_key_t *key)
{
    if (!key || atomic_fetch_sub(&key->count, 1) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

key_kind_t jose_key_kind(const jose_key_t *key)
{
    return key->kind;
}

bool jose_key_is_private(const jose_key_t *key)
{
    return key->is_private;
}

/* ---- from the numbers of a JWK ---- */

static const char *const TYPE[] = {
    [KEY_EC_P256] = "EC",
    [KEY_ED25519] = "ED25519",
    [KEY_RSA] = "RSA",
};

/* At most 8 numbers of a key on their way into the library. */
typedef struct {
    OSSL_PARAM_BLD *build;
    BIGNUM *numbers[8];
    size_t n;
    bool failed;
} params_t;

static void push_number(params_t *p, const char *name, str_t bytes)
{
    if (bytes.n == 0 || bytes.n > RSA_BITS_MAX / 8 || p->n == 8) {
        p->failed = true;
        return;
    }
    BIGNUM *bn = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
    p->numbers[p->n++] = bn;
    if (!bn || OSSL_PARAM_BLD_push_BN(p->build, name, bn) != 1)
        p->failed = true;
}

static void push_bytes(params_t *p, const char *name, const void *bytes, size_t n)
{
    if (OSSL_PARAM_BLD_push_octet_string(p->build, name, bytes, n) != 1)
        p->failed = true;
}

static void push_ec(params_t *p, const key_parts_t *parts, uint8_t point[65])
{
    if (parts->x.n != 32 || parts->y.n != 32 || (parts->d.p && parts->d.n != 32)) {
        p->failed = true;
        return;
    }
    point[0] = 4; /* uncompressed */
    memcpy(point + 1, parts->x.p, 32);
    memcpy(point + 33, parts->y.p, 32);
    if (OSSL_PARAM_BLD_push_utf8_string(p->build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1)
        p->failed = true;
    push_bytes(p, OSSL_PKEY_PARAM_PUB_KEY, point, 65);
    if (parts->d.p)
        push_number(p, OSSL_PKEY_PARAM_PRIV_KEY, parts->d);
}

static void push_ed25519(params_t *p, const key_parts_t *parts)
{
    if (parts->x.n != 32 || (parts->d.p && parts->d.n != 32)) {
        p->failed = true;
        return;
    }
    push_bytes(p, OSSL_PKEY_PARAM_PUB_KEY, parts->x.p, 32);
    if (parts->d.p)
        push_bytes(p, OSSL_PKEY_PARAM_PRIV_KEY, parts->d.p, 32);
}

static void push_rsa(params_t *p, const key_parts_t *parts)
{
    push_number(p, OSSL_PKEY_PARAM_RSA_N, parts->n);
    push_number(p, OSSL_PKEY_PARAM_RSA_E, parts->e);
    if (!parts->d.p)
        return;
    push_number(p, OSSL_PKEY_PARAM_RSA_D, parts->d);
    push_number(p, OSSL_PKEY_PARAM_RSA_FACTOR1, parts->p);
    push_number(p, OSSL_PKEY_PARAM_RSA_FACTOR2, parts->q);
    push_number(p, OSSL_PKEY_PARAM_RSA_EXPONENT1, parts->dp);
    push_number(p, OSSL_PKEY_PARAM_RSA_EXPONENT2, parts->dq);
    push_number(p, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, parts->qi);
}

static EVP_PKEY *from_params(const char *type, int selection, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *from_parts(key_kind_t kind, const key_parts_t *parts)
{
    uint8_t point[65];
    params_t p = {.build = OSSL_PARAM_BLD_new()};
    if (!p.build)
        return NULL;
    switch (kind) {
    case KEY_EC_P256:
        push_ec(&p, parts, point);
        break;
    case KEY_ED25519:
        push_ed25519(&p, parts);
        break;
    case KEY_RSA:
        push_rsa(&p, parts);
        break;
    }
    OSSL_PARAM *params = p.failed ? NULL : OSSL_PARAM_BLD_to_param(p.build);
    int selection = parts->d.p ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    EVP_PKEY *pkey = params ? from_params(TYPE[kind], selection, params) : NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(p.build);
    for (size_t i = 0; i < p.n; i++)
        BN_clear_free(p.numbers[i]);
    return pkey;
}

/* The library's own check: the point lies on the curve; the private half fits. */
static bool passes(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool good = ctx && check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

rc_t jose_key_from_public(key_kind_t kind, const key_parts_t *parts, jose_key_t **out)
{
    key_parts_t public = {.x = parts->x, .y = parts->y, .n = parts->n, .e = parts->e};
    EVP_PKEY *pkey = from_parts(kind, &public);
    /* RSA is judged by wrap: the library's check would refuse small exponents that RFC 7518 has. */
    if (pkey && kind == KEY_EC_P256 && !passes(pkey, EVP_PKEY_public_check)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return wrap(pkey, kind, false, out);
}

rc_t jose_key_from_private(key_kind_t kind, const key_parts_t *parts, jose_key_t **out)
{
    EVP_PKEY *pkey = parts->d.p ? from_parts(kind, parts) : NULL;
    if (pkey && !passes(pkey, EVP_PKEY_pairwise_check)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return wrap(pkey, kind, true, out);
}

/* ---- from PKCS#8, and new ---- */

static rc_t wrap_any(EVP_PKEY *pkey, bool is_private, jose_key_t **out)
{
    for (key_kind_t kind = KEY_EC_P256; pkey && kind <= KEY_RSA; kind++)
        if (EVP_PKEY_is_a(pkey, TYPE[kind]))
            return wrap(pkey, kind, is_private, out);
    *out = NULL;
    EVP_PKEY_free(pkey);
    return RC_MALFORMED;
}

rc_t jose_key_from_pkcs8(str_t der, jose_key_t **out)
{
    *out = NULL;
    const unsigned char *p = (const unsigned char *)der.p;
    if (der.n == 0 || der.n > RSA_BITS_MAX)
        return RC_MALFORMED;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
    bool whole = info && p == (const unsigned char *)der.p + der.n;
    EVP_PKEY *pkey = whole ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return wrap_any(pkey, true, out);
}

rc_t jose_key_from_spki(str_t der, jose_key_t **out)
{
    *out = NULL;
    const unsigned char *p = (const unsigned char *)der.p;
    if (der.n == 0 || der.n > RSA_BITS_MAX)
        return RC_MALFORMED;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
    if (pkey && p != (const unsigned char *)der.p + der.n) {
        EVP_PKEY_free(pkey);
        return RC_MALFORMED;
    }
    return wrap_any(pkey, false, out);
}

rc_t jose_key_spki(arena_t *a, const jose_key_t *key, str_t *out)
{
    unsigned char *der = NULL;
    *out = STR_UNSET;
    int n = i2d_PUBKEY(key->pkey, &der);
    if (n <= 0)
        return RC_IO;
    *out = arena_dup(a, str_of(der, (size_t)n));
    OPENSSL_free(der);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

rc_t jose_key_generate(alg_t alg, jose_key_t **out)
{
    *out = NULL;
    switch (alg) {
    case ALG_ES256:
        return wrap_any(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), true, out);
    case ALG_EDDSA:
        return wrap_any(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true, out);
    case ALG_RS256:
    case ALG_PS256:
        return wrap_any(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_MIN), true, out);
    case ALG_UNKNOWN:
        break;
    }
    return RC_MALFORMED;
}

rc_t jose_key_pkcs8(arena_t *a, const jose_key_t *key, str_t *out)
{
    *out = STR_UNSET;
    if (!key->is_private)
        return RC_NOT_FOUND;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (n <= 0)
        return RC_IO;
    *out = secret_dup(a, str_of(der, (size_t)n)).hidden;
    OPENSSL_clear_free(der, (size_t)n);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* ---- to the numbers of a JWK ---- */

static rc_t number(arena_t *a, const jose_key_t *key, const char *name, str_t *out)
{
    BIGNUM *bn = NULL;
    if (EVP_PKEY_get_bn_param(key->pkey, name, &bn) != 1)
        return RC_IO;
    int n = BN_num_bytes(bn);
    unsigned char *p = arena_alloc(a, (size_t)n + 1);
    if (p)
        BN_bn2bin(bn, p);
    BN_free(bn);
    *out = p ? str_of(p, (size_t)n) : STR_UNSET;
    return p ? RC_OK : RC_MEMORY;
}

static rc_t point(arena_t *a, const jose_key_t *key, str_t *x, str_t *y)
{
    uint8_t *bytes = arena_alloc(a, 65);
    size_t n = 0;
    if (!bytes)
        return RC_MEMORY;
    if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, 65, &n) != 1 ||
        n != 65)
        return RC_IO;
    *x = str_of(bytes + 1, 32);
    *y = str_of(bytes + 33, 32);
    return RC_OK;
}

static rc_t raw(arena_t *a, const jose_key_t *key, str_t *x)
{
    size_t n = 32;
    unsigned char *bytes = arena_alloc(a, n);
    if (!bytes)
        return RC_MEMORY;
    *x = str_of(bytes, n);
    return EVP_PKEY_get_raw_public_key(key->pkey, bytes, &n) == 1 && n == 32 ? RC_OK : RC_IO;
}

rc_t jose_key_public(arena_t *a, const jose_key_t *key, str_t *first, str_t *second)
{
    *first = *second = STR_UNSET;
    switch (key->kind) {
    case KEY_EC_P256:
        return point(a, key, first, second);
    case KEY_ED25519:
        return raw(a, key, first);
    case KEY_RSA:
        TRY(number(a, key, OSSL_PKEY_PARAM_RSA_N, first));
        return number(a, key, OSSL_PKEY_PARAM_RSA_E, second);
    }
    return RC_IO;
}
