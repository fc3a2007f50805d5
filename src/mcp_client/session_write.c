#include "mcp_client/session_state.h"

enum { CAPABILITIES_BYTES = 65536, AROUND_BYTES = 8192 };

#define RESERVED "io.modelcontextprotocol/"

static void empty(json_writer_t *w, str_t name)
{
    json_key(w, name);
    json_begin_object(w);
    json_end_object(w);
}

static void write_elicitation(json_writer_t *w, const mcp_client_handlers_t *h)
{
    json_key(w, STR("elicitation"));
    json_begin_object(w);
    if (h->elicits)
        empty(w, STR("form"));
    if (h->elicits_url)
        empty(w, STR("url"));
    json_end_object(w);
}

str_t session_capabilities(arena_t *a, const mcp_client_config_t *config)
{
    str_t out;
    const mcp_client_handlers_t *h = &config->handlers;
    buf_t b = buf_new(a, CAPABILITIES_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (h->ask && (h->elicits || h->elicits_url))
        write_elicitation(&w, h);
    if (h->ask && h->samples)
        empty(&w, STR("sampling"));
    if (h->ask && h->has_roots)
        empty(&w, STR("roots"));
    if (config->extensions.p) {
        json_key(&w, STR("extensions"));
        json_raw(&w, config->extensions);
    }
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static void raw_member(json_writer_t *w, str_t name, str_t json)
{
    if (!json.p)
        return;
    json_key(w, name);
    json_raw(w, json);
}

static void write_info(json_writer_t *w, const mcp_client_config_t *config)
{
    json_begin_object(w);
    json_member_str(w, STR("name"), config->name);
    json_member_str(w, STR("version"), config->version);
    json_end_object(w);
}

static void write_meta(json_writer_t *w, const mcp_client_t *c, const session_request_t *r,
                       uint64_t id, const json_t *given)
{
    static const str_t OWN[] = {STR_INIT("progressToken"), STR_INIT(RESERVED "protocolVersion"),
                                STR_INIT(RESERVED "clientInfo"),
                                STR_INIT(RESERVED "clientCapabilities")};
    bool stateless = r->version && r->version->era == MCP_ERA_STATELESS;
    if (!stateless && !r->progress && !given)
        return;
    json_key(w, STR("_meta"));
    json_begin_object(w);
    if (stateless) {
        json_member_str(w, OWN[1], r->version->name);
        json_key(w, OWN[2]);
        write_info(w, &c->config);
        raw_member(w, OWN[3], c->capabilities);
    }
    if (r->progress)
        json_member_int(w, OWN[0], (int64_t)id);
    json_members_but(w, given, r->progress ? (str_list_t){OWN, 4} : (str_list_t){OWN + 1, 3});
    json_end_object(w);
}

static void write_params(json_writer_t *w, const mcp_client_t *c, const session_request_t *r,
                         uint64_t id, const json_t *params)
{
    static const str_t OWN[] = {STR_INIT("_meta"), STR_INIT("inputResponses"),
                                STR_INIT("requestState")};
    bool stateless = r->version && r->version->era == MCP_ERA_STATELESS;
    if (!stateless && !params && !r->progress)
        return;
    json_key(w, STR("params"));
    json_begin_object(w);
    json_members_but(w, params, (str_list_t){OWN, stateless ? 3 : 1});
    raw_member(w, OWN[1], r->responses);
    raw_member(w, OWN[2], r->state);
    write_meta(w, c, r, id, json_get(params, OWN[0]));
    json_end_object(w);
}

rc_t session_write(arena_t *a, const mcp_client_t *c, const session_request_t *r, uint64_t id,
                   str_t *out)
{
    const json_t *params = NULL;
    if (r->params.p)
        TRY(mcp_link_parse(a, r->params, &params));
    if (params && !json_is(params, JSON_OBJECT))
        return RC_MALFORMED;
    buf_t b = buf_new(a, r->params.n + r->responses.n + r->state.n + c->capabilities.n +
                             6 * (c->config.name.n + c->config.version.n) + AROUND_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_int(&w, STR("id"), (int64_t)id);
    json_member_str(&w, STR("method"), r->method);
    write_params(&w, c, r, id, params);
    json_end_object(&w);
    return buf_done(&b, out);
}

str_t session_write_notification(arena_t *a, str_t method, str_t params)
{
    str_t out;
    buf_t b = buf_new(a, params.n + 6 * method.n + AROUND_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), method);
    raw_member(&w, STR("params"), params);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static void write_defaults(json_writer_t *w, const json_t *params, const json_t *content)
{
    const json_t *properties = json_path(params, STR("requestedSchema.properties"));
    for (const json_t *p = json_is(properties, JSON_OBJECT) ? properties->child : NULL; p;
         p = p->next) {
        const json_t *value = json_get(p, STR("default"));
        if (value && !json_get(content, p->key))
            raw_member(w, p->key, value->raw);
    }
}

static bool is_accepted_form(const json_t *params, const json_t *result)
{
    str_t mode = json_get_str(params, STR("mode"));
    const json_t *content = json_get(result, STR("content"));
    return str_eq(json_get_str(result, STR("action")), STR("accept")) &&
           (!mode.p || str_eq(mode, STR("form"))) && (!content || json_is(content, JSON_OBJECT));
}

rc_t session_fill_form(arena_t *a, const json_t *params, str_t *result)
{
    static const str_t CONTENT = STR_INIT("content");
    const json_t *given;
    TRY(mcp_link_parse(a, *result, &given));
    if (!is_accepted_form(params, given))
        return RC_OK;
    buf_t b = buf_new(a, result->n + params->raw.n + AROUND_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_members_but(&w, given, (str_list_t){&CONTENT, 1});
    json_key(&w, CONTENT);
    json_begin_object(&w);
    json_members_but(&w, json_get(given, CONTENT), (str_list_t){NULL, 0});
    write_defaults(&w, params, json_get(given, CONTENT));
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, result);
}
