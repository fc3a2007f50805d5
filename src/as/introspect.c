#include "oauth/introspect.h"

#include "as/client.h"
#include "as/endpoints.h"
#include "as/own_token.h"

typedef struct {
    as_client_t client;
    oauth_token_query_t query;
    as_own_token_t token;
} introspect_t;

static rc_t decide(as_flow_t *f)
{
    static const effects_t NONE = {.n = 0};
    introspect_t *i = f->own;
    oauth_introspect_verdict_t verdict;
    const oauth_introspect_facts_t facts = {
        .issuer = f->w->as->oauth.issuer,
        .now = f->now,
        .claim = &i->client.claim,
        .client = as_client_record(&i->client),
        .query = &i->query,
        .token = as_own_token_facts(&i->token),
    };
    TRY(oauth_introspect_decide(f->a, &facts, &verdict));
    if (!as_client_count(f, &i->client, verdict.reason))
        return RC_OK;
    as_flow_take(f, &NONE, verdict.quiet ? NULL : &verdict.event);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    introspect_t *i = f->own;
    if (as_own_token_ask_more(f, &i->token))
        as_flow_gather(f, step);
    else
        as_flow_settle(f, decide(f));
}

static rc_t read(as_flow_t *f)
{
    introspect_t *i = f->own;
    TRY(as_client_read(f, &i->client));
    TRY(oauth_token_query_read(f->a, &i->client.form, keyring_keys(f->snapshot->ring),
                               f->w->as->oauth.issuer, &i->query));
    if (i->client.flow && i->query.reason == OAUTH_FINE)
        as_own_token_ask(f, &i->query.token, &i->token);
    return RC_OK;
}

void as_introspect_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(introspect_t), read);
    const introspect_t *i = f ? f->own : NULL;
    if (i && as_client_may_ask(f, &i->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
