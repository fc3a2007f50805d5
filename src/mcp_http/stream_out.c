/* What comes out of an outbox, to a connection: as one JSON answer, or as events with what they
 * bear of ids, and no faster than the client reads. */
#include "mcp_http/stream.h"

#include "core/buf.h"
#include "mcp/sse.h"

#include <stdlib.h>

enum { ASK_ARENA_BYTES = 1 << 20 };

/* What to do after a step. */
typedef enum { GOES_ON, WAITS, OVER } step_t;

static void on_writable(void *ctx, http_exchange_t *x)
{
    (void)x;
    mcp_stream_pump(ctx);
}

bool mcp_stream_say(mcp_stream_t *s, str_t text)
{
    rc_t rc = http_stream_write(s->x, text);
    if (rc == RC_OK || rc == RC_BUSY)
        return true;
    mcp_stream_lost(s);
    return false;
}

/* Event ids are for clients that may come back: of a session, and its places for kept streams are
 * not all taken. */
static void number_stream(mcp_stream_t *s)
{
    if (!s->session || s->is_get)
        return;
    s->has_ids = mcp_session_add_stream(s->session, s->outbox, &s->number) == RC_OK;
    s->polls = s->has_ids && mcp_rule_polls(mcp_session_version(s->session));
}

/* The stream of a call tells its client at once how to come back (2025-11-25, Transports, "Sending
 * Messages"); others show that they are open. */
static bool say_first(mcp_stream_t *s)
{
    char id[MCP_EVENT_ID_TEXT], out[MCP_PIECE_BYTES];
    if (s->polls && !s->is_get)
        return mcp_stream_say(s, mcp_event_primer(out, mcp_event_id(id, s->number, 0)));
    return mcp_stream_say(s, STR(": open\n\n"));
}

bool mcp_stream_begin(mcp_stream_t *s)
{
    http_stream_events_t events = {on_writable, s};
    number_stream(s);
    rc_t rc = http_stream_begin(s->x, 200,
                                HTTP_HEADERS({STR("Content-Type"), STR("text/event-stream")},
                                             {STR("X-Accel-Buffering"), STR("no")},
                                             {STR("DPoP-Nonce"), s->nonce}),
                                events);
    if (rc != RC_OK) {
        mcp_stream_lost(s);
        return false;
    }
    s->begun = true;
    s->silent_ms = mcp_stream_now_ms(s);
    if (!say_first(s))
        return false;
    if (s->listens)
        http_stream_slim(s->x);
    return true;
}

/* The whole answer, with the status that it has. */

static str_t copy_of(arena_t *a, str_t text)
{
    char *p = malloc(text.n + 1);
    if (!p)
        return STR_UNSET;
    if (text.n)
        memcpy(p, text.p, text.n);
    return arena_cleanup(a, free, p) == RC_OK ? str_of(p, text.n) : STR_UNSET;
}

static str_t body_of(const mcp_stream_t *s)
{
    arena_t *a = s->x->arena;
    if (s->out.needed.p)
        return mcp_http_oauth_body(a, STR("insufficient_scope"));
    return copy_of(a, s->out.text);
}

static str_t challenge_of(const mcp_stream_t *s)
{
    const mcp_access_port_t *p = &s->h->access;
    if (!s->out.needed.p || !p->insufficient)
        return STR_UNSET;
    return p->insufficient(p->ctx, s->x->arena, &s->who, s->out.needed);
}

static step_t answer_whole(mcp_stream_t *s)
{
    str_t body = body_of(s), challenge = challenge_of(s), nonce = s->nonce;
    int status = s->out.needed.p ? 403 : s->out.status ? s->out.status : 200;
    int retry_after_s = s->out.retry_after_s;
    if (!body.p) {
        mcp_stream_refuse(s, MCP_ERROR_INTERNAL);
        return OVER;
    }
    http_exchange_t *x = mcp_stream_free(s);
    http_reply(
        x, status,
        HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                     {STR("WWW-Authenticate"), challenge}, {STR("DPoP-Nonce"), nonce},
                     {STR("Retry-After"), mcp_http_retry_after(x->arena, status, retry_after_s)}),
        body);
    return OVER;
}

/* Events. */

static step_t event_sent(mcp_stream_t *s)
{
    s->sending = false;
    free(s->escaped);
    s->escaped = NULL;
    s->silent_ms = mcp_stream_now_ms(s);
    if (s->out.kind != MCP_OUT_ANSWER)
        return GOES_ON;
    mcp_stream_end(s);
    return OVER;
}

