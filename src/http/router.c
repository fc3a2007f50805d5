#include "http/router.h"

static bool path_matches(const http_route_t *r, str_t path)
{
    if (r->path.n == path.n)
        return memcmp(r->path.p, path.p, path.n) == 0;
    if ((r->flags & HTTP_ROUTE_SUFFIX) && str_ends(path, r->path))
        return true;
    if ((r->flags & HTTP_ROUTE_PREFIX) && r->path.n == 1)
        return true;
    return (r->flags & HTTP_ROUTE_PREFIX) && path.n > r->path.n && path.p[r->path.n] == '/' &&
           memcmp(r->path.p, path.p, r->path.n) == 0;
}

static unsigned row_methods(const http_route_t *r)
{
    bool implies = (r->methods & HTTP_M(GET)) && !(r->flags & HTTP_ROUTE_NO_HEAD);
    return r->methods | (implies ? HTTP_M(HEAD) : 0);
}

/* The longest path that matches; an exact one is the longest there can be. */
static size_t best_length(const http_routes_t *routes, str_t path)
{
    size_t best = 0;
    for (size_t i = 0; i < routes->n; i++) {
        if (routes->v[i].path.n > best && path_matches(&routes->v[i], path))
            best = routes->v[i].path.n;
    }
    return best;
}

http_match_t http_router_match(const http_routes_t *routes, http_method_t method, str_t path)
{
    http_match_t m = {HTTP_MATCH_NOT_FOUND, NULL, 0};
    size_t best = best_length(routes, path);
    if (best == 0)
        return m;
    m.kind = method == HTTP_OPTIONS ? HTTP_MATCH_OPTIONS : HTTP_MATCH_NOT_ALLOWED;
    m.allowed = HTTP_M(OPTIONS);
    for (size_t i = 0; i < routes->n; i++) {
        const http_route_t *r = &routes->v[i];
        if (r->path.n != best || !path_matches(r, path))
            continue;
        m.allowed |= row_methods(r);
        bool takes = method != HTTP_OPTIONS && (row_methods(r) & (1u << method));
        if (takes)
            m.kind = HTTP_MATCH_FOUND;
        if (takes || !m.route)
            m.route = r;
    }
    return m;
}

str_t http_router_rest(const http_route_t *route, str_t path)
{
    if (path.n == route->path.n || !str_starts(path, route->path))
        return STR("");
    /* Only "/" ends with a slash, and that one belongs to the rest. */
    return route->path.n == 1 ? path : str_skip(path, route->path.n);
}

static const char *row_fault(const http_route_t *r)
{
    if (r->path.n == 0 || r->path.p[0] != '/')
        return "a route's path must begin with a slash";
    if (r->path.n > 1 && str_ends(r->path, STR("/")))
        return "a route's path must not end with a slash";
    if (!r->handler || !r->methods || r->methods & HTTP_M(OPTIONS))
        return "a route needs a handler and methods, OPTIONS not among them";
    if ((r->flags & HTTP_ROUTE_PAGE) && r->cors != HTTP_CORS_NONE)
        return "a page route must not have CORS";
    return NULL;
}

static bool is_twice(const http_routes_t *routes, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        const http_route_t *a = &routes->v[i], *b = &routes->v[k];
        if (str_eq(a->path, b->path) && (row_methods(a) & row_methods(b)))
            return true;
    }
    return false;
}

rc_t http_router_check(const http_routes_t *routes, str_t *why)
{
    for (size_t i = 0; i < routes->n; i++) {
        const char *fault = row_fault(&routes->v[i]);
        if (!fault && is_twice(routes, i))
            fault = "two routes have the same method and path";
        if (!fault)
            continue;
        *why = str_c(fault);
        return RC_CONFIG;
    }
    return RC_OK;
}

str_t http_router_allow_text(unsigned methods, char out[HTTP_ALLOW_TEXT])
{
    size_t n = 0;
    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
        if (!(methods & (1u << m)))
            continue;
        str_t name = http_method_name((http_method_t)m);
        if (n) {
            memcpy(out + n, ", ", 2);
            n += 2;
        }
        memcpy(out + n, name.p, name.n);
        n += name.n;
    }
    return str_of(out, n);
}
