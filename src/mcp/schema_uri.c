#include "mcp/schema_uri.h"

typedef struct {
    str_t scheme, authority, path, query; /* what is absent is unset; a path may be empty */
} parts_t;

str_t schema_uri_split(str_t ref, str_t *fragment)
{
    size_t at = str_find(ref, '#', 0);
    *fragment = at < ref.n ? str_skip(ref, at + 1) : STR_UNSET;
    return str_first(ref, at);
}

static size_t find_any(str_t s, const char *set)
{
    size_t i = 0;
    while (i < s.n && !strchr(set, s.p[i]))
        i++;
    return i;
}

/* The expression of RFC 3986 appendix B, by hand. */
static parts_t split(str_t s)
{
    parts_t p = {0};
    size_t end = find_any(s, ":/?");
    if (end > 0 && end < s.n && s.p[end] == ':') {
        p.scheme = str_first(s, end);
        s = str_skip(s, end + 1);
    }
    if (str_starts(s, STR("//"))) {
        s = str_skip(s, 2);
        p.authority = str_first(s, find_any(s, "/?"));
        s = str_skip(s, p.authority.n);
    }
    p.path = str_first(s, str_find(s, '?', 0));
    if (p.path.n < s.n)
        p.query = str_skip(s, p.path.n + 1);
    return p;
}

/* Appends the next segment of a path, with the slash before it; ".." takes back the last one. */
static void put_segment(buf_t *b, size_t start, str_t segment, bool last)
{
    bool up = str_eq(segment, STR("/.."));
    if (!up && !str_eq(segment, STR("/."))) {
        buf_put(b, segment);
        return;
    }
    if (up && b->failed == RC_OK) {
        while (b->n > start && b->p[b->n - 1] != '/')
            b->n--;
        if (b->n > start)
            b->n--;
    }
    if (last)
        buf_char(b, '/');
}

static void put_without_dots(buf_t *b, str_t path)
{
    size_t start = b->n;
    size_t at = path.n > 0 && path.p[0] != '/' ? str_find(path, '/', 0) : 0;
    buf_put(b, str_first(path, at));
    while (at < path.n) {
        size_t next = str_find(path, '/', at + 1);
        put_segment(b, start, str_of(path.p + at, next - at), next == path.n);
        at = next;
    }
}

static str_t folder(str_t path)
{
    while (path.n > 0 && path.p[path.n - 1] != '/')
        path.n--;
    return path;
}

static str_t merge(arena_t *a, const parts_t *base, str_t path)
{
    str_t before = base->authority.p && base->path.n == 0 ? STR("/") : folder(base->path);
    return arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(before), STR_ARG(path));
}

static rc_t put_path(arena_t *a, buf_t *b, const parts_t *base, const parts_t *ref)
{
    if (ref->scheme.p || ref->authority.p || str_starts(ref->path, STR("/"))) {
        put_without_dots(b, ref->path);
        return RC_OK;
    }
    if (ref->path.n == 0) {
        buf_put(b, base->path);
        return RC_OK;
    }
    str_t merged = merge(a, base, ref->path);
    if (!str_is_set(merged))
        return RC_MEMORY;
    put_without_dots(b, merged);
    return RC_OK;
}

static void put_origin(buf_t *b, const parts_t *from, const parts_t *authority_from)
{
    if (from->scheme.p) {
        buf_put(b, from->scheme);
        buf_char(b, ':');
    }
    if (authority_from->authority.p) {
        buf_put(b, STR("//"));
        buf_put(b, authority_from->authority);
    }
}

rc_t schema_uri_resolve(arena_t *a, str_t base_text, str_t text, str_t *out)
{
    parts_t base = split(base_text), ref = split(text);
    bool own_authority = ref.scheme.p || ref.authority.p;
    buf_t b = buf_new(a, base_text.n + text.n + 8);
    put_origin(&b, ref.scheme.p ? &ref : &base, own_authority ? &ref : &base);
    TRY(put_path(a, &b, &base, &ref));
    bool base_query = !own_authority && ref.path.n == 0 && !ref.query.p;
    str_t query = base_query ? base.query : ref.query;
    if (query.p) {
        buf_char(&b, '?');
        buf_put(&b, query);
    }
    TRY(buf_done(&b, out));
    if (!str_is_set(*out))
        *out = STR("");
    return RC_OK;
}
