/* Any bytes as a stream. However they are split, the same events come; and what is written of them
 * reads the same. The first byte says how long the pieces are. */
#include "mcp/sse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Writes every event; an end that is bad is marked with what no event holds. */
static str_t rewritten(arena_t *a, str_t stream, size_t piece)
{
    buf_t b = buf_new(a, 16 << 20);
    mcp_sse_t s = {0};
    mcp_sse_event_t e;
    rc_t rc;
    mcp_sse_step_t step = MCP_SSE_MORE;
    while (stream.n > 0 && step != MCP_SSE_BAD) {
        str_t in = str_first(stream, piece);
        stream = str_skip(stream, piece);
        while ((step = mcp_sse_next(&s, &in, &e, &rc)) == MCP_SSE_EVENT) {
            check(!e.data.p || !memchr(e.data.p, '\r', e.data.n));
            mcp_sse_write(&b, &e);
        }
    }
    if (step == MCP_SSE_BAD)
        buf_char(&b, '\xff');
    mcp_sse_free(&s);
    check(b.failed == RC_OK);
    return buf_str(&b).p ? buf_str(&b) : STR("");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    str_t stream = str_of(data + 1, size - 1);
    arena_t *a = arena_new(64 << 20);
    if (!a)
        return 0;
    str_t whole = rewritten(a, stream, stream.n + 1);
    check(str_eq(whole, rewritten(a, stream, data[0] % 16 + 1)));
    str_t events =
        whole.n > 0 && whole.p[whole.n - 1] == '\xff' ? str_first(whole, whole.n - 1) : whole;
    check(str_eq(events, rewritten(a, events, events.n + 1)));
    arena_free(a);
    return 0;
}
