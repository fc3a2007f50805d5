#include "proxy/child_keeper.h"

#include "mcp/sse.h"

enum { CODE_UNSUPPORTED = -32022 };

enum { EVENT_BYTES = 64 }; /* what stands around the data */

static const str_t JSON = STR_INIT("application/json");
static const str_t EVENTS = STR_INIT("text/event-stream");

/* The call has no more to do with its channel. */
static void leave(child_keeper_t *k, upstream_call_t *call)
{
    child_channel_t *ch = call->state.channel;
    call->state.over = true;
    if (ch) {
        child_t *c = ch->child;
        if (call->state.full && --c->full == 0)
            child_pipes_read(c->pipes, true);
        call->state.full = false;
        c->calls--;
        c->used_ms = child_now(k);
        if (ch->session) {
            ch->session->calls--;
            ch->session->used_ms = child_now(k);
        }
        ch->call = NULL;
        call->state.channel = NULL;
    }
    child_unlist_call(k, call);
}

static void emit(child_keeper_t *k, upstream_call_t *call, const child_event_t *head, str_t body)
{
    child_channel_t *ch = call->state.channel;
    if (call->state.over)
        return;
    bool full = child_call_push(call, head, body);
    if (head->ends || call->state.over) {
        leave(k, call);
        return;
    }
    if (!full || !ch || call->state.full)
        return;
    call->state.full = true;
    if (ch->child->full++ == 0) {
        ch->child->full_ms = child_now(k);
        child_pipes_read(ch->child->pipes, false);
    }
}

void child_reply(child_keeper_t *k, upstream_call_t *call, const child_event_t *head, str_t body)
{
    child_event_t e = *head;
    e.whole = e.ends = true;
    e.how = HTTP_OUT_DONE;
    emit(k, call, &e, body);
}

void child_refuse(child_keeper_t *k, upstream_call_t *call, mcp_error_t e, str_t data)
{
    arena_reset(k->scratch);
    const child_event_t head = {.status = mcp_error_row(e)->status, .type = JSON};
    str_t id = call->ask.kind == MCP_REQUEST ? call->ask.id : STR_UNSET;
    child_reply(k, call, &head, mcp_error(k->scratch, id, e, STR_UNSET, data));
}

void child_refuse_busy(child_keeper_t *k, upstream_call_t *call, uint32_t retry_s)
{
    arena_reset(k->scratch);
    const child_event_t head = {.status = 503, .type = JSON, .retry_s = retry_s ? retry_s : 1};
    str_t id = call->ask.kind == MCP_REQUEST ? call->ask.id : STR_UNSET;
    child_reply(k, call, &head, mcp_error(k->scratch, id, MCP_ERROR_BUSY, STR_UNSET, STR_UNSET));
}

static void end_call(child_keeper_t *k, upstream_call_t *call, http_outbound_end_t how)
{
    const child_event_t e = {.ends = true, .how = how};
    emit(k, call, &e, STR_UNSET);
}

void child_break(child_keeper_t *k, upstream_call_t *call, http_outbound_end_t how)
{
    child_channel_t *ch = call->state.channel;
    end_call(k, call, how);
    if (ch)
        child_channel_detach(ch);
}

/* Clients before 2025-11-25 take an event without data for broken JSON. */
void child_channel_begin(child_channel_t *ch)
{
    char room[CHILD_PRIMER_BYTES];
    upstream_call_t *call = ch->call;
    const child_event_t head = {.status = 200, .type = EVENTS};
    bool primed = ch->session && str_eq(call->ask.version, STR("2025-11-25"));
    str_t primer = primed ? child_stream_primer(&ch->stream, ch->sent, room) : STR_UNSET;
    call->state.streams = true;
    ch->streams = ch->session != NULL;
    emit(ch->child->keeper, call, &head, primer);
}

static bool say_stateless(child_channel_t *ch, str_t text)
{
    static const child_event_t PIECE = {.status = 0};
    child_keeper_t *k = ch->child->keeper;
    const mcp_sse_event_t e = {.data = text, .retry_ms = -1};
    buf_t event = buf_new(k->scratch, text.n + mcp_sse_growth(text) + EVENT_BYTES);
    if (!ch->call)
        return false;
    mcp_sse_write(&event, &e);
    if (event.failed != RC_OK) {
        child_break(k, ch->call, HTTP_OUT_BROKEN);
        return false;
    }
    if (!ch->call->state.streams)
        child_channel_begin(ch);
    if (ch->call)
        emit(k, ch->call, &PIECE, buf_str(&event));
    return true;
}

