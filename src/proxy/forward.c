#include "proxy/relay.h"

#include "gate/identity.h"

static void on_credential(void *arg, const credential_answer_t *answer)
{
    relay_t *r = arg;
    r->credential = answer;
    relay_resume(r);
}

str_t relay_own_token(const relay_t *r)
{
    str_t value = http_header(r->x, STR("Authorization")), scheme;
    return str_split(&value, ' ', &scheme) && value.p ? str_trim(value, " ") : STR_UNSET;
}

relay_step_t relay_ask_credential(relay_t *r)
{
    const route_t *route = r->route;
    if (!route->credential)
        return STEP_ON;
    route->ports->credential(route->credential, r->x, &r->facts.who, relay_own_token(r),
                             on_credential, r);
    return STEP_WAIT;
}

relay_step_t relay_check_credential(relay_t *r)
{
    const credential_answer_t *c = r->credential;
    if (!c || c->rc == RC_OK)
        return STEP_ON;
    counter_add(r->w->counts, COUNTER_CREDENTIAL_FAILED, 1);
    relay_refusal_t refusal =
        relay_refusal(c->rc == RC_IO ? RELAY_CREDENTIAL : RELAY_CREDENTIAL_BUSY);
    if (c->reason.p)
        refusal.reason = c->reason;
    return relay_refuse(r, &refusal);
}

static void on_recorded(void *arg, rc_t rc)
{
    relay_t *r = arg;
    if (rc == RC_OK) {
        relay_resume(r);
        return;
    }
    relay_refusal_t failed = relay_refusal(RELAY_AUDIT);
    if (r->seated)
        seats_leave(r->w->g->seats, r->route->conf->path, &r->facts.who);
    relay_reply_refusal(r->x, r->facts.id, r->verdict->nonce, &failed);
}

/* The message is in the trail before the upstream sees it. */
relay_step_t relay_record(relay_t *r)
{
    audit_event_t *e = &r->item.event;
    *e = relay_event_begin(r);
    e->allowed = true;
    e->reason = r->decision.reason;
    counter_add(r->w->counts, COUNTER_CALL_ALLOWED, 1);
    counter_add(r->w->counts, COUNTER_BYTES_IN, e->bytes_in);
    r->item.done = on_recorded;
    r->item.arg = r;
    trail_put(&r->w->trail, &r->item);
    return STEP_WAIT;
}

/* Beside those that never go on (gate/identity.h): what this gateway says itself, and conditions,
 * which are between a cache and its server. */
static const str_t OWN_FIELDS[] = {
    STR_INIT("traceparent"),         STR_INIT("if-match"),
    STR_INIT("if-none-match"),       STR_INIT("if-modified-since"),
    STR_INIT("if-unmodified-since"),
};

static bool is_own(str_t name)
{
    for (size_t i = 0; i < sizeof OWN_FIELDS / sizeof *OWN_FIELDS; i++) {
        if (str_eq_nocase(name, OWN_FIELDS[i]))
            return true;
    }
    return false;
}

static bool is_about_the_connection(str_t option)
{
    return str_eq_nocase(option, STR("keep-alive")) || str_eq_nocase(option, STR("close"));
}

/* Empty ones count, too: each costs a look for every field. */
size_t relay_hops(const relay_t *r)
{
    size_t at = 0, n = 0;
    str_t value, part;
    while (http_headers_next(r->x->headers, STR("Connection"), &at, &value)) {
        while (str_split(&value, ',', &part))
            n += !is_about_the_connection(str_trim(part, " \t"));
    }
    return n;
}

bool relay_is_hop(const relay_t *r, str_t name)
{
    return http_headers_has_token(r->x->headers, STR("Connection"), name);
}

static bool goes_on(const relay_t *r, bool hops, str_t name)
{
    if (is_own(name) || (hops && relay_is_hop(r, name)))
        return false;
    if (str_eq_nocase(name, STR("tracestate")))
        return r->facts.trace.continued;
    return gate_identity_passes(r->route->conf, name);
}

/* The client's fields that may go on, the trace, and who it is. */
static rc_t make_headers(const relay_t *r, http_headers_t *out)
{
    http_headers_t came = r->x->headers;
    size_t own = r->credential ? r->credential->n : 0, n = 0;
    http_header_t *v = ARENA_ARRAY(r->x->arena, came.n + own + 1, http_header_t);
    if (!v)
        return RC_MEMORY;
    bool hops = relay_hops(r) > 0;
    for (size_t i = 0; i < came.n; i++) {
        if (goes_on(r, hops, came.v[i].name))
            v[n++] = came.v[i];
    }
    v[n++] = (http_header_t){STR("traceparent"),
                             str_of(r->facts.trace.parent, sizeof r->facts.trace.parent)};
    for (size_t i = 0; i < own; i++)
        v[n++] = (http_header_t){r->credential->fields[i].name, r->credential->fields[i].value};
    *out = (http_headers_t){v, n};
    return RC_OK;
}

static rc_t start(relay_t *r, relay_call_t *c)
{
    const upstream_port_t *u = &r->route->upstream;
    upstream_request_t request = {
        .method = r->x->method,
        .message = r->facts.message ? &r->operation : NULL,
        .version = r->version,
        .body = r->facts.message ? r->x->body : STR_UNSET,
        .session = r->facts.session,
        .last_event = r->last_event,
        .who = &r->facts.who,
    };
    TRY(make_headers(r, &request.headers));
    return u->start(u->ctx, r->w->loop, &request, call_events(c), &c->upstream);
}

static void on_unsent(void *arg, rc_t rc)
{
    relay_t *r = arg;
    relay_refusal_t failed = relay_refusal(rc == RC_OK ? RELAY_MEMORY : RELAY_AUDIT);
    relay_reply_refusal(r->x, r->facts.id, r->verdict->nonce, &failed);
}

/* The trail has its begin. */
static relay_step_t end_unsent(relay_t *r)
{
    relay_refusal_t failed = relay_refusal(RELAY_MEMORY);
    if (r->seated)
        seats_leave(r->w->g->seats, r->route->conf->path, &r->facts.who);
    audit_event_t *e = &r->item.event;
    *e = relay_event(r->route, &r->facts, AUDIT_CALL_END);
    e->allowed = true;
    e->reason = failed.reason;
    e->status = failed.status;
    e->bytes_in = r->facts.bytes_in;
    e->duration_us = relay_now_us() - r->facts.began_us;
    r->item.done = on_unsent;
    trail_put(&r->w->trail, &r->item);
    return STEP_DONE;
}

relay_step_t relay_send(relay_t *r)
{
    relay_call_t *c = call_open(r);
    if (!c)
        return end_unsent(r);
    if (http_exchange_is_gone(r->x)) {
        call_drop(c, STR("client_gone"));
        return STEP_DONE;
    }
    rc_t rc = start(r, c);
    if (rc != RC_OK)
        call_fail(c, rc == RC_BUSY ? RELAY_UPSTREAM_BUSY : RELAY_UPSTREAM_AWAY);
    return STEP_DONE;
}
