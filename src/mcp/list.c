#include "mcp/list.h"

static const struct {
    str_t method, member, name;
} LISTS[] = {
    [MCP_LIST_TOOLS] = {STR_INIT("tools/list"), STR_INIT("tools"), STR_INIT("name")},
    [MCP_LIST_RESOURCES] = {STR_INIT("resources/list"), STR_INIT("resources"), STR_INIT("uri")},
    [MCP_LIST_TEMPLATES] = {STR_INIT("resources/templates/list"), STR_INIT("resourceTemplates"),
                            STR_INIT("uriTemplate")},
    [MCP_LIST_PROMPTS] = {STR_INIT("prompts/list"), STR_INIT("prompts"), STR_INIT("name")},
};

#define DENIED "warder/denied"

enum { MARK_BYTES = 64 };

mcp_list_kind_t mcp_list_kind(str_t method)
{
    mcp_list_kind_t kind = MCP_LIST_TOOLS;
    while (kind < MCP_LIST_NONE && !str_eq(LISTS[kind].method, method))
        kind++;
    return kind;
}

/* A copy of a text in which some values are others. */
typedef struct {
    buf_t *to;
    str_t from;
    size_t at; /* all before it is copied */
} copy_t;

static void copy_until(copy_t *c, const char *until)
{
    size_t end = (size_t)(until - c->from.p);
    buf_put(c->to, str_of(c->from.p + c->at, end - c->at));
    c->at = end;
}

/* Copies up to the value and leaves that out. */
static void copy_past(copy_t *c, const json_t *v)
{
    copy_until(c, v->raw.p);
    c->at += v->raw.n;
}

static void copy_rest(copy_t *c)
{
    copy_until(c, c->from.p + c->from.n);
}

/* A first member, before whatever else the object holds. */
static void insert_member(buf_t *b, const json_t *object, str_t member)
{
    buf_char(b, '{');
    buf_put(b, member);
    if (object->count > 0)
        buf_char(b, ',');
    buf_put(b, str_skip(object->raw, 1));
}

static void mark_meta(buf_t *b, const json_t *meta)
{
    const json_t *was = json_get(meta, STR(DENIED));
    copy_t c = {b, meta->raw, 0};
    if (!json_is(meta, JSON_OBJECT)) {
        buf_put(b, STR("{\"" DENIED "\":true}"));
        return;
    }
    if (!was) {
        insert_member(b, meta, STR("\"" DENIED "\":true"));
        return;
    }
    copy_past(&c, was);
    buf_put(b, STR("true"));
    copy_rest(&c);
}

static void mark_entry(buf_t *b, const json_t *entry)
{
    const json_t *meta = json_get(entry, STR("_meta"));
    if (!meta) {
        insert_member(b, entry, STR("\"_meta\":{\"" DENIED "\":true}"));
        return;
    }
    copy_t c = {b, entry->raw, 0};
    copy_past(&c, meta);
    mark_meta(b, meta);
    copy_rest(&c);
}

static rc_t judge_entry(buf_t *b, mcp_list_kind_t kind, const json_t *entry, mcp_list_judge_t judge)
{
    mcp_item_t item = {kind, json_get_str(entry, LISTS[kind].name), entry};
    if (!item.name.p || mcp_member_has_twin(entry, LISTS[kind].name))
        return RC_MALFORMED;
    mcp_item_verdict_t verdict = judge.judge(judge.ctx, &item);
    if (verdict == MCP_ITEM_DROP)
        return RC_OK;
    if (buf_str(b).p[b->n - 1] != '[')
        buf_char(b, ',');
    if (verdict == MCP_ITEM_MARK)
        mark_entry(b, entry);
    else
        buf_put(b, entry->raw);
    return RC_OK;
}

static rc_t judge_list(buf_t *b, mcp_list_kind_t kind, const json_t *list, mcp_list_judge_t judge)
{
    if (!json_is(list, JSON_ARRAY))
        return RC_MALFORMED;
    buf_char(b, '[');
    for (const json_t *e = list->child; e && b->failed == RC_OK; e = e->next)
        TRY(judge_entry(b, kind, e, judge));
    buf_char(b, ']');
    return RC_OK;
}

/* What clients may keep says for whom, in front of all else it holds. */
static void add_scope(copy_t *c, const json_t *result, mcp_list_judge_t judge)
{
    bool cached = judge.is_stateless || json_get(result, STR("ttlMs")) ||
                  mcp_member_has_twin(result, STR("ttlMs"));
    if (!judge.narrows || !cached || result->count == 0 || json_get(result, STR("cacheScope")))
        return;
    copy_until(c, result->raw.p + 1);
    buf_put(c->to, STR("\"cacheScope\":\"private\","));
}