bool child_channel_say(child_channel_t *ch, str_t text)
{
    static const child_event_t PIECE = {.status = 0};
    str_t event;
    if (!ch->session)
        return say_stateless(ch, text);
    if (ch->call && !ch->call->state.streams)
        child_channel_begin(ch);
    /* Without an id nobody can come back for it. */
    if (!ch->streams && ch != &ch->session->get)
        return false;
    if (child_stream_add(&ch->stream, text, &event) != RC_OK) {
        if (ch->call)
            end_call(ch->child->keeper, ch->call, HTTP_OUT_BROKEN);
        return false;
    }
    if (!ch->call)
        return true;
    ch->sent = ch->stream.last;
    emit(ch->child->keeper, ch->call, &PIECE, event);
    return true;
}

/* The status that HTTP has for an error of the stateless era (2026-07-28, Streamable HTTP), which a
 * server of that era alone gives to initialize as well. */
static int status_of(const child_channel_t *ch, int64_t code)
{
    if (code == CODE_UNSUPPORTED)
        return 400;
    if (ch->session || code == 0)
        return 200;
    if (code == -32601)
        return 404;
    return code >= -32022 && code <= -32020 ? 400 : 200;
}

static void answer_whole(child_channel_t *ch, str_t text, int64_t code)
{
    child_event_t head = {.status = status_of(ch, code), .type = JSON};
    if (ch->session && ch->call->ask.asked.p && code == 0)
        memcpy(head.session, ch->session->id, sizeof head.session);
    child_reply(ch->child->keeper, ch->call, &head, text);
}

static void close_flight(child_channel_t *ch)
{
    if (ch->flight)
        child_router_close(ch->child->router, ch->flight);
    ch->flight = NULL;
    ch->ended_ms = child_now(ch->child->keeper);
}

void child_channel_answer(child_channel_t *ch, str_t text, int64_t code)
{
    close_flight(ch);
    if (ch->call && !ch->call->state.streams)
        answer_whole(ch, text, code);
    else
        child_channel_say(ch, text);
    if (ch->call)
        end_call(ch->child->keeper, ch->call, HTTP_OUT_DONE);
    if (!ch->session || !ch->streams)
        child_channel_free(ch);
}

void child_channel_end(child_channel_t *ch)
{
    bool of_get = ch->session && ch == &ch->session->get;
    close_flight(ch);
    if (ch->call)
        end_call(ch->child->keeper, ch->call, of_get ? HTTP_OUT_DONE : HTTP_OUT_LOST);
    if (!of_get)
        child_channel_free(ch);
}

void child_channel_join(child_channel_t *ch, upstream_call_t *call)
{
    child_keeper_t *k = ch->child->keeper;
    ch->call = call;
    call->state.channel = ch;
    call->state.since_ms = child_now(k);
    ch->child->calls++;
    ch->child->used_ms = child_now(k);
    if (ch->session)
        ch->session->calls++;
}

/* Of two connections to one stream the newer one counts: the older is often dead without knowing.
 */
void child_channel_attach(child_channel_t *ch, upstream_call_t *call, uint64_t after)
{
    static const child_event_t PIECE = {.status = 0};
    child_keeper_t *k = ch->child->keeper;
    uint64_t at = after;
    str_t event;
    if (ch->call)
        end_call(k, ch->call, HTTP_OUT_DONE);
    child_channel_join(ch, call);
    ch->sent = after;
    child_channel_begin(ch);
    while (ch->call && child_stream_next(&ch->stream, &at, &event))
        emit(k, call, &PIECE, event);
    ch->sent = ch->stream.last;
    bool of_get = ch == &ch->session->get;
    if (ch->call && !ch->flight && !of_get)
        end_call(k, call, HTTP_OUT_DONE);
}

/* The handshake era says that a lost connection cancels nothing, the stateless one that it does. */
void child_channel_detach(child_channel_t *ch)
{
    str_t line;
    child_t *c = ch->child;
    child_keeper_t *k = c->keeper;
    if (ch->session && ch->flight && !ch->session->opened) {
        child_session_end(k, ch->session, CHILD_REASON_SESSION_ENDED);
        return;
    }
    if (ch->session)
        return;
    arena_reset(k->scratch);
    if (ch->flight && child_router_cancel(k->scratch, ch->flight, &line) == RC_OK &&
        child_pipes_write(c->pipes, line) != RC_OK)
        LOG(k->config.log, LOG_DEBUG, "a child was not told of a cancelled request",
            LOG_S("upstream", k->path));
    close_flight(ch);
    child_channel_free(ch);
}

void child_cancelled(child_keeper_t *k, upstream_call_t *call)
{
    child_channel_t *ch = call->state.channel;
    if (call->state.over)
        return;
    leave(k, call);
    if (ch)
        child_channel_detach(ch);
}
