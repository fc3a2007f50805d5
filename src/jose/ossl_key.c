#include "jose/key.h"

#include "core/secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>

struct jose_key {
    EVP_PKEY *pkey;
    key_kind_t kind;
    atomic_uint count;
};

struct jose_signing {
    jose_key_t *key;
    alg_t alg;
    EVP_PKEY_CTX *ctx; /* initialized once; NULL for EdDSA, which signs the message itself */
};

static rc_t wrap(EVP_PKEY *pkey, key_kind_t kind, jose_key_t **out)
{
    jose_key_t *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return RC_MEMORY;
    }
    key->pkey = pkey;
    key->kind = kind;
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

/* Builds a public key from parameters and lets the library check it (point on the curve). */
static rc_t from_params(const char *type, OSSL_PARAM *params, key_kind_t kind, jose_key_t **out)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    bool built = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
                 EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_CTX *check = built ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    bool good = check && EVP_PKEY_public_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    if (!good) {
        EVP_PKEY_free(pkey);
        return RC_MALFORMED;
    }
    return wrap(pkey, kind, out);
}

rc_t jose_key_from_ec(const uint8_t x[32], const uint8_t y[32], jose_key_t **out)
{
    char group[] = "P-256";
    uint8_t point[65] = {4};
    memcpy(point + 1, x, 32);
    memcpy(point + 33, y, 32);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    return from_params("EC", params, KEY_EC_P256, out);
}

rc_t jose_key_from_ed25519(const uint8_t x[32], jose_key_t **out)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, 32);
    return pkey ? wrap(pkey, KEY_ED25519, out) : RC_MALFORMED;
}

static bool rsa_numbers_ok(const BIGNUM *n, const BIGNUM *e)
{
    return BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) &&
           BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 32;
}

rc_t jose_key_from_rsa(str_t n, str_t e, jose_key_t **out)
{
    if (n.n > RSA_BITS_MAX / 8 || e.n > 8)
        return RC_MALFORMED;
    BIGNUM *bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *be = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    rc_t rc = RC_MALFORMED;
    if (bn && be && build && rsa_numbers_ok(bn, be) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
        params = OSSL_PARAM_BLD_to_param(build);
    if (params)
        rc = from_params("RSA", params, KEY_RSA, out);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn);
    BN_free(be);
    return rc;
}

static rc_t kind_of(EVP_PKEY *pkey, key_kind_t *kind)
{
    if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_bits(pkey) == 256) {
        char group[32] = "";
        size_t n;
        EVP_PKEY_get_group_name(pkey, group, sizeof group, &n);
        *kind = KEY_EC_P256;
        return strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0 ? RC_OK
                                                                               : RC_MALFORMED;
    }
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *kind = KEY_ED25519;
        return RC_OK;
    }
    *kind = KEY_RSA;
    return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN ? RC_OK
                                                                                 : RC_MALFORMED;
}

static rc_t wrap_private(EVP_PKEY *pkey, jose_key_t **out)
{
    key_kind_t kind;
    if (!pkey || kind_of(pkey, &kind) != RC_OK) {
        EVP_PKEY_free(pkey);
        return RC_MALFORMED;
    }
    return wrap(pkey, kind, out);
}

rc_t jose_key_from_pkcs8(str_t der, jose_key_t **out)
{
    const unsigned char *p = (const unsigned char *)der.p;
    return wrap_private(d2i_AutoPrivateKey(NULL, &p, (long)der.n), out);
}

rc_t jose_key_generate(alg_t alg, jose_key_t **out)
{
    switch (alg) {
    case ALG_ES256:
        return wrap_private(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), out);
    case ALG_EDDSA:
        return wrap_private(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), out);
    case ALG_RS256:
    case ALG_PS256:
        return wrap_private(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_MIN), out);
    case ALG_UNKNOWN:
        break;
    }
    return RC_MALFORMED;
}

rc_t jose_key_pkcs8(arena_t *a, const jose_key_t *key, str_t *out)
{
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

static rc_t bn_bytes(arena_t *a, const jose_key_t *key, const char *name, str_t *out)
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

static rc_t ec_point(arena_t *a, const jose_key_t *key, str_t *x, str_t *y)
{
    uint8_t *point = arena_alloc(a, 65);
    size_t n = 0;
    if (!point)
        return RC_MEMORY;
    if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &n) != 1 ||
        n != 65)
        return RC_IO;
    *x = str_of(point + 1, 32);
    *y = str_of(point + 33, 32);
    return RC_OK;
}

