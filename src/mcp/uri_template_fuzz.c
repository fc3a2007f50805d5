/* A template, a NUL, and a URI. What a template matches is made again of its values: written into
 * the template, percent-encoded, they match as the same values. */
#include "mcp/uri_template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* A value is encoded only where the literal behind it stands in none of the others: "{a}-{b}" reads
 * "1-2-3" in one way, whoever wrote it. */
static str_t write_uri(arena_t *a, const mcp_uri_template_t *t, const str_t *values)
{
    buf_t b = buf_new(a, 1 << 20);
    size_t at = 0, i = 0;
    while (at < t->text.n) {
        size_t open = str_find(t->text, '{', at);
        buf_put(&b, str_of(t->text.p + at, open - at));
        if (open == t->text.n)
            break;
        buf_percent(&b, values[i++]);
        at = str_find(t->text, '}', open) + 1;
    }
    str_t out;
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static void try_again(arena_t *a, const mcp_uri_template_t *t, const str_t *values)
{
    str_t again[MCP_TEMPLATE_VARIABLES], uri = write_uri(a, t, values);
    if (!uri.p)
        return;
    rc_t rc = mcp_uri_template_match(a, t, uri, again);
    /* With several variables, what was encoded may stand for a literal that was not. */
    check(rc == RC_OK || rc == RC_MEMORY || t->n > 1);
    if (rc == RC_OK && t->n == 1)
        check(str_eq(values[0], again[0]));
}

/* What is normal stays as it is. */
static void normalize(arena_t *a, str_t uri)
{
    str_t once, twice;
    if (mcp_uri_normal(a, uri, &once) != RC_OK)
        return;
    rc_t rc = mcp_uri_normal(a, once, &twice);
    check(rc == RC_MEMORY || (rc == RC_OK && str_eq(once, twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t all = str_of(data, size);
    size_t nul = str_find(all, '\0', 0);
    mcp_uri_template_t t;
    str_t values[MCP_TEMPLATE_VARIABLES];
    arena_t *a = arena_new(4 << 20);
    if (a)
        normalize(a, str_skip(all, nul + 1));
    if (a && mcp_uri_template_read(str_first(all, nul), &t) == RC_OK) {
        check(t.n > 0 && t.n <= MCP_TEMPLATE_VARIABLES);
        if (mcp_uri_template_match(a, &t, str_skip(all, nul + 1), values) == RC_OK)
            try_again(a, &t, values);
    }
    arena_free(a);
    return 0;
}
