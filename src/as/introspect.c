#include "oauth/introspect.h"

#include "as/client.h"
#include "as/endpoints.h"
#include "as/own_token.h"

typedef struct {
    as_client_t client;
    as_token_query_t query;
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
        .query = &i->query.query,
        .token = as_own_token_facts(&i->query.token),
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
    bool more;
    introspect_t *i = f->own;
    rc_t rc = as_token_query_go_on(f, &i->client, &i->query, &more);
    if (rc == RC_OK && more)
        as_flow_gather(f, step);
    else
        as_flow_settle(f, rc == RC_OK ? decide(f) : rc);
}

static rc_t read(as_flow_t *f)
{
    introspect_t *i = f->own;
    TRY(as_client_read(f, &i->client));
    return as_token_query_begin(f, &i->client, &i->query);
}

void as_introspect_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(introspect_t), read);
    const introspect_t *i = f ? f->own : NULL;
    if (i && as_client_may_ask(f, &i->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
