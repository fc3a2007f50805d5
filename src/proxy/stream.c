#include "proxy/relay.h"

#include "gate/handle.h"

#include <stdlib.h>

static void pause(relay_call_t *c)
{
    const upstream_port_t *u = &c->route->upstream;
    if (c->upstream && !c->paused)
        u->pause(u->ctx, c->upstream);
    c->paused = c->upstream != NULL;
}

/* Goes on, or ends, once the client has taken everything. */
static void taken(relay_call_t *c)
{
    const upstream_port_t *u = &c->route->upstream;
    free(c->held.p);
    c->held = (call_bytes_t){0};
    if (c->ended) {
        call_end(c, FINISH_STREAM, call_outcome(c));
        return;
    }
    if (c->paused && c->upstream)
        u->resume(u->ctx, c->upstream);
    c->paused = false;
}

/* Sends from the front of *bytes until the client takes no more. */
static rc_t send(relay_call_t *c, str_t *bytes)
{
    while (bytes->n > 0) {
        str_t piece = str_first(*bytes, RELAY_PIECE_BYTES);
        TRY(http_stream_write(c->x, piece));
        c->bytes_out += (int64_t)piece.n;
        *bytes = str_skip(*bytes, piece.n);
    }
    c->wrote_ms = call_now(c);
    return RC_OK;
}

static void on_writable(void *ctx, http_exchange_t *x)
{
    relay_call_t *c = ctx;
    str_t rest = str_of(c->held.p, c->held.n);
    (void)x;
    if (c->phase != CALL_RAW && c->phase != CALL_EVENTS)
        return;
    rc_t rc = send(c, &rest);
    memmove(c->held.p, rest.p, rest.n);
    c->held.n = rest.n;
    if (rc == RC_IO)
        call_gone(c);
    else if (rc == RC_OK)
        taken(c);
    else if (rc != RC_BUSY)
        call_fail(c, RELAY_MEMORY);
}

/* Gives back the buffers of the request, and the arena with all that was decided in it. */
static void slim(relay_call_t *c)
{
    if (!c->r || c->looked || call_keep(c) != RC_OK)
        return;
    c->x->user = NULL;
    http_stream_slim(c->x);
}

static void check_later(relay_call_t *c)
{
    int64_t every_ms = c->route->conf->stream_check_s * 1000;
    c->unsure_ms = 0;
    c->check_ms = call_now(c) + every_ms - every_ms * c->spread_ms / (10 * RELAY_COMMENT_SPREAD);
}

/* A token that says nothing by itself is asked about again while its stream is open, and kept for
 * that. */
static rc_t keep_token(relay_call_t *c)
{
    str_t token = relay_own_token(c->r);
    const route_ports_t *ports = c->route->ports;
    if (!token.p || !ports->asks || !ports->asks(c->route->access, token))
        return RC_OK;
    char *p = malloc(token.n + 1);
    if (!p)
        return RC_MEMORY;
    memcpy(p, token.p, token.n);
    p[token.n] = '\0';
    c->token = str_of(p, token.n);
    /* Streams that began together, as after a restart, are not asked about together. */
    c->check_ms =
        call_now(c) + c->route->conf->stream_check_s * 1000 * c->spread_ms / RELAY_COMMENT_SPREAD;
    return RC_OK;
}

bool stream_begin(relay_call_t *c, call_phase_t phase)
{
    http_stream_events_t events = {on_writable, c};
    rc_t rc = phase == CALL_EVENTS ? keep_token(c) : RC_OK;
    if (rc == RC_OK)
        rc = http_stream_begin(c->x, c->status, (http_headers_t){c->fields, c->n_fields}, events);
    if (rc == RC_OK) {
        c->phase = phase;
        call_count_stream(c->w, 1);
        /* Whoever opens ten thousand of these must not hold as many arenas for a moment. */
        bool many = c->w->streams > RELAY_FAT_STREAMS;
        if (phase == CALL_EVENTS && (many || relay_is_standing(&c->facts)))
            slim(c);
        return true;
    }
    if (rc == RC_IO)
        call_drop(c, STR("client_gone"));
    else
        call_fail(c, rc == RC_MEMORY ? RELAY_MEMORY : RELAY_UPSTREAM_MALFORMED);
    return false;
}

