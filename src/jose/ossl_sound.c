/* Which numbers may be a key at all. */
#include "jose/ossl_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* The generator of CVE-2017-15361 made primes of the form k*M + (65537^a mod M), M a product of
 * small primes. So modulo each of these, n is a power of 65537; a random n is that for all of them
 * with a chance below 2^-27. */
static const BN_ULONG ROCA_PRIMES[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                       79, 97, 103, 107, 109, 127, 151, 157};

static bool is_power_of_65537(BN_ULONG residue, BN_ULONG prime)
{
    BN_ULONG power = 1;
    do {
        if (power == residue)
            return true;
        power = power * 65537 % prime;
    } while (power != 1);
    return false;
}

static bool bears_roca_mark(const BIGNUM *n)
{
    for (size_t i = 0; i < sizeof ROCA_PRIMES / sizeof ROCA_PRIMES[0]; i++)
        if (!is_power_of_65537(BN_mod_word(n, ROCA_PRIMES[i]), ROCA_PRIMES[i]))
            return false;
    return true;
}

static bool rsa_is_sound(EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    bool sound = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                 EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                 BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) &&
                 BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= RSA_EXPONENT_BITS &&
                 !bears_roca_mark(n);
    BN_free(n);
    BN_free(e);
    return sound;
}

static bool ec_is_sound(EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t n;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) != 1)
        return false;
    return strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0;
}

/* The library does not look at Ed25519 keys before it uses them. One of small order lets anybody
 * make signatures that fit many messages: these are all such points, canonical or not, without
 * the sign bit. */
static bool ed25519_is_sound(EVP_PKEY *pkey)
{
    static const uint8_t SMALL[][32] = {
        {0},
        {1},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    uint8_t x[32];
    size_t n = sizeof x;
    if (EVP_PKEY_get_raw_public_key(pkey, x, &n) != 1 || n != sizeof x)
        return false;
    x[31] &= 0x7f;
    for (size_t i = 0; i < sizeof SMALL / sizeof SMALL[0]; i++)
        if (memcmp(x, SMALL[i], sizeof x) == 0)
            return false;
    return true;
}

bool ossl_key_is_sound(EVP_PKEY *pkey, key_kind_t kind)
{
    switch (kind) {
    case KEY_EC_P256:
        return ec_is_sound(pkey);
    case KEY_ED25519:
        return ed25519_is_sound(pkey);
    case KEY_RSA:
        return rsa_is_sound(pkey);
    }
    return false;
}
