#include "oauth/register.h"

#include "as/endpoints.h"
#include "as/flow.h"

typedef struct {
    oauth_initial_token_t token;
    const ask_t *record; /* NULL: no token came */
} register_t;

static rc_t decide(as_flow_t *f)
{
    const register_t *r = f->own;
    const as_t *as = f->w->as;
    oauth_register_verdict_t verdict;
    const oauth_register_facts_t facts = {
        .settings = &as->oauth,
        .random = &as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .body = f->x->body,
        .token = r->token,
        .registration_token = r->record ? r->record->u.registration_token : NULL,
        .full = f->full,
    };
    TRY(oauth_register_decide(f->a, &facts, &verdict));
    as_flow_take(f, &verdict.effects, &verdict.event);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static rc_t read(as_flow_t *f)
{
    register_t *r = f->own;
    str_list_t authorization;
    TRY(as_flow_headers_of(f, STR("authorization"), &authorization));
    r->token = oauth_register_token(authorization);
    if (!r->token.given)
        return RC_OK;
    ask_t *ask = as_flow_ask(f, ASK_REGISTRATION_TOKEN);
    ask->hash = r->token.hash;
    r->record = ask;
    return RC_OK;
}

void as_register_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(register_t), read);
    if (f)
        as_flow_gather(f, step);
}
