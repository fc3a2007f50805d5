#include "mcp_server/compact.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the string that begins at `from`, behind its quote. */
static size_t string_end(str_t json, size_t from)
{
    size_t i = from + 1;
    while (i < json.n && json.p[i] != '"')
        i += json.p[i] == '\\' ? 2 : 1;
    return i < json.n ? i + 1 : json.n;
}

/* The end of what holds no white space that could go: a whole string, or the bytes up to the next
 * string or white space. */
static size_t run_end(str_t json, size_t from)
{
    if (json.p[from] == '"')
        return string_end(json, from);
    while (from < json.n && json.p[from] != '"' && !is_space(json.p[from]))
        from++;
    return from;
}

void mcp_compact(buf_t *b, str_t json)
{
    size_t i = 0;
    while (i < json.n) {
        if (is_space(json.p[i])) {
            i++;
            continue;
        }
        size_t end = run_end(json, i);
        buf_put(b, str_of(json.p + i, end - i));
        i = end;
    }
}
