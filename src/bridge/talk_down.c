/* A stateless host before a server of the handshake era. */
#include "bridge/talk_do.h"

enum { RESOURCE_NOT_FOUND = -32002, INVALID_PARAMS = -32602 };

/* Methods that this revision has no longer (2026-07-28, changelog). */
rc_t talk_down_removed(talk_step_t *s, const mcp_message_t *m)
{
    return talk_say_error(s, m->id, MCP_ERROR_REMOVED_METHOD, STR_UNSET);
}

static rc_t discover_result(talk_step_t *s, const json_t *says, str_t *out)
{
    mcp_versions_t spoken = mcp_versions_stateless();
    const json_t *info = json_get(says, STR("serverInfo"));
    buf_t b = talk_buf(s->a, says->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("resultType"), STR("complete"));
    json_key(&w, STR("supportedVersions"));
    json_begin_array(&w);
    for (size_t i = 0; i < spoken.n; i++)
        json_str(&w, spoken.v[i].name);
    json_end_array(&w);
    json_key(&w, STR("capabilities"));
    talk_write_capabilities(&w, json_get(says, STR("capabilities")));
    json_member_str(&w, STR("instructions"), json_get_str(says, STR("instructions")));
    json_member_int(&w, STR("ttlMs"), 0);
    json_member_str(&w, STR("cacheScope"), STR("private"));
    if (info) {
        json_key(&w, STR("_meta"));
        json_begin_object(&w);
        json_key(&w, TALK_META_SERVER);
        json_raw(&w, info->raw);
        json_end_object(&w);
    }
    json_end_object(&w);
    return buf_done(&b, out);
}

rc_t talk_down_discover(talk_step_t *s, const mcp_message_t *m)
{
    str_t out;
    const json_t *says;
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    TRY(discover_result(s, says, &out));
    return talk_say_result(s, m->id, out);
}

static rc_t new_call(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c;
    rc_t rc = talk_call_of(s, m, &c);
    if (rc == RC_BUSY)
        return talk_say_error(s, m->id, MCP_ERROR_BUSY, STR_UNSET);
    TRY(rc);
    TRY(talk_keep(&c->level, json_get_str(talk_meta_of(m->params), TALK_META_LEVEL)));
    return talk_call_send(s, c);
}

static rc_t request(talk_step_t *s, const mcp_message_t *m)
{
    str_t stated;
    if (!talk_states(m, &stated))
        return talk_states_nothing(s, m);
    if (!mcp_version_find(mcp_versions_stateless(), stated))
        return talk_say_error(s, m->id, MCP_ERROR_UNSUPPORTED_VERSION,
                              mcp_unsupported_data(s->a, mcp_versions_stateless(), stated));
    const talk_method_t *method = talk_method(m->method);
    if (method && method->down)
        return method->down(s, m);
    if (json_get(m->params, STR("requestState")))
        return talk_down_retry(s, m);
    return new_call(s, m);
}

/* A level holds for the whole session there: it follows the last request that states one. */
static rc_t set_level(talk_step_t *s, const talk_call_t *c)
{
    str_t params;
    const json_t *says;
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    bool logs = json_path(says, STR("capabilities.logging")) != NULL;
    if (!logs || !str_is_set(c->level) || str_eq(c->level, s->t->level))
        return RC_OK;
    TRY(talk_keep(&s->t->level, c->level));
    buf_t b = talk_buf(s->a, c->level.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("level"), c->level);
    json_end_object(&w);
    TRY(buf_done(&b, &params));
    return talk_own(s, STR("logging/setLevel"), params);
}

static void write_old_meta(json_writer_t *w, const json_t *meta)
{
    static const str_t ERA[] = {
        STR_INIT("io.modelcontextprotocol/protocolVersion"),
        STR_INIT("io.modelcontextprotocol/clientInfo"),
        STR_INIT("io.modelcontextprotocol/clientCapabilities"),
        STR_INIT("io.modelcontextprotocol/logLevel"),
    };
    json_key(w, STR("_meta"));
    json_begin_object(w);
    json_members_but(w, meta, TALK_NAMES(ERA));
    json_end_object(w);
}

