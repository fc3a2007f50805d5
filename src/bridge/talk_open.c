/* Finds out which era the server speaks: first the host's own, for then nothing has to be
 * translated. */
#include "bridge/talk_do.h"

enum {
    HEADER_MISMATCH = -32020,
    MISSING_CAPABILITY = -32021,
    UNSUPPORTED_VERSION = -32022,
    BAD_REQUEST = 400,
    NOT_FOUND = 404,
    NOT_ALLOWED = 405,
};

/* The host's initialize goes out as it came. */
static rc_t open_handshake(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c;
    TRY(talk_keep(&s->t->params, m->params ? m->params->raw : STR("{}")));
    TRY(talk_call_new(s, TALK_CALL_INITIALIZE, m->root->raw, &c));
    TRY(talk_keep(&c->id, m->id));
    return talk_call_send(s, c);
}

/* server/discover with what a request says of its host: an object of _meta. */
static rc_t send_discover(talk_step_t *s, const mcp_version_t *version, const json_t *meta)
{
    static const str_t NOT_OURS[] = {STR_INIT("progressToken")};
    talk_call_t *c;
    str_t line;
    buf_t b = talk_buf(s->a, meta->raw.n);
    json_writer_t w = talk_begin_request(&b, s->t->last_tag + 1, STR("server/discover"));
    json_key(&w, STR("_meta"));
    json_begin_object(&w);
    json_members_but(&w, meta, TALK_NAMES(NOT_OURS));
    json_end_object(&w);
    TRY(talk_end_request(&w, &line));
    TRY(talk_call_new(s, TALK_CALL_DISCOVER, line, &c));
    c->version = version;
    return talk_call_send(s, c);
}

/* What initialize would say, of what a stateless host says with each request. */
static rc_t params_of_meta(talk_step_t *s, const json_t *meta)
{
    str_t params;
    const json_t *info = json_get(meta, TALK_META_INFO);
    buf_t b = talk_buf(s->a, meta->raw.n);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("protocolVersion"), mcp_versions_handshake().v->name);
    json_key(&w, STR("capabilities"));
    talk_write_capabilities(&w, json_get(meta, TALK_META_CAPABILITIES));
    json_key(&w, STR("clientInfo"));
    if (json_is(info, JSON_OBJECT)) {
        json_raw(&w, info->raw);
    } else {
        json_begin_object(&w);
        json_member_str(&w, STR("name"), s->t->config.name);
        json_member_str(&w, STR("version"), s->t->config.version);
        json_end_object(&w);
    }
    json_end_object(&w);
    TRY(buf_done(&b, &params));
    return talk_keep(&s->t->params, params);
}

static rc_t open_stateless(talk_step_t *s, const mcp_message_t *m, str_t stated)
{
    const mcp_version_t *v = mcp_version_find(mcp_versions_stateless(), stated);
    const json_t *meta = talk_meta_of(m->params);
    TRY(params_of_meta(s, meta));
    if (v)
        return send_discover(s, v, meta);
    talk_call_drop(s->t, talk_call_by_id(s->t, m->id));
    s->t->phase = TALK_FRESH;
    return talk_say_error(s, m->id, MCP_ERROR_UNSUPPORTED_VERSION,
                          mcp_unsupported_data(s->a, mcp_versions_stateless(), stated));
}

rc_t talk_open(talk_step_t *s, const mcp_message_t *first)
{
    str_t stated;
    bool stateless = talk_states(first, &stated);
    s->t->host = stateless ? MCP_ERA_STATELESS : MCP_ERA_HANDSHAKE;
    s->t->phase = TALK_OPENING;
    s->t->ready = false;
    talk_unkeep(&s->t->refusal);
    return stateless ? open_stateless(s, first, stated) : open_handshake(s, first);
}

rc_t talk_states_nothing(talk_step_t *s, const mcp_message_t *m)
{
    if (!str_eq(m->method, STR("initialize")))
        return talk_say_error(s, m->id, MCP_ERROR_BAD_META, STR_UNSET);
    TRY(s->t->pair->forget(s));
    s->t->lost = false;
    return talk_open(s, m);
}

/* Calls that nobody has looked at are taken up as if they came now, the others sent. */
static rc_t let_go(talk_step_t *s, talk_call_t *c)
{
    mcp_message_t m;
    rc_t rc = RC_OK;
    c->held = false;
    if (!c->fresh)
        return talk_call_send(s, c);
    str_t line = arena_dup(s->a, c->line);
    if (!str_is_set(line))
        return RC_MEMORY;
    talk_call_drop(s->t, c);
    mcp_error_t e = talk_read(s->a, line, &m, &rc);
    return rc == RC_OK && e == MCP_NO_ERROR ? s->t->pair->request(s, &m) : rc;
}

