/* What the store knows of tokens of ours that come back (oauth/own_token.h). Two rounds: what the
 * token is, then whether it still counts. */
#ifndef AS_OWN_TOKEN_H
#define AS_OWN_TOKEN_H

#include "as/flow.h"
#include "oauth/own_token.h"

typedef struct {
    const oauth_own_token_t *token; /* NULL: none came */
    const ask_t *opaque, *refresh;  /* NULL: not asked */
    const ask_t *family, *revoked;  /* of the second round */
} as_own_token_t;

/** Asks what it is; `token` must live as long as the flow. */
void as_own_token_ask(as_flow_t *f, const oauth_own_token_t *token, as_own_token_t *out);
/** In a step: asks whether it still counts, the first time. True: gather once more, then decide. */
bool as_own_token_ask_more(as_flow_t *f, as_own_token_t *t);
/** What came of it. */
oauth_own_facts_t as_own_token_facts(const as_own_token_t *t);

#endif
