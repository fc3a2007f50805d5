/* Both sides speak the same era: what comes goes on as it is. */
#include "bridge/talk_do.h"

static rc_t busy(talk_step_t *s, const mcp_message_t *m)
{
    return talk_say_error(s, m->id, MCP_ERROR_BUSY, STR_UNSET);
}

static rc_t send_as_it_is(talk_step_t *s, talk_call_t *c)
{
    mcp_params_t params = {NULL, 0};
    bool is_call = c->method && str_eq(c->method->name, STR("tools/call"));
    if (is_call && s->t->server == MCP_ERA_STATELESS) {
        const json_t *root;
        TRY(mcp_link_parse(s->a, c->line, &root));
        params = talk_tools_of(s->t, json_get(root, STR("params")));
    }
    c->tag = talk_next_tag(s->t);
    return talk_send(s, &(mcp_link_message_t){.json = c->line,
                                              .version = c->version ? c->version : s->t->version,
                                              .params = params,
                                              .tag = c->tag});
}

static rc_t pass_request(talk_step_t *s, const mcp_message_t *m, const mcp_version_t *version)
{
    talk_call_t *c;
    rc_t rc = talk_call_of(s, m, &c);
    if (rc == RC_BUSY)
        return busy(s, m);
    TRY(rc);
    c->version = version;
    return talk_call_send(s, c);
}

static rc_t request_handshake(talk_step_t *s, const mcp_message_t *m)
{
    if (str_eq(m->method, STR("initialize")))
        return talk_twice(s, m);
    return pass_request(s, m, NULL);
}

/* By whose rules a request goes: it says so itself. */
static rc_t request_stateless(talk_step_t *s, const mcp_message_t *m)
{
    str_t stated;
    if (!talk_states(m, &stated))
        return talk_states_nothing(s, m);
    const mcp_version_t *v = mcp_version_find(mcp_versions_stateless(), stated);
    if (v)
        return pass_request(s, m, v);
    return talk_say_error(s, m->id, MCP_ERROR_UNSUPPORTED_VERSION,
                          mcp_unsupported_data(s->a, mcp_versions_stateless(), stated));
}

static rc_t notification(talk_step_t *s, const mcp_message_t *m)
{
    TRY(talk_tell(s, m->root->raw));
    bool ready =
        s->t->server == MCP_ERA_HANDSHAKE && str_eq(m->method, STR("notifications/initialized"));
    return ready ? talk_listen(s) : RC_OK;
}

static rc_t response(talk_step_t *s, const mcp_message_t *m)
{
    talk_ask_t *ask = talk_ask_by_id(s->t, m->id);
    if (!ask)
        return RC_OK;
    talk_ask_drop(s->t, ask);
    return talk_tell(s, m->root->raw);
}

/* Clients of the stateless era send no responses (2026-07-28, stdio, "Sending Messages"). */
static rc_t no_response(talk_step_t *s, const mcp_message_t *m)
{
    (void)s;
    (void)m;
    return RC_OK;
}

/* What has to be asked for again in another session. */
static rc_t learn(talk_step_t *s, const talk_call_t *c)
{
    const json_t *root, *params;
    str_t name = c->method ? c->method->name : STR("");
    TRY(mcp_link_parse(s->a, c->line, &root));
    params = json_get(root, STR("params"));
    if (str_eq(name, STR("logging/setLevel")))
        return talk_keep(&s->t->level, json_get_str(params, STR("level")));
    if (str_eq(name, STR("resources/subscribe")) && json_get_str(params, STR("uri")).p)
        return talk_watch(s->t, json_get_str(params, STR("uri")));
    if (str_eq(name, STR("resources/unsubscribe")))
        talk_unwatch(s->t, json_get_str(params, STR("uri")));
    return RC_OK;
}

static rc_t answer_handshake(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    if (json_get(m->root, STR("result")))
        TRY(learn(s, c));
    TRY(talk_say_answer(s, c->id, m));
    talk_call_drop(s->t, c);
    return RC_OK;
}

