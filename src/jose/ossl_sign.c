/* Signatures, made and checked. */
#include "jose/ossl_key.h"

#include "jose/digest.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>

struct jose_signing {
    jose_key_t *key;
    alg_t alg;
    EVP_PKEY_CTX *ctx; /* initialized once; NULL for EdDSA, which signs the message itself */
    EVP_MD_CTX *eddsa;
};

alg_t jose_key_usual_alg(key_kind_t kind)
{
    static const alg_t USUAL[] = {
        [KEY_EC_P256] = ALG_ES256, [KEY_ED25519] = ALG_EDDSA, [KEY_RSA] = ALG_RS256};
    return USUAL[kind];
}

bool jose_key_fits(key_kind_t kind, alg_t alg)
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
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, SHA256_BYTES) == 1;
    return true;
}

/* ---- ES256 between 64 raw bytes and DER (RFC 7518 section 3.4) ---- */

enum { RAW_HALF = 32, DER_HALF_MAX = 2 + 1 + RAW_HALF, DER_MAX = 2 + 2 * DER_HALF_MAX };

/* One INTEGER: without leading zeros, but with one where the first bit would make it negative. */
static size_t der_put(const uint8_t half[RAW_HALF], uint8_t *out)
{
    size_t zeros = 0;
    while (zeros < RAW_HALF - 1 && half[zeros] == 0)
        zeros++;
    size_t n = RAW_HALF - zeros, pad = half[zeros] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(n + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, half + zeros, n);
    return 2 + pad + n;
}

static size_t es256_to_der(const uint8_t sig[2 * RAW_HALF], uint8_t der[DER_MAX])
{
    size_t n = der_put(sig, der + 2);
    n += der_put(sig + RAW_HALF, der + 2 + n);
    der[0] = 0x30;
    der[1] = (uint8_t)n;
    return 2 + n;
}

/* Reads one INTEGER of the library's own making; returns its length or 0. */
static size_t der_get(const uint8_t *der, size_t n, uint8_t half[RAW_HALF])
{
    if (n < 3 || der[0] != 0x02 || der[1] == 0 || der[1] > RAW_HALF + 1 || der[1] > n - 2)
        return 0;
    size_t len = der[1], skip = len > RAW_HALF;
    if (skip && der[2] != 0)
        return 0;
    memset(half, 0, RAW_HALF);
    memcpy(half + RAW_HALF - (len - skip), der + 2 + skip, len - skip);
    return 2 + len;
}

static bool es256_from_der(const uint8_t *der, size_t n, uint8_t sig[2 * RAW_HALF])
{
    if (n < 2 || der[0] != 0x30 || der[1] != n - 2)
        return false;
    size_t r = der_get(der + 2, n - 2, sig);
    size_t s = r > 0 ? der_get(der + 2 + r, n - 2 - r, sig + RAW_HALF) : 0;
    return s > 0 && 2 + r + s == n;
}

/* ---- verify ---- */

static bool verify_digest(const jose_key_t *key, alg_t alg, str_t input, str_t sig)
{
    uint8_t digest[SHA256_BYTES], der[DER_MAX];
    if (alg == ALG_ES256) {
        if (sig.n != 2 * RAW_HALF)
            return false;
        sig = str_of(der, es256_to_der((const uint8_t *)sig.p, der));
    } else if (sig.n != (size_t)EVP_PKEY_get_size(key->pkey)) {
        return false;
    }
    sha256(input, digest);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool good =
        ctx && EVP_PKEY_verify_init(ctx) == 1 && set_padding(ctx, alg) &&
        EVP_PKEY_verify(ctx, (const unsigned char *)sig.p, sig.n, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
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
    if (!jose_key_fits(key->kind, alg) || !str_is_set(input) || str_is_empty(sig))
        return false;
    return alg == ALG_EDDSA ? verify_eddsa(key, input, sig) : verify_digest(key, alg, input, sig);
}

/* ---- sign ---- */

rc_t jose_signing_new(jose_key_t *key, alg_t alg, jose_signing_t **out)
{
    *out = NULL;
    if (!key->is_private || !jose_key_fits(key->kind, alg))
        return RC_MALFORMED;
    jose_signing_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    *s = (jose_signing_t){.key = jose_key_hold(key), .alg = alg};
    bool ready;
    if (alg == ALG_EDDSA) {
        s->eddsa = EVP_MD_CTX_new();
        ready = s->eddsa != NULL;
    } else {
        s->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
        ready = s->ctx && EVP_PKEY_sign_init(s->ctx) == 1 && set_padding(s->ctx, alg);
    }
    if (!ready) {
        jose_signing_free(s);
        return RC_IO;
    }
    *out = s;
    return RC_OK;
}

void jose_signing_free(jose_signing_t *s)
{
    if (!s)
        return;
    EVP_PKEY_CTX_free(s->ctx);
    EVP_MD_CTX_free(s->eddsa);
    jose_key_free(s->key);
    free(s);
}

static rc_t sign_eddsa(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n)
{
    *n = KEY_SIGNATURE_MAX;
    EVP_MD_CTX_reset(s->eddsa);
    if (EVP_DigestSignInit(s->eddsa, NULL, NULL, NULL, s->key->pkey) != 1 ||
        EVP_DigestSign(s->eddsa, sig, n, (const unsigned char *)input.p, input.n) != 1)
        return RC_IO;
    return RC_OK;
}

rc_t jose_signing_sign(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n)
{
    if (s->alg == ALG_EDDSA)
        return sign_eddsa(s, input, sig, n);
    uint8_t digest[SHA256_BYTES], made[KEY_SIGNATURE_MAX];
    size_t made_n = sizeof made;
    sha256(input, digest);
    if (EVP_PKEY_sign(s->ctx, made, &made_n, digest, sizeof digest) != 1)
        return RC_IO;
    if (s->alg == ALG_ES256) {
        *n = 2 * RAW_HALF;
        return es256_from_der(made, made_n, sig) ? RC_OK : RC_IO;
    }
    memcpy(sig, made, made_n);
    *n = made_n;
    return RC_OK;
}
