/* Signed assertions for the tests of this room. */
#ifndef OAUTH_OAUTH_TEST_ASSERTION_H
#define OAUTH_OAUTH_TEST_ASSERTION_H

#include "oauth/oauth_test_world.h"

#include "jose/jwk.h"

#define TEST_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/** A key pair of somebody who signs, and its public half as a JWK Set. */
typedef struct {
    jwk_t jwk; /* private */
    str_t jwks;
} test_signer_t;

/** A new key of `alg` with the kid "k1"; freed with the world. */
test_signer_t test_signer(world_t *w, alg_t alg);
/** Signs `payload` under that alg, a typ (NULL: none) and a kid (NULL: none). */
str_t test_sign(world_t *w, const test_signer_t *signer, const char *typ, const char *kid,
                str_t payload);
/** The JSON object with `value` for the member `name` (NULL: without it). */
str_t test_replace(world_t *w, str_t json, const char *name, const char *value);

#endif
