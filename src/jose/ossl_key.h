/* What the OpenSSL adapters share. */
#ifndef JOSE_OSSL_KEY_H
#define JOSE_OSSL_KEY_H

#include "jose/key.h"

#include <openssl/evp.h>
#include <stdatomic.h>

struct jose_key {
    EVP_PKEY *pkey;
    key_kind_t kind;
    bool is_private;
    atomic_uint count;
};

/** Whether the numbers of a key are within key.h's limits. */
bool ossl_key_is_sound(EVP_PKEY *pkey, key_kind_t kind);

#endif
