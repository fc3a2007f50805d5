#include "bridge/talk_do.h"

#include "mcp/id_scan.h"

#include <stdlib.h>

rc_t talk_new(const talk_config_t *config, talk_t **out)
{
    talk_t *t = calloc(1, sizeof *t);
    if (!t)
        return RC_MEMORY;
    t->config = *config;
    t->tools = talk_tools_new();
    *out = t;
    if (t->tools)
        return RC_OK;
    talk_free(t);
    *out = NULL;
    return RC_MEMORY;
}

void talk_free(talk_t *t)
{
    if (!t)
        return;
    while (t->calls)
        talk_call_drop(t, t->calls);
    while (t->asks)
        talk_ask_drop(t, t->asks);
    while (t->watched)
        talk_unwatch(t, t->watched->uri);
    talk_unkeep(&t->params);
    talk_unkeep(&t->meta);
    talk_unkeep(&t->refusal);
    talk_unkeep(&t->server_says);
    talk_unkeep(&t->level);
    talk_tools_free(t->tools);
    free(t);
}

/* What came cannot be answered under an id that a request waits under, and a response not at all.
 */
static rc_t refuse(talk_step_t *s, const mcp_message_t *m, mcp_error_t e)
{
    bool bare = e == MCP_ERROR_BAD_RESPONSE || talk_call_by_id(s->t, m->id);
    return talk_say_error(s, bare ? STR_UNSET : m->id, e, STR_UNSET);
}

/* A request that comes before the server is open waits for it, unseen. */
static rc_t hold(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c;
    rc_t rc = talk_call_of(s, m, &c);
    if (rc == RC_BUSY)
        return talk_say_error(s, m->id, MCP_ERROR_BUSY, STR_UNSET);
    TRY(rc);
    c->held = c->fresh = true;
    return RC_OK;
}

static rc_t first_request(talk_step_t *s, const mcp_message_t *m)
{
    str_t stated;
    if (talk_states(m, &stated)) {
        TRY(hold(s, m));
        return talk_open(s, m);
    }
    if (str_eq(m->method, STR("initialize")))
        return talk_open(s, m);
    if (str_eq(m->method, STR("ping")))
        return talk_say_result(s, m->id, STR("{}"));
    return talk_say_error(s, m->id, MCP_ERROR_NOT_INITIALIZED, STR_UNSET);
}

static rc_t early_request(talk_step_t *s, const mcp_message_t *m)
{
    if (s->t->host == MCP_ERA_HANDSHAKE && str_eq(m->method, STR("ping")))
        return talk_say_result(s, m->id, STR("{}"));
    return hold(s, m);
}

static rc_t open_request(talk_step_t *s, const mcp_message_t *m)
{
    if (!s->t->lost)
        return s->t->pair->request(s, m);
    TRY(hold(s, m));
    return talk_renew(s);
}

static rc_t on_request(talk_step_t *s, const mcp_message_t *m)
{
    static const talk_do_t BY_PHASE[TALK_PHASES] = {
        [TALK_FRESH] = first_request,
        [TALK_OPENING] = early_request,
        [TALK_OPEN] = open_request,
        [TALK_RENEWING] = early_request,
    };
    if (talk_call_by_id(s->t, m->id))
        return talk_say_error(s, m->id, MCP_ERROR_DUPLICATE_ID, STR_UNSET);
    return BY_PHASE[s->t->phase](s, m);
}

/* The call that notifications/cancelled names; initialize may not be cancelled. */
static talk_call_t *cancelled_call(const talk_step_t *s, const mcp_message_t *m)
{
    const json_t *id = json_get(m->params, STR("requestId"));
    talk_call_t *c = id ? talk_call_by_id(s->t, id->raw) : NULL;
    return c && c->kind != TALK_CALL_INITIALIZE && c->kind != TALK_CALL_DISCOVER ? c : NULL;
}

static rc_t on_cancelled(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c = cancelled_call(s, m);
    if (!c)
        return RC_OK;
    if (s->t->pair)
        TRY(s->t->pair->cancel(s, c, m));
    talk_call_drop(s->t, c);
    return RC_OK;
}

static rc_t on_notification(talk_step_t *s, const mcp_message_t *m)
{
    if (str_eq(m->method, STR("notifications/cancelled")))
        return on_cancelled(s, m);
    if (s->t->phase == TALK_OPEN)
        return s->t->pair->notification(s, m);
    /* A host that does not wait for the answer to initialize. */
    if (str_eq(m->method, STR("notifications/initialized")))
        s->t->ready = s->t->phase == TALK_OPENING;
    return RC_OK;
}

static rc_t on_response(talk_step_t *s, const mcp_message_t *m)
{
    return s->t->pair ? s->t->pair->response(s, m) : RC_OK;
}

/* As large as the link carries them. */
mcp_error_t talk_read(arena_t *a, str_t line, mcp_message_t *m, rc_t *rc)
{
    static const json_limits_t LIMITS = {LIMIT_MCP_CLIENT_MESSAGE_BYTES, MCP_MESSAGE_DEPTH,
                                         LIMIT_JSON_NODES};
    mcp_id_scan_t scan = {0};
    mcp_error_t e = mcp_message_parse_within(a, line, &LIMITS, m, rc);
    if (e != MCP_ERROR_TOO_LARGE)
        return e;
    mcp_id_scan(&scan, line);
    str_t id = mcp_id_scanned(&scan);
    m->id = id.p ? arena_dup(a, id) : STR_UNSET;
    return e;
}

