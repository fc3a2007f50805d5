/* Changes: a stream of the bridge's own for lists, and one for each resource that the host
 * subscribes to (2026-07-28, Subscriptions). */
#include "bridge/talk_do.h"

enum { GRACEFUL_PAUSE_MS = 500, LONGEST_PAUSE_MS = 30000 };

static rc_t write_filter(talk_step_t *s, json_writer_t *w, str_t uri)
{
    static const struct {
        str_t capability, filter;
    } LISTS[] = {
        {STR_INIT("tools.listChanged"), STR_INIT("toolsListChanged")},
        {STR_INIT("prompts.listChanged"), STR_INIT("promptsListChanged")},
        {STR_INIT("resources.listChanged"), STR_INIT("resourcesListChanged")},
    };
    const json_t *says;
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    json_key(w, STR("notifications"));
    json_begin_object(w);
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS && !str_is_set(uri); i++) {
        const json_t *capabilities = json_get(says, STR("capabilities"));
        if (json_is(json_path(capabilities, LISTS[i].capability), JSON_TRUE))
            json_member_bool(w, LISTS[i].filter, true);
    }
    if (str_is_set(uri))
        json_member_strs(w, STR("resourceSubscriptions"), (str_list_t){&uri, 1});
    json_end_object(w);
    return RC_OK;
}

rc_t talk_up_listen(talk_step_t *s, str_t uri, str_t id)
{
    talk_call_t *c;
    str_t line;
    buf_t b = talk_buf(s->a, uri.n + s->t->meta.n);
    json_writer_t w = talk_begin_request(&b, s->t->last_tag + 1, STR("subscriptions/listen"));
    TRY(write_filter(s, &w, uri));
    TRY(talk_up_write_meta(s, &w, NULL));
    TRY(talk_end_request(&w, &line));
    TRY(talk_call_new(s, TALK_CALL_LISTEN, line, &c));
    TRY(talk_keep(&c->id, id));
    TRY(talk_keep(&c->uri, uri));
    return talk_call_send(s, c);
}

static talk_call_t *stream_of(const talk_t *t, str_t uri)
{
    for (talk_call_t *c = t->calls; c; c = c->next) {
        if (c->kind == TALK_CALL_LISTEN && str_eq(c->uri, uri))
            return c;
    }
    return NULL;
}

static size_t streams(const talk_t *t)
{
    size_t n = 0;
    for (const talk_call_t *c = t->calls; c; c = c->next)
        n += c->kind == TALK_CALL_LISTEN;
    return n;
}

rc_t talk_up_subscribe(talk_step_t *s, const mcp_message_t *m)
{
    str_t uri = json_get_str(m->params, STR("uri"));
    if (!str_is_set(uri))
        return talk_say_error(s, m->id, MCP_ERROR_BAD_URI, STR_UNSET);
    if (stream_of(s->t, uri))
        return talk_say_result(s, m->id, STR("{}"));
    if (streams(s->t) >= LIMIT_BRIDGE_WATCHED)
        return talk_say_error(s, m->id, MCP_ERROR_TOO_MUCH_WATCHED, STR_UNSET);
    return talk_up_listen(s, uri, m->id);
}

rc_t talk_up_unsubscribe(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c = stream_of(s->t, json_get_str(m->params, STR("uri")));
    if (c) {
        if (str_is_set(c->id))
            TRY(talk_say_result(s, c->id, STR("{}")));
        TRY(talk_cancel(s, c->tag));
        talk_call_drop(s->t, c);
    }
    return talk_say_result(s, m->id, STR("{}"));
}

rc_t talk_up_acknowledged(talk_step_t *s, talk_call_t *c)
{
    bool again = c->acked;
    c->acked = true;
    if (!str_is_set(c->id))
        return again && !str_is_set(c->uri) ? talk_changed_all(s) : RC_OK;
    TRY(talk_say_result(s, c->id, STR("{}")));
    talk_unkeep(&c->id);
    return RC_OK;
}

/* A server that shuts down ends its streams, and comes back; one that refuses is not asked again.
 */
rc_t talk_up_listen_ended(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    bool refused = json_get(m->root, STR("error")) != NULL;
    if (refused && str_is_set(c->id))
        TRY(talk_say_answer(s, c->id, m));
    else if (str_is_set(c->id))
        TRY(talk_up_acknowledged(s, c));
    if (refused) {
        talk_call_drop(s->t, c);
        return RC_OK;
    }
    talk_call_again(s, c, c->pause_ms + GRACEFUL_PAUSE_MS);
    c->pause_ms = c->pause_ms * 2 < LONGEST_PAUSE_MS ? c->pause_ms * 2 : LONGEST_PAUSE_MS;
    return RC_OK;
}