static rc_t send(talk_step_t *s, talk_call_t *c)
{
    static const str_t NEW[] = {STR_INIT("_meta"), STR_INIT("inputResponses"),
                                STR_INIT("requestState")};
    const json_t *root;
    str_t line;
    TRY(set_level(s, c));
    TRY(mcp_link_parse(s->a, c->line, &root));
    const json_t *params = json_get(root, STR("params"));
    buf_t b = talk_buf(s->a, c->line.n);
    c->tag = talk_next_tag(s->t);
    json_writer_t w = talk_begin_request(&b, c->tag, json_get_str(root, STR("method")));
    json_members_but(&w, params, TALK_NAMES(NEW));
    write_old_meta(&w, talk_meta_of(params));
    TRY(talk_end_request(&w, &line));
    return talk_send(s,
                     &(mcp_link_message_t){.json = line, .version = s->t->version, .tag = c->tag});
}

rc_t talk_down_result(talk_step_t *s, const talk_method_t *method, const json_t *result, str_t *out)
{
    static const str_list_t ALL = {NULL, 0};
    bool caches = method && method->caches;
    buf_t b = talk_buf(s->a, result->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (!json_get(result, STR("resultType")))
        json_member_str(&w, STR("resultType"), STR("complete"));
    json_members_but(&w, result, ALL);
    if (caches && !json_get(result, STR("ttlMs")))
        json_member_int(&w, STR("ttlMs"), 0);
    if (caches && !json_get(result, STR("cacheScope")))
        json_member_str(&w, STR("cacheScope"), STR("private"));
    json_end_object(&w);
    return buf_done(&b, out);
}

/* -32002 has been replaced, and must not be sent (2026-07-28, "Error Codes"). */
static rc_t say_error(talk_step_t *s, const talk_call_t *c, const mcp_message_t *m)
{
    static const str_t CODE[] = {STR_INIT("code")};
    int64_t code = 0;
    str_t out;
    const json_t *error = json_get(m->root, STR("error"));
    json_get_i64(error, STR("code"), &code);
    if (code != RESOURCE_NOT_FOUND)
        return talk_say_answer(s, c->id, m);
    buf_t b = talk_buf(s->a, error->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("code"), INVALID_PARAMS);
    json_members_but(&w, error, TALK_NAMES(CODE));
    json_end_object(&w);
    TRY(buf_done(&b, &out));
    return talk_say_raw_error(s, c->id, out);
}

static rc_t answer_error(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    bool asks = false;
    TRY(talk_down_url_needed(s, c, m, &asks));
    if (asks)
        return RC_OK;
    TRY(say_error(s, c, m));
    talk_call_drop(s->t, c);
    return RC_OK;
}

/* The host is away, with what it was asked: the answer waits for it. */
static rc_t keep_answer(talk_call_t *c, const mcp_message_t *m)
{
    c->tag = 0;
    return talk_keep(&c->answer, m->root->raw);
}

static rc_t answer(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    static const mcp_link_failure_t NO_OBJECT = {.end = MCP_LINK_MALFORMED};
    str_t out;
    const json_t *result = json_get(m->root, STR("result"));
    if (!str_is_set(c->id))
        return keep_answer(c, m);
    if (!result)
        return answer_error(s, c, m);
    if (!json_is(result, JSON_OBJECT))
        return talk_failed(s, c, &NO_OBJECT);
    TRY(talk_down_result(s, c->method, result, &out));
    TRY(talk_say_result(s, c->id, out));
    talk_call_drop(s->t, c);
    return RC_OK;
}

/* Clients of this era say nothing unasked but that something is cancelled. */
static rc_t nothing(talk_step_t *s, const mcp_message_t *m)
{
    (void)s;
    (void)m;
    return RC_OK;
}

static int severity(str_t level)
{
    static const str_t LEVELS[] = {STR_INIT("debug"),   STR_INIT("info"),     STR_INIT("notice"),
                                   STR_INIT("warning"), STR_INIT("error"),    STR_INIT("critical"),
                                   STR_INIT("alert"),   STR_INIT("emergency")};
    for (int i = 0; i < (int)(sizeof LEVELS / sizeof *LEVELS); i++) {
        if (str_eq(LEVELS[i], level))
            return i;
    }
    return -1;
}

static bool wants_log(const talk_call_t *c, str_t level)
{
    return c->kind == TALK_CALL_HOST && str_is_set(c->id) && str_is_set(c->level) &&
           severity(level) >= severity(c->level);
}

/* Only requests that ask for it get log messages (2026-07-28, Logging). Servers that do not say
 * which request a message is about send it on the standing stream. */
static rc_t heard_log(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t level = json_get_str(m->params, STR("level"));
    if (c)
        return wants_log(c, level) ? talk_say(s, m->root->raw) : RC_OK;
    for (c = s->t->calls; c; c = c->next) {
        if (wants_log(c, level))
            return talk_say(s, m->root->raw);
    }
    return RC_OK;
}

static rc_t say_progress(talk_step_t *s, const talk_call_t *c, const mcp_message_t *m)
{
    static const str_t TOKEN[] = {STR_INIT("progressToken")};
    str_t line;
    buf_t b = talk_buf(s->a, m->root->raw.n + c->token.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), m->method);
    json_key(&w, STR("params"));
    json_begin_object(&w);
    json_key(&w, STR("progressToken"));
    json_raw(&w, c->token);
    json_members_but(&w, m->params, TALK_NAMES(TOKEN));
    json_end_object(&w);
    json_end_object(&w);
    TRY(buf_done(&b, &line));
    return talk_say(s, line);
}

