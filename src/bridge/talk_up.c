/* A host of the handshake era before a stateless server. */
#include "bridge/talk_do.h"

rc_t talk_twice(talk_step_t *s, const mcp_message_t *m)
{
    return talk_say_error(s, m->id, MCP_ERROR_INITIALIZED_TWICE, STR_UNSET);
}

rc_t talk_up_ping(talk_step_t *s, const mcp_message_t *m)
{
    return talk_say_result(s, m->id, STR("{}"));
}

static bool is_level(str_t level)
{
    static const str_t LEVELS[] = {STR_INIT("debug"),   STR_INIT("info"),     STR_INIT("notice"),
                                   STR_INIT("warning"), STR_INIT("error"),    STR_INIT("critical"),
                                   STR_INIT("alert"),   STR_INIT("emergency")};
    return str_list_has((str_list_t){LEVELS, sizeof LEVELS / sizeof *LEVELS}, level);
}

/* It goes along with every request from now on (2026-07-28, Logging, "Per-request log level"). */
rc_t talk_up_level(talk_step_t *s, const mcp_message_t *m)
{
    str_t level = json_get_str(m->params, STR("level"));
    if (!is_level(level))
        return talk_say_error(s, m->id, MCP_ERROR_BAD_LEVEL, STR_UNSET);
    TRY(talk_keep(&s->t->level, level));
    return talk_say_result(s, m->id, STR("{}"));
}

rc_t talk_up_meta(talk_step_t *s, const json_t *params, str_t *out)
{
    const json_t *info = json_get(params, STR("clientInfo"));
    buf_t b = talk_buf(s->a, params->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, TALK_META_VERSION, mcp_versions_stateless().v->name);
    if (json_is(info, JSON_OBJECT)) {
        json_key(&w, TALK_META_INFO);
        json_raw(&w, info->raw);
    }
    json_key(&w, TALK_META_CAPABILITIES);
    talk_write_capabilities(&w, json_get(params, STR("capabilities")));
    json_end_object(&w);
    return buf_done(&b, out);
}

/* What the host put into _meta stays; what the era wants is added. */
rc_t talk_up_write_meta(talk_step_t *s, json_writer_t *w, const json_t *own)
{
    static const str_t ERA[] = {
        STR_INIT("io.modelcontextprotocol/protocolVersion"),
        STR_INIT("io.modelcontextprotocol/clientInfo"),
        STR_INIT("io.modelcontextprotocol/clientCapabilities"),
        STR_INIT("io.modelcontextprotocol/logLevel"),
    };
    static const str_list_t ALL = {NULL, 0};
    const json_t *era;
    TRY(mcp_link_parse(s->a, s->t->meta, &era));
    json_key(w, STR("_meta"));
    json_begin_object(w);
    json_members_but(w, own, TALK_NAMES(ERA));
    json_members_but(w, era, ALL);
    json_member_str(w, TALK_META_LEVEL, s->t->level);
    json_end_object(w);
    return RC_OK;
}

static rc_t write_server_info(json_writer_t *w, const json_t *discovered)
{
    const json_t *info = json_get(talk_meta_of(discovered), TALK_META_SERVER);
    json_key(w, STR("serverInfo"));
    if (json_is(info, JSON_OBJECT)) {
        json_raw(w, info->raw);
        return RC_OK;
    }
    json_begin_object(w);
    json_member_str(w, STR("name"), STR("unknown"));
    json_member_str(w, STR("version"), STR("unknown"));
    json_end_object(w);
    return RC_OK;
}

