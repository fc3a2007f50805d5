/* A token from anywhere: what is taken for one of ours was signed by us, which nobody can have. The
 * claims behind a signature are read, too, as if the signature were good. */
#include "jose/jwt.h"
#include "oauth/own_token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    oauth_own_token_t out;
    jose_key_t *key;
    if (!a || jose_key_generate(ALG_EDDSA, &key) != RC_OK)
        abort();
    jwk_t jwk = {.key = key, .alg = ALG_EDDSA};
    const jwks_t keys = {&jwk, 1, 0};
    if (oauth_own_token_read(a, str_of(data, size), &keys, STR("https://as.test"), &out) == RC_OK &&
        out.is_jwt)
        abort();
    jose_key_free(key);
    arena_free(a);
    return 0;
}
