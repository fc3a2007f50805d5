#include "proxy/relay.h"

#include "core/secret.h"

#include <stdlib.h>

int64_t call_now(const relay_call_t *c)
{
    const clock_port_t *clock = &c->w->g->config.clock;
    return c->w->loop ? http_worker_now_ms(c->w->loop) : clock->mono_ms(clock->ctx);
}

/* Memory. */

static void link_call(relay_call_t *c)
{
    c->next = c->w->calls;
    c->link = &c->w->calls;
    if (c->next)
        c->next->link = &c->next;
    c->w->calls = c;
}

static void unlink_call(relay_call_t *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
}

static relay_call_t *new_call(relay_worker_t *w)
{
    relay_call_t *c = w->spare;
    if (!c)
        return calloc(1, sizeof *c);
    w->spare = c->next;
    w->spare_count--;
    memset(c, 0, sizeof *c);
    return c;
}

static void free_call(relay_call_t *c)
{
    relay_worker_t *w = c->w;
    mcp_sse_free(&c->sse);
    free(c->held.p);
    free(c->kept);
    free(c->reading);
    if (c->token.p)
        secret_wipe((void *)(uintptr_t)c->token.p, c->token.n);
    free((void *)(uintptr_t)c->token.p);
    if (w->spare_count >= RELAY_SPARE_CALLS) {
        free(c);
        return;
    }
    c->next = w->spare;
    w->spare = c;
    w->spare_count++;
}

/* Out of the worker's books; only the exchange and the memory are left. */
static void leave(relay_call_t *c)
{
    unlink_call(c);
    if (c->seated)
        seats_leave(c->w->g->seats, c->route->conf->path, &c->facts.who);
    c->w->detached -= c->detached;
    relay_view_leave(c->w, c->view);
}

/* Copies what a slice points at to the front of *to. */
static str_t move_slice(str_t s, char **to)
{
    if (!s.p)
        return s;
    str_t out = str_of(*to, s.n);
    if (s.n > 0)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return out;
}

/* For claims that nobody asks for any more: rules have decided. */
static const json_t NO_CLAIMS = {.type = JSON_OBJECT};

rc_t call_keep(relay_call_t *c)
{
    relay_facts_t f = c->facts;
    str_t *slices[] = {&f.who.issuer, &f.who.subject, &f.who.client, &f.who.token,
                       &f.who.key,    &f.request_id,  &f.method,     &f.name,
                       &f.id,         &f.session,     &f.asked.id};
    enum { SLICES = sizeof slices / sizeof *slices };
    size_t n = 1;
    for (size_t i = 0; i < SLICES; i++)
        n += slices[i]->n;
    char *to = malloc(n);
    if (!to)
        return RC_MEMORY;
    c->kept = to;
    for (size_t i = 0; i < SLICES; i++)
        *slices[i] = move_slice(*slices[i], &to);
    f.address = f.who.scope = f.who.acr = STR_UNSET;
    f.who.claims = &NO_CLAIMS;
    c->facts = f;
    c->r = NULL;
    c->looked = false;
    return RC_OK;
}

void call_count_stream(relay_worker_t *w, int more)
{
    w->streams += (size_t)more;
    counter_add(w->counts, COUNTER_STREAMS, more);
}

rc_t call_hold(relay_call_t *c, str_t bytes, size_t max)
{
    call_bytes_t *b = &c->held;
    if (bytes.n > max || b->n > max - bytes.n)
        return RC_LIMIT;
    if (b->n + bytes.n > b->cap) {
        /* An answer that comes whole needs no room to grow. */
        size_t cap = 2 * b->cap > b->n + bytes.n ? 2 * b->cap : b->n + bytes.n;
        char *p = realloc(b->p, cap);
        if (!p)
            return RC_MEMORY;
        b->p = p;
        b->cap = cap;
    }
    memcpy(b->p + b->n, bytes.p, bytes.n);
    b->n += bytes.n;
    return RC_OK;
}

