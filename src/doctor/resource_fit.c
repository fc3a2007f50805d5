#include "doctor/resource_fit.h"

static str_t without_slash(str_t path)
{
    return path.n > 0 && path.p[path.n - 1] == '/' ? str_first(path, path.n - 1) : path;
}

static bool is_front(str_t front, str_t path)
{
    front = without_slash(front);
    return str_starts(path, front) && (path.n == front.n || path.p[front.n] == '/');
}

static doctor_fit_t fit_origins(const url_t *resource, const url_t *url)
{
    bool one_host = str_eq_nocase(resource->host, url->host);
    bool both_default = !str_is_set(resource->port) && !str_is_set(url->port);
    bool one_port = both_default || str_eq(resource->port, url->port);
    return one_host && one_port && url_is_https(url) && !url_is_https(resource) ? DOCTOR_FIT_PLAIN
                                                                                : DOCTOR_FIT_ORIGIN;
}

/* Of one origin; what stands behind the path of the URL is no part of its identity here. */
static doctor_fit_t fit_paths(const url_t *resource, const url_t *url)
{
    bool bare = without_slash(resource->path).n == 0 && without_slash(url->path).n == 0;
    bool same_rest = str_eq(resource->query, url->query);
    if (same_rest && (bare || str_eq(resource->path, url->path)))
        return DOCTOR_FIT_SAME;
    if (same_rest && str_eq(without_slash(resource->path), without_slash(url->path)))
        return DOCTOR_FIT_SLASH;
    return is_front(resource->path, url->path) ? DOCTOR_FIT_WIDER : DOCTOR_FIT_PATH;
}

doctor_fit_t doctor_resource_fit(arena_t *a, const doctor_facts_t *f)
{
    url_t u;
    str_t text = json_get_str(f->resource, STR("resource"));
    if (!str_is_set(text))
        return DOCTOR_FIT_NONE;
    if (url_parse(text, &u) != RC_OK || !url_is_http(&u))
        return DOCTOR_FIT_ORIGIN;
    if (!str_eq(doctor_origin(a, text), doctor_origin(a, f->url)))
        return fit_origins(&u, &f->parts);
    return fit_paths(&u, &f->parts);
}
