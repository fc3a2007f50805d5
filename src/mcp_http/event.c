#include "mcp_http/event.h"

#include "core/buf.h"

static const str_t END = STR_INIT("\n\n");

mcp_event_t mcp_event(str_t id, str_t data)
{
    mcp_event_t e = {.data = data};
    buf_t b = buf_fixed(e.head, sizeof e.head);
    if (id.p) {
        buf_put(&b, STR("id: "));
        buf_put(&b, id);
        buf_char(&b, '\n');
    }
    buf_put(&b, STR("data: "));
    e.head_n = b.n;
    return e;
}

static size_t length_of(const mcp_event_t *e)
{
    return e->head_n + e->data.n + END.n;
}

/* Copies what `part`, which begins at `begin`, has from `from` on. */
static size_t put_part(char *out, size_t room, str_t part, size_t skip)
{
    str_t rest = str_first(str_skip(part, skip), room);
    if (rest.n)
        memcpy(out, rest.p, rest.n);
    return rest.n;
}

static void no_line_ends(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' || p[i] == '\r')
            p[i] = ' ';
    }
}

str_t mcp_event_piece(const mcp_event_t *e, char out[MCP_PIECE_BYTES])
{
    size_t n = 0, at = e->sent, to;
    if (at < e->head_n)
        n = put_part(out, MCP_PIECE_BYTES, str_of(e->head, e->head_n), at);
    at = e->sent + n;
    if (at >= e->head_n && at < e->head_n + e->data.n) {
        to = n + put_part(out + n, MCP_PIECE_BYTES - n, e->data, at - e->head_n);
        no_line_ends(out + n, to - n);
        n = to;
    }
    at = e->sent + n;
    if (at >= e->head_n + e->data.n && at < length_of(e))
        n += put_part(out + n, MCP_PIECE_BYTES - n, END, at - e->head_n - e->data.n);
    return str_of(out, n);
}

void mcp_event_took(mcp_event_t *e, size_t n)
{
    e->sent += n;
}

bool mcp_event_is_sent(const mcp_event_t *e)
{
    return e->sent >= length_of(e);
}

str_t mcp_event_primer(char out[MCP_PIECE_BYTES], str_t id)
{
    buf_t b = buf_fixed(out, MCP_PIECE_BYTES);
    buf_put(&b, STR("id: "));
    buf_put(&b, id);
    buf_put(&b, STR("\nretry: "));
    buf_u64(&b, MCP_RETRY_MS);
    buf_put(&b, STR("\ndata: \n\n"));
    return buf_str(&b);
}

str_t mcp_event_retry(char out[MCP_PIECE_BYTES])
{
    buf_t b = buf_fixed(out, MCP_PIECE_BYTES);
    buf_put(&b, STR("retry: "));
    buf_u64(&b, MCP_RETRY_MS);
    buf_put(&b, END);
    return buf_str(&b);
}