static rc_t rewrite_result(copy_t *c, mcp_list_kind_t kind, const json_t *result,
                           mcp_list_judge_t judge)
{
    bool found = false;
    if (json_is(result, JSON_OBJECT))
        add_scope(c, result, judge);
    for (const json_t *m = json_is(result, JSON_OBJECT) ? result->child : NULL; m; m = m->next) {
        bool is_list = str_eq(m->key, LISTS[kind].member);
        bool is_scope = judge.narrows && str_eq(m->key, STR("cacheScope"));
        if (!is_list && !is_scope)
            continue;
        copy_past(c, m);
        found |= is_list;
        if (is_list)
            TRY(judge_list(c->to, kind, m, judge));
        else
            buf_put(c->to, STR("\"private\""));
    }
    copy_rest(c);
    if (found && judge.end)
        judge.end(judge.ctx, json_is(json_get(result, STR("nextCursor")), JSON_STRING));
    return found ? RC_OK : RC_MALFORMED;
}

/* Clients may fold case: they must not find a list that was not judged. */
static bool has_twins(const json_t *root, const json_t *result, mcp_list_kind_t kind)
{
    return mcp_member_has_twin(root, STR("result")) || mcp_member_has_twin(root, STR("error")) ||
           mcp_member_has_twin(result, LISTS[kind].member) ||
           mcp_member_has_twin(result, STR("cacheScope"));
}

rc_t mcp_list_rewrite(arena_t *a, mcp_list_kind_t kind, str_t response, mcp_list_judge_t judge,
                      str_t *out)
{
    static const json_limits_t LIMITS = {MCP_LIST_BYTES, MCP_MESSAGE_DEPTH, MCP_LIST_NODES};
    const json_t *root;
    *out = STR_UNSET;
    if (kind >= MCP_LIST_NONE)
        return RC_MALFORMED;
    TRY(json_parse(a, response, &LIMITS, &root));
    const json_t *result = json_get(root, STR("result")), *error = json_get(root, STR("error"));
    bool version = str_eq(json_get_str(root, STR("jsonrpc")), STR("2.0"));
    if (!version || !result == !error || has_twins(root, result, kind))
        return RC_MALFORMED;
    if (error) {
        *out = response;
        return RC_OK;
    }
    const json_t *list = json_get(result, LISTS[kind].member);
    buf_t b = buf_new(a, response.n + (list ? (size_t)list->count + 1 : 1) * MARK_BYTES);
    copy_t c = {&b, response, 0};
    TRY(rewrite_result(&c, kind, result, judge));
    return buf_done(&b, out);
}

static bool has_member(const json_t *object, str_t name)
{
    return json_get(object, name) || mcp_member_has_twin(object, name);
}

static bool is_answer(const json_t *message)
{
    return has_member(message, STR("result")) || has_member(message, STR("error"));
}

/* An answer among others would be judged as none of them. */
static rc_t check_batch(const json_t *batch)
{
    for (const json_t *m = batch->child; m; m = m->next) {
        if (json_is(m, JSON_ARRAY) || is_answer(m))
            return RC_MALFORMED;
    }
    return RC_OK;
}

static bool may_be_list(const json_t *result, mcp_list_kind_t kind)
{
    return json_is(json_get(result, LISTS[kind].member), JSON_ARRAY) ||
           mcp_member_has_twin(result, LISTS[kind].member);
}

rc_t mcp_list_guess(arena_t *a, str_t message, mcp_list_guess_t *out)
{
    static const json_limits_t LIMITS = {MCP_LIST_EVENT_BYTES, MCP_MESSAGE_DEPTH,
                                         MCP_LIST_EVENT_NODES};
    const json_t *root;
    *out = (mcp_list_guess_t){false, MCP_LIST_NONE};
    /* Pings and the like of servers: no object to any reader. */
    if (str_find(message, '{', 0) == message.n)
        return RC_OK;
    TRY(json_parse(a, message, &LIMITS, &root));
    if (json_is(root, JSON_ARRAY))
        return check_batch(root);
    out->answer = is_answer(root);
    if (mcp_member_has_twin(root, STR("result")))
        return RC_MALFORMED;
    const json_t *result = json_get(root, STR("result"));
    for (mcp_list_kind_t kind = MCP_LIST_TOOLS; kind < MCP_LIST_NONE; kind++) {
        if (!may_be_list(result, kind))
            continue;
        if (out->kind != MCP_LIST_NONE)
            return RC_MALFORMED;
        out->kind = kind;
    }
    return RC_OK;
}
