#include "oauth/manage.h"

#include "as/endpoints.h"
#include "as/flow.h"
#include "as/statement.h"

typedef struct {
    str_t token;        /* unset: none came */
    as_issuer_t issuer; /* of a software statement */
    bool counted;       /* a conflict decides again, and must not be counted again */
} manage_t;

static oauth_manage_t what_of(const http_exchange_t *x)
{
    if (x->method == HTTP_PUT)
        return OAUTH_MANAGE_REPLACE;
    return x->method == HTTP_DELETE ? OAUTH_MANAGE_DELETE : OAUTH_MANAGE_READ;
}

static rc_t decide(as_flow_t *f, oauth_manage_verdict_t *out)
{
    const manage_t *m = f->own;
    const as_t *as = f->w->as;
    oauth_manage_facts_t facts = {
        .settings = &as->oauth,
        .random = &as->random,
        .now = f->now,
        /* Not of when the request came: it may have waited, and others got tokens meanwhile. */
        .ends = store_moment(as->store, clock_seconds(&as->clock)),
        .resources = &f->snapshot->resources,
        .what = what_of(f->x),
        .body = f->x->body,
        .token = m->token,
        .client = f->client,
        .statement_keys = as_issuer_jwks(&m->issuer),
        .statement_away = as_issuer_is_away(&m->issuer),
        .full = f->full,
    };
    TRY(as_snapshot_seal_keys(f->a, f->snapshot, &facts.seal_keys));
    return oauth_manage_decide(f->a, &facts, out);
}

static void answer(as_flow_t *f, const oauth_manage_verdict_t *verdict)
{
    as_flow_take(f, &verdict->effects, verdict->has_event ? &verdict->event : NULL);
    if (str_is_set(verdict->body))
        as_flow_answer_json(f, verdict->status, verdict->body);
    else
        as_flow_answer(f, verdict->status, STR(""));
    as_flow_header(f, STR("WWW-Authenticate"), verdict->www_authenticate);
}

/* Whoever changes or deletes a client that nobody used leaves a row, which is as much as
 * registering one would. False: answered with 429. */
static bool may_leave_a_row(as_flow_t *f)
{
    manage_t *m = f->own;
    uint32_t retry_after = 1;
    if (m->counted || what_of(f->x) == OAUTH_MANAGE_READ || !f->client || f->client->stored)
        return true;
    m->counted = true;
    if (as_limits_take(f->w->as->limits, AS_RATE_REGISTER_ONE, f->x->rate_key, &retry_after))
        return true;
    http_reply_retry(f->x, 429, retry_after, STR("too many requests; try again later"));
    return false;
}

static void step(as_flow_t *f)
{
    bool more = false;
    manage_t *m = f->own;
    oauth_manage_verdict_t verdict;
    if (!may_leave_a_row(f))
        return;
    rc_t rc = decide(f, &verdict);
    if (rc == RC_OK)
        rc = as_statement_follow(f, &m->issuer, verdict.reason, &more);
    if (rc == RC_OK && more) {
        as_flow_gather(f, step);
        return;
    }
    if (rc == RC_OK)
        answer(f, &verdict);
    as_flow_settle(f, rc);
}

/* An id has no slash. A client that is known by a document has no registration to manage, and a
 * stranger must not make us fetch one. */
static rc_t read(as_flow_t *f)
{
    manage_t *m = f->own;
    str_list_t authorization;
    str_t id = str_skip(f->x->rest, 1);
    TRY(as_flow_headers_of(f, STR("authorization"), &authorization));
    m->token = oauth_manage_token(authorization);
    if (!str_is_set(m->token) || str_find(id, '/', 0) < id.n)
        return RC_OK;
    as_flow_client(f, id);
    return what_of(f->x) == OAUTH_MANAGE_REPLACE ? as_statement_want(f, &m->issuer) : RC_OK;
}

void as_manage(http_exchange_t *x)
{
    if (x->rest.n <= 1) { /* the endpoint itself, which takes registrations */
        http_reply(x, 405,
                   HTTP_HEADERS({STR("Allow"), STR("POST, OPTIONS")},
                                {STR("Content-Type"), STR("application/json")}),
                   STR("{\"error\":\"invalid_request\",\"error_description\":\"this address does "
                       "not take this method\"}"));
        return;
    }
    as_flow_t *f = as_flow_read(x, sizeof(manage_t), read);
    if (f)
        as_flow_gather(f, step);
}
