#include "http/media.h"

#include "http/scan.h"

static str_t take_token(str_t *s)
{
    size_t n = http_scan_class(s->p, 0, s->n, HTTP_C_TOKEN);
    str_t token = str_first(*s, n);
    *s = str_skip(*s, n);
    return token;
}

/* A quoted-string without its quotes; escapes are left in, which no charset name has. */
static bool take_quoted(str_t *s, str_t *out)
{
    for (size_t i = 1; i < s->n; i++) {
        if (s->p[i] == '\\') {
            i++;
            continue;
        }
        if (s->p[i] != '"')
            continue;
        *out = str_first(str_skip(*s, 1), i - 1);
        *s = str_skip(*s, i + 1);
        return true;
    }
    return false;
}

/* One "; name=value" in front of *s, or a ";" with nothing behind it, whose name is empty (RFC 9110
 * section 5.6.6). */
static bool take_parameter(str_t *s, str_t *name, str_t *value)
{
    *s = str_trim(*s, " \t");
    if (!str_starts(*s, STR(";")))
        return false;
    *s = str_trim(str_skip(*s, 1), " \t");
    *name = take_token(s);
    if (name->n == 0)
        return s->n == 0 || s->p[0] == ';';
    if (!str_starts(*s, STR("=")))
        return false;
    *s = str_skip(*s, 1);
    if (str_starts(*s, STR("\"")))
        return take_quoted(s, value);
    *value = take_token(s);
    return value->n > 0;
}

unsigned http_media_body(str_t content_type)
{
    static const struct {
        str_t type;
        unsigned body;
    } TYPES[] = {
        {STR_INIT("application/x-www-form-urlencoded"), HTTP_BODY_FORM},
        {STR_INIT("application/json"), HTTP_BODY_JSON},
    };
    if (!str_is_set(content_type))
        return 0;
    str_t rest = content_type, name, value = STR("");
    size_t end = str_find(rest, ';', 0);
    str_t type = str_trim(str_first(rest, end), " \t");
    rest = str_trim(str_skip(rest, end), " \t");
    while (rest.n) {
        if (!take_parameter(&rest, &name, &value))
            return 0;
        if (str_eq_nocase(name, STR("charset")) && !str_eq_nocase(value, STR("utf-8")))
            return 0;
        rest = str_trim(rest, " \t");
    }
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (str_eq_nocase(type, TYPES[i].type))
            return TYPES[i].body;
    }
    return 0;
}

/* "q=0", "q=0.0" and so on: not acceptable (RFC 9110 section 12.4.2). */
static bool is_zero_weight(str_t parameters)
{
    str_t part;
    while (str_split(&parameters, ';', &part)) {
        part = str_trim(part, " \t");
        if (part.n < 3 || !str_eq_nocase(str_first(part, 2), STR("q=")))
            continue;
        return str_trim(str_skip(part, 2), "0.").n == 0;
    }
    return false;
}

/* How closely a range names a type: 3 by name, 2 by its main type, 1 as anything, 0 not. */
static unsigned range_fit(str_t range, str_t type)
{
    if (str_eq_nocase(range, type))
        return 3;
    if (str_eq(range, STR("*/*")))
        return 1;
    str_t main = str_first(type, str_find(type, '/', 0) + 1);
    bool fits = range.n == main.n + 1 && str_ends(range, STR("*")) &&
                str_eq_nocase(str_first(range, main.n), main);
    return fits ? 2 : 0;
}

bool http_media_accepts(str_t accept, str_t type)
{
    if (!str_is_set(accept))
        return true;
    str_t part;
    unsigned best = 0;
    bool takes = false;
    while (str_split(&accept, ',', &part)) {
        size_t end = str_find(part, ';', 0);
        unsigned fit = range_fit(str_trim(str_first(part, end), " \t"), type);
        if (fit == 0 || fit < best)
            continue;
        takes = (fit == best && takes) || !is_zero_weight(str_skip(part, end));
        best = fit;
    }
    return takes;
}
