/* Trusted issuers of the small world, for the tests of assertions as grants. */
#ifndef OAUTH_OAUTH_TEST_ISSUERS_H
#define OAUTH_OAUTH_TEST_ISSUERS_H

#include "oauth/oauth_test_assertion.h"
#include "oauth/oauth_test_token.h"

#define TEST_IDP      "https://idp.test"
#define TEST_PLATFORM "https://platform.test"
#define TEST_JAG                                                                                   \
    "{\"iss\":\"" TEST_IDP "\",\"sub\":\"u1\",\"aud\":\"https://as.test\",\"client_id\":"          \
    "\"client-1\",\"resource\":\"https://rs.test/mcp\",\"scope\":\"a:read a:write\",\"jti\":"      \
    "\"one\",\"exp\":1000060,\"iat\":1000000}"
#define TEST_WORKLOAD                                                                              \
    "{\"iss\":\"" TEST_PLATFORM "\",\"sub\":\"repo:acme/app:main\",\"env\":\"prod\",\"aud\":"      \
    "\"https://as.test\",\"jti\":\"one\",\"exp\":1000060,\"iat\":1000000}"

/** Makes the world trust TEST_IDP for people, and TEST_PLATFORM for the workloads of the rules
 *  "nightly" (sub repo:acme/…, env prod; a:read at the first resource) and "both" (sub exactly
 *  "two"; both resources, all scopes). Returns its copies, to be bent before a call. */
oauth_issuer_t *test_trust(token_play_t *p);

#endif