static talk_call_t *next_held(const talk_t *t)
{
    talk_call_t *c = t->calls;
    while (c && !c->held)
        c = c->next;
    return c;
}

static rc_t say_ready(talk_step_t *s)
{
    mcp_message_t m;
    const json_t *root;
    s->t->ready = false;
    TRY(mcp_link_parse(s->a, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
                       &root));
    return mcp_message_of(root, &m) == MCP_NO_ERROR ? s->t->pair->notification(s, &m) : RC_OK;
}

rc_t talk_flush(talk_step_t *s)
{
    talk_call_t *c;
    if (s->t->ready)
        TRY(say_ready(s));
    while (s->t->phase == TALK_OPEN && (c = next_held(s->t)))
        TRY(let_go(s, c));
    return RC_OK;
}

static void be_open(talk_step_t *s, mcp_era_t server, const mcp_version_t *version)
{
    s->t->server = server;
    s->t->version = version;
    s->t->phase = TALK_OPEN;
    s->t->pair = talk_pair(s->t->host, server);
    talk_unkeep(&s->t->refusal);
}

static const mcp_version_t *negotiated(const json_t *result)
{
    str_t name = json_get_str(result, STR("protocolVersion"));
    const mcp_version_t *v = mcp_version_of_server(name);
    return v ? v : mcp_version_assumed();
}

static rc_t initialize_taken(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    const json_t *result = json_get(m->root, STR("result"));
    be_open(s, MCP_ERA_HANDSHAKE, negotiated(result));
    TRY(talk_keep(&s->t->server_says, result->raw));
    if (s->t->host == MCP_ERA_HANDSHAKE)
        TRY(talk_say_answer(s, c->id, m));
    talk_call_drop(s->t, c);
    if (s->t->host == MCP_ERA_HANDSHAKE)
        return talk_flush(s);
    TRY(talk_initialized(s));
    return talk_flush(s);
}

/* The first revision named that is one of ours. */
static const mcp_version_t *common(mcp_versions_t ours, const json_t *names)
{
    for (const json_t *n = json_is(names, JSON_ARRAY) ? names->child : NULL; n; n = n->next) {
        const mcp_version_t *v = mcp_version_find(ours, n->str);
        if (v)
            return v;
    }
    return NULL;
}

/* A host that was served before does not know that it should begin anew: its next request tries. */
static rc_t give_up(talk_step_t *s, str_t error)
{
    s->t->lost = s->t->phase == TALK_RENEWING;
    s->t->phase = s->t->lost ? TALK_OPEN : TALK_FRESH;
    return talk_fail_held(s, error);
}

/* The opening has failed: whoever waits learns why, and may begin anew. */
static rc_t end_opening(talk_step_t *s, talk_call_t *c, str_t error)
{
    str_t kept = arena_dup(s->a, s->t->refusal.p ? s->t->refusal : error);
    if (!str_is_set(kept))
        return RC_MEMORY;
    str_t id = arena_dup(s->a, c->id);
    bool waits = str_is_set(c->id);
    talk_call_drop(s->t, c);
    talk_unkeep(&s->t->refusal);
    TRY(waits ? talk_say_raw_error(s, id, kept) : RC_OK);
    return give_up(s, kept);
}

/* A host that asked the same has its answer already. */
static rc_t answer_discoveries(talk_step_t *s, const talk_call_t *own, str_t result)
{
    for (talk_call_t *c = s->t->calls, *next; c; c = next) {
        const json_t *root;
        next = c->next;
        if (!c->fresh || !c->method || !str_eq(c->method->name, STR("server/discover")))
            continue;
        TRY(mcp_link_parse(s->a, c->line, &root));
        const json_t *meta = talk_meta_of(json_get(root, STR("params")));
        if (!str_eq(json_get_str(meta, TALK_META_VERSION), own->version->name))
            continue;
        TRY(talk_say_result(s, c->id, result));
        talk_call_drop(s->t, c);
    }
    return RC_OK;
}

static rc_t try_handshake(talk_step_t *s, talk_call_t *c)
{
    talk_call_drop(s->t, c);
    return talk_initialize(s);
}

/* It answers, and speaks the handshake era only. */
static bool is_old(const json_t *result)
{
    const json_t *names = json_get(result, STR("supportedVersions"));
    return !common(mcp_versions_stateless(), names) && common(mcp_versions_handshake(), names);
}

