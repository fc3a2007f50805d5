/* A sealed text from anywhere. The first byte says how long the associated data is that follows it;
 * the rest is opened under a key of zeros, and what opens must have been sealed so. */
#include "jose/seal.h"

#include <stdlib.h>

static rc_t same_nonce(void *ctx, void *out, size_t n)
{
    memcpy(out, ctx, n);
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ZEROS[SEAL_KEY_BYTES];
    uint8_t nonce[SEAL_NONCE_BYTES];
    if (size == 0)
        return 0;
    arena_t *a = arena_new(1 << 20);
    str_t rest = str_of(data + 1, size - 1), ad = str_first(rest, data[0]), plain, again;
    str_t sealed = str_skip(rest, ad.n), key = str_of(ZEROS, sizeof ZEROS);
    rc_t rc = jose_open(a, key, ad, sealed, &plain);
    if (rc != RC_OK && str_is_set(plain))
        abort();
    if (rc == RC_OK) {
        memcpy(nonce, sealed.p, sizeof nonce);
        const random_port_t random = {same_nonce, nonce};
        if (jose_seal(a, random, key, ad, plain, &again) != RC_OK || !str_eq(again, sealed))
            abort();
    }
    arena_free(a);
    return 0;
}
