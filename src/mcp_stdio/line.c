#include "mcp_stdio/line.h"

#include <stdlib.h>

static size_t most_of(const mcp_line_t *l)
{
    return l->most ? l->most : MCP_LINE_BYTES;
}

/* A line of the greatest length may have a CR more. */
static size_t room_of(const mcp_line_t *l)
{
    return most_of(l) + 1;
}

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
    size_t cap = need > room_of(l) / 2 ? room_of(l) : need * 2;
    char *more = realloc(l->p, cap);
    if (!more)
        return false;
    l->p = more;
    l->cap = cap;
    return true;
}

static mcp_line_step_t keep(mcp_line_t *l, str_t part)
{
    if (l->n + part.n > room_of(l))
        return MCP_LINE_TOO_LONG;
    if (part.n == 0)
        return MCP_LINE_MORE;
    if (!grow(l, l->n + part.n))
        return MCP_LINE_LOST;
    memcpy(l->p + l->n, part.p, part.n);
    l->n += part.n;
    return MCP_LINE_MORE;
}

/* What is left of a line that was given up: whose it was. */
static mcp_line_step_t give_up(mcp_line_t *l, str_t part, str_t *line)
{
    mcp_id_scan(&l->scan, part);
    *line = mcp_id_scanned(&l->scan);
    return MCP_LINE_TOO_LONG;
}

static mcp_line_step_t give(mcp_line_t *l, str_t whole, str_t *line)
{
    if (whole.n && whole.p[whole.n - 1] == '\r')
        whole.n--;
    *line = whole;
    if (whole.n > most_of(l)) {
        l->scan = (mcp_id_scan_t){0};
        return give_up(l, whole, line);
    }
    return whole.n ? MCP_LINE_WHOLE : MCP_LINE_MORE;
}

/* From here on no more of it is kept. */
static void give_no_more(mcp_line_t *l, str_t part)
{
    l->scan = (mcp_id_scan_t){0};
    mcp_id_scan(&l->scan, str_of(l->p, l->n));
    mcp_id_scan(&l->scan, part);
    l->skipping = true;
    shrink(l);
}

/* The line that `part` is the end of. */
static mcp_line_step_t end(mcp_line_t *l, str_t part, str_t *line)
{
    bool skipped = l->skipping, told = l->lost;
    l->skipping = l->lost = false;
    if (skipped)
        return told ? MCP_LINE_MORE : give_up(l, part, line);
    if (l->n == 0)
        return give(l, part, line);
    mcp_line_step_t step = keep(l, part);
    str_t whole = str_of(l->p, l->n);
    if (step == MCP_LINE_TOO_LONG) {
        give_no_more(l, part);
        l->skipping = false;
        return give_up(l, STR(""), line);
    }
    l->n = 0;
    return step == MCP_LINE_MORE ? give(l, whole, line) : step;
}

/* A piece that ends within a line. */
static mcp_line_step_t begin(mcp_line_t *l, str_t part)
{
    if (l->skipping) {
        mcp_id_scan(&l->scan, part);
        return MCP_LINE_MORE;
    }
    mcp_line_step_t step = keep(l, part);
    if (step == MCP_LINE_TOO_LONG) {
        give_no_more(l, part);
        return MCP_LINE_MORE;
    }
    if (step == MCP_LINE_LOST) {
        l->lost = l->skipping = true;
        shrink(l);
    }
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
