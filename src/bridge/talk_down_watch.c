/* subscriptions/listen before a server of the handshake era: what it says of changes on its
 * standing stream goes to every subscription that asked for it, under its id (2026-07-28,
 * Subscriptions). */
#include "bridge/talk_do.h"

typedef struct {
    str_t method, filter, capability;
} change_t;

static const change_t CHANGES[] = {
    {STR_INIT("notifications/tools/list_changed"), STR_INIT("toolsListChanged"),
     STR_INIT("tools.listChanged")},
    {STR_INIT("notifications/prompts/list_changed"), STR_INIT("promptsListChanged"),
     STR_INIT("prompts.listChanged")},
    {STR_INIT("notifications/resources/list_changed"), STR_INIT("resourcesListChanged"),
     STR_INIT("resources.listChanged")},
};
enum { CHANGE_COUNT = sizeof CHANGES / sizeof *CHANGES };

static bool is_on(const json_t *object, str_t path)
{
    return json_is(json_path(object, path), JSON_TRUE);
}

static bool names(const json_t *filter, str_t uri)
{
    const json_t *list = json_get(filter, STR("resourceSubscriptions"));
    for (const json_t *u = json_is(list, JSON_ARRAY) ? list->child : NULL; u; u = u->next) {
        if (str_is_set(uri) && str_eq(u->str, uri))
            return true;
    }
    return false;
}

static rc_t filter_of(talk_step_t *s, const talk_call_t *c, const json_t **out)
{
    const json_t *root;
    TRY(mcp_link_parse(s->a, c->line, &root));
    *out = json_path(root, STR("params.notifications"));
    return RC_OK;
}

static bool is_listen(const talk_call_t *c)
{
    return c->kind == TALK_CALL_HOST && c->method && c->method->stands && !c->held;
}

static rc_t own_with_uri(talk_step_t *s, str_t method, str_t uri)
{
    str_t params;
    buf_t b = talk_buf(s->a, uri.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("uri"), uri);
    json_end_object(&w);
    TRY(buf_done(&b, &params));
    return talk_own(s, method, params);
}

static rc_t subscribe_all(talk_step_t *s, const json_t *filter)
{
    const json_t *list = json_get(filter, STR("resourceSubscriptions"));
    for (const json_t *u = json_is(list, JSON_ARRAY) ? list->child : NULL; u; u = u->next) {
        if (!str_is_set(u->str) || talk_is_watched(s->t, u->str))
            continue;
        TRY(talk_watch(s->t, u->str));
        if (talk_is_watched(s->t, u->str))
            TRY(own_with_uri(s, STR("resources/subscribe"), u->str));
    }
    return RC_OK;
}

static void write_honored(talk_step_t *s, json_writer_t *w, const json_t *filter,
                          const json_t *capabilities)
{
    const json_t *list = json_get(filter, STR("resourceSubscriptions"));
    json_key(w, STR("notifications"));
    json_begin_object(w);
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        if (is_on(filter, CHANGES[i].filter) && is_on(capabilities, CHANGES[i].capability))
            json_member_bool(w, CHANGES[i].filter, true);
    }
    if (json_is(list, JSON_ARRAY) && is_on(capabilities, STR("resources.subscribe"))) {
        json_key(w, STR("resourceSubscriptions"));
        json_begin_array(w);
        for (const json_t *u = list->child; u; u = u->next) {
            if (str_is_set(u->str) && talk_is_watched(s->t, u->str))
                json_raw(w, u->raw);
        }
        json_end_array(w);
    }
    json_end_object(w);
}

/* A notification under the id of a subscription, open for more members of its params. */
static json_writer_t begin(buf_t *b, str_t method, str_t id, const json_t *meta)
{
    static const str_t ID[] = {STR_INIT("io.modelcontextprotocol/subscriptionId")};
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), method);
    json_key(&w, STR("params"));
    json_begin_object(&w);
    json_key(&w, STR("_meta"));
    json_begin_object(&w);
    json_members_but(&w, meta, TALK_NAMES(ID));
    json_key(&w, TALK_META_SUBSCRIPTION);
    json_raw(&w, id);
    json_end_object(&w);
    return w;
}

static rc_t acknowledge(talk_step_t *s, const talk_call_t *c, const json_t *filter,
                        const json_t *capabilities)
{
    str_t line;
    buf_t b = talk_buf(s->a, c->line.n);
    json_writer_t w = begin(&b, STR("notifications/subscriptions/acknowledged"), c->id, NULL);
    write_honored(s, &w, filter, capabilities);
    TRY(talk_end_request(&w, &line));
    return talk_say(s, line);
}