static rc_t on_line(talk_step_t *s, const talk_fact_t *fact)
{
    static const talk_do_t BY_KIND[] = {
        [MCP_REQUEST] = on_request,
        [MCP_NOTIFICATION] = on_notification,
        [MCP_RESPONSE] = on_response,
    };
    mcp_message_t m;
    rc_t rc = RC_OK;
    mcp_error_t e = talk_read(s->a, fact->text, &m, &rc);
    TRY(rc);
    return e == MCP_NO_ERROR ? BY_KIND[m.kind](s, &m) : refuse(s, &m, e);
}

static rc_t on_too_long(talk_step_t *s, const talk_fact_t *fact)
{
    bool bare = !fact->text.p || talk_call_by_id(s->t, fact->text);
    return talk_say_error(s, bare ? STR_UNSET : fact->text, MCP_ERROR_TOO_LARGE, STR_UNSET);
}

static rc_t on_answer(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    switch (c->kind) {
    case TALK_CALL_INITIALIZE:
        return s->t->phase == TALK_RENEWING ? talk_renewed(s, c, m) : talk_open_answer(s, c, m);
    case TALK_CALL_DISCOVER:
        return talk_open_answer(s, c, m);
    case TALK_CALL_LISTEN:
        return talk_up_listen_ended(s, c, m);
    case TALK_CALL_TOOLS:
        return talk_tools_listed(s, c, m);
    case TALK_CALL_OWN:
        talk_call_drop(s->t, c);
        return RC_OK;
    case TALK_CALL_HOST:
        break;
    }
    return s->t->pair->answer(s, c, m);
}

static rc_t malformed(talk_step_t *s, talk_call_t *c)
{
    static const mcp_link_failure_t WHY = {.end = MCP_LINK_MALFORMED};
    return c ? talk_failed(s, c, &WHY) : RC_OK;
}

static rc_t on_message(talk_step_t *s, const talk_fact_t *fact)
{
    mcp_message_t m;
    const json_t *root;
    talk_call_t *c = talk_call_by_tag(s->t, fact->tag);
    if (fact->tag && !c)
        return RC_OK; /* cancelled meanwhile */
    rc_t rc = mcp_link_parse(s->a, fact->text, &root);
    if (rc == RC_MEMORY)
        return rc;
    const json_t *error = json_get(root, STR("error"));
    if (rc != RC_OK || mcp_message_of(root, &m) != MCP_NO_ERROR ||
        (error && !json_is(error, JSON_OBJECT)))
        return fact->tag ? malformed(s, c) : RC_OK;
    if (m.kind == MCP_RESPONSE)
        return c ? on_answer(s, c, &m) : RC_OK;
    if (!s->t->pair)
        return RC_OK;
    return m.kind == MCP_REQUEST ? s->t->pair->asked(s, c, &m) : s->t->pair->heard(s, c, &m);
}

static rc_t on_failed(talk_step_t *s, const talk_fact_t *fact)
{
    talk_call_t *c = talk_call_by_tag(s->t, fact->tag);
    return c ? talk_failed(s, c, &fact->failure) : RC_OK;
}

/* Without the stream the server's changes and requests are lost: a session is made anew at once. */
static rc_t on_unheard(talk_step_t *s, const talk_fact_t *fact)
{
    bool has_sessions = s->t->phase == TALK_OPEN && s->t->server == MCP_ERA_HANDSHAKE;
    bool lost = fact->failure.end == MCP_LINK_LOST && has_sessions;
    return lost ? talk_renew(s) : RC_OK;
}

static bool is_due(const talk_step_t *s, int64_t at_ms)
{
    return at_ms >= 0 && at_ms <= s->now_ms;
}

static rc_t on_time(talk_step_t *s, const talk_fact_t *fact)
{
    (void)fact;
    for (talk_call_t *c = s->t->calls, *next; c; c = next) {
        next = c->next;
        if (is_due(s, c->again_ms))
            TRY(talk_call_send(s, c));
        else if (is_due(s, c->until_ms))
            TRY(talk_down_expire(s, c));
    }
    return RC_OK;
}

static rc_t on_end(talk_step_t *s, const talk_fact_t *fact)
{
    (void)fact;
    static const mcp_message_t NOTHING = {.kind = MCP_NOTIFICATION};
    while (s->t->calls) {
        talk_call_t *c = s->t->calls;
        bool works = s->t->pair && c->kind == TALK_CALL_HOST && !(c->method && c->method->stands);
        TRY(works ? s->t->pair->cancel(s, c, &NOTHING) : talk_cancel(s, c->tag));
        talk_call_drop(s->t, c);
    }
    return RC_OK;
}

rc_t talk_step(talk_t *t, arena_t *a, const talk_fact_t *fact, const talk_effect_t **out)
{
    static rc_t (*const BY_KIND[])(talk_step_t *, const talk_fact_t *) = {
        [TALK_LINE] = on_line,     [TALK_TOO_LONG] = on_too_long, [TALK_MESSAGE] = on_message,
        [TALK_FAILED] = on_failed, [TALK_UNHEARD] = on_unheard,   [TALK_TIME] = on_time,
        [TALK_END] = on_end,
    };
    talk_step_t s = {.t = t, .a = a, .now_ms = fact->now_ms};
    s.last = &s.first;
    *out = NULL;
    TRY(BY_KIND[fact->kind](&s, fact));
    *out = s.first;
    return RC_OK;
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

int64_t talk_due_ms(const talk_t *t)
{
    int64_t due = -1;
    for (const talk_call_t *c = t->calls; c; c = c->next)
        due = sooner(due, sooner(c->again_ms, c->until_ms));
    return due;
}

size_t talk_waiting(const talk_t *t)
{
    size_t n = 0;
    for (const talk_call_t *c = t->calls; c; c = c->next)
        n += str_is_set(c->id) && !(c->method && c->method->stands);
    return n;
}
