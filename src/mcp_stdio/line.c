#include "mcp_stdio/line.h"

#include <stdlib.h>

/* A line of the greatest length may have a CR more. */
enum { ROOM = MCP_LINE_BYTES + 1 };

/* One long line must not cost its memory for good. */
static void shrink(mcp_line_t *l)
{
    l->n = 0;
    if (l->cap <= MCP_LINE_KEPT_BYTES)
        return;
    free(l->p);
    l->p = NULL;
    l->cap = 0;
}

static bool grow(mcp_line_t *l, size_t need)
{
    if (need <= l->cap)
        return true;
    size_t cap = need > ROOM / 2 ? ROOM : need * 2;
    char *more = realloc(l->p, cap);
    if (!more)
        return false;
    l->p = more;
    l->cap = cap;
    return true;
}

static mcp_line_step_t keep(mcp_line_t *l, str_t part)
{
    if (l->n + part.n > ROOM)
        return MCP_LINE_TOO_LONG;
    if (part.n == 0)
        return MCP_LINE_MORE;
    if (!grow(l, l->n + part.n))
        return MCP_LINE_LOST;
    memcpy(l->p + l->n, part.p, part.n);
    l->n += part.n;
    return MCP_LINE_MORE;
}

static mcp_line_step_t give(str_t whole, str_t *line)
{
    if (whole.n && whole.p[whole.n - 1] == '\r')
        whole.n--;
    *line = whole;
    if (whole.n > MCP_LINE_BYTES)
        return MCP_LINE_TOO_LONG;
    return whole.n ? MCP_LINE_WHOLE : MCP_LINE_MORE;
}

/* The line that `part` is the end of. */
static mcp_line_step_t end(mcp_line_t *l, str_t part, str_t *line)
{
    bool skipped = l->skipping;
    l->skipping = false;
    if (skipped)
        return MCP_LINE_MORE;
    if (l->n == 0)
        return give(part, line);
    mcp_line_step_t step = keep(l, part);
    str_t whole = str_of(l->p, l->n);
    l->n = 0;
    return step == MCP_LINE_MORE ? give(whole, line) : step;
}

/* A piece that ends within a line. */
static mcp_line_step_t begin(mcp_line_t *l, str_t part)
{
    if (l->skipping)
        return MCP_LINE_MORE;
    mcp_line_step_t step = keep(l, part);
    if (step == MCP_LINE_MORE)
        return step;
    l->skipping = true;
    shrink(l);
    return step;
}

mcp_line_step_t mcp_line_next(mcp_line_t *l, str_t *piece, str_t *line)
{
    mcp_line_step_t step = MCP_LINE_MORE;
    if (l->n == 0)
        shrink(l);
    while (step == MCP_LINE_MORE && piece->n) {
        size_t at = str_find(*piece, '\n', 0);
        str_t part = str_first(*piece, at);
        bool whole = at < piece->n;
        *piece = str_skip(*piece, at + 1);
        step = whole ? end(l, part, line) : begin(l, part);
    }
    return step;
}

mcp_line_step_t mcp_line_last(mcp_line_t *l, str_t *line)
{
    return end(l, STR(""), line);
}

void mcp_line_clear(mcp_line_t *l)
{
    free(l->p);
    *l = (mcp_line_t){0};
}
