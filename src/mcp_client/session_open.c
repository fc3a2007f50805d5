#include "mcp_client/session_state.h"

enum {
    UNSUPPORTED_VERSION = -32022,
    MISSING_CAPABILITY = -32021,
    HEADER_MISMATCH = -32020,
    METHOD_NOT_FOUND = -32601,
    SERVER_BYTES = LIMIT_MCP_CLIENT_MESSAGE_BYTES + 65536,
    PARAMS_BYTES = 131072,
};

static int64_t due_of(const mcp_client_t *c)
{
    return c->config.call_ms > 0 ? clock_micros() / 1000 + c->config.call_ms : 0;
}

static rc_t refused(mcp_client_failure_t *why, str_t detail)
{
    *why = (mcp_client_failure_t){.link = {.end = MCP_LINK_MALFORMED, .detail = detail}};
    return RC_NOT_FOUND;
}

/* From now on calls are made in that revision. `server`: JSON, or unset. */
static rc_t settle(mcp_client_t *c, const mcp_version_t *version, str_t server)
{
    arena_t *a = arena_new(SERVER_BYTES);
    str_t copy = a ? arena_dup(a, server) : STR_UNSET;
    if (!a || (server.p && !copy.p)) {
        arena_free(a);
        return RC_MEMORY;
    }
    pthread_mutex_lock(&c->lock);
    c->version = version;
    c->opened++;
    /* Of the first one: slices of it were given away. */
    if (!c->server_a) {
        c->server = copy;
        c->server_a = a;
        a = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    arena_free(a);
    return RC_OK;
}

/* ---- up to 2025-11-25 ---- */

static str_t initialize_params(arena_t *a, const mcp_client_t *c)
{
    str_t out;
    buf_t b = buf_new(a, PARAMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("protocolVersion"), mcp_versions_handshake().v[0].name);
    json_key(&w, STR("capabilities"));
    json_raw(&w, c->capabilities);
    json_key(&w, STR("clientInfo"));
    json_begin_object(&w);
    json_member_str(&w, STR("name"), c->config.name);
    json_member_str(&w, STR("version"), c->config.version);
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static rc_t negotiate(arena_t *a, str_t result, const mcp_version_t **out,
                      mcp_client_failure_t *why)
{
    const json_t *root;
    TRY(mcp_link_parse(a, result, &root));
    str_t name = json_get_str(root, STR("protocolVersion"));
    *out = mcp_version_of_server(name);
    if (*out)
        return RC_OK;
    str_t detail = arena_printf(
        a, "the server speaks revision %" PRIstr ", which is not known here", STR_ARG(name));
    return refused(why, detail);
}

rc_t session_initialize(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why)
{
    str_t result;
    const mcp_version_t *version;
    const session_request_t r = {
        .method = STR("initialize"), .params = initialize_params(a, c), .due = due_of(c)};
    if (!r.params.p)
        return RC_MEMORY;
    TRY(session_ask(c, a, &r, &result, why));
    TRY(negotiate(a, result, &version, why));
    TRY(settle(c, version, result));
    TRY(mcp_client_notify(c, STR("notifications/initialized"), STR_UNSET));
    rc_t rc = mcp_link_listen(c->link, version);
    return rc == RC_CONFLICT ? RC_OK : rc;
}

/* ---- the probe ---- */

typedef enum {
    SPEAKS_STATELESS,
    SPEAKS_HANDSHAKE,
    SPEAKS_STRANGE, /* no revision that is known here */
    SPEAKS_UNKNOWN, /* nothing that tells: most likely of the handshake era */
    SPEAKS_NOT,     /* no answer of the protocol at all */
} speaks_t;

static bool lists_one_of(const json_t *list, mcp_versions_t among)
{
    for (const json_t *v = json_is(list, JSON_ARRAY) ? list->child : NULL; v; v = v->next) {
        if (mcp_version_find(among, v->str))
            return true;
    }
    return false;
}

static speaks_t speaks_of_list(const json_t *list)
{
    if (lists_one_of(list, mcp_versions_stateless()))
        return SPEAKS_STATELESS;
    return lists_one_of(list, mcp_versions_handshake()) ? SPEAKS_HANDSHAKE : SPEAKS_STRANGE;
}

/* Errors that only the stateless era has tell its servers (2026-07-28, Streamable HTTP, "Backward
 * Compatibility"). */
static speaks_t speaks_of_error(int64_t code, const json_t *data)
{
    if (code == UNSUPPORTED_VERSION)
        return speaks_of_list(json_get(data, STR("supported")));
    bool modern = code == HEADER_MISMATCH || code == MISSING_CAPABILITY;
    return modern ? SPEAKS_STATELESS : SPEAKS_UNKNOWN;
}

static bool is_learnable(int status)
{
    static const int STATUS[] = {400, 404, 405, 406, 410, 415, 422, 500, 501};
    for (size_t i = 0; i < sizeof STATUS / sizeof *STATUS; i++) {
        if (STATUS[i] == status)
            return true;
    }
    return false;
}

static const json_t *parsed(arena_t *a, str_t text)
{
    const json_t *root = NULL;
    return text.p && mcp_link_parse(a, text, &root) == RC_OK ? root : NULL;
}

static speaks_t speaks_of_failure(arena_t *a, const mcp_client_failure_t *why)
{
    if (why->is_rpc_error)
        return speaks_of_error(why->code, parsed(a, why->data));
    if (why->link.end != MCP_LINK_HTTP || !is_learnable(why->link.status))
        return SPEAKS_NOT;
    int64_t code = 0;
    const json_t *error = json_get(parsed(a, why->link.detail), STR("error"));
    (void)json_get_i64(error, STR("code"), &code);
    return speaks_of_error(code, json_get(error, STR("data")));
}

/* A result that is none of discovery comes from servers that answer whatever they are asked. */
static speaks_t speaks_of_result(const json_t *result)
{
    const json_t *list = json_get(result, STR("supportedVersions"));
    return json_is(list, JSON_ARRAY) ? speaks_of_list(list) : SPEAKS_UNKNOWN;
}

/* 404 with "method not found": a server of the stateless era, if it cannot be initialized either.
 */
static bool lacks_discovery(arena_t *a, const mcp_client_failure_t *why)
{
    int64_t code = why->code;
    if (!why->is_rpc_error)
        (void)json_get_i64(json_get(parsed(a, why->link.detail), STR("error")), STR("code"), &code);
    return code == METHOD_NOT_FOUND && (why->is_rpc_error || why->link.status == 404);
}

static rc_t discover(mcp_client_t *c, arena_t *a, str_t *result, mcp_client_failure_t *why)
{
    const session_request_t r = {.method = STR("server/discover"),
                                 .version = mcp_versions_stateless().v,
                                 .probe = true,
                                 .due = due_of(c)};
    return session_ask(c, a, &r, result, why);
}

static rc_t settle_stateless(mcp_client_t *c, str_t server)
{
    return settle(c, mcp_versions_stateless().v, server);
}

static rc_t no_revision(mcp_client_failure_t *why)
{
    return refused(why, STR("the server speaks no revision of the protocol that is known here"));
}

static rc_t open_unknown(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why)
{
    bool bare = lacks_discovery(a, why);
    rc_t rc = session_initialize(c, a, why);
    bool refused_both = rc == RC_NOT_FOUND && lacks_discovery(a, why);
    return bare && refused_both ? settle_stateless(c, STR_UNSET) : rc;
}

static rc_t open_any(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why)
{
    str_t result;
    rc_t rc = discover(c, a, &result, why);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    speaks_t speaks = rc == RC_OK ? speaks_of_result(parsed(a, result)) : speaks_of_failure(a, why);
    switch (speaks) {
    case SPEAKS_STATELESS:
        return settle_stateless(c, rc == RC_OK ? result : STR_UNSET);
    case SPEAKS_HANDSHAKE:
        return session_initialize(c, a, why);
    case SPEAKS_UNKNOWN:
        return open_unknown(c, a, why);
    case SPEAKS_STRANGE:
        return no_revision(why);
    case SPEAKS_NOT:
        break;
    }
    return rc;
}

/* Discovery is no more than an introduction then. */
static rc_t open_stateless(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why)
{
    str_t result;
    rc_t rc = discover(c, a, &result, why);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    speaks_t speaks = rc == RC_OK ? speaks_of_result(parsed(a, result)) : speaks_of_failure(a, why);
    if (speaks == SPEAKS_NOT)
        return rc;
    if (speaks == SPEAKS_HANDSHAKE || speaks == SPEAKS_STRANGE)
        return no_revision(why);
    return settle_stateless(c, speaks == SPEAKS_STATELESS && rc == RC_OK ? result : STR_UNSET);
}

rc_t session_open(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why)
{
    switch (c->config.era) {
    case MCP_CLIENT_HANDSHAKE:
        return session_initialize(c, a, why);
    case MCP_CLIENT_STATELESS:
        return open_stateless(c, a, why);
    default:
        return open_any(c, a, why);
    }
}
