/* Token requests in the small world, for the tests of the grants. */
#ifndef OAUTH_OAUTH_TEST_TOKEN_H
#define OAUTH_OAUTH_TEST_TOKEN_H

#include "oauth/oauth_test_world.h"

#include "oauth/token.h"

/* RFC 7636 appendix B */
#define TEST_VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define TEST_CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

/** A request, its facts and the verdict. The code "the-code", and the refresh token "the-refresh"
 * of a family are there; both belong to the client of the world. */
typedef struct {
    world_t w;
    code_t code;
    family_t family;
    refresh_t refresh;
    device_t device; /* "the-device", approved by alice */
    int64_t now;
    bool no_code, no_refresh, no_family, no_owner, no_client;
    random_port_t random;
    form_t form;
    oauth_client_claim_t claim;
    oauth_token_request_t request;
    oauth_bearer_t bearer_read, bearer;
    str_t issuer_jwks;    /* of who signed the assertion */
    const user_t *person; /* record of its subject; NULL: none yet */
    oauth_dpop_t proof;   /* none at first */
    oauth_spent_t seen;
    oauth_own_facts_t subject, actor; /* of an exchange */
    oauth_token_facts_t facts;
    oauth_token_verdict_t out;
} token_play_t;

void token_begin(token_play_t *p);
void token_end(token_play_t *p);
/** Reads the form, gathers the facts and decides. */
void token_ask(token_play_t *p, const char *form);
/** Lets the next requests bring a proof of a key of that thumbprint; NULL: none. */
void token_prove(token_play_t *p, const char *jkt);
/** As token_ask: refused with this reason, whose error and status go out, without effects. */
void token_refused(token_play_t *p, const char *form, oauth_reason_t reason);
/** The text of a claim of the access token. */
str_t token_claim(token_play_t *p, const char *name);
/** Decides the same request in `a`; for world_starve, ctx is the token_play_t. */
rc_t token_decide_in(world_t *w, arena_t *a, void *ctx);

#endif