static rc_t answer_list(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t out;
    const json_t *root, *result = json_get(m->root, STR("result"));
    TRY(mcp_link_parse(s->a, c->line, &root));
    bool first = !json_path(root, STR("params.cursor"));
    TRY(talk_tools_learn(s, result, first, false, &out));
    return out.p == result->raw.p ? talk_say_answer(s, c->id, m) : talk_say_result(s, c->id, out);
}

static rc_t answer_stateless(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    bool again;
    TRY(talk_tools_relist(s, c, m, &again));
    if (again)
        return RC_OK;
    bool lists = c->method && str_eq(c->method->name, STR("tools/list")) &&
                 json_is(json_get(m->root, STR("result")), JSON_OBJECT);
    TRY(lists ? answer_list(s, c, m) : talk_say_answer(s, c->id, m));
    talk_call_drop(s->t, c);
    return RC_OK;
}

static rc_t asked_handshake(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    talk_ask_t *ask;
    (void)c;
    if (talk_ask_by_id(s->t, m->id))
        return talk_tell_error(s, m->id, MCP_ERROR_DUPLICATE_ID);
    rc_t rc = talk_ask_new(s->t, NULL, m, &ask);
    if (rc == RC_BUSY)
        return talk_tell_error(s, m->id, MCP_ERROR_BUSY);
    TRY(rc);
    ask->told = true;
    return talk_say(s, m->root->raw);
}

/* Servers of the stateless era send no requests (2026-07-28, Streamable HTTP, "Receiving
 * Messages"). */
static rc_t asked_stateless(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    (void)c;
    LOG(s->t->config.log, LOG_WARN, "a request of the server is passed over",
        LOG_S("method", m->method));
    return RC_OK;
}

/* A server that takes a request back waits for no answer any more. */
static rc_t heard_handshake(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    (void)c;
    const json_t *id = json_get(m->params, STR("requestId"));
    bool back = str_eq(m->method, STR("notifications/cancelled"));
    talk_ask_t *ask = back && id ? talk_ask_by_id(s->t, id->raw) : NULL;
    if (ask)
        talk_ask_drop(s->t, ask);
    return talk_say(s, m->root->raw);
}

/* A stream that was opened again acknowledges again, of which the host knows nothing; but what
 * changed in between it was not told. */
static rc_t heard_stateless(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    bool ack = str_eq(m->method, STR("notifications/subscriptions/acknowledged"));
    bool known = ack && c && c->acked;
    if (ack && c)
        c->acked = true;
    return known ? talk_changed_for(s, c) : talk_say(s, m->root->raw);
}

/* Handshake: the server is told, and the stream is left, which tells it nothing (2025-11-25,
 * Transports, "Sending Messages to the Server"). */
static rc_t cancel_handshake(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t line = m->root ? m->root->raw : STR_UNSET;
    if (c->tag && !m->root)
        TRY(talk_cancelled(s, c->id, &line));
    if (c->tag)
        TRY(talk_tell(s, line));
    return talk_cancel(s, c->tag);
}

/* Stateless: the end of the stream tells it. */
static rc_t cancel_stateless(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    (void)m;
    return talk_cancel(s, c->tag);
}

static rc_t forget_handshake(talk_step_t *s)
{
    while (s->t->asks) {
        str_t line;
        TRY(talk_cancelled(s, s->t->asks->id, &line));
        TRY(talk_say(s, line));
        talk_ask_drop(s->t, s->t->asks);
    }
    return RC_OK;
}

static rc_t forget_nothing(talk_step_t *s)
{
    (void)s;
    return RC_OK;
}

const talk_pair_t TALK_SAME_HANDSHAKE = {
    .request = request_handshake,
    .notification = notification,
    .response = response,
    .send = send_as_it_is,
    .answer = answer_handshake,
    .asked = asked_handshake,
    .heard = heard_handshake,
    .cancel = cancel_handshake,
    .forget = forget_handshake,
};

const talk_pair_t TALK_SAME_STATELESS = {
    .request = request_stateless,
    .notification = notification,
    .response = no_response,
    .send = send_as_it_is,
    .answer = answer_stateless,
    .asked = asked_stateless,
    .heard = heard_stateless,
    .cancel = cancel_stateless,
    .forget = forget_nothing,
};