rc_t jose_key_public(arena_t *a, const jose_key_t *key, str_t *first, str_t *second)
{
    *second = STR_UNSET;
    switch (key->kind) {
    case KEY_EC_P256:
        return ec_point(a, key, first, second);
    case KEY_RSA:
        TRY(bn_bytes(a, key, OSSL_PKEY_PARAM_RSA_N, first));
        return bn_bytes(a, key, OSSL_PKEY_PARAM_RSA_E, second);
    case KEY_ED25519: {
        size_t n = 32;
        unsigned char *x = arena_alloc(a, n);
        if (!x)
            return RC_MEMORY;
        *first = str_of(x, n);
        return EVP_PKEY_get_raw_public_key(key->pkey, x, &n) == 1 && n == 32 ? RC_OK : RC_IO;
    }
    }
    return RC_IO;
}

/* ---- algorithms ---- */

static bool fits(key_kind_t kind, alg_t alg)
{
    switch (alg) {
    case ALG_ES256:
        return kind == KEY_EC_P256;
    case ALG_EDDSA:
        return kind == KEY_ED25519;
    case ALG_RS256:
    case ALG_PS256:
        return kind == KEY_RSA;
    case ALG_UNKNOWN:
        break;
    }
    return false;
}

/* PSS takes a salt of the digest's length and nothing else (RFC 7518 section 3.5). */
static bool set_padding(EVP_PKEY_CTX *ctx, alg_t alg)
{
    if (alg == ALG_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1;
    if (alg == ALG_PS256)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, SHA256_DIGEST_LENGTH) == 1;
    return true;
}

/* JOSE carries r and s as 64 raw bytes; the library wants DER (RFC 7518 section 3.4). */
static int es256_to_der(str_t sig, unsigned char **der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn((const unsigned char *)sig.p, 32, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)sig.p + 32, 32, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(pair);
        return -1;
    }
    int n = i2d_ECDSA_SIG(pair, der);
    ECDSA_SIG_free(pair);
    return n;
}

static bool verify_digest(const jose_key_t *key, alg_t alg, str_t input, str_t sig)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)input.p, input.n, digest);
    unsigned char *der = NULL;
    if (alg == ALG_ES256) {
        int n = sig.n == 64 ? es256_to_der(sig, &der) : -1;
        if (n <= 0)
            return false;
        sig = str_of(der, (size_t)n);
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool good =
        ctx && EVP_PKEY_verify_init(ctx) == 1 && set_padding(ctx, alg) &&
        EVP_PKEY_verify(ctx, (const unsigned char *)sig.p, sig.n, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    return good;
}

static bool verify_eddsa(const jose_key_t *key, str_t input, str_t sig)
{
    if (sig.n != 64)
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
                                 (const unsigned char *)input.p, input.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

bool jose_key_verify(const jose_key_t *key, alg_t alg, str_t input, str_t sig)
{
    if (!fits(key->kind, alg) || !str_is_set(input) || !str_is_set(sig))
        return false;
    return alg == ALG_EDDSA ? verify_eddsa(key, input, sig) : verify_digest(key, alg, input, sig);
}

rc_t jose_signing_new(jose_key_t *key, alg_t alg, jose_signing_t **out)
{
    if (!fits(key->kind, alg))
        return RC_MALFORMED;
    jose_signing_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    *s = (jose_signing_t){.key = jose_key_hold(key), .alg = alg};
    if (alg != ALG_EDDSA) {
        s->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
        if (!s->ctx || EVP_PKEY_sign_init(s->ctx) != 1 || !set_padding(s->ctx, alg)) {
            jose_signing_free(s);
            return RC_IO;
        }
    }
    *out = s;
    return RC_OK;
}

void jose_signing_free(jose_signing_t *s)
{
    if (!s)
        return;
    EVP_PKEY_CTX_free(s->ctx);
    jose_key_free(s->key);
    free(s);
}

static rc_t es256_from_der(const unsigned char *der, size_t n, uint8_t out[64])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)n);
    if (!pair)
        return RC_IO;
    bool good = BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32) == 32;
    ECDSA_SIG_free(pair);
    return good ? RC_OK : RC_IO;
}

static rc_t sign_eddsa(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    *n = KEY_SIGNATURE_MAX;
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key->pkey) == 1 &&
                EVP_DigestSign(ctx, sig, n, (const unsigned char *)input.p, input.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? RC_OK : RC_IO;
}

rc_t jose_signing_sign(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n)
{
    if (s->alg == ALG_EDDSA)
        return sign_eddsa(s, input, sig, n);
    unsigned char digest[SHA256_DIGEST_LENGTH], made[KEY_SIGNATURE_MAX];
    SHA256((const unsigned char *)input.p, input.n, digest);
    size_t made_n = sizeof made;
    if (EVP_PKEY_sign(s->ctx, made, &made_n, digest, sizeof digest) != 1)
        return RC_IO;
    if (s->alg == ALG_ES256) {
        *n = 64;
        return es256_from_der(made, made_n, sig);
    }
    memcpy(sig, made, made_n);
    *n = made_n;
    return RC_OK;
}