void stream_write(relay_call_t *c, str_t bytes)
{
    rc_t rc = c->held.n > 0 ? RC_BUSY : send(c, &bytes);
    if (rc == RC_OK)
        return;
    if (rc == RC_IO) {
        call_gone(c);
        return;
    }
    if (rc == RC_BUSY)
        rc = call_hold(c, bytes, RELAY_EVENT_BYTES);
    if (rc == RC_OK)
        pause(c);
    else
        call_fail(c, RELAY_MEMORY);
}

/* Events. */

/* The id as this principal may bring it back; the stateless era has none (2026-07-28, Streamable
 * HTTP: resuming is not supported). */
static rc_t translate_id(relay_call_t *c, mcp_sse_event_t *e)
{
    str_t packed;
    gate_handle_scope_t scope = {GATE_HANDLE_EVENT, c->route->conf->path, c->facts.session};
    if (c->facts.era == MCP_ERA_STATELESS || str_is_empty(e->id)) {
        e->id = STR_UNSET;
        return RC_OK;
    }
    c->resumable = true;
    TRY(asked_pack(c->w->scratch, &c->facts.asked, e->id, &packed));
    return gate_handle_make(c->w->scratch, c->w->g->config.handle_key, &scope, &c->facts.who,
                            packed, &e->id);
}

/* What nobody asked for on this stream goes no further, but for its event id. The trail has the
 * first of a stream, and its end how many there were: an upstream must not fill it. */
static rc_t drop(relay_call_t *c, mcp_sse_event_t *e, str_t reason)
{
    const trail_port_t *trail = &c->w->trail.port;
    audit_event_t event = relay_event(c->route, &c->facts, AUDIT_ANSWER);
    const audit_event_t *list[] = {&event};
    event.reason = reason;
    e->data = e->event = STR_UNSET;
    counter_add(c->w->counts, COUNTER_ANSWERS_DROPPED, 1);
    return c->dropped++ == 0 ? trail->write(trail->ctx, list, 1) : RC_OK;
}

static rc_t make_private(const relay_call_t *c, mcp_sse_event_t *e, bool *odd)
{
    mcp_outcome_t o = {.is_stateless = c->facts.era == MCP_ERA_STATELESS};
    buf_t out = buf_new(c->w->scratch, 2 * e->data.n + MCP_OUTCOME_SPARE_BYTES);
    mcp_outcome_feed_private(&o, e->data, &out);
    *odd = o.odd;
    return buf_done(&out, &e->data);
}

/* The answer that this stream is for. */
static rc_t take_answer(relay_call_t *c, const mcp_outcome_t *o, mcp_sse_event_t *e)
{
    bool odd = false;
    arena_t *a = c->w->scratch;
    const relay_asked_t *asked = &c->facts.asked;
    if (c->answered)
        return drop(c, e, STR("repeated_answer"));
    if (!c->facts.message && asked->list == MCP_LIST_NONE && lists_hide(a, c, e->data))
        return drop(c, e, STR("unclear_answer"));
    if (asked->is_private)
        TRY(make_private(c, e, &odd));
    if (odd)
        return drop(c, e, STR("unclear_answer"));
    c->answered = true; /* pass_whole takes it back where this fails */
    c->outcome = o->kind;
    c->code = o->code;
    if (c->phase != CALL_EVENTS || !lists_judge(c))
        return RC_OK;
    return c->r ? lists_rewrite(a, c->r, e->data, &e->data) : RC_MALFORMED;
}

/* An error of ours in place of the answer, and the end of the wait for it; unset without memory:
 * the wait goes on. */
static str_t settle(relay_call_t *c, relay_reason_t reason)
{
    relay_refusal_t why = relay_refusal(reason);
    str_t body = relay_error_body(c->w->scratch, c->facts.asked.id, &why);
    if (!body.p)
        return body;
    c->answered = true;
    c->outcome = MCP_OUTCOME_ERROR;
    c->code = why.code;
    c->settled = why.reason;
    return body;
}

/* Meant for this request, and no answer to clients that go by the letter: they would wait on. */
static rc_t refuse_mistyped(relay_call_t *c, mcp_sse_event_t *e)
{
    if (c->answered)
        return drop(c, e, STR("repeated_answer"));
    TRY(drop(c, e, relay_refusal(RELAY_MISTYPED_ANSWER).reason));
    e->data = settle(c, RELAY_MISTYPED_ANSWER);
    return e->data.p ? RC_OK : RC_MEMORY;
}

/* A stream brings the answer to its own request and no other: clients find theirs by the id alone,
 * and would take any stream's for the list that they have asked for elsewhere. */
