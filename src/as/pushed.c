/* A client pushes an authorization request (RFC 9126). */
#include "oauth/pushed.h"

#include "as/client.h"
#include "as/dpop.h"
#include "as/endpoints.h"
#include "oauth/metadata.h"

typedef struct {
    as_client_t client;
    as_dpop_t dpop;
} pushed_push_t;

static rc_t decide(as_flow_t *f)
{
    pushed_push_t *p = f->own;
    oauth_pushed_verdict_t verdict;
    const oauth_pushed_facts_t facts = {
        .settings = &f->w->as->oauth,
        .random = &f->w->as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .claim = &p->client.claim,
        .client = as_client_record(&p->client),
        .form = &p->client.form,
        .proof = &p->dpop.proof,
        .seen = as_flow_seen(f),
        .full = f->full,
    };
    TRY(oauth_pushed_decide(f->a, &facts, &verdict));
    if (!as_client_count(f, &p->client, verdict.reason))
        return RC_OK;
    as_flow_take(f, &verdict.effects, &verdict.event);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    as_dpop_answer(f, &p->dpop);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static rc_t read(as_flow_t *f)
{
    pushed_push_t *p = f->own;
    TRY(as_client_read(f, &p->client));
    return as_dpop_read(f, STR(OAUTH_PATH_PUSHED), &p->dpop);
}

void as_pushed_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(pushed_push_t), read);
    const pushed_push_t *p = f ? f->own : NULL;
    if (p && as_client_may_ask(f, &p->client, AS_RATE_TOKEN) &&
        as_client_may_ask(f, &p->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
