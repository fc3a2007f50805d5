/* Requests that got no answer: again, a new session, or an error for the host. */
#include "bridge/talk_do.h"

#include "client/plain.h"
#include "client/reason.h"

enum {
    LONGEST_PAUSE_MS = 1000,
    LONGEST_REST_MS = 30000, /* of what stands, between two tries */
    DETAIL_BYTES = 300,
    ERROR_CODE = -32603,
};

static mcp_link_end_row_t row_of(const mcp_link_failure_t *why)
{
    if (why->end != MCP_LINK_AUTH || why->failure.reason == CLIENT_FINE)
        return (mcp_link_end_row_t){mcp_link_end_row(why->end)->name,
                                    mcp_link_end_row(why->end)->sentence, mcp_link_mend(why)};
    const client_reason_row_t *r = client_reason_row(why->failure.reason);
    return (mcp_link_end_row_t){r->name, r->sentence, r->mend};
}

/* "What happened: what was seen. What to do." */
static rc_t sentence_of(arena_t *a, const mcp_link_failure_t *why, str_t *out)
{
    mcp_link_end_row_t row = row_of(why);
    str_t detail = why->end == MCP_LINK_AUTH ? why->failure.detail : why->detail;
    str_t seen = client_plain(a, detail.p ? detail : STR(""), DETAIL_BYTES);
    if (!str_is_set(seen))
        return RC_MEMORY;
    buf_t b = talk_buf(a, DETAIL_BYTES);
    buf_put(&b, row.sentence);
    if (why->status) {
        buf_put(&b, STR(" (HTTP "));
        buf_i64(&b, why->status);
        buf_put(&b, STR(")"));
    }
    buf_put(&b, seen.n ? STR(": ") : STR(""));
    buf_put(&b, str_trim(seen, " ."));
    buf_put(&b, STR(". "));
    buf_put(&b, row.mend);
    buf_char(&b, '.');
    return buf_done(&b, out);
}

rc_t talk_failure_text(arena_t *a, const mcp_link_failure_t *why, str_t *out)
{
    str_t sentence;
    TRY(sentence_of(a, why, &sentence));
    buf_t b = talk_buf(a, sentence.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("code"), ERROR_CODE);
    json_member_str(&w, STR("message"), sentence);
    json_key(&w, STR("data"));
    json_begin_object(&w);
    json_member_str(&w, STR("reason"), row_of(why).name);
    if (why->status)
        json_member_int(&w, STR("status"), why->status);
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, out);
}

rc_t talk_fail_held(talk_step_t *s, str_t error)
{
    for (talk_call_t *c = s->t->calls, *next; c; c = next) {
        next = c->next;
        if (!c->held)
            continue;
        if (str_is_set(c->id))
            TRY(talk_say_raw_error(s, c->id, error));
        talk_call_drop(s->t, c);
        next = s->t->calls; /* others may have gone with it */
    }
    return RC_OK;
}

void talk_call_again(talk_step_t *s, talk_call_t *c, int64_t in_ms)
{
    c->tag = 0;
    c->again_ms = s->now_ms + in_ms;
}

/* The bridge's own requests go out as they are, each time under another tag. */
static rc_t send_own(talk_step_t *s, talk_call_t *c)
{
    bool opens = c->kind == TALK_CALL_INITIALIZE || c->kind == TALK_CALL_DISCOVER;
    const mcp_version_t *version = s->t->version;
    if (c->kind == TALK_CALL_INITIALIZE)
        version = NULL;
    if (c->kind == TALK_CALL_DISCOVER || c->version)
        version = c->version ? c->version : mcp_versions_stateless().v;
    c->tag = talk_next_tag(s->t);
    return talk_send(s, &(mcp_link_message_t){
                            .json = c->line, .version = version, .tag = c->tag, .probe = opens});
}

rc_t talk_call_send(talk_step_t *s, talk_call_t *c)
{
    c->again_ms = -1;
    if (c->kind == TALK_CALL_HOST && s->t->phase != TALK_OPEN) {
        c->held = true;
        return RC_OK;
    }
    return c->kind == TALK_CALL_HOST ? s->t->pair->send(s, c) : send_own(s, c);
}

static bool stands(const talk_call_t *c)
{
    return c->kind == TALK_CALL_LISTEN || (c->method && c->method->stands);
}

/* A stream of changes that had begun is opened again for as long as it takes, ever more seldom. */
static bool rests(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    bool passing = why->end == MCP_LINK_UNREACHABLE || why->end == MCP_LINK_BROKEN ||
                   why->end == MCP_LINK_TIMEOUT ||
                   (why->end == MCP_LINK_HTTP && why->status >= 500);
    if (!stands(c) || !c->acked || !passing)
        return false;
    talk_call_again(s, c, c->pause_ms);
    c->pause_ms = c->pause_ms * 2 < LONGEST_REST_MS ? c->pause_ms * 2 : LONGEST_REST_MS;
    return true;
}

/* Nothing was sent: the server may be restarting. Waiting mends no name and no certificate. */
static bool waits(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    if (why->end != MCP_LINK_UNREACHABLE || !why->refused)
        return false;
    if (c->failing_ms < 0)
        c->failing_ms = s->now_ms;
    if (s->now_ms + c->pause_ms - c->failing_ms > LIMIT_BRIDGE_RETRY_MS)
        return false;
    talk_call_again(s, c, c->pause_ms);
    c->pause_ms = c->pause_ms * 2 < LONGEST_PAUSE_MS ? c->pause_ms * 2 : LONGEST_PAUSE_MS;
    return true;
}

/* It may have arrived, but asking twice changes nothing. */
static bool asks_anew(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    bool reads = c->kind == TALK_CALL_HOST && c->method && c->method->reads;
    if (why->end != MCP_LINK_BROKEN || !reads || c->sent_anew)
        return false;
    c->sent_anew = true;
    talk_call_again(s, c, c->pause_ms);
    return true;
}

/* A 404 is sent before anything is done: it may go again in the next session, once. */
static bool is_for_new_session(const talk_step_t *s, const talk_call_t *c,
                               const mcp_link_failure_t *why)
{
    bool may = s->t->phase == TALK_OPEN || s->t->phase == TALK_RENEWING;
    return why->end == MCP_LINK_LOST && may && s->t->server == MCP_ERA_HANDSHAKE &&
           c->kind == TALK_CALL_HOST && !c->renewed;
}

static rc_t wait_for_session(talk_step_t *s, talk_call_t *c)
{
    c->tag = 0;
    c->held = c->renewed = true;
    return s->t->phase == TALK_OPEN ? talk_renew(s) : RC_OK;
}

/* The call that waited for this one goes on without it. */
static rc_t give_up_own(talk_step_t *s, talk_call_t *c, str_t error)
{
    talk_call_t *behind = c->behind;
    if (str_is_set(c->id))
        TRY(talk_say_raw_error(s, c->id, error));
    talk_call_drop(s->t, c);
    return behind ? talk_call_send(s, behind) : RC_OK;
}

rc_t talk_failed(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    str_t error;
    if (rests(s, c, why) || waits(s, c, why) || asks_anew(s, c, why))
        return RC_OK;
    if (is_for_new_session(s, c, why))
        return wait_for_session(s, c);
    c->tag = 0;
    if (c->kind == TALK_CALL_INITIALIZE || c->kind == TALK_CALL_DISCOVER)
        return talk_open_failed(s, c, why);
    TRY(talk_failure_text(s->a, why, &error));
    return give_up_own(s, c, error);
}
