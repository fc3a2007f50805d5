#include "proxy/route.h"

static bool is_twin(str_t path, str_t own)
{
    return own.n > 1 && path.n == own.n + 1 && path.p[own.n] == '/' && str_starts(path, own);
}

const route_t *route_find(const route_set_t *s, str_t path)
{
    const route_t *twin = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (str_eq(path, s->v[i].conf->path))
            return &s->v[i];
        if (is_twin(path, s->v[i].conf->path))
            twin = &s->v[i];
    }
    return twin;
}

static bool has_metadata_at(const route_t *r, str_t path)
{
    str_t at;
    for (size_t i = 0; (at = r->ports->metadata_path(r->access, i)).p; i++) {
        if (str_eq(at, path))
            return true;
    }
    return false;
}

/* Of several resources none but that of the root itself may stand for the host. */
static bool may_have(const route_set_t *s, const route_t *r, str_t path)
{
    bool root = str_eq(path, STR("/.well-known/oauth-protected-resource"));
    return !root || s->n == 1 || str_eq(r->conf->path, STR("/"));
}

const route_t *route_find_metadata(const route_set_t *s, str_t path)
{
    for (size_t i = 0; i < s->n; i++) {
        if (may_have(s, &s->v[i], path) && has_metadata_at(&s->v[i], path))
            return &s->v[i];
    }
    return NULL;
}
