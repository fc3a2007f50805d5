#include "jose/seal.h"

#include "core/limits.h"
#include "core/secret.h"

#include <openssl/evp.h>

/* The parts of a sealed text: nonce, encrypted bytes, tag. */
typedef struct {
    EVP_CIPHER_CTX *ctx;
    bool seals;
    uint8_t *nonce, *tag;
    int n;
} work_t;

/* No padding, no later step: the length of the output is that of the input. */
static bool run(const work_t *w, str_t ad, const uint8_t *in, uint8_t *out)
{
    int n = 0;
    uint8_t rest[SEAL_TAG_BYTES];
    if (ad.n > 0 && EVP_CipherUpdate(w->ctx, NULL, &n, (const uint8_t *)ad.p, (int)ad.n) != 1)
        return false;
    if (w->n > 0 && (EVP_CipherUpdate(w->ctx, out, &n, in, w->n) != 1 || n != w->n))
        return false;
    return EVP_CipherFinal_ex(w->ctx, rest, &n) == 1 && n == 0;
}

static bool begin(const work_t *w, str_t key)
{
    return w->ctx && EVP_CipherInit_ex2(w->ctx, EVP_aes_256_gcm(), (const uint8_t *)key.p, w->nonce,
                                        w->seals, NULL) == 1;
}

static bool take_tag(const work_t *w)
{
    return EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, w->tag) == 1;
}

static bool give_tag(const work_t *w)
{
    return EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, w->tag) == 1;
}

rc_t jose_seal(arena_t *a, random_port_t random, str_t key, str_t ad, str_t plain, str_t *out)
{
    *out = STR_UNSET;
    if (key.n != SEAL_KEY_BYTES)
        return RC_MALFORMED;
    if (plain.n > LIMIT_SEAL_BYTES || ad.n > LIMIT_SEAL_BYTES)
        return RC_LIMIT;
    size_t n = plain.n + SEAL_EXTRA_BYTES;
    uint8_t *sealed = arena_alloc(a, n);
    if (!sealed)
        return RC_MEMORY;
    TRY(random.fill(random.ctx, sealed, SEAL_NONCE_BYTES));
    uint8_t *body = sealed + SEAL_NONCE_BYTES;
    const work_t w = {EVP_CIPHER_CTX_new(), true, sealed, body + plain.n, (int)plain.n};
    bool done = begin(&w, key) && run(&w, ad, (const uint8_t *)plain.p, body) && take_tag(&w);
    EVP_CIPHER_CTX_free(w.ctx);
    *out = done ? str_of(sealed, n) : STR_UNSET;
    return done ? RC_OK : RC_IO;
}

rc_t jose_open(arena_t *a, str_t key, str_t ad, str_t sealed, str_t *out)
{
    *out = STR_UNSET;
    if (key.n != SEAL_KEY_BYTES || sealed.n < SEAL_EXTRA_BYTES || ad.n > LIMIT_SEAL_BYTES ||
        sealed.n - SEAL_EXTRA_BYTES > LIMIT_SEAL_BYTES)
        return RC_MALFORMED;
    size_t n = sealed.n - SEAL_EXTRA_BYTES;
    uint8_t nonce[SEAL_NONCE_BYTES], tag[SEAL_TAG_BYTES];
    memcpy(nonce, sealed.p, sizeof nonce);
    memcpy(tag, sealed.p + SEAL_NONCE_BYTES + n, sizeof tag);
    uint8_t *plain = secret_alloc(a, n);
    if (!plain)
        return RC_MEMORY;
    const work_t w = {EVP_CIPHER_CTX_new(), false, nonce, tag, (int)n};
    bool ready = begin(&w, key) && give_tag(&w);
    bool good = ready && run(&w, ad, (const uint8_t *)sealed.p + SEAL_NONCE_BYTES, plain);
    EVP_CIPHER_CTX_free(w.ctx); /* wipes the key that it was given */
    if (!good)
        secret_wipe(plain, n); /* decrypted, but nobody vouches for it */
    *out = good ? str_of(plain, n) : STR_UNSET;
    return good ? RC_OK : ready ? RC_MALFORMED : RC_IO;
}