static rc_t discovered(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t answer, id = c->id;
    const json_t *result = json_get(m->root, STR("result"));
    if (s->t->host == MCP_ERA_STATELESS && is_old(result))
        return try_handshake(s, c);
    be_open(s, MCP_ERA_STATELESS, c->version);
    if (s->t->host == MCP_ERA_HANDSHAKE) {
        TRY(talk_up_initialize_result(s, result, &answer));
        TRY(talk_say_result(s, id, answer));
    } else {
        TRY(answer_discoveries(s, c, result->raw));
    }
    talk_call_drop(s->t, c);
    return talk_flush(s);
}

/* The stateless way of opening for a host of the handshake era, after its own was refused. */
static rc_t try_stateless(talk_step_t *s, talk_call_t *c, str_t refusal)
{
    str_t meta, id = c->id;
    const json_t *params, *root;
    TRY(talk_keep(&s->t->refusal, refusal));
    TRY(mcp_link_parse(s->a, s->t->params, &params));
    TRY(talk_up_meta(s, params, &meta));
    TRY(talk_keep(&s->t->meta, meta));
    TRY(mcp_link_parse(s->a, meta, &root));
    c->id = STR_UNSET;
    talk_call_drop(s->t, c);
    rc_t rc = send_discover(s, mcp_versions_stateless().v, root);
    if (rc == RC_OK) {
        for (talk_call_t *d = s->t->calls; d; d = d->next) {
            if (d->kind == TALK_CALL_DISCOVER)
                d->id = id;
        }
        return RC_OK;
    }
    talk_unkeep(&id);
    return rc;
}

/* A refusal in words of 2026-07-28 comes from a server that speaks it (Streamable HTTP, "Backward
 * Compatibility"); one that speaks another revision of it only says so with the list of those. */
static bool is_modern(const json_t *error)
{
    int64_t code = 0;
    json_get_i64(error, STR("code"), &code);
    if (code == UNSUPPORTED_VERSION)
        return common(mcp_versions_stateless(), json_path(error, STR("data.supported"))) != NULL;
    return code == HEADER_MISMATCH || code == MISSING_CAPABILITY;
}

static rc_t refused(talk_step_t *s, talk_call_t *c, const json_t *error)
{
    bool was_initialize = c->kind == TALK_CALL_INITIALIZE;
    if (s->t->phase == TALK_RENEWING)
        return end_opening(s, c, error->raw);
    if (s->t->host == MCP_ERA_HANDSHAKE)
        return was_initialize ? try_stateless(s, c, error->raw) : end_opening(s, c, error->raw);
    if (was_initialize)
        return end_opening(s, c, error->raw);
    if (!is_modern(error))
        return try_handshake(s, c);
    be_open(s, MCP_ERA_STATELESS, c->version);
    talk_call_drop(s->t, c);
    return talk_flush(s);
}

rc_t talk_open_answer(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    static const mcp_link_failure_t NO_OBJECT = {.end = MCP_LINK_MALFORMED};
    const json_t *error = json_get(m->root, STR("error"));
    if (error)
        return refused(s, c, error);
    if (!json_is(json_get(m->root, STR("result")), JSON_OBJECT))
        return talk_failed(s, c, &NO_OBJECT);
    return c->kind == TALK_CALL_INITIALIZE ? initialize_taken(s, c, m) : discovered(s, c, m);
}

static bool is_refusal(const mcp_link_failure_t *why)
{
    bool status =
        why->status == BAD_REQUEST || why->status == NOT_FOUND || why->status == NOT_ALLOWED;
    return (why->end == MCP_LINK_HTTP || why->end == MCP_LINK_LOST) && status;
}

/* The body of a refusal may say more than its status. */
static rc_t error_in(talk_step_t *s, const mcp_link_failure_t *why, const json_t **out)
{
    str_t text;
    const json_t *body = NULL;
    rc_t rc = mcp_link_parse(s->a, why->detail.p ? why->detail : STR(""), &body);
    if (rc == RC_MEMORY)
        return rc;
    *out = rc == RC_OK ? json_get(body, STR("error")) : NULL;
    if (json_is(*out, JSON_OBJECT))
        return RC_OK;
    TRY(talk_failure_text(s->a, why, &text));
    return mcp_link_parse(s->a, text, out);
}

rc_t talk_open_failed(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why)
{
    const json_t *error;
    str_t text;
    if (is_refusal(why)) {
        TRY(error_in(s, why, &error));
        return refused(s, c, error);
    }
    TRY(talk_failure_text(s->a, why, &text));
    /* What was refused first is not why. */
    talk_unkeep(&s->t->refusal);
    return end_opening(s, c, text);
}
