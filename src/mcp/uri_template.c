#include "mcp/uri_template.h"

#include "core/url.h"

/* varname of RFC 6570 section 2.3, without percent-escapes and dots, which no argument has. */
static bool is_name(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char lower = (char)(s.p[i] | 0x20);
        bool letter = (lower >= 'a' && lower <= 'z') || s.p[i] == '_';
        if (!letter && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    }
    return s.n > 0;
}

static rc_t add_name(mcp_uri_template_t *t, str_t name)
{
    if (t->n == MCP_TEMPLATE_VARIABLES || !is_name(name))
        return RC_CONFIG;
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->names[i], name))
            return RC_CONFIG;
    t->names[t->n++] = name;
    return RC_OK;
}

rc_t mcp_uri_template_read(str_t text, mcp_uri_template_t *out)
{
    *out = (mcp_uri_template_t){.text = text};
    size_t literal = 0; /* where the literal began that is read now */
    for (size_t at = 0; at < text.n; at++) {
        if (text.p[at] == '}')
            return RC_CONFIG;
        if (text.p[at] != '{')
            continue;
        size_t end = str_find(text, '}', at);
        bool adjacent = out->n > 0 && literal == at;
        if (end == text.n || adjacent)
            return RC_CONFIG;
        TRY(add_name(out, str_of(text.p + at + 1, end - at - 1)));
        at = end;
        literal = end + 1;
    }
    return out->n > 0 ? RC_OK : RC_NOT_FOUND;
}

static size_t span(str_t s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
        n++;
    return n;
}

/* Where the value at the beginning of `rest` ends: before the first place where `literal` stands,
 * or with the last variable before the one at the end. The first place will do: where a later one
 * leads to a match, the next value can be longer instead. SIZE_MAX: nowhere. */
static size_t value_end(str_t rest, str_t literal, bool last)
{
    size_t most = span(rest);
    if (last && (!str_ends(rest, literal) || rest.n == literal.n))
        return SIZE_MAX;
    if (last)
        return rest.n - literal.n <= most ? rest.n - literal.n : SIZE_MAX;
    for (size_t i = 1; i <= most; i++)
        if (str_starts(str_skip(rest, i), literal))
            return i;
    return SIZE_MAX;
}

static rc_t decode(arena_t *a, str_t raw, str_t *value)
{
    rc_t rc = url_path_decode(a, raw, value);
    return rc == RC_MALFORMED ? RC_NOT_FOUND : rc;
}

rc_t mcp_uri_template_match(arena_t *a, const mcp_uri_template_t *t, str_t uri,
                            str_t values[MCP_TEMPLATE_VARIABLES])
{
    size_t open = str_find(t->text, '{', 0);
    if (!str_starts(uri, str_first(t->text, open)))
        return RC_NOT_FOUND;
    str_t rest = str_skip(uri, open);
    for (size_t i = 0; i < t->n; i++) {
        size_t behind = str_find(t->text, '}', open) + 1;
        open = str_find(t->text, '{', behind);
        str_t literal = str_of(t->text.p + behind, open - behind);
        size_t end = value_end(rest, literal, i + 1 == t->n);
        if (end == SIZE_MAX)
            return RC_NOT_FOUND;
        TRY(decode(a, str_first(rest, end), &values[i]));
        rest = str_skip(rest, end + literal.n);
    }
    return RC_OK;
}

/* Section 2.3 of RFC 3986: these mean the same with and without their escape. */
static bool is_unreserved(int c)
{
    int lower = c | 0x20;
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c > 0 && strchr("-._~", c));
}

static int hex_digit(char c)
{
    char lower = (char)(c | 0x20);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that an escape at the beginning of `s` stands for; -1: there is none. */
static int escaped(str_t s)
{
    if (s.n < 3 || s.p[0] != '%')
        return -1;
    int high = hex_digit(s.p[1]), low = hex_digit(s.p[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool has_dots(str_t uri)
{
    str_t segment, path = str_first(uri, str_find(uri, '?', 0));
    path = str_first(path, str_find(path, '#', 0));
    while (str_split(&path, '/', &segment)) {
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return true;
    }
    return false;
}

rc_t mcp_uri_normal(arena_t *a, str_t uri, str_t *out)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    char *p = arena_alloc(a, uri.n + 1);
    size_t n = 0;
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < uri.n; i++) {
        int byte = escaped(str_skip(uri, i));
        if (byte < 0 && uri.p[i] == '%')
            return RC_NOT_FOUND; /* or what is undone behind it would make an escape of it */
        bool stays = byte >= 0 && !is_unreserved(byte);
        p[n++] = byte >= 0 && !stays ? (char)byte : uri.p[i];
        if (stays) {
            p[n++] = DIGITS[byte >> 4];
            p[n++] = DIGITS[byte & 15];
        }
        i += byte >= 0 ? 2 : 0;
    }
    *out = str_of(p, n);
    return has_dots(*out) ? RC_NOT_FOUND : RC_OK;
}