rc_t talk_up_initialize_result(talk_step_t *s, const json_t *discovered, str_t *out)
{
    const json_t *params;
    TRY(mcp_link_parse(s->a, s->t->params, &params));
    str_t asked = json_get_str(params, STR("protocolVersion"));
    buf_t b = talk_buf(s->a, discovered->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("protocolVersion"), mcp_version_negotiate(asked)->name);
    json_key(&w, STR("capabilities"));
    talk_write_capabilities(&w, json_get(discovered, STR("capabilities")));
    TRY(write_server_info(&w, discovered));
    json_member_str(&w, STR("instructions"), json_get_str(discovered, STR("instructions")));
    json_end_object(&w);
    TRY(buf_done(&b, out));
    return talk_keep(&s->t->server_says, *out);
}

static rc_t request(talk_step_t *s, const mcp_message_t *m)
{
    const talk_method_t *method = talk_method(m->method);
    if (method && method->up)
        return method->up(s, m);
    talk_call_t *c;
    rc_t rc = talk_call_of(s, m, &c);
    if (rc == RC_BUSY)
        return talk_say_error(s, m->id, MCP_ERROR_BUSY, STR_UNSET);
    TRY(rc);
    return talk_call_send(s, c);
}

/* What the host was asked on the way goes along (2026-07-28, MRTR, "Client Requirements"). */
static rc_t write_answers(talk_step_t *s, json_writer_t *w, const talk_call_t *c)
{
    bool any = false;
    for (const talk_ask_t *ask = s->t->asks; ask; ask = ask->next) {
        if (ask->call != c)
            continue;
        if (!any) {
            json_key(w, STR("inputResponses"));
            json_begin_object(w);
        }
        any = true;
        json_key(w, ask->key);
        json_raw(w, ask->result);
    }
    if (any)
        json_end_object(w);
    if (str_is_set(c->state)) {
        json_key(w, STR("requestState"));
        json_raw(w, c->state);
    }
    return RC_OK;
}

static size_t bytes_of_answers(const talk_step_t *s, const talk_call_t *c)
{
    size_t n = c->state.n;
    for (const talk_ask_t *ask = s->t->asks; ask; ask = ask->next)
        n += ask->call == c ? ask->key.n + ask->result.n : 0;
    return n;
}

static rc_t send(talk_step_t *s, talk_call_t *c)
{
    static const str_t OURS[] = {STR_INIT("_meta"), STR_INIT("inputResponses"),
                                 STR_INIT("requestState")};
    const json_t *root;
    str_t line;
    TRY(mcp_link_parse(s->a, c->line, &root));
    const json_t *params = json_get(root, STR("params"));
    buf_t b = talk_buf(s->a, c->line.n + s->t->meta.n + bytes_of_answers(s, c));
    c->tag = talk_next_tag(s->t);
    json_writer_t w = talk_begin_request(&b, c->tag, json_get_str(root, STR("method")));
    json_members_but(&w, params, TALK_NAMES(OURS));
    TRY(write_answers(s, &w, c));
    TRY(talk_up_write_meta(s, &w, talk_meta_of(params)));
    TRY(talk_end_request(&w, &line));
    return talk_send(s, &(mcp_link_message_t){.json = line,
                                              .version = s->t->version,
                                              .params = talk_tools_of(s->t, params),
                                              .tag = c->tag});
}

/* What 2025-11-25 does not know: members of every result, and structured content that is no object.
 */