/* The end. */

static void reply_held(relay_call_t *c, http_exchange_t *x)
{
    str_t body = str_of(c->held.p ? c->held.p : "", c->held.n);
    char *owned = c->held.p;
    c->held = (call_bytes_t){0};
    if (owned && arena_cleanup(x->arena, free, owned) != RC_OK) {
        relay_refusal_t failed = relay_refusal(RELAY_MEMORY);
        relay_reply_refusal(x, c->facts.id, STR_UNSET, &failed);
        return;
    }
    http_reply(x, c->status, (http_headers_t){c->fields, c->n_fields}, body);
}

static void finish(relay_call_t *c, bool recorded)
{
    http_exchange_t *x = c->x;
    relay_refusal_t failed = relay_refusal(RELAY_AUDIT);
    switch (c->finish) {
    case FINISH_NONE:
        return;
    case FINISH_REPLY:
        if (recorded)
            reply_held(c, x);
        else
            relay_reply_refusal(x, c->facts.id, STR_UNSET, &failed);
        return;
    case FINISH_ERROR:
        relay_reply_refusal(x, c->facts.id, c->r ? c->r->verdict->nonce : STR_UNSET,
                            recorded ? &c->failure : &failed);
        return;
    case FINISH_STREAM:
        if (recorded)
            http_stream_end(x);
        else
            http_stream_abort(x);
        return;
    case FINISH_ABORT:
        http_stream_abort(x);
        return;
    }
}

static void on_recorded(void *arg, rc_t rc)
{
    relay_call_t *c = arg;
    leave(c);
    if (c->x)
        http_exchange_on_gone(c->x, NULL, NULL);
    finish(c, rc == RC_OK);
    free_call(c);
}

void call_forget(relay_call_t *c)
{
    leave(c);
    free_call(c);
}

static bool has_begun(const relay_call_t *c)
{
    return c->phase == CALL_RAW || c->phase == CALL_EVENTS;
}

static str_t describe(relay_call_t *c)
{
    bool error = c->outcome == MCP_OUTCOME_ERROR;
    buf_t b = buf_fixed(c->detail, sizeof c->detail);
    if (error)
        buf_fmt(&b, "JSON-RPC error %lld", (long long)c->code);
    if (c->dropped > 0)
        buf_fmt(&b, "%sanswers dropped: %u", error ? "; " : "", c->dropped);
    return b.n > 0 ? buf_str(&b) : STR_UNSET;
}

/* A notification that was let through is one line of the trail, if it did not fail. */
static bool has_end(const relay_call_t *c)
{
    return !c->facts.message || c->facts.kind == MCP_REQUEST;
}

void call_let_go(relay_call_t *c)
{
    if (c->upstream) {
        c->route->upstream.cancel(c->route->upstream.ctx, c->upstream);
        counter_add(c->w->counts, COUNTER_UPSTREAM_CANCELLED, 1);
    }
    c->upstream = NULL;
}

void call_end(relay_call_t *c, call_finish_t how, str_t reason)
{
    call_let_go(c);
    if (has_begun(c))
        call_count_stream(c->w, -1);
    counter_add(c->w->counts, COUNTER_BYTES_OUT, c->bytes_out);
    c->phase = CALL_ENDING;
    c->finish = c->x ? how : FINISH_NONE;
    audit_event_t *e = &c->item.event;
    *e = relay_event(c->route, &c->facts, AUDIT_CALL_END);
    e->allowed = true;
    e->reason = reason;
    e->status = c->finish == FINISH_ERROR ? c->failure.status : c->status;
    e->bytes_in = c->facts.bytes_in;
    e->bytes_out = c->bytes_out;
    e->duration_us = relay_now_us() - c->facts.began_us;
    e->detail = describe(c);
    c->item.done = on_recorded;
    c->item.arg = c;
    c->item.silent = !has_end(c) && c->finish != FINISH_ERROR;
    trail_put(&c->w->trail, &c->item);
}