static rc_t look(relay_call_t *c, mcp_sse_event_t *e)
{
    mcp_outcome_t o = {0};
    if (!e->data.p)
        return RC_OK;
    mcp_outcome_feed(&o, e->data);
    switch (mcp_outcome_answer(c->w->scratch, &o, c->facts.asked.id)) {
    case MCP_ANSWER_NONE:
    case MCP_ANSWER_NAMELESS:
        return RC_OK;
    case MCP_ANSWER_OURS:
        return take_answer(c, &o, e);
    case MCP_ANSWER_FOREIGN:
        return mcp_outcome_is_mistyped(c->w->scratch, &o, c->facts.asked.id)
                   ? refuse_mistyped(c, e)
                   : drop(c, e, STR("foreign_answer"));
    case MCP_ANSWER_UNCLEAR:
        break;
    }
    return drop(c, e, STR("unclear_answer"));
}

static rc_t pass_event(relay_call_t *c, mcp_sse_event_t *e, buf_t *out)
{
    /* Clients know "message" and nothing else; whatever hides more than a name is no type. */
    if (e->event.p && !str_is_printable_ascii(e->event))
        e->event = e->data = STR_UNSET;
    TRY(look(c, e));
    if (c->phase != CALL_EVENTS)
        return RC_OK;
    TRY(translate_id(c, e));
    mcp_sse_write(out, e);
    return out->failed;
}

/* An event goes out whole, or not at all. */
static rc_t pass_whole(relay_call_t *c, mcp_sse_event_t *e, buf_t *out)
{
    size_t n = out->n;
    bool answered = c->answered, resumable = c->resumable;
    mcp_outcome_kind_t outcome = c->outcome;
    int64_t code = c->code;
    str_t settled = c->settled;
    rc_t rc = pass_event(c, e, out);
    if (rc == RC_OK)
        return RC_OK;
    out->n = n;
    c->answered = answered;
    c->resumable = resumable;
    c->outcome = outcome;
    c->code = code;
    c->settled = settled;
    return rc;
}

static relay_reason_t reason_of(const relay_call_t *c, rc_t rc)
{
    if (rc == RC_MEMORY || rc == RC_IO)
        return rc == RC_MEMORY ? RELAY_MEMORY : RELAY_AUDIT;
    return lists_judge(c) ? RELAY_LIST : RELAY_UPSTREAM_MALFORMED;
}

void stream_pass(relay_call_t *c, str_t bytes)
{
    mcp_sse_event_t e;
    mcp_sse_step_t step;
    rc_t rc = RC_OK, read = RC_OK;
    buf_t out = buf_new(c->w->scratch, RELAY_EVENT_BYTES);
    while (rc == RC_OK && (step = mcp_sse_next(&c->sse, &bytes, &e, &read)) != MCP_SSE_MORE)
        rc = step == MCP_SSE_EVENT ? pass_whole(c, &e, &out) : read != RC_OK ? read : RC_MALFORMED;
    if (c->phase == CALL_EVENTS && out.n > 0)
        stream_write(c, str_of(out.p, out.n));
    arena_reset(c->w->scratch);
    if (rc != RC_OK && c->phase != CALL_ENDING)
        stream_fail(c, reason_of(c, rc));
}

/* The end from here. */

/* The response to subscriptions/listen that says it ended well (2026-07-28, Subscriptions, Graceful
 * Closure). */
static str_t completion(arena_t *a, str_t id)
{
    return arena_printf(a,
                        "{\"jsonrpc\":\"2.0\",\"id\":%" PRIstr ",\"result\":{\"resultType\":"
                        "\"complete\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":"
                        "%" PRIstr "}}}",
                        STR_ARG(id), STR_ARG(id));
}

static bool has_last_message(const relay_call_t *c)
{
    return c->facts.message && c->outcome == MCP_OUTCOME_NONE;
}

static str_t last_message(const relay_call_t *c)
{
    arena_t *a = c->w->scratch;
    relay_refusal_t closed = {.code = -32600, .sentence = STR("The stream was closed.")};
    return relay_is_standing(&c->facts) ? completion(a, c->facts.id)
                                        : relay_error_body(a, c->facts.id, &closed);
}

/* Unset: there was no memory for it. */
static void say(relay_call_t *c, str_t message)
{
    buf_t b = buf_new(c->w->scratch, RELAY_PIECE_BYTES);
    mcp_sse_event_t e = {.data = message, .retry_ms = -1};
    if (message.p)
        mcp_sse_write(&b, &e);
    if (message.p && b.failed == RC_OK)
        stream_write(c, buf_str(&b));
    else
        call_fail(c, RELAY_MEMORY);
    arena_reset(c->w->scratch);
}

