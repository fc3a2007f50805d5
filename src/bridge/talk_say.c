#include "bridge/talk_do.h"

static rc_t add(talk_step_t *s, talk_effect_t effect)
{
    talk_effect_t *e = ARENA_NEW(s->a, talk_effect_t);
    if (!e)
        return RC_MEMORY;
    *e = effect;
    e->next = NULL;
    *s->last = e;
    s->last = &e->next;
    return RC_OK;
}

/* A message is one line; a line's end within it can only stand between two tokens. */
static rc_t one_line(arena_t *a, str_t *json)
{
    if (str_find(*json, '\n', 0) == json->n && str_find(*json, '\r', 0) == json->n)
        return RC_OK;
    char *p = arena_alloc(a, json->n);
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < json->n; i++)
        p[i] = json->p[i] == '\n' || json->p[i] == '\r' ? ' ' : json->p[i];
    *json = str_of(p, json->n);
    return RC_OK;
}

rc_t talk_say(talk_step_t *s, str_t json)
{
    if (!str_is_set(json))
        return RC_MEMORY;
    TRY(one_line(s->a, &json));
    return add(s, (talk_effect_t){.kind = TALK_SAY, .line = json});
}

rc_t talk_say_result(talk_step_t *s, str_t id, str_t result)
{
    return talk_say(s, mcp_result(s->a, id, result));
}

rc_t talk_say_error(talk_step_t *s, str_t id, mcp_error_t e, str_t data)
{
    return talk_say(s, mcp_error(s->a, id, e, STR_UNSET, data));
}

rc_t talk_say_raw_error(talk_step_t *s, str_t id, str_t error)
{
    str_t out;
    buf_t b = talk_buf(s->a, error.n + id.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_key(&w, STR("id"));
    json_raw(&w, id);
    json_key(&w, STR("error"));
    json_raw(&w, error);
    json_end_object(&w);
    TRY(buf_done(&b, &out));
    return talk_say(s, out);
}

rc_t talk_say_answer(talk_step_t *s, str_t id, const mcp_message_t *m)
{
    const json_t *error = json_get(m->root, STR("error"));
    if (str_eq(m->id, id))
        return talk_say(s, m->root->raw);
    if (error)
        return talk_say_raw_error(s, id, error->raw);
    return talk_say_result(s, id, json_get(m->root, STR("result"))->raw);
}

/* The call that it is of may go before the step ends: what goes out is a copy. */
rc_t talk_send(talk_step_t *s, const mcp_link_message_t *message)
{
    talk_effect_t e = {.kind = TALK_SEND, .message = *message};
    e.message.json = arena_dup(s->a, message->json);
    return str_is_set(e.message.json) ? add(s, e) : RC_MEMORY;
}

rc_t talk_tell(talk_step_t *s, str_t json)
{
    if (!str_is_set(json))
        return RC_MEMORY;
    return talk_send(s, &(mcp_link_message_t){.json = json, .version = s->t->version});
}

rc_t talk_tell_error(talk_step_t *s, str_t id, mcp_error_t e)
{
    return talk_tell(s, mcp_error(s->a, id, e, STR_UNSET, STR_UNSET));
}

rc_t talk_cancel(talk_step_t *s, uint64_t tag)
{
    return tag ? add(s, (talk_effect_t){.kind = TALK_CANCEL, .tag = tag}) : RC_OK;
}

rc_t talk_listen(talk_step_t *s)
{
    return add(s, (talk_effect_t){.kind = TALK_LISTEN, .version = s->t->version});
}

rc_t talk_cancelled(talk_step_t *s, str_t id, str_t *out)
{
    buf_t b = talk_buf(s->a, id.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), STR("notifications/cancelled"));
    json_key(&w, STR("params"));
    json_begin_object(&w);
    json_key(&w, STR("requestId"));
    json_raw(&w, id);
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, out);
}
