#include "http/agent_proxy.h"

#include "http/agent_request.h"

/* "a.test" and ".a.test" both mean a.test and every name under it. */
static bool is_under(str_t host, str_t name)
{
    if (str_starts(name, STR(".")))
        name = str_skip(name, 1);
    if (name.n == 0 || host.n < name.n || !str_eq_nocase(str_skip(host, host.n - name.n), name))
        return false;
    return host.n == name.n || host.p[host.n - name.n - 1] == '.';
}

static bool is_spared(str_t list, str_t host)
{
    http_addr_t a;
    http_cidr_t range;
    str_t bare = str_trim(host, "[]");
    bool is_address = http_addr_parse(bare, &a) == RC_OK;
    for (str_t part; str_split(&list, ',', &part);) {
        part = str_trim(part, " \t");
        if (str_eq(part, STR("*")))
            return true;
        if (!is_address && is_under(bare, part))
            return true;
        if (is_address && http_cidr_parse(str_trim(part, "[]"), &range) == RC_OK &&
            http_cidr_has(&range, &a))
            return true;
    }
    return false;
}

str_t http_proxy_for(const http_proxy_vars_t *vars, const url_t *u)
{
    str_t proxy = url_is_https(u) ? vars->https : vars->http;
    if (!str_is_set(proxy))
        proxy = vars->all;
    if (str_is_empty(proxy) || http_host_is_here(u->host) || is_spared(vars->none, u->host))
        return STR_UNSET;
    return proxy;
}
