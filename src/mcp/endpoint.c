#include "mcp/endpoint.h"

#include "core/limits.h"
#include "core/url.h"

/* The base up to what the reference begins with. */
static str_t kept_of(const url_t *base, str_t reference)
{
    size_t authority = (size_t)(base->path.p - base->text.p);
    size_t path = base->path.n;
    if (reference.n > 1 && reference.p[0] == '/' && reference.p[1] == '/')
        return str_first(base->text, base->scheme.n + 1);
    if (reference.p[0] == '/')
        return str_first(base->text, authority);
    while (reference.p[0] != '?' && path > 0 && base->path.p[path - 1] != '/')
        path--;
    return str_first(base->text, authority + path);
}

static bool has_scheme(str_t reference)
{
    size_t colon = str_find(reference, ':', 0);
    return colon < str_find(reference, '/', 0) && colon < str_find(reference, '?', 0);
}

static rc_t merge(arena_t *a, const url_t *base, str_t reference, str_t *out)
{
    str_t kept = has_scheme(reference) ? STR("") : kept_of(base, reference);
    bool bare = base->path.n == 0 && reference.p[0] != '/' && !has_scheme(reference);
    *out = arena_printf(a, "%" PRIstr "%s%" PRIstr, STR_ARG(kept), bare ? "/" : "",
                        STR_ARG(reference));
    return out->p ? RC_OK : RC_MEMORY;
}

static bool is_dots(str_t segment)
{
    return str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
}

static bool has_dots(str_t path)
{
    while (path.n > 0) {
        size_t end = str_find(path, '/', 0);
        if (is_dots(str_first(path, end)))
            return true;
        path = str_skip(path, end + 1);
    }
    return false;
}

static rc_t check(arena_t *a, const url_t *base, str_t text)
{
    url_t u;
    str_t ours, theirs;
    TRY(url_parse(text, &u));
    if (!url_is_http(&u) || u.userinfo.p || u.fragment.p || has_dots(u.path))
        return RC_MALFORMED;
    TRY(url_origin(a, base, &ours));
    TRY(url_origin(a, &u, &theirs));
    return str_eq(ours, theirs) ? RC_OK : RC_NOT_FOUND;
}

rc_t mcp_endpoint_resolve(arena_t *a, str_t base, str_t reference, str_t *out)
{
    url_t b;
    *out = STR_UNSET;
    TRY(url_parse(base, &b));
    reference = str_trim(reference, " \t");
    if (reference.n == 0 || !b.host.p || !b.path.p)
        return RC_MALFORMED;
    if (reference.n > LIMIT_URL_BYTES)
        return RC_LIMIT;
    str_t text;
    TRY(merge(a, &b, reference, &text));
    TRY(check(a, &b, text));
    *out = text;
    return RC_OK;
}