static bool waits_for_ever(const relay_call_t *c)
{
    bool request = c->facts.message && c->facts.kind == MCP_REQUEST;
    return request && !c->answered && !c->resumable && !relay_is_standing(&c->facts);
}

void stream_end(relay_call_t *c)
{
    if (c->phase == CALL_ENDING)
        return;
    if (c->held.n > 0)
        c->ended = true;
    else
        call_end(c, FINISH_STREAM, call_outcome(c));
}

void stream_settle(relay_call_t *c)
{
    if (waits_for_ever(c))
        say(c, settle(c, RELAY_UPSTREAM_UNANSWERED));
    stream_end(c);
}

void stream_fail(relay_call_t *c, relay_reason_t reason)
{
    if (c->phase != CALL_EVENTS || !waits_for_ever(c)) {
        call_fail(c, reason);
        return;
    }
    call_let_go(c);
    say(c, settle(c, reason));
    stream_end(c);
}

void stream_close(relay_call_t *c, str_t reason)
{
    if (c->phase == CALL_EVENTS && c->held.n == 0 && has_last_message(c))
        say(c, last_message(c));
    if (c->phase == CALL_ENDING || c->phase == CALL_DETACHED)
        return;
    bool clean = c->phase == CALL_EVENTS && c->held.n == 0;
    call_end(c, clean ? FINISH_STREAM : FINISH_ABORT, reason);
}

/* A server that answers nobody ends the stream; one that answers others first does not. */
static bool may_wait(relay_call_t *c, int64_t now_ms, bool asked)
{
    if (asked && c->unsure_ms == 0)
        c->unsure_ms = now_ms;
    if (now_ms - c->check_ms >= RELAY_UNASKED_MS)
        return false;
    return c->unsure_ms == 0 || now_ms - c->unsure_ms < RELAY_UNSURE_MS;
}

static bool is_still_active(relay_call_t *c, int64_t now_ms)
{
    if (!c->token.p || now_ms < c->check_ms)
        return true;
    switch (c->route->ports->still(c->route->access, c->token)) {
    case ACCESS_STILL:
        check_later(c);
        return true;
    case ACCESS_ENDED:
        return false;
    case ACCESS_LATER:
        return may_wait(c, now_ms, false);
    case ACCESS_UNSURE:
        break;
    }
    return may_wait(c, now_ms, true);
}

static bool token_lives(const relay_call_t *c, int64_t now_s)
{
    const gate_principal_t *who = &c->facts.who;
    if (who->expires_at > 0 && now_s >= who->expires_at + RELAY_LEEWAY_S)
        return false;
    return c->route->ports->lives(c->route->access, who);
}

static void slim_in_time(relay_call_t *c, int64_t now_ms)
{
    int64_t open_ms = now_ms - c->began_ms;
    bool replays = c->looked && !c->facts.message;
    if (replays && !c->answered && open_ms < RELAY_REPLAY_MS)
        return;
    if (replays)
        c->looked = false;
    if (open_ms >= RELAY_SLIM_MS)
        slim(c);
}

static void comment(relay_call_t *c, int64_t now_ms)
{
    if (c->held.n > 0 || now_ms - c->wrote_ms < RELAY_COMMENT_MS + (int64_t)c->spread_ms)
        return;
    rc_t rc = http_stream_write(c->x, mcp_sse_keep_alive());
    c->wrote_ms = now_ms;
    if (rc == RC_IO)
        call_gone(c);
}

void stream_tick(relay_call_t *c, int64_t now_ms, int64_t now_s)
{
    int64_t idle_ms = c->route->conf->stream_idle_s * 1000;
    if (c->phase == CALL_DETACHED && now_ms - c->gone_ms >= RELAY_DETACHED_MS)
        call_end(c, FINISH_NONE, STR("abandoned"));
    if (c->phase != CALL_EVENTS && c->phase != CALL_RAW)
        return;
    if (!token_lives(c, now_s) || !is_still_active(c, now_ms)) {
        stream_close(c, STR("token_ended"));
        return;
    }
    if (idle_ms > 0 && now_ms - c->last_ms >= idle_ms) {
        stream_close(c, STR("stream_idle"));
        return;
    }
    if (c->phase != CALL_EVENTS)
        return;
    slim_in_time(c, now_ms);
    comment(c, now_ms);
}