static step_t send_event(mcp_stream_t *s)
{
    char out[MCP_PIECE_BYTES];
    while (!mcp_event_is_sent(&s->event)) {
        str_t piece = mcp_event_piece(&s->event, out);
        rc_t rc = http_stream_write(s->x, piece);
        if (rc == RC_BUSY)
            return WAITS;
        if (rc != RC_OK) {
            mcp_stream_lost(s);
            return OVER;
        }
        mcp_event_took(&s->event, piece.n);
    }
    return event_sent(s);
}

/* The message as it goes out: what some readers take for the end of a line is escaped before the
 * event begins, so that what was sent of it is counted in bytes that go out. Unset: no memory. */
static str_t event_text(mcp_stream_t *s)
{
    str_t text = s->out.text;
    size_t grown = mcp_sse_growth(text);
    if (grown == 0)
        return text;
    s->escaped = malloc(text.n + grown);
    if (!s->escaped)
        return STR_UNSET;
    buf_t b = buf_fixed(s->escaped, text.n + grown);
    mcp_sse_write_line(&b, text);
    return b.failed == RC_OK ? buf_str(&b) : STR_UNSET;
}

static step_t begin_event(mcp_stream_t *s)
{
    char id[MCP_EVENT_ID_TEXT];
    s->sending = true;
    if (!s->begun && !mcp_stream_begin(s))
        return OVER;
    str_t text = event_text(s);
    if (!text.p) { /* who comes back gets it */
        mcp_stream_lost(s);
        return OVER;
    }
    str_t event_id = s->has_ids ? mcp_event_id(id, s->number, s->out.number) : STR_UNSET;
    s->event = mcp_event(event_id, text);
    return send_event(s);
}

static step_t let_go(mcp_stream_t *s)
{
    char out[MCP_PIECE_BYTES];
    if (!s->begun && !mcp_stream_begin(s))
        return OVER;
    if (!s->polls) /* all places for streams to come back to are taken */
        return GOES_ON;
    if (mcp_stream_say(s, mcp_event_retry(out)))
        mcp_stream_end(s);
    return OVER;
}

static step_t end_silently(mcp_stream_t *s)
{
    if (s->begun || !s->takes_stream || mcp_stream_begin(s))
        mcp_stream_end(s);
    return OVER;
}

/* Choosing. */

/* Whether a message is a request; asked of clients that take no stream only. */
static bool asks(const mcp_stream_t *s)
{
    rc_t rc;
    mcp_message_t m;
    if (s->takes_stream || s->out.kind != MCP_OUT_MESSAGE)
        return false;
    arena_t *a = arena_new(ASK_ARENA_BYTES);
    mcp_error_t e = a ? mcp_message_parse(a, s->out.text, &m, &rc) : MCP_ERROR_INTERNAL;
    bool is_request = e != MCP_NO_ERROR || m.kind == MCP_REQUEST;
    arena_free(a);
    return is_request;
}

static step_t send_next(mcp_stream_t *s)
{
    mcp_stream_facts_t facts = {
        .begun = s->begun,
        .takes_stream = s->takes_stream,
        .may_let_go = s->session && mcp_rule_polls(mcp_session_version(s->session)),
        .asks = asks(s),
    };
    switch (mcp_rule_way(&facts, &s->out)) {
    case MCP_WAY_JSON:
        return answer_whole(s);
    case MCP_WAY_EVENT:
        return begin_event(s);
    case MCP_WAY_DROP:
        return GOES_ON;
    case MCP_WAY_REFUSE:
        mcp_stream_refuse(s, MCP_ERROR_NOT_ACCEPTABLE);
        return OVER;
    case MCP_WAY_LET_GO:
        return let_go(s);
    case MCP_WAY_END:
        return end_silently(s);
    }
    return WAITS;
}

/* A client may come back for an answer that it has already. It may also have been put in between
 * two looks. */
static step_t look_once_more(mcp_stream_t *s)
{
    if (!mcp_outbox_ended(s->outbox))
        return WAITS;
    if (mcp_reader_take(s->reader, &s->out))
        return send_next(s);
    mcp_stream_end(s);
    return OVER;
}

/* A client that came back has this one's place: each message goes out on one stream only
 * (2025-11-25, Transports, "Multiple Connections"), and the old connection may be dead without
 * anybody knowing. */
static bool is_replaced(const mcp_stream_t *s)
{
    return s->session && mcp_reader_is_replaced(s->reader);
}

static step_t step(mcp_stream_t *s)
{
    if (is_replaced(s)) {
        mcp_stream_end(s);
        return OVER;
    }
    if (s->sending)
        return send_event(s);
    if (mcp_reader_take(s->reader, &s->out))
        return send_next(s);
    return look_once_more(s);
}

bool mcp_stream_pump(mcp_stream_t *s)
{
    step_t now = GOES_ON;
    while (now == GOES_ON)
        now = step(s);
    return now != OVER;
}
