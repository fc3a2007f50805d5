#include "mcp/headers.h"

const mcp_version_t *mcp_header_version(str_t value)
{
    if (!value.p)
        return mcp_version_assumed();
    return mcp_version_find(mcp_versions_handshake(), value);
}

bool mcp_session_id_is_valid(str_t value)
{
    if (value.n == 0 || value.n > MCP_SESSION_ID_BYTES)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < 0x21 || value.p[i] > 0x7e)
            return false;
    }
    return true;
}

/* An origin is scheme, host and port, and nothing behind (RFC 6454 section 6.1). */
static bool is_origin(const url_t *u)
{
    return url_is_http(u) && !u->userinfo.p && u->path.n == 0 && !u->query.p && !u->fragment.p;
}

bool mcp_origin_allowed(str_t origin, str_list_t allowed)
{
    url_t u;
    if (!origin.p)
        return true;
    if (url_parse(origin, &u) != RC_OK || !is_origin(&u))
        return false;
    return url_host_is_loopback(u.host) || str_list_has(allowed, origin);
}

static str_t without_port(str_t host)
{
    size_t from = host.n > 0 && host.p[0] == '[' ? str_find(host, ']', 0) : 0;
    return str_first(host, str_find(host, ':', from));
}

bool mcp_host_allowed(str_t host, str_list_t hosts)
{
    str_t name = without_port(host);
    if (url_host_is_loopback(name))
        return true;
    for (size_t i = 0; i < hosts.n; i++) {
        if (str_eq_nocase(hosts.v[i], name))
            return true;
    }
    return false;
}
