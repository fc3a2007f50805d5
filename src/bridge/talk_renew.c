/* A server that restarted has forgotten its sessions (404): another one is made with what the host
 * said when it began, and what it had asked for since is asked for again. The host does not notice.
 */
#include "bridge/talk_do.h"

rc_t talk_initialize(talk_step_t *s)
{
    talk_call_t *c;
    str_t line;
    const json_t *params;
    static const str_list_t ALL = {NULL, 0};
    TRY(mcp_link_parse(s->a, s->t->params, &params));
    buf_t b = talk_buf(s->a, params->raw.n);
    json_writer_t w = talk_begin_request(&b, s->t->last_tag + 1, STR("initialize"));
    json_members_but(&w, params, ALL);
    TRY(talk_end_request(&w, &line));
    TRY(talk_call_new(s, TALK_CALL_INITIALIZE, line, &c));
    return talk_call_send(s, c);
}

rc_t talk_renew(talk_step_t *s)
{
    s->t->phase = TALK_RENEWING;
    s->t->lost = false;
    TRY(s->t->pair->forget(s));
    return talk_initialize(s);
}

rc_t talk_initialized(talk_step_t *s)
{
    TRY(talk_tell(s, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}")));
    return talk_listen(s);
}

rc_t talk_own(talk_step_t *s, str_t method, str_t params)
{
    talk_call_t *c;
    str_t line;
    const json_t *root;
    static const str_list_t ALL = {NULL, 0};
    TRY(mcp_link_parse(s->a, params, &root));
    buf_t b = talk_buf(s->a, params.n);
    json_writer_t w = talk_begin_request(&b, s->t->last_tag + 1, method);
    json_members_but(&w, root, ALL);
    TRY(talk_end_request(&w, &line));
    TRY(talk_call_new(s, TALK_CALL_OWN, line, &c));
    return talk_call_send(s, c);
}

static rc_t ask_again(talk_step_t *s, str_t method, str_t member, str_t text)
{
    str_t params;
    buf_t b = talk_buf(s->a, text.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, member, text);
    json_end_object(&w);
    TRY(buf_done(&b, &params));
    return talk_own(s, method, params);
}

rc_t talk_renewed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    const json_t *result = json_get(m->root, STR("result"));
    if (!json_is(result, JSON_OBJECT))
        return talk_open_answer(s, c, m);
    talk_call_drop(s->t, c);
    const mcp_version_t *v = mcp_version_of_server(json_get_str(result, STR("protocolVersion")));
    s->t->version = v ? v : mcp_version_assumed();
    s->t->phase = TALK_OPEN;
    TRY(talk_initialized(s));
    if (str_is_set(s->t->level))
        TRY(ask_again(s, STR("logging/setLevel"), STR("level"), s->t->level));
    for (const talk_watched_t *w = s->t->watched; w; w = w->next)
        TRY(ask_again(s, STR("resources/subscribe"), STR("uri"), w->uri));
    TRY(talk_changed_all(s));
    return talk_flush(s);
}
