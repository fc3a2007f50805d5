/* The well-known places of a resource and of an authorization server. */
#include "client/discovery.h"
#include "core/url.h"

typedef struct {
    arena_t *a;
    str_t front; /* scheme and authority, as they were written */
    str_t *v;
    size_t n;
} places_t;

static rc_t begin(arena_t *a, const url_t *u, places_t *p)
{
    const char *path = u->path.p;
    *p = (places_t){.a = a, .front = str_of(u->text.p, (size_t)(path - u->text.p))};
    p->v = ARENA_ARRAY(a, CLIENT_PLACES_MAX, str_t);
    return p->v ? RC_OK : RC_MEMORY;
}

static rc_t add(places_t *p, str_t first, str_t second, str_t query)
{
    const char *mark = str_is_set(query) ? "?" : "";
    str_t place =
        arena_printf(p->a, "%" PRIstr "%" PRIstr "%" PRIstr "%s%" PRIstr, STR_ARG(p->front),
                     STR_ARG(first), STR_ARG(second), mark, STR_ARG(query));
    p->v[p->n++] = place;
    return str_is_set(place) ? RC_OK : RC_MEMORY;
}

rc_t client_resource_places(arena_t *a, str_t url, str_list_t *out)
{
    static const str_t SUFFIX = STR_INIT("/.well-known/oauth-protected-resource");
    url_t u;
    places_t p;
    *out = (str_list_t){0};
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return RC_MALFORMED;
    TRY(begin(a, &u, &p));
    str_t path = str_eq(u.path, STR("/")) ? STR("") : u.path;
    if (path.n > 0 || str_is_set(u.query))
        TRY(add(&p, SUFFIX, path, u.query));
    TRY(add(&p, SUFFIX, STR(""), STR_UNSET));
    *out = (str_list_t){p.v, p.n};
    return RC_OK;
}

rc_t client_server_places(arena_t *a, str_t issuer, str_list_t *out)
{
    static const str_t OAUTH = STR_INIT("/.well-known/oauth-authorization-server");
    static const str_t OPENID = STR_INIT("/.well-known/openid-configuration");
    url_t u;
    places_t p;
    *out = (str_list_t){0};
    if (url_parse(issuer, &u) != RC_OK || !url_is_http(&u) || str_is_set(u.query) ||
        str_is_set(u.fragment))
        return RC_MALFORMED;
    TRY(begin(a, &u, &p));
    str_t path = str_ends(u.path, STR("/")) ? str_first(u.path, u.path.n - 1) : u.path;
    TRY(add(&p, OAUTH, path, STR_UNSET));
    TRY(add(&p, OPENID, path, STR_UNSET));
    if (path.n > 0)
        TRY(add(&p, path, OPENID, STR_UNSET));
    *out = (str_list_t){p.v, p.n};
    return RC_OK;
}
