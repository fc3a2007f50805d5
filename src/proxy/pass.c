#include "proxy/relay.h"

#include "gate/handle.h"

#include <stdlib.h>

/* The head. */

static void put(relay_call_t *c, str_t name, str_t value)
{
    c->fields[c->n_fields++] = (http_header_t){name, value};
}

static rc_t put_copy(relay_call_t *c, const http_header_t *h)
{
    str_t name = arena_dup(c->x->arena, h->name), value = arena_dup(c->x->arena, h->value);
    put(c, name, value);
    return name.p && value.p ? RC_OK : RC_MEMORY;
}

/* The upstream's session id becomes a handle that only this principal can use. Servers repeat it on
 * each answer. */
static rc_t put_session(relay_call_t *c, str_t value)
{
    str_t handle = c->r->handle;
    arena_t *a = c->x->arena;
    gate_handle_scope_t scope = {GATE_HANDLE_SESSION, c->route->conf->path, STR_UNSET};
    if (!handle.p || !str_eq(value, c->facts.session)) {
        TRY(gate_handle_make(a, c->w->g->config.handle_key, &scope, &c->facts.who, value, &handle));
        c->facts.session = arena_dup(a, value);
        if (!c->facts.session.p)
            return RC_MEMORY;
    }
    put(c, STR("Mcp-Session-Id"), handle);
    return RC_OK;
}

/* What this server could not write is left out: none of it is worth the answer. */
static rc_t put_theirs(relay_call_t *c, const http_header_t *h)
{
    if (str_eq_nocase(h->name, STR("Content-Type")) ||
        http_headers_get((http_headers_t){c->fields, c->n_fields}, h->name).p)
        return RC_OK;
    if (answer_passes(h->name))
        return str_is_printable_ascii(h->value) ? put_copy(c, h) : RC_OK;
    bool session = str_eq_nocase(h->name, STR("Mcp-Session-Id"));
    return session && c->facts.era == MCP_ERA_HANDSHAKE ? put_session(c, h->value) : RC_OK;
}

/* Answers are for one caller. What an upstream says about keeping them may only forbid more. */
static str_t caching(http_headers_t theirs)
{
    str_t value = http_headers_get(theirs, STR("Cache-Control"));
    bool stricter = http_headers_count(theirs, STR("Cache-Control")) == 1 &&
                    http_headers_has_token(theirs, STR("Cache-Control"), STR("no-store")) &&
                    str_is_printable_ascii(value);
    return stricter ? value : STR("no-store");
}

/* Its type is ours, without what the upstream says beside it: what was read here as UTF-8 must not
 * be read as anything else. */
static rc_t take_headers(relay_call_t *c, const http_outbound_head_t *h, str_t type)
{
    enum { OURS = 4 };
    arena_t *a = c->x->arena;
    c->fields = ARENA_ARRAY(a, h->headers.n + OURS, http_header_t);
    c->n_fields = 0;
    if (!c->fields)
        return RC_MEMORY;
    for (size_t i = 0; i < h->headers.n; i++)
        TRY(put_theirs(c, &h->headers.v[i]));
    str_t cache = arena_dup(a, caching(h->headers));
    if (!cache.p)
        return RC_MEMORY;
    put(c, STR("Content-Type"), type);
    put(c, STR("Cache-Control"), cache);
    put(c, STR("DPoP-Nonce"), c->r->verdict->nonce);
    if (c->events)
        put(c, STR("X-Accel-Buffering"), STR("no"));
    return RC_OK;
}

/* What refuses and is no message is not the client's to read; its status is. */
static void refuse_as_they(relay_call_t *c)
{
    relay_refusal_t refusal = relay_refusal(RELAY_UPSTREAM_REFUSED);
    refusal.status = c->status;
    call_refuse(c, &refusal);
}

static void begin_json(relay_call_t *c, const http_outbound_head_t *h)
{
    uint64_t most = c->looked ? (uint64_t)c->route->conf->max_answer_bytes : RELAY_WHOLE_BYTES;
    c->phase = CALL_WHOLE;
    if (!h->has_length || h->length <= most)
        return;
    if (c->looked)
        call_fail(c, RELAY_ANSWER_LARGE);
    else if (c->status >= 400)
        refuse_as_they(c);
    else
        stream_begin(c, CALL_RAW);
}

