/* What the store knows of tokens of ours that come back (oauth/own_token.h). Two rounds: what the
 * token is, then whether it still counts. */
#ifndef AS_OWN_TOKEN_H
#define AS_OWN_TOKEN_H

#include "as/client.h"
#include "oauth/introspect.h"

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

/** The token that a client revokes or has introspected. */
typedef struct {
    oauth_token_query_t query; /* zero as long as the client has not proved who it is */
    as_own_token_t token;
    bool read;
} as_token_query_t;

/** Reads it at once where that costs no check of a signature. RC_MEMORY. */
rc_t as_token_query_begin(as_flow_t *f, const as_client_t *c, as_token_query_t *q) MUST_USE;
/** In a step. Sets *more: gather once more, then call it again; else decide. RC_MEMORY. */
rc_t as_token_query_go_on(as_flow_t *f, const as_client_t *c, as_token_query_t *q,
                          bool *more) MUST_USE;

#endif
