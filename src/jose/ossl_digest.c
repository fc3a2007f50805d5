/* The calls that hash without a look-up of the algorithm: the newer ones search for it by name
 * under a lock each time, which costs more than hashing a token. They cannot fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "jose/digest.h"

#include "core/secret.h"

#include <openssl/sha.h>

enum { BLOCK = 64 };

void sha256(str_t data, uint8_t out[SHA256_BYTES])
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data.p, data.n);
    SHA256_Final(out, &ctx);
}

void sha256_parts(const str_t *parts, size_t n, uint8_t out[SHA256_BYTES])
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    for (size_t i = 0; i < n; i++)
        SHA256_Update(&ctx, parts[i].p, parts[i].n);
    SHA256_Final(out, &ctx);
}

_Static_assert(sizeof(SHA256_CTX) <= sizeof(sha256_t), "a digest under way has room");

void sha256_begin(sha256_t *s)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    memcpy(s, &ctx, sizeof ctx);
}

void sha256_more(sha256_t *s, str_t data)
{
    SHA256_CTX ctx;
    memcpy(&ctx, s, sizeof ctx);
    SHA256_Update(&ctx, data.p, data.n);
    memcpy(s, &ctx, sizeof ctx);
}

void sha256_so_far(const sha256_t *s, uint8_t out[SHA256_BYTES])
{
    SHA256_CTX ctx;
    memcpy(&ctx, s, sizeof ctx);
    SHA256_Final(out, &ctx);
}

static void keyed(const uint8_t key[BLOCK], uint8_t pad, str_t data, uint8_t out[SHA256_BYTES])
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, block, sizeof block);
    SHA256_Update(&ctx, data.p, data.n);
    SHA256_Final(out, &ctx);
    secret_wipe(block, sizeof block);
    secret_wipe(&ctx, sizeof ctx);
}

void hmac_sha256(str_t key, str_t data, uint8_t out[SHA256_BYTES])
{
    uint8_t block[BLOCK] = {0}, inner[SHA256_BYTES];
    if (key.n > BLOCK)
        sha256(key, block);
    else if (key.n > 0)
        memcpy(block, key.p, key.n);
    keyed(block, 0x36, data, inner);
    keyed(block, 0x5c, str_of(inner, sizeof inner), out);
    secret_wipe(block, sizeof block);
}