static answer_shape_t shape_of(relay_call_t *c, const http_outbound_head_t *h, relay_refusal_t *why)
{
    answer_facts_t f = {
        .status = h->status,
        .content_type = http_headers_get(h->headers, STR("Content-Type")),
        .encoded = http_headers_get(h->headers, STR("Content-Encoding")).p != NULL,
        .method = c->x->method,
        .kind = c->facts.kind,
    };
    return answer_shape(&f, why);
}

/* Readiness looks at this; the log tells of the first failure and of the first answer after it. */
static void note_away(const relay_call_t *c)
{
    const gateway_config_t *config = &c->w->g->config;
    int64_t now = config->clock.mono_ms(config->clock.ctx);
    if (atomic_exchange_explicit(&c->route->state->away_ms, now, memory_order_relaxed) == 0)
        LOG(config->log, LOG_WARN, "a protected server cannot be reached",
            LOG_S("upstream", c->route->conf->path));
}

static void note_back(const relay_call_t *c)
{
    atomic_llong *away = &c->route->state->away_ms;
    if (atomic_load_explicit(away, memory_order_relaxed) == 0)
        return;
    if (atomic_exchange_explicit(away, 0, memory_order_relaxed) != 0)
        LOG(c->w->g->config.log, LOG_INFO, "a protected server answers again",
            LOG_S("upstream", c->route->conf->path));
}

static const str_t TYPES[] = {[ANSWER_EMPTY] = {NULL, 0},
                              [ANSWER_JSON] = STR_INIT("application/json"),
                              [ANSWER_EVENTS] = STR_INIT("text/event-stream")};

static void on_head(void *ctx, const http_outbound_head_t *h)
{
    relay_call_t *c = ctx;
    relay_refusal_t why;
    c->last_ms = call_now(c);
    c->status = h->status;
    note_back(c);
    counter_time(c->w->counts, HISTOGRAM_UPSTREAM, 1000 * (c->last_ms - c->began_ms));
    if (h->status == 401 && c->route->credential)
        c->route->ports->drop(c->route->credential, &c->facts.who);
    answer_shape_t shape = shape_of(c, h, &why);
    if (shape == ANSWER_FAIL) {
        call_refuse(c, &why);
        return;
    }
    c->events = shape == ANSWER_EVENTS;
    if (c->gone) {
        call_detach(c);
        return;
    }
    rc_t rc = take_headers(c, h, TYPES[shape]);
    if (rc != RC_OK) {
        call_fail(c, rc == RC_MEMORY ? RELAY_MEMORY : RELAY_UPSTREAM_MALFORMED);
        return;
    }
    c->looked = lists_concern(c->r);
    if (shape == ANSWER_JSON)
        begin_json(c, h);
    else if (shape == ANSWER_EVENTS)
        stream_begin(c, CALL_EVENTS);
    else
        c->phase = CALL_EMPTY;
}

/* The body. */

static void keep_whole(relay_call_t *c, str_t bytes)
{
    size_t most = c->looked ? (size_t)c->route->conf->max_answer_bytes : RELAY_WHOLE_BYTES;
    rc_t rc = call_hold(c, bytes, most);
    if (rc == RC_OK)
        return;
    if (rc != RC_LIMIT || c->looked) {
        call_fail(c, rc == RC_LIMIT ? RELAY_ANSWER_LARGE : RELAY_MEMORY);
        return;
    }
    if (c->status >= 400) {
        refuse_as_they(c);
        return;
    }
    call_bytes_t held = c->held;
    c->held = (call_bytes_t){0};
    if (stream_begin(c, CALL_RAW))
        stream_write(c, str_of(held.p, held.n));
    if (c->phase == CALL_RAW)
        stream_write(c, bytes);
    free(held.p);
}

/* A body where none belongs is not read for ever. */
static void pass_over(relay_call_t *c, str_t bytes)
{
    c->bytes_out += (int64_t)bytes.n;
    if (c->bytes_out > RELAY_WHOLE_BYTES)
        call_fail(c, RELAY_UPSTREAM_MALFORMED);
}

static void pass_json(relay_call_t *c, str_t bytes)
{
    rc_t rc = json_read(c, &bytes);
    if (rc != RC_OK)
        call_fail(c, RELAY_MEMORY);
    else if (c->phase != CALL_DETACHED && c->status < 400 && !json_may_be_ours(c))
        json_refuse(c);
    else if (c->phase == CALL_RAW)
        stream_write(c, bytes);
    else if (c->phase == CALL_WHOLE)
        keep_whole(c, bytes);
    arena_reset(c->w->scratch);
}

