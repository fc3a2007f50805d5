/* What to do about a 401 or 403 of the MCP endpoint. Pure. */
#ifndef TOKENS_REFUSAL_H
#define TOKENS_REFUSAL_H

#include "client/challenge.h"
#include "client/reason.h"
#include "tokens/source.h"

/** Where the token that was refused came from. */
typedef enum {
    TOKENS_FROM_NOWHERE, /* there was none */
    TOKENS_FROM_KEEP,    /* an earlier run, or another process */
    TOKENS_FROM_REFRESH,
    TOKENS_FROM_SIGN_IN, /* or a machine's grant */
} tokens_origin_t;

/** All that the decision hangs on. */
typedef struct {
    tokens_way_t way;
    int status;
    const client_challenge_t *challenge;
    bool newer;  /* another token is there than the refused one */
    bool proven; /* a request with this token went well before */
    tokens_origin_t origin;
    bool dpop;        /* the token is bound to a key */
    bool nonce;       /* DPoP-Nonce came along */
    unsigned nonces;  /* how many nonces were refused in a row */
    bool can_refresh; /* a refresh token is there */
} tokens_facts_t;

enum { TOKENS_NONCES_MAX = 2 };

typedef enum {
    TOKENS_DO_AGAIN,   /* what is there now will do: newer token, new nonce */
    TOKENS_DO_REFRESH, /* and where that fails for good, a sign-in */
    TOKENS_DO_SIGN_IN,
    TOKENS_DO_STEP_UP, /* a sign-in for more scope, if the bound allows */
    TOKENS_DO_GIVE_UP,
} tokens_do_t;

/** *reason is set for TOKENS_DO_GIVE_UP. The first row that fits:
 *
 *   no way to get one: NONE / GIVEN            TOKEN_WANTED / GIVEN_NOT_TAKEN; 403: FORBIDDEN
 *   another token is there by now              AGAIN
 *   use_dpop_nonce with a nonce, bound token   AGAIN; over TOKENS_NONCES_MAX: NONCE_LOOP
 *   insufficient_scope that names scopes       STEP_UP
 *   there was no token                         SIGN_IN
 *   403                                        FORBIDDEN
 *   fresh from a sign-in, never taken          TOKEN_NOT_TAKEN
 *   a bound token is asked for, this is none   SIGN_IN
 *   insufficient_user_authentication           SIGN_IN (RFC 9470 section 3)
 *   fresh from a refresh, never taken          SIGN_IN
 *   a refresh token is there                   REFRESH; else SIGN_IN
 */
tokens_do_t tokens_refusal_decide(const tokens_facts_t *facts, client_reason_t *reason);

#endif
