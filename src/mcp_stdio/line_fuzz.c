/* A stream read whole and in pieces as long as the first bytes say: the same lines, and each of
 * them without an end, not empty and not too long. */
#include "mcp_stdio/line.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    uint64_t sum;
    size_t lines, too_long;
} result_t;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void add(result_t *r, mcp_line_step_t step, str_t line)
{
    r->too_long += step == MCP_LINE_TOO_LONG;
    if (step != MCP_LINE_WHOLE)
        return;
    check(line.n > 0 && line.n <= MCP_LINE_BYTES && str_find(line, '\n', 0) == line.n);
    r->lines++;
    for (size_t i = 0; i < line.n; i++)
        r->sum = r->sum * 31 + (uint8_t)line.p[i];
    r->sum = r->sum * 31 + '\n';
}

static result_t read_in_pieces(str_t in, size_t step)
{
    result_t r = {0, 0, 0};
    mcp_line_t l = {0};
    mcp_line_step_t got;
    str_t line = STR_UNSET;
    while (in.n) {
        str_t piece = str_first(in, step);
        in = str_skip(in, step);
        while ((got = mcp_line_next(&l, &piece, &line)) != MCP_LINE_MORE)
            add(&r, got, line);
        check(piece.n == 0);
    }
    add(&r, mcp_line_last(&l, &line), line);
    check(mcp_line_last(&l, &line) == MCP_LINE_MORE);
    mcp_line_clear(&l);
    return r;
}

/* A zero byte stands for a run that is longer than any line, so that small inputs get there. */
static str_t unfold(const uint8_t *data, size_t size, char **owned)
{
    size_t runs = 0, n = 0;
    for (size_t i = 0; i < size; i++)
        runs += data[i] == 0;
    runs = runs > 2 ? 2 : runs;
    char *p = *owned = malloc(size + runs * (MCP_LINE_BYTES + 1) + 1);
    for (size_t i = 0; p && i < size; i++) {
        size_t wide = data[i] == 0 && runs > 0 ? MCP_LINE_BYTES + 1 : 1;
        runs -= wide > 1;
        memset(p + n, wide > 1 ? 'x' : data[i], wide);
        n += wide;
    }
    return str_of(p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *owned;
    if (size < 2 || size > 65536)
        return 0;
    str_t in = unfold(data + 2, size - 2, &owned);
    size_t step = (size_t)data[0] + 256u * data[1] + 1;
    if (owned) {
        result_t whole = read_in_pieces(in, in.n + 1);
        result_t cut = read_in_pieces(in, in.n > 65536 ? step + 4096 : step);
        check(whole.sum == cut.sum && whole.lines == cut.lines && whole.too_long == cut.too_long);
    }
    free(owned);
    return 0;
}