rc_t talk_down_listen(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c;
    const json_t *says, *filter = json_get(m->params, STR("notifications"));
    if (!json_is(filter, JSON_OBJECT))
        return talk_say_error(s, m->id, MCP_ERROR_BAD_FILTER, STR_UNSET);
    rc_t rc = talk_call_of(s, m, &c);
    if (rc == RC_BUSY)
        return talk_say_error(s, m->id, MCP_ERROR_BUSY, STR_UNSET);
    TRY(rc);
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    const json_t *capabilities = json_get(says, STR("capabilities"));
    if (is_on(capabilities, STR("resources.subscribe")))
        TRY(subscribe_all(s, filter));
    return acknowledge(s, c, filter, capabilities);
}

static bool wants(const json_t *filter, const mcp_message_t *m)
{
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        if (str_eq(CHANGES[i].method, m->method))
            return is_on(filter, CHANGES[i].filter);
    }
    return names(filter, json_get_str(m->params, STR("uri")));
}

static bool is_change(const mcp_message_t *m)
{
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        if (str_eq(CHANGES[i].method, m->method))
            return true;
    }
    return str_eq(m->method, STR("notifications/resources/updated"));
}

static rc_t say_change(talk_step_t *s, const talk_call_t *c, const mcp_message_t *m)
{
    static const str_t META[] = {STR_INIT("_meta")};
    str_t line;
    buf_t b = talk_buf(s->a, m->root->raw.n + c->id.n);
    json_writer_t w = begin(&b, m->method, c->id, talk_meta_of(m->params));
    json_members_but(&w, m->params, TALK_NAMES(META));
    TRY(talk_end_request(&w, &line));
    return talk_say(s, line);
}

rc_t talk_down_changed(talk_step_t *s, const mcp_message_t *m)
{
    const json_t *filter;
    if (!is_change(m))
        return talk_say(s, m->root->raw);
    for (const talk_call_t *c = s->t->calls; c; c = c->next) {
        if (!is_listen(c))
            continue;
        TRY(filter_of(s, c, &filter));
        if (wants(filter, m))
            TRY(say_change(s, c, m));
    }
    return RC_OK;
}

rc_t talk_changed_for(talk_step_t *s, const talk_call_t *c)
{
    const json_t *filter;
    TRY(filter_of(s, c, &filter));
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        str_t line;
        if (!is_on(filter, CHANGES[i].filter))
            continue;
        buf_t b = talk_buf(s->a, c->id.n);
        json_writer_t w = begin(&b, CHANGES[i].method, c->id, NULL);
        TRY(talk_end_request(&w, &line));
        TRY(talk_say(s, line));
    }
    return RC_OK;
}

static rc_t say_bare(talk_step_t *s, str_t method)
{
    str_t line;
    buf_t b = talk_buf(s->a, method.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), method);
    json_end_object(&w);
    TRY(buf_done(&b, &line));
    return talk_say(s, line);
}

rc_t talk_changed_all(talk_step_t *s)
{
    const json_t *says;
    TRY(mcp_link_parse(s->a, s->t->server_says, &says));
    const json_t *capabilities = json_get(says, STR("capabilities"));
    for (const talk_call_t *c = s->t->calls; c && s->t->host == MCP_ERA_STATELESS; c = c->next)
        TRY(is_listen(c) ? talk_changed_for(s, c) : RC_OK);
    for (size_t i = 0; i < CHANGE_COUNT && s->t->host == MCP_ERA_HANDSHAKE; i++) {
        if (is_on(capabilities, CHANGES[i].capability))
            TRY(say_bare(s, CHANGES[i].method));
    }
    return RC_OK;
}

static rc_t is_named_elsewhere(talk_step_t *s, const talk_call_t *but, str_t uri, bool *named)
{
    const json_t *filter;
    *named = false;
    for (const talk_call_t *c = s->t->calls; c; c = c->next) {
        if (c == but || !is_listen(c))
            continue;
        TRY(filter_of(s, c, &filter));
        *named = *named || names(filter, uri);
    }
    return RC_OK;
}

/* The last one that wanted to know of a resource is gone: the server is told. */
rc_t talk_down_unlisten(talk_step_t *s, talk_call_t *c)
{
    const json_t *filter;
    if (c->held)
        return RC_OK;
    TRY(filter_of(s, c, &filter));
    const json_t *list = json_get(filter, STR("resourceSubscriptions"));
    for (const json_t *u = json_is(list, JSON_ARRAY) ? list->child : NULL; u; u = u->next) {
        bool named;
        TRY(is_named_elsewhere(s, c, u->str, &named));
        if (named || !str_is_set(u->str) || !talk_is_watched(s->t, u->str))
            continue;
        talk_unwatch(s->t, u->str);
        TRY(own_with_uri(s, STR("resources/unsubscribe"), u->str));
    }
    return RC_OK;
}