/* Of a call that the host has come back to, under the token that it came back with. */
static rc_t heard_progress(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    if (!c)
        return talk_say(s, m->root->raw);
    if (!str_is_set(c->id))
        return RC_OK;
    return str_is_set(c->token) ? say_progress(s, c, m) : talk_say(s, m->root->raw);
}

static rc_t heard_cancelled(talk_step_t *s, const mcp_message_t *m)
{
    const json_t *id = json_get(m->params, STR("requestId"));
    talk_ask_t *ask = id ? talk_ask_by_id(s->t, id->raw) : NULL;
    if (ask)
        talk_ask_drop(s->t, ask);
    return RC_OK;
}

static rc_t heard(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    static const str_t ONLY_THERE[] = {STR_INIT("notifications/elicitation/complete"),
                                       STR_INIT("notifications/tasks/status")};
    if (str_eq(m->method, STR("notifications/progress")))
        return heard_progress(s, c, m);
    if (str_eq(m->method, STR("notifications/message")))
        return heard_log(s, c, m);
    if (str_eq(m->method, STR("notifications/cancelled")))
        return heard_cancelled(s, m);
    if (str_list_has((str_list_t){ONLY_THERE, sizeof ONLY_THERE / sizeof *ONLY_THERE}, m->method))
        return RC_OK;
    return talk_down_changed(s, m);
}

static rc_t cancel(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t line;
    (void)m;
    if (c->method && c->method->stands)
        return talk_down_unlisten(s, c);
    if (!c->tag)
        return RC_OK;
    str_t id = talk_own_id(s->a, c->tag);
    if (!str_is_set(id))
        return RC_MEMORY;
    TRY(talk_cancelled(s, id, &line));
    TRY(talk_tell(s, line));
    return talk_cancel(s, c->tag);
}

static rc_t forget(talk_step_t *s)
{
    while (s->t->asks)
        talk_ask_drop(s->t, s->t->asks);
    return RC_OK;
}

const talk_pair_t TALK_DOWN = {
    .request = request,
    .notification = nothing,
    .response = nothing,
    .send = send,
    .answer = answer,
    .asked = talk_down_asked,
    .heard = heard,
    .cancel = cancel,
    .forget = forget,
};
