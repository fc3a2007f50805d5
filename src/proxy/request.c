#include "proxy/relay.h"

#include "core/limits.h"
#include "mcp/headers.h"

/* Header fields of http/ as mcp/ reads them, which knows no HTTP. */
_Static_assert(sizeof(mcp_field_t) == sizeof(http_header_t) &&
                   offsetof(mcp_field_t, value) == offsetof(http_header_t, value),
               "both are a name and a value");

/* Whoever else reads the request may take the other one. */
static bool is_repeated(const relay_t *r, str_t name)
{
    return http_headers_count(r->x->headers, name) > 1;
}

/* A loopback name is taken everywhere: proxies in front send it, and no browser can be made to. The
 * upstream is chosen by path alone, whatever Host says. */
relay_step_t relay_check_host(relay_t *r)
{
    str_list_t own = {&r->route->host, 1};
    if (mcp_host_allowed(http_header(r->x, STR("Host")), own))
        return STEP_ON;
    return relay_refuse_for(r, r->route->local ? RELAY_REBOUND_HOST : RELAY_FOREIGN_HOST);
}

static bool is_own_origin(const relay_t *r, str_t origin)
{
    str_t resource = r->route->resource;
    size_t host = str_find(resource, ':', 0) + sizeof "//";
    return str_eq(origin, str_first(resource, str_find(resource, '/', host)));
}

static bool is_loopback_origin(str_t origin)
{
    url_t u;
    return url_parse(origin, &u) == RC_OK && u.host.p && url_host_is_loopback(u.host);
}

/* Pages on loopback may call a server on loopback, and others where the settings name them. */
static bool may_call(const relay_t *r, str_t origin)
{
    str_list_t named = r->route->conf->origins;
    if (!origin.p)
        return true;
    if (!r->route->local && is_loopback_origin(origin))
        return str_list_has(named, origin);
    return mcp_origin_allowed(origin, named) || is_own_origin(r, origin);
}

relay_step_t relay_check_origin(relay_t *r)
{
    str_t origin = http_header(r->x, STR("Origin"));
    if (!is_repeated(r, STR("Origin")) && may_call(r, origin))
        return STEP_ON;
    return relay_refuse_for(r, RELAY_FOREIGN_ORIGIN);
}

static void on_verdict(void *arg, const access_verdict_t *verdict)
{
    relay_t *r = arg;
    r->verdict = verdict;
    r->facts.who = verdict->who;
    relay_resume(r);
}

relay_step_t relay_ask_access(relay_t *r)
{
    r->route->ports->check(r->route->access, r->x, on_verdict, r);
    return STEP_WAIT;
}

relay_step_t relay_check_access(relay_t *r)
{
    const access_verdict_t *v = r->verdict;
    if (v->allowed)
        return STEP_ON;
    relay_refusal_t refusal = {
        .status = v->status,
        .reason = v->reason,
        .challenge = v->challenge,
        .body = v->body.p ? v->body : STR(""),
        .retry_s = v->status == 503 ? (uint32_t)(v->retry_after_s > 0 ? v->retry_after_s : 1) : 0,
    };
    return relay_refuse(r, &refusal);
}

static rc_t take_fields(relay_t *r)
{
    http_headers_t h = r->x->headers;
    mcp_field_t *v = ARENA_ARRAY(r->x->arena, h.n, mcp_field_t);
    if (!v)
        return RC_MEMORY;
    if (h.n > 0)
        memcpy(v, h.v, h.n * sizeof *v);
    r->fields = (mcp_fields_t){v, h.n};
    return RC_OK;
}

static bool takes(const relay_t *r, str_t type)
{
    return http_media_accepts(http_header(r->x, STR("Accept")), type);
}

/* Whoever comes behind this hop would read the message without what was read here. */
static bool is_needed_behind(str_t name)
{
    str_t repeated = STR("Mcp-");
    return str_eq_nocase(name, STR("Content-Type")) || str_eq_nocase(name, STR("Accept")) ||
           str_eq_nocase(str_first(name, repeated.n), repeated);
}

static bool withholds_needed(const relay_t *r)
{
    http_headers_t h = r->x->headers;
    size_t hops = relay_hops(r);
    if (hops == 0 || hops > LIMIT_HTTP_HEADERS)
        return hops > 0;
    for (size_t i = 0; i < h.n; i++) {
        if (is_needed_behind(h.v[i].name) && relay_is_hop(r, h.v[i].name))
            return true;
    }
    return false;
}

/* GET and DELETE: they are authorized as methods of that name. */
relay_step_t relay_read_bare(relay_t *r)
{
    if (take_fields(r) != RC_OK)
        return relay_refuse_for(r, RELAY_MEMORY);
    if (withholds_needed(r))
        return relay_refuse_for(r, RELAY_HOP_FIELD);
    if (r->facts.message)
        return STEP_ON;
    mcp_error_t e = mcp_operation_read_bare(r->fields, &r->version);
    if (e != MCP_NO_ERROR)
        return relay_refuse_mcp(r, e);
    if (r->x->method == HTTP_GET && !takes(r, STR("text/event-stream")))
        return relay_refuse_mcp(r, MCP_ERROR_NOT_ACCEPTABLE);
    r->operation.message = (mcp_message_t){.kind = MCP_REQUEST, .method = r->facts.method};
    r->operation.version = r->version;
    return STEP_ON;
}

static mcp_error_t read(relay_t *r)
{
    rc_t rc;
    bool acceptable = takes(r, STR("application/json")) || takes(r, STR("text/event-stream"));
    if (!acceptable)
        return MCP_ERROR_NOT_ACCEPTABLE;
    if (!(r->x->media & HTTP_BODY_JSON))
        return MCP_ERROR_NOT_JSON;
    if ((int64_t)r->x->body.n > r->route->conf->max_body_bytes)
        return MCP_ERROR_TOO_LARGE;
    mcp_error_t e = mcp_operation_read(r->x->arena, r->fields, r->x->body, &r->operation, &rc);
    return rc == RC_OK ? e : MCP_ERROR_BUSY;
}

relay_step_t relay_read_message(relay_t *r)
{
    if (!r->facts.message)
        return STEP_ON;
    mcp_error_t e = read(r);
    r->facts.id = r->operation.message.id;
    if (e != MCP_NO_ERROR)
        return relay_refuse_mcp(r, e);
    const mcp_operation_t *o = &r->operation;
    r->version = o->version;
    r->facts.method = o->message.method;
    r->facts.kind = o->message.kind;
    r->facts.object = o->object;
    r->facts.name = o->name;
    r->facts.era = o->era;
    r->facts.asked = asked_of(o);
    return STEP_ON;
}
