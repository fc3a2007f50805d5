#include "oauth/revoke.h"

#include "as/client.h"
#include "as/endpoints.h"
#include "as/own_token.h"

typedef struct {
    as_client_t client;
    as_token_query_t query;
} revoke_t;

static rc_t decide(as_flow_t *f)
{
    revoke_t *r = f->own;
    oauth_revoke_verdict_t verdict;
    const oauth_revoke_facts_t facts = {
        .now = f->now,
        .claim = &r->client.claim,
        .query = &r->query.query,
        .client = as_client_record(&r->client),
        .token = as_own_token_facts(&r->query.token),
    };
    TRY(oauth_revoke_decide(f->a, &facts, &verdict));
    if (!as_client_count(f, &r->client, verdict.reason))
        return RC_OK;
    as_flow_take(f, &verdict.effects, &verdict.event);
    if (verdict.body.n == 0)
        as_flow_answer(f, verdict.status, verdict.body);
    else
        as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    bool more;
    revoke_t *r = f->own;
    rc_t rc = as_token_query_go_on(f, &r->client, &r->query, &more);
    if (rc == RC_OK && more)
        as_flow_gather(f, step);
    else
        as_flow_settle(f, rc == RC_OK ? decide(f) : rc);
}

static rc_t read(as_flow_t *f)
{
    revoke_t *r = f->own;
    TRY(as_client_read(f, &r->client));
    return as_token_query_begin(f, &r->client, &r->query);
}

void as_revoke_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(revoke_t), read);
    const revoke_t *r = f ? f->own : NULL;
    /* Each leaves a durable line of the trail, and whoever knows a public client can ask. */
    if (r && as_client_may_ask(f, &r->client, AS_RATE_TOKEN) &&
        as_client_may_ask(f, &r->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