static void on_data(void *ctx, str_t bytes)
{
    relay_call_t *c = ctx;
    c->last_ms = call_now(c);
    switch (c->phase) {
    case CALL_WHOLE:
    case CALL_RAW:
        pass_json(c, bytes);
        return;
    case CALL_EVENTS:
        stream_pass(c, bytes);
        return;
    case CALL_DETACHED:
        if (c->events)
            stream_pass(c, bytes);
        else
            pass_json(c, bytes);
        return;
    case CALL_EMPTY:
        pass_over(c, bytes);
        return;
    case CALL_WAITING:
    case CALL_ENDING:
        return;
    }
}

/* The end. */

static void end_whole(relay_call_t *c)
{
    str_t out;
    bool answer = json_is_answer(c);
    if (c->status >= 400 && (!answer || c->outcome != MCP_OUTCOME_ERROR)) {
        refuse_as_they(c);
        return;
    }
    if (!answer) {
        json_refuse(c);
        return;
    }
    if (!c->looked) {
        c->bytes_out = (int64_t)c->held.n;
        call_end(c, FINISH_REPLY, call_outcome(c));
        return;
    }
    arena_t *a = c->w->scratch;
    rc_t rc = lists_rewrite(a, c->r, str_of(c->held.p ? c->held.p : "", c->held.n), &out);
    if (rc == RC_OK && out.p != c->held.p) {
        c->held.n = 0;
        rc = call_hold(c, out, RELAY_EVENT_BYTES);
    }
    arena_reset(a);
    c->bytes_out = (int64_t)c->held.n;
    if (rc == RC_OK)
        call_end(c, FINISH_REPLY, call_outcome(c));
    else
        call_fail(c, RELAY_LIST);
}

/* A message whose end is missing is none. */
static bool is_cut_short(const relay_call_t *c)
{
    return c->phase == CALL_RAW && !(c->reading && c->reading->closed);
}

static void end_well(relay_call_t *c)
{
    json_tell(c);
    if (is_cut_short(c)) {
        call_fail(c, RELAY_UPSTREAM_MALFORMED);
        return;
    }
    switch (c->phase) {
    case CALL_WHOLE:
        end_whole(c);
        return;
    case CALL_EMPTY:
        c->held.n = 0;
        c->bytes_out = 0;
        call_end(c, FINISH_REPLY, STR("answered"));
        return;
    case CALL_EVENTS:
        stream_settle(c);
        return;
    case CALL_RAW:
        stream_end(c);
        return;
    case CALL_DETACHED:
        call_end(c, FINISH_NONE, call_outcome(c));
        return;
    case CALL_WAITING:
        call_fail(c, RELAY_UPSTREAM_MALFORMED);
        return;
    case CALL_ENDING:
        return;
    }
}

static const struct {
    relay_reason_t reason;
    counter_t counter;
} ENDS[] = {
    [HTTP_OUT_BUSY] = {RELAY_UPSTREAM_BUSY, COUNTER_UPSTREAM_BUSY},
    [HTTP_OUT_UNREACHABLE] = {RELAY_UPSTREAM_AWAY, COUNTER_UPSTREAM_UNREACHABLE},
    [HTTP_OUT_TIMEOUT] = {RELAY_UPSTREAM_TIMEOUT, COUNTER_UPSTREAM_TIMEOUT},
    [HTTP_OUT_MALFORMED] = {RELAY_UPSTREAM_MALFORMED, COUNTER_UPSTREAM_MALFORMED},
    [HTTP_OUT_BROKEN] = {RELAY_UPSTREAM_BROKEN, COUNTER_UPSTREAM_BROKEN},
    [HTTP_OUT_LOST] = {RELAY_UPSTREAM_BROKEN, COUNTER_UPSTREAM_BROKEN},
    [HTTP_OUT_ENDED] = {RELAY_UPSTREAM_ENDED, COUNTER_UPSTREAM_BROKEN},
};

static void on_end(void *ctx, http_outbound_end_t how)
{
    relay_call_t *c = ctx;
    c->upstream = NULL;
    if (how == HTTP_OUT_DONE) {
        counter_add(c->w->counts, COUNTER_UPSTREAM_DONE, 1);
        end_well(c);
        return;
    }
    counter_add(c->w->counts, ENDS[how].counter, 1);
    if (how == HTTP_OUT_UNREACHABLE)
        note_away(c);
    if (how == HTTP_OUT_LOST)
        c->resumable = false;
    stream_fail(c, ENDS[how].reason);
}

http_outbound_events_t call_events(relay_call_t *c)
{
    return (http_outbound_events_t){on_head, on_data, on_end, c};
}
