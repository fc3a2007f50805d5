#include "jose/digest.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>

void sha256(str_t data, uint8_t out[SHA256_BYTES])
{
    SHA256((const unsigned char *)(data.p ? data.p : ""), data.n, out);
}

void hmac_sha256(str_t key, str_t data, uint8_t out[SHA256_BYTES])
{
    unsigned n = SHA256_BYTES;
    HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)(data.p ? data.p : ""), data.n,
         out, &n);
}
