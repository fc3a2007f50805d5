/* Input that a stateless server requires, asked of a host of the handshake era as requests; when
 * all is there, the call is sent anew with it (2026-07-28, MRTR). */
#include "bridge/talk_do.h"

enum { STATE_ONLY_PAUSE_MS = 250 };

static const mcp_link_failure_t BAD_INPUT = {
    .end = MCP_LINK_MALFORMED, .detail = STR_INIT("it asks for input that cannot be asked for")};
static const mcp_link_failure_t TOO_OFTEN = {
    .end = MCP_LINK_MALFORMED, .detail = STR_INIT("it asks for more again and again")};

static bool may_be_asked(str_t method)
{
    static const str_t METHODS[] = {STR_INIT("elicitation/create"),
                                    STR_INIT("sampling/createMessage"), STR_INIT("roots/list")};
    return str_list_has((str_list_t){METHODS, sizeof METHODS / sizeof *METHODS}, method);
}

static void drop_asks(talk_t *t, const talk_call_t *c)
{
    for (talk_ask_t *ask = t->asks, *next; ask; ask = next) {
        next = ask->next;
        if (ask->call == c)
            talk_ask_drop(t, ask);
    }
}

/* A page that is to be visited has an id in 2025-11-25, and none later. */
static rc_t write_params(json_writer_t *w, const json_t *params, str_t id)
{
    static const str_list_t ALL = {NULL, 0};
    bool needs = str_eq(json_get_str(params, STR("mode")), STR("url")) &&
                 !json_get(params, STR("elicitationId"));
    json_begin_object(w);
    json_members_but(w, params, ALL);
    if (needs) {
        json_key(w, STR("elicitationId"));
        json_raw(w, id);
    }
    json_end_object(w);
    return RC_OK;
}

static rc_t say_request(talk_step_t *s, const talk_ask_t *ask, const json_t *params)
{
    str_t line;
    buf_t b = talk_buf(s->a, params ? params->raw.n : 0);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_key(&w, STR("id"));
    json_raw(&w, ask->id);
    json_member_str(&w, STR("method"), ask->method);
    if (params) {
        json_key(&w, STR("params"));
        TRY(write_params(&w, params, ask->id));
    }
    json_end_object(&w);
    TRY(buf_done(&b, &line));
    return talk_say(s, line);
}

static rc_t ask_host(talk_step_t *s, talk_call_t *c, const json_t *input)
{
    talk_ask_t *ask;
    mcp_message_t m = {.method = json_get_str(input, STR("method")),
                       .id = talk_own_id(s->a, talk_next_tag(s->t))};
    if (!str_is_set(m.id))
        return RC_MEMORY;
    TRY(talk_ask_new(s->t, c, &m, &ask));
    TRY(talk_keep(&ask->key, input->key));
    ask->told = true;
    return say_request(s, ask, json_get(input, STR("params")));
}

static bool all_may_be_asked(const json_t *inputs)
{
    for (const json_t *i = inputs->child; i; i = i->next) {
        const json_t *params = json_get(i, STR("params"));
        if (!may_be_asked(json_get_str(i, STR("method"))) ||
            (params && !json_is(params, JSON_OBJECT)))
            return false;
    }
    return true;
}

static rc_t fail(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    drop_asks(s->t, c);
    return talk_failed(s, c, why);
}

static rc_t ask_all(talk_step_t *s, talk_call_t *c, const json_t *inputs)
{
    if (s->t->n_asks + inputs->count > LIMIT_BRIDGE_ASKS || !all_may_be_asked(inputs))
        return fail(s, c, &BAD_INPUT);
    for (const json_t *i = inputs->child; i; i = i->next)
        TRY(ask_host(s, c, i));
    return RC_OK;
}

rc_t talk_up_input(talk_step_t *s, talk_call_t *c, const json_t *result)
{
    const json_t *state = json_get(result, STR("requestState"));
    const json_t *inputs = json_get(result, STR("inputRequests"));
    bool right = (!state || json_is(state, JSON_STRING)) &&
                 (!inputs || json_is(inputs, JSON_OBJECT)) && (state || inputs);
    drop_asks(s->t, c);
    if (!right || !c->method || !c->method->asks)
        return fail(s, c, &BAD_INPUT);
    if (++c->rounds > LIMIT_BRIDGE_ROUNDS)
        return fail(s, c, &TOO_OFTEN);
    c->tag = 0;
    TRY(talk_keep(&c->state, state ? state->raw : STR_UNSET));
    if (inputs && inputs->count > 0)
        return ask_all(s, c, inputs);
    talk_call_again(s, c, STATE_ONLY_PAUSE_MS);
    return RC_OK;
}

static bool all_answered(const talk_t *t, const talk_call_t *c)
{
    for (const talk_ask_t *ask = t->asks; ask; ask = ask->next) {
        if (ask->call == c && !str_is_set(ask->result))
            return false;
    }
    return true;
}

/* There is no way to hand on an error: of a form it is a refusal to fill it in, of others the end.
 */
static rc_t refused(talk_step_t *s, talk_ask_t *ask, const json_t *error)
{
    talk_call_t *c = ask->call;
    if (str_eq(ask->method, STR("elicitation/create")))
        return talk_keep(&ask->result, STR("{\"action\":\"cancel\"}"));
    TRY(talk_say_raw_error(s, c->id, error->raw));
    for (const talk_ask_t *other = s->t->asks; other; other = other->next) {
        str_t line;
        if (other->call != c || other == ask || str_is_set(other->result))
            continue;
        TRY(talk_cancelled(s, other->id, &line));
        TRY(talk_say(s, line));
    }
    talk_call_drop(s->t, c);
    return RC_OK;
}

rc_t talk_up_response(talk_step_t *s, const mcp_message_t *m)
{
    talk_ask_t *ask = talk_ask_by_id(s->t, m->id);
    if (!ask || str_is_set(ask->result))
        return RC_OK;
    talk_call_t *c = ask->call;
    const json_t *error = json_get(m->root, STR("error"));
    bool ends = error && !str_eq(ask->method, STR("elicitation/create"));
    if (error)
        TRY(refused(s, ask, error));
    else
        TRY(talk_keep(&ask->result, json_get(m->root, STR("result"))->raw));
    if (ends || !all_answered(s->t, c))
        return RC_OK;
    TRY(talk_call_send(s, c));
    return RC_OK;
}
