#include "proxy/relay.h"

#include "gate/handle.h"

/* The order of checks (RFC 9110 leaves it open; here nobody learns from an answer what a check
 * before would have kept from him): where, from where, who, what, whether, how often, with what,
 * and only then the upstream. What comes before the body needs no body, so that strangers' bodies
 * are not read. */
static relay_step_t (*const STEPS[])(relay_t *r) = {
    relay_check_host,       relay_check_origin,   NULL, /* the body comes */
    relay_ask_access,       relay_check_access,   relay_read_bare,
    relay_read_message,     relay_decide,         relay_pay_tolls,
    relay_check_definition, relay_open_session,   relay_open_event,
    relay_take_seat,        relay_ask_credential, relay_check_credential,
    relay_record,           relay_send,
};

/* Runs steps until one waits or is the last of the request. */
static relay_step_t run(relay_t *r)
{
    relay_step_t s = STEP_ON;
    while (s == STEP_ON && STEPS[r->step]) {
        r->running = true;
        r->due = false;
        s = STEPS[r->step++](r);
        if (s == STEP_DONE)
            return s;
        r->running = false;
        if (r->due)
            s = STEP_ON;
    }
    return s;
}

void relay_resume(relay_t *r)
{
    r->due = true;
    if (r->running)
        return;
    relay_step_t s = run(r);
    (void)s;
}

static void on_refused(void *arg, rc_t rc)
{
    relay_t *r = arg;
    relay_refusal_t failed = relay_refusal(RELAY_AUDIT);
    str_t nonce = r->verdict ? r->verdict->nonce : STR_UNSET;
    relay_reply_refusal(r->x, r->facts.id, nonce, rc == RC_OK ? &r->refusal : &failed);
}

/* Whoever has no good token can ask as often as he likes: beyond a bound he is only counted, or the
 * trail would fill the disk, and everybody's answers would end with it. */
static bool is_too_strange(relay_t *r, uint32_t *retry_s)
{
    const clock_port_t *clock = &r->w->g->config.clock;
    if (r->verdict && r->verdict->allowed)
        return false;
    return !http_rate_take(r->w->strangers, r->x->rate_key, clock->mono_ms(clock->ctx), retry_s);
}

static void count_turned(relay_worker_t *w, str_t address)
{
    relay_turned_t *t = &w->turned;
    const clock_port_t *clock = &w->g->config.clock;
    if (t->n++ == 0) {
        t->since_ms = clock->mono_ms(clock->ctx);
        buf_t b = buf_fixed(t->address, sizeof t->address - 1);
        buf_put(&b, str_first(address, sizeof t->address - 1));
        t->address[b.n] = '\0';
    } else if (!str_eq(address, str_c(t->address))) {
        t->address[0] = '\0';
    }
}

void relay_tell_turned(relay_worker_t *w, bool now)
{
    char detail[96];
    relay_turned_t *t = &w->turned;
    const trail_port_t *trail = &w->trail.port;
    const clock_port_t *clock = &w->g->config.clock;
    if (t->n == 0 || (!now && clock->mono_ms(clock->ctx) - t->since_ms < RELAY_TURNED_MS))
        return;
    buf_t b = buf_fixed(detail, sizeof detail);
    buf_fmt(&b, "requests without a good token, beyond those written down: %llu",
            (unsigned long long)t->n);
    relay_refusal_t refusal = relay_refusal(RELAY_STRANGER);
    audit_event_t e = {.kind = AUDIT_CALL_BEGIN, .reason = refusal.reason, .detail = buf_str(&b)};
    const audit_event_t *list[] = {&e};
    e.status = refusal.status;
    e.address = t->address[0] ? str_c(t->address) : STR_UNSET;
    if (trail->write(trail->ctx, list, 1) == RC_OK)
        *t = (relay_turned_t){.n = 0};
}

static relay_step_t turn_away(relay_t *r, uint32_t retry_s)
{
    relay_refusal_t refusal = relay_refusal(RELAY_STRANGER);
    refusal.retry_s = retry_s;
    counter_add(r->w->counts, COUNTER_CALL_LIMITED, 1);
    counter_refusal(r->w->counts, refusal.reason);
    count_turned(r->w, r->x->client_text);
    relay_reply_refusal(r->x, STR_UNSET, STR_UNSET, &refusal);
    return STEP_DONE;
}

relay_step_t relay_refuse(relay_t *r, const relay_refusal_t *refusal)
{
    uint32_t retry_s;
    if (is_too_strange(r, &retry_s))
        return turn_away(r, retry_s);
    r->refusal = *refusal;
    if (r->seated)
        seats_leave(r->w->g->seats, r->route->conf->path, &r->facts.who);
    r->seated = false;
    audit_event_t *e = &r->item.event;
    *e = relay_event_begin(r);
    e->reason = refusal->reason;
    e->status = refusal->status;
    bool limited = refusal->status == 429;
    counter_add(r->w->counts, limited ? COUNTER_CALL_LIMITED : COUNTER_CALL_DENIED, 1);
    counter_refusal(r->w->counts, refusal->reason);
    r->item.done = on_refused;
    r->item.arg = r;
    trail_put(&r->w->trail, &r->item);
    return STEP_DONE;
}

relay_step_t relay_refuse_for(relay_t *r, relay_reason_t reason)
{
    relay_refusal_t refusal = relay_refusal(reason);
    return relay_refuse(r, &refusal);
}

relay_step_t relay_refuse_mcp(relay_t *r, mcp_error_t e)
{
    relay_refusal_t refusal = relay_refusal_mcp(e);
    if (r->operation.asked.p)
        refusal.data = mcp_unsupported_data(r->x->arena, r->operation.offered, r->operation.asked);
    return relay_refuse(r, &refusal);
}

static void leave_view(void *arg)
{
    relay_t *r = arg;
    relay_view_leave(r->w, r->view);
}

/* NULL: no memory, or nothing is loaded. */
static relay_t *begin(http_exchange_t *x)
{
    relay_t *r = ARENA_NEW(x->arena, relay_t);
    uint8_t random[TRACE_RANDOM_BYTES];
    if (!r)
        return NULL;
    r->x = x;
    r->w = x->worker;
    r->view = relay_view_take(r->w);
    if (!r->view || arena_cleanup(x->arena, leave_view, r) != RC_OK ||
        relay_random(r->w, random, sizeof random) != RC_OK)
        return NULL;
    r->facts = (relay_facts_t){
        .request_id = x->request_id,
        .address = x->client_text,
        .method = http_method_name(x->method),
        .message = x->method == HTTP_POST,
        .trace = trace_make(x->headers, random),
        .began_us = relay_now_us(),
        .bytes_in = (int64_t)x->body.n,
    };
    x->user = r;
    return r;
}

bool relay_admit(http_exchange_t *x)
{
    if (x->route->handler != relay_handle)
        return true;
    relay_t *r = begin(x);
    if (!r) {
        http_reply_retry(x, 503, RELAY_RETRY_S, STR("The server is busy: try again soon."));
        return false;
    }
    r->route = route_find(r->view->set, x->path);
    if (!r->route) {
        http_reply_error(x, 404, STR("there is nothing at this address"));
        return false;
    }
    x->label = r->route->conf->path;
    if (run(r) != STEP_ON)
        return false;
    r->step++;
    return true;
}

void relay_handle(http_exchange_t *x)
{
    relay_t *r = x->user;
    r->facts.bytes_in = (int64_t)x->body.n;
    relay_step_t s = run(r);
    (void)s;
}