void call_refuse(relay_call_t *c, const relay_refusal_t *failure)
{
    c->failure = *failure;
    call_end(c, has_begun(c) ? FINISH_ABORT : FINISH_ERROR, failure->reason);
}

void call_fail(relay_call_t *c, relay_reason_t reason)
{
    relay_refusal_t failure = relay_refusal(reason);
    call_refuse(c, &failure);
}

void call_drop(relay_call_t *c, str_t reason)
{
    c->failure = relay_refusal(RELAY_UPSTREAM_ENDED);
    call_end(c, has_begun(c) ? FINISH_ABORT : FINISH_ERROR, reason);
}

str_t call_outcome(const relay_call_t *c)
{
    if (c->settled.p)
        return c->settled;
    switch (c->outcome) {
    case MCP_OUTCOME_TOOL_ERROR:
        return STR("tool_error");
    case MCP_OUTCOME_ERROR:
        return STR("rpc_error");
    case MCP_OUTCOME_NONE:
    case MCP_OUTCOME_RESULT:
        break;
    }
    return c->status < 400 ? STR("answered") : STR("upstream_refused");
}

/* The client is gone. */

/* The exchange ends; the call runs on without it, for the trail. */
static void detach(relay_call_t *c)
{
    http_exchange_t *x = c->x;
    const upstream_port_t *u = &c->route->upstream;
    bool begun = has_begun(c);
    if (c->w->detached >= RELAY_DETACHED || (c->r && call_keep(c) != RC_OK)) {
        call_drop(c, STR("client_gone"));
        return;
    }
    if (begun)
        call_count_stream(c->w, -1);
    c->x = NULL;
    c->phase = CALL_DETACHED;
    c->detached = true;
    c->w->detached++;
    c->gone_ms = call_now(c);
    c->held.n = 0;
    http_exchange_on_gone(x, NULL, NULL);
    if (c->paused)
        u->resume(u->ctx, c->upstream);
    c->paused = false;
    if (begun)
        http_stream_end(x);
    else
        http_reply(x, 503, HTTP_NO_HEADERS, STR(""));
}

/* To the stateless era a closed stream is the cancellation of its request (2026-07-28,
 * Cancellation); to the handshake era it is not (2025-11-25, Transports), and the call runs to its
 * end. What has no request behind it just ends. */
static bool runs_on(const relay_call_t *c)
{
    return c->upstream && c->facts.message && c->facts.era == MCP_ERA_HANDSHAKE;
}

void call_gone(relay_call_t *c)
{
    if (c->phase == CALL_ENDING)
        return;
    /* The end of the worker waits for every exchange. */
    if (!runs_on(c) || c->w->draining)
        call_drop(c, STR("client_gone"));
    else if (c->phase == CALL_WAITING)
        c->gone = true; /* the request lives in the arena until the upstream has it */
    else
        detach(c);
}

void call_detach(relay_call_t *c)
{
    detach(c);
}

static void on_gone(void *ctx, http_exchange_t *x)
{
    (void)x;
    call_gone(ctx);
}

relay_call_t *call_open(relay_t *r)
{
    relay_call_t *c = new_call(r->w);
    uint8_t random[sizeof c->spread_ms];
    if (!c)
        return NULL;
    c->w = r->w;
    if (relay_random(r->w, random, sizeof random) != RC_OK) {
        free_call(c);
        return NULL;
    }
    memcpy(&c->spread_ms, random, sizeof random);
    c->spread_ms %= RELAY_COMMENT_SPREAD;
    c->view = r->view;
    c->view->uses++;
    c->route = r->route;
    c->x = r->x;
    c->r = r;
    c->facts = r->facts;
    c->seated = r->seated;
    r->seated = false;
    c->began_ms = c->last_ms = c->wrote_ms = call_now(c);
    link_call(c);
    http_exchange_on_gone(c->x, on_gone, c);
    return c;
}
