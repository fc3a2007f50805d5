/* A device asks to be signed in (RFC 8628 section 3.1). */
#include "oauth/device.h"

#include "as/client.h"
#include "as/dpop.h"
#include "as/endpoints.h"
#include "oauth/metadata.h"

typedef struct {
    as_client_t client;
    as_dpop_t dpop;
} device_ask_t;

static rc_t decide(as_flow_t *f)
{
    device_ask_t *d = f->own;
    oauth_device_verdict_t verdict;
    const oauth_device_facts_t facts = {
        .settings = &f->w->as->oauth,
        .random = &f->w->as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .claim = &d->client.claim,
        .client = as_client_record(&d->client),
        .form = &d->client.form,
        .proof = &d->dpop.proof,
        .seen = as_flow_seen(f),
        .full = f->full,
    };
    TRY(oauth_device_decide(f->a, &facts, &verdict));
    if (!as_client_count(f, &d->client, verdict.reason))
        return RC_OK;
    as_flow_take(f, &verdict.effects, &verdict.event);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    as_dpop_answer(f, &d->dpop);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static rc_t read(as_flow_t *f)
{
    device_ask_t *d = f->own;
    TRY(as_client_read(f, &d->client));
    return as_dpop_read(f, STR(OAUTH_PATH_DEVICES), &d->dpop);
}

void as_device_authorization_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(device_ask_t), read);
    const device_ask_t *d = f ? f->own : NULL;
    if (d && as_client_may_ask(f, &d->client, AS_RATE_TOKEN) &&
        as_client_may_ask(f, &d->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
