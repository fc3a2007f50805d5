/* Tokens of ours that come back, in the small world: what revocation and introspection are asked.
 */
#ifndef OAUTH_OAUTH_TEST_TOKENS_H
#define OAUTH_OAUTH_TEST_TOKENS_H

#include "oauth/oauth_test_world.h"

#include "jose/jws.h"
#include "oauth/introspect.h"

/** A key "k" that signs, and records of tokens: "the-opaque" and "the-refresh" of the family
 *  "family-1" of client-1 and alice at https://rs.test/mcp. */
typedef struct {
    world_t w;
    jwks_t keys;
    signer_local_t *signer;
    family_t family;
    access_token_t opaque;
    refresh_t refresh;
    oauth_client_claim_t claim;
    oauth_token_query_t query;
    oauth_own_facts_t known;
} tokens_play_t;

void tokens_begin(tokens_play_t *p);
void tokens_end(tokens_play_t *p);
/** Claims as a signed token of that type. */
str_t tokens_sign(tokens_play_t *p, str_t typ, str_t claims);
/** "client_id=client-1&client_secret=…&token=" and the token. */
const char *tokens_form(tokens_play_t *p, str_t token);
/** Reads the form, and finds what the store would. */
void tokens_read(tokens_play_t *p, const char *form);
/** The client of the claim, as the store would. */
const client_t *tokens_client(const tokens_play_t *p);

#endif
