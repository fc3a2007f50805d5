#include "proxy/child_keeper.h"

enum { BAD_LOGGED = 10 };

void child_count_bad(child_t *c, str_t why)
{
    child_keeper_t *k = c->keeper;
    if (child_now(k) - c->bad_ms >= CHILD_MINUTE_MS) {
        c->bad_ms = child_now(k);
        c->bad = 0;
    }
    c->bad++;
    if (c->bad <= BAD_LOGGED)
        LOG(k->config.log, LOG_WARN, "a line of a child was dropped", LOG_S("upstream", k->path),
            LOG_I("pid", child_pipes_pid(c->pipes)), LOG_S("why", why));
    if (c->bad >= CHILD_BAD_MAX)
        child_end(c, CHILD_REASON_MALFORMED);
}

/* The newest request of a session that somebody waits for. The requests of one session are one
 * caller's, so none of them can show what is another's. */
static child_channel_t *newest(child_session_t *s)
{
    child_channel_t *ch = s->opened ? s->channels : NULL;
    while (ch && !(ch->flight && ch->call))
        ch = ch->next;
    return ch;
}

/* What has to do with a request goes with one; what has not, with GET where that is open. */
static child_channel_t *pick(child_session_t *s, bool related)
{
    child_channel_t *ch = newest(s);
    if (!related && s->get.call)
        return &s->get;
    return ch ? ch : &s->get;
}

static bool is_related(str_t method)
{
    return !str_ends(method, STR("/list_changed")) &&
           !str_eq(method, STR("notifications/resources/updated"));
}

/* Questions. */

/* Who asks and asks, and reads no answer, would have a line of the log for each question. */
static void tell_child(child_t *c, str_t line)
{
    if (!line.p || child_pipes_write(c->pipes, line) != RC_OK)
        child_count_bad(c, STR("it asks, and does not take its answer"));
}

static void refuse_question(child_t *c, const child_line_t *line)
{
    tell_child(c, mcp_error(c->keeper->scratch, line->id, MCP_ERROR_UNKNOWN_METHOD,
                            STR("No client can be asked this."), STR_UNSET));
}

/* Only a child with one session can say whom it asks. */
static void take_question(child_t *c, const child_line_t *line)
{
    child_session_t *s = c->session;
    if (c->stateless) {
        child_count_bad(c, STR("it asks, which its era does not know"));
        return;
    }
    if (str_eq(line->method, STR("ping"))) {
        tell_child(c, mcp_result(c->keeper->scratch, line->id, STR("{}")));
        return;
    }
    bool asked = s && child_router_asked(c->router, line->key, s) == RC_OK;
    if (!asked || !child_channel_say(pick(s, true), line->text))
        refuse_question(c, line);
}

/* Notifications. */

typedef struct {
    const child_line_t *line;
    bool updated;
} notice_t;

static void tell_session(child_session_t *s, void *arg)
{
    const notice_t *n = arg;
    bool wants = !n->updated || (n->line->uri.p && child_session_has_uri(s, n->line->uri));
    if (wants && s->opened)
        child_channel_say(pick(s, false), n->line->text);
}

static void find_newest(void *ctx, child_flight_t *f)
{
    child_flight_t **best = ctx;
    if (f->owner && !f->listens && (!*best || f->id > (*best)->id))
        *best = f;
}

/* Log messages of a child that has one caller only belong to one of its requests. */
static void take_stateless_notice(child_t *c, const child_line_t *line)
{
    child_flight_t *best = NULL;
    bool logs = str_eq(line->method, STR("notifications/message"));
    if (!c->who || !logs)
        return;
    child_router_each(c->router, find_newest, &best);
    if (best)
        child_channel_say(best->owner, line->text);
}

static void take_notice(child_t *c, const child_line_t *line)
{
    notice_t n = {line, str_eq(line->method, STR("notifications/resources/updated"))};
    if (c->stateless)
        take_stateless_notice(c, line);
    else if (c->session)
        child_channel_say(pick(c->session, is_related(line->method)), line->text);
    else if (n.updated || str_ends(line->method, STR("/list_changed")))
        child_sessions_of(c, tell_session, &n);
}

