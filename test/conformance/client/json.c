#include "client.h"

#include <stdlib.h>
#include <string.h>

static size_t blanks(const char *p, const char *end)
{
    const char *at = p;
    while (at < end && strchr(" \t\r\n,:", *at))
        at++;
    return (size_t)(at - p);
}

static size_t string_length(const char *p, const char *end)
{
    const char *at = p + 1;
    while (at < end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return (size_t)(at - p) + 1;
}

/* The length of the value at p. */
static size_t value_length(const char *p, const char *end)
{
    int depth = 0;
    const char *at = p;
    if (*p == '"')
        return string_length(p, end);
    if (*p != '{' && *p != '[')
        return strcspn(p, ",]} \t\r\n");
    do {
        if (*at == '"') {
            at += string_length(at, end);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    } while (at < end && depth > 0);
    return (size_t)(at - p);
}

piece_t piece_of(const char *json)
{
    return (piece_t){json, json ? strlen(json) : 0};
}

piece_t piece_next(piece_t list, size_t *at)
{
    const char *end = list.p + list.n;
    size_t from = *at ? *at : 1;
    if (!list.p || list.n < 2)
        return (piece_t){NULL, 0};
    from += blanks(list.p + from, end);
    if (from >= list.n || list.p[from] == ']' || list.p[from] == '}')
        return (piece_t){NULL, 0};
    piece_t v = {list.p + from, value_length(list.p + from, end)};
    *at = from + v.n;
    return v;
}

piece_t piece_member(piece_t object, const char *name)
{
    size_t at = 0, n = strlen(name);
    piece_t key, value;
    if (!object.p || *object.p != '{')
        return (piece_t){NULL, 0};
    while ((key = piece_next(object, &at)).p) {
        value = piece_next(object, &at);
        if (key.n == n + 2 && memcmp(key.p + 1, name, n) == 0)
            return value;
    }
    return (piece_t){NULL, 0};
}

char *piece_raw(piece_t p)
{
    return p.p ? strndup(p.p, p.n) : NULL;
}

/* Texts of the suite's context escape line ends and quotes, nothing else. */
char *piece_text(piece_t p)
{
    if (!p.p || *p.p != '"')
        return NULL;
    char *out = calloc(1, p.n), *to = out;
    for (size_t i = 1; out && i + 1 < p.n; i++) {
        bool escaped = p.p[i] == '\\';
        char c = p.p[i += escaped];
        *to++ = escaped && c == 'n' ? '\n' : c;
    }
    return out;
}