static rc_t old_result(talk_step_t *s, const json_t *result, str_t *out)
{
    static const str_t NEW[] = {STR_INIT("resultType"), STR_INIT("ttlMs"), STR_INIT("cacheScope"),
                                STR_INIT("structuredContent")};
    const json_t *structured = json_get(result, STR("structuredContent"));
    buf_t b = talk_buf(s->a, result->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_members_but(&w, result, TALK_NAMES(NEW));
    if (json_is(structured, JSON_OBJECT)) {
        json_key(&w, STR("structuredContent"));
        json_raw(&w, structured->raw);
    }
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t answer_result(talk_step_t *s, talk_call_t *c, const json_t *result)
{
    str_t out;
    const json_t *root, *line;
    TRY(old_result(s, result, &out));
    if (c->method && str_eq(c->method->name, STR("tools/list"))) {
        TRY(mcp_link_parse(s->a, c->line, &line));
        TRY(mcp_link_parse(s->a, out, &root));
        TRY(talk_tools_learn(s, root, !json_path(line, STR("params.cursor")), true, &out));
    }
    TRY(talk_say_result(s, c->id, out));
    talk_call_drop(s->t, c);
    return RC_OK;
}

static rc_t answer_error(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    bool again;
    TRY(talk_tools_relist(s, c, m, &again));
    if (again)
        return RC_OK;
    TRY(talk_say_answer(s, c->id, m));
    talk_call_drop(s->t, c);
    return RC_OK;
}

static rc_t answer(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    static const mcp_link_failure_t UNKNOWN = {.end = MCP_LINK_MALFORMED,
                                               .detail = STR_INIT("unknown kind of result")};
    const json_t *result = json_get(m->root, STR("result"));
    if (!result)
        return answer_error(s, c, m);
    str_t type = json_get_str(result, STR("resultType"));
    if (str_eq(type, STR("input_required")))
        return talk_up_input(s, c, result);
    bool complete = !str_is_set(type) || str_eq(type, STR("complete"));
    if (!complete || !json_is(result, JSON_OBJECT))
        return talk_failed(s, c, &UNKNOWN);
    return answer_result(s, c, result);
}

static bool has(const json_t *capabilities, str_t path)
{
    return json_is(json_path(capabilities, path), JSON_TRUE);
}

/* The stream of changes takes the place of what the era of the host sends unasked. */
static rc_t listen_for_changes(talk_step_t *s)
{
    const json_t *says;
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    const json_t *c = json_get(says, STR("capabilities"));
    bool any = has(c, STR("tools.listChanged")) || has(c, STR("prompts.listChanged")) ||
               has(c, STR("resources.listChanged"));
    return any ? talk_up_listen(s, STR_UNSET, STR_UNSET) : RC_OK;
}

static bool listens(const talk_t *t)
{
    for (const talk_call_t *c = t->calls; c; c = c->next) {
        if (c->kind == TALK_CALL_LISTEN && !str_is_set(c->uri))
            return true;
    }
    return false;
}

/* Nothing of what hosts of the handshake era say unasked is for a stateless server. */
static rc_t notification(talk_step_t *s, const mcp_message_t *m)
{
    bool ready = str_eq(m->method, STR("notifications/initialized"));
    return ready && !listens(s->t) ? listen_for_changes(s) : RC_OK;
}

static rc_t asked(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    (void)c;
    LOG(s->t->config.log, LOG_WARN, "a request of the server is passed over",
        LOG_S("method", m->method));
    return RC_OK;
}

static rc_t heard(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    if (str_eq(m->method, STR("notifications/cancelled")))
        return RC_OK; /* of a stream of ours, which the host does not know */
    if (str_eq(m->method, STR("notifications/subscriptions/acknowledged")))
        return c && c->kind == TALK_CALL_LISTEN ? talk_up_acknowledged(s, c) : RC_OK;
    return talk_say(s, m->root->raw);
}

static rc_t take_back_asks(talk_step_t *s, const talk_call_t *c)
{
    for (const talk_ask_t *ask = s->t->asks; ask; ask = ask->next) {
        str_t line;
        if (ask->call != c || str_is_set(ask->result))
            continue;
        TRY(talk_cancelled(s, ask->id, &line));
        TRY(talk_say(s, line));
    }
    return RC_OK;
}

static rc_t cancel(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    if (m->root)
        TRY(take_back_asks(s, c));
    return talk_cancel(s, c->tag);
}

static rc_t forget(talk_step_t *s)
{
    (void)s;
    return RC_OK;
}

const talk_pair_t TALK_UP = {
    .request = request,
    .notification = notification,
    .response = talk_up_response,
    .send = send,
    .answer = answer,
    .asked = asked,
    .heard = heard,
    .cancel = cancel,
    .forget = forget,
};