/* A question that is taken back: who was asked is told. */
static void take_dropped(child_t *c, const child_line_t *line)
{
    child_session_t *s = c->session;
    if (s && child_router_answered(c->router, line->key, s))
        child_channel_say(pick(s, true), line->text);
}

/* Answers. */

/* Other errors may come of what a caller wrote, and must not close this era to all. */
static bool says_other_era(int64_t code)
{
    return code == mcp_error_row(MCP_ERROR_UNSUPPORTED_VERSION)->code ||
           code == mcp_error_row(MCP_ERROR_UNKNOWN_METHOD)->code;
}

static void take_answer(child_t *c, const child_line_t *line)
{
    child_channel_t *ch = line->flight->owner;
    child_session_t *s = ch->session;
    bool opens = s && s == c->session && !s->opened;
    if (opens && line->code == 0) {
        s->opened = true;
        c->keeper->assumed = false;
        c->keeper->proven = true;
        child_started_well(c);
    }
    c->keeper->modern_only |=
        opens && says_other_era(line->code) && c->keeper->era == CHILD_ERA_STATELESS;
    child_channel_answer(ch, line->text, line->code);
    if (opens && line->code)
        child_session_end(c->keeper, s, CHILD_REASON_REFUSED);
}

/* The child ends a subscription: over HTTP that is its answer, and the end of the stream. */
static void take_stop(child_t *c, const child_line_t *line)
{
    arena_t *a = c->keeper->scratch;
    str_t raw = line->flight->raw;
    str_t result = arena_printf(a,
                                "{\"resultType\":\"complete\",\"_meta\":{"
                                "\"io.modelcontextprotocol/subscriptionId\":%" PRIstr "}}",
                                STR_ARG(raw));
    str_t text = result.p ? mcp_result(a, raw, result) : STR_UNSET;
    if (text.p)
        child_channel_answer(line->flight->owner, text, 0);
    else
        child_channel_end(line->flight->owner);
}

/* Whoever waits for it is told so. */
static void take_bad(child_t *c, const child_line_t *line)
{
    const mcp_error_row_t *row = mcp_error_row(MCP_ERROR_INTERNAL);
    child_count_bad(c, line->why);
    if (!line->flight || c->state == CHILD_ENDING)
        return;
    str_t text = mcp_error(c->keeper->scratch, line->flight->raw, MCP_ERROR_INTERNAL,
                           STR("The server's answer is malformed."), STR_UNSET);
    if (text.p)
        child_channel_answer(line->flight->owner, text, row->code);
}

static void take(child_t *c, const child_line_t *line)
{
    switch (line->kind) {
    case CHILD_LINE_BAD:
        take_bad(c, line);
        break;
    case CHILD_LINE_LATE:
        break;
    case CHILD_LINE_ANSWER:
        take_answer(c, line);
        break;
    case CHILD_LINE_NEWS:
        child_channel_say(line->flight->owner, line->text);
        break;
    case CHILD_LINE_STOP:
        take_stop(c, line);
        break;
    case CHILD_LINE_QUESTION:
        take_question(c, line);
        break;
    case CHILD_LINE_DROPPED:
        take_dropped(c, line);
        break;
    case CHILD_LINE_NOTICE:
        take_notice(c, line);
        break;
    }
}

void child_take_line(child_t *c, str_t text)
{
    child_line_t line;
    child_keeper_t *k = c->keeper;
    if (c->state == CHILD_ENDING)
        return;
    arena_reset(k->scratch);
    size_t max = (size_t)k->conf.message_bytes;
    if (child_router_read(c->router, k->scratch, text, max, &line) != RC_OK)
        child_count_bad(c, STR("a line does not fit into memory"));
    else if (line.flight && line.flight == c->own)
        child_take_own(c, &line);
    else
        take(c, &line);
}
