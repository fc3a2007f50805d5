/* Proofs of possession made by hand, for the tests of this room and of others. */
#ifndef OAUTH_OAUTH_TEST_DPOP_H
#define OAUTH_OAUTH_TEST_DPOP_H

#include "oauth/dpop.h"

#include "jose/jws.h"

/** A new key pair; lives as long as the arena. */
jwk_t dpop_test_key(arena_t *a, alg_t alg);
/** Its public JWK as clients write it, without kid, use and alg. */
str_t dpop_test_jwk(arena_t *a, const jwk_t *key);
str_t dpop_test_jkt(arena_t *a, const jwk_t *key);
/** A JWS of any header and payload. */
str_t dpop_test_sign(arena_t *a, const jwk_t *key, str_t header, str_t payload);
/** A proof with a good header, and these claims, the text of a JSON object. */
str_t dpop_test_proof(arena_t *a, const jwk_t *key, str_t claims);
/** A good proof for a POST. `more`: further members, from ',' on; "" for none. */
str_t dpop_test_good(arena_t *a, const jwk_t *key, const char *url, int64_t iat, const char *more);

#endif
