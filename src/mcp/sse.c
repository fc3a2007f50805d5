#include "mcp/sse.h"

#include <stdlib.h>

#include "core/num.h"

/* What a reader remembers between two pieces. */
enum {
    BEGAN = 1,    /* a byte order mark could only have come before */
    AFTER_CR = 2, /* a line feed next belongs to the line that has ended */
    COMMENT = 4,  /* skipped, up to the end of its line */
    GIVEN = 8,    /* what is held was handed out */
    BROKEN = 16,  /* nothing more can be read */
};

enum {
    ROOM = 2 * MCP_SSE_ID_BYTES, /* type and id are put aside behind the lines */
    FIRST_CAP = 4096,
    RETRY_MAX_MS = 1 << 30,
};

static const char BOM[] = "\xef\xbb\xbf";

static rc_t reserve(mcp_sse_t *s, size_t more)
{
    size_t need = s->n + more + ROOM;
    if (s->n + more > MCP_SSE_EVENT_BYTES)
        return RC_LIMIT;
    if (need <= s->cap)
        return RC_OK;
    size_t cap = s->cap ? s->cap : FIRST_CAP;
    while (cap < need)
        cap *= 2;
    char *p = realloc(s->p, cap);
    if (!p)
        return RC_MEMORY;
    s->p = p;
    s->cap = cap;
    return RC_OK;
}

static rc_t append(mcp_sse_t *s, str_t bytes)
{
    TRY(reserve(s, bytes.n));
    if (bytes.n > 0)
        memcpy(s->p + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return RC_OK;
}

/* Splits "name: value" as the standard says: one space behind the colon goes, and a line without
 * one is a name alone. */
static str_t split_line(str_t line, str_t *value)
{
    size_t colon = str_find(line, ':', 0);
    *value = str_skip(line, colon + 1);
    if (value->n > 0 && value->p[0] == ' ')
        *value = str_skip(*value, 1);
    return str_first(line, colon);
}

/* Type and id move behind the lines, where the data will not run over them. */
static rc_t put_aside(mcp_sse_t *s, size_t slot, str_t value, str_t *out)
{
    if (value.n > MCP_SSE_ID_BYTES)
        return RC_LIMIT;
    char *to = s->p + s->n + slot * MCP_SSE_ID_BYTES;
    memmove(to, value.p, value.n);
    *out = str_of(to, value.n);
    return RC_OK;
}

static rc_t take_field(mcp_sse_t *s, str_t name, str_t value, mcp_sse_event_t *out)
{
    uint64_t ms;
    if (str_eq(name, STR("event")))
        return put_aside(s, 0, value, &out->event);
    if (str_eq(name, STR("id")) && !memchr(value.p, 0, value.n))
        return put_aside(s, 1, value, &out->id);
    if (str_eq(name, STR("retry")) && num_u64(value, RETRY_MAX_MS, &ms))
        out->retry_ms = (int64_t)ms;
    return RC_OK;
}

/* Data lines close up at the front: what is written never overtakes what is read. */
static void take_data(mcp_sse_t *s, size_t *used, str_t value, mcp_sse_event_t *out)
{
    if (*used > 0)
        s->p[(*used)++ - 1] = '\n';
    else
        *used = 1;
    memmove(s->p + *used - 1, value.p, value.n);
    *used += value.n;
    out->data = str_of(s->p, *used - 1);
}

/* Every line ends in LF here. `used` counts one more than the data has, so that zero is none yet.
 */
static rc_t read_event(mcp_sse_t *s, mcp_sse_event_t *out)
{
    *out = (mcp_sse_event_t){.retry_ms = -1};
    size_t used = 0;
    if (!str_is_utf8(str_of(s->p, s->n)))
        return RC_MALFORMED;
    for (size_t at = 0; at < s->n;) {
        str_t value, all = str_of(s->p, s->n);
        size_t end = str_find(all, '\n', at);
        str_t name = split_line(str_of(s->p + at, end - at), &value);
        if (str_eq(name, STR("data")))
            take_data(s, &used, value, out);
        else
            TRY(take_field(s, name, value, out));
        at = end + 1;
    }
    /* An empty type is the usual one. */
    if (out->event.n == 0)
        out->event = STR_UNSET;
    return RC_OK;
}

static bool is_something(const mcp_sse_event_t *e)
{
    return e->event.p || e->id.p || e->data.p || e->retry_ms >= 0;
}

static void forget(mcp_sse_t *s)
{
    s->n = s->line = 0;
    s->state &= ~(unsigned)GIVEN;
}

/* True with RC_OK: the line was the empty one behind an event that is in *out. */
static rc_t end_line(mcp_sse_t *s, mcp_sse_event_t *out, bool *whole)
{
    *whole = false;
    if (s->state & COMMENT) {
        s->state &= ~(unsigned)COMMENT;
        return RC_OK;
    }
    if (s->n > s->line) {
        TRY(append(s, STR("\n")));
        s->line = s->n;
        return RC_OK;
    }
    if (s->n == 0)
        return RC_OK;
    TRY(read_event(s, out));
    *whole = is_something(out);
    s->state |= GIVEN;
    if (!*whole)
        forget(s);
    return RC_OK;
}

/* The first three bytes one by one. A mark that is not whole is text. */
static rc_t begin_stream(mcp_sse_t *s, str_t *in)
{
    while (!(s->state & BEGAN) && in->n > 0) {
        if (in->p[0] != BOM[s->n]) {
            s->state |= BEGAN;
            return RC_OK;
        }
        TRY(append(s, str_first(*in, 1)));
        *in = str_skip(*in, 1);
        if (s->n < sizeof BOM - 1)
            continue;
        s->n = 0;
        s->state |= BEGAN;
    }
    return RC_OK;
}

/* One pass: looking for either end alone would read a long piece again for each line of it. */
static size_t line_length(str_t in)
{
    size_t n = 0;
    while (n < in.n && in.p[n] != '\n' && in.p[n] != '\r')
        n++;
    return n;
}

/* Eats what is there of a line, and its end if that is there. */
static rc_t eat(mcp_sse_t *s, str_t *in, mcp_sse_event_t *out, bool *whole)
{
    if (s->state & AFTER_CR && in->p[0] == '\n')
        *in = str_skip(*in, 1);
    s->state &= ~(unsigned)AFTER_CR;
    *whole = false;
    if (in->n == 0)
        return RC_OK;
    size_t n = line_length(*in);
    if (s->n == s->line && n > 0 && in->p[0] == ':')
        s->state |= COMMENT;
    if (!(s->state & COMMENT))
        TRY(append(s, str_first(*in, n)));
    *in = str_skip(*in, n);
    if (in->n == 0)
        return RC_OK;
    if (in->p[0] == '\r')
        s->state |= AFTER_CR;
    *in = str_skip(*in, 1);
    return end_line(s, out, whole);
}

mcp_sse_step_t mcp_sse_next(mcp_sse_t *s, str_t *in, mcp_sse_event_t *out, rc_t *rc)
{
    bool whole = false;
    rc_t failed = RC_OK;
    *rc = RC_OK;
    if (s->state & GIVEN)
        forget(s);
    if (!(s->state & (BROKEN | BEGAN)))
        failed = begin_stream(s, in);
    while (failed == RC_OK && !whole && in->n > 0 && !(s->state & BROKEN))
        failed = eat(s, in, out, &whole);
    if (failed != RC_OK)
        s->state |= BROKEN;
    if (failed == RC_MEMORY)
        *rc = RC_MEMORY;
    if (s->n == 0 || s->state & BROKEN)
        mcp_sse_free(s);
    return s->state & BROKEN ? MCP_SSE_BAD : whole ? MCP_SSE_EVENT : MCP_SSE_MORE;
}

void mcp_sse_free(mcp_sse_t *s)
{
    free(s->p);
    s->p = NULL;
    s->n = s->cap = s->line = 0;
}

static void write_field(buf_t *b, str_t name, str_t value)
{
    if (!str_is_utf8(value) || memchr(value.p, '\n', value.n) || memchr(value.p, '\r', value.n))
        buf_fail(b, RC_MALFORMED);
    buf_put(b, name);
    buf_put(b, STR(": "));
    buf_put(b, value);
    buf_char(b, '\n');
}

/* The bytes of a character that ends a line for readers who take every line end of Unicode (such as
 * Python's splitlines); 0: none begins here. */
static size_t breaks_line(str_t rest, uint32_t *c)
{
    unsigned char first = (unsigned char)rest.p[0];
    *c = first;
    if (first == 0x0b || first == 0x0c || (first >= 0x1c && first <= 0x1e))
        return 1;
    *c = str_starts(rest, STR("\xe2\x80\xa9")) ? 0x2029 : 0x2028;
    if (first == 0xe2 && (*c == 0x2029 || str_starts(rest, STR("\xe2\x80\xa8"))))
        return 3;
    *c = 0x85;
    return str_starts(rest, STR("\xc2\x85")) ? 2 : 0;
}

static bool may_break(unsigned char c)
{
    return (c >= 0x0b && c <= 0x1e) || c == 0xc2 || c == 0xe2;
}

enum { ESCAPE_BYTES = 6 };

/* The next such character from *i on, which moves to it, or to the end: 0. */
static size_t next_break(str_t line, size_t *i, uint32_t *c)
{
    for (; *i < line.n; ++*i) {
        size_t n = may_break((unsigned char)line.p[*i]) ? breaks_line(str_skip(line, *i), c) : 0;
        if (n > 0)
            return n;
    }
    return 0;
}

size_t mcp_sse_growth(str_t data)
{
    size_t grown = 0, n;
    uint32_t c;
    for (size_t i = 0; (n = next_break(data, &i, &c)) > 0; i += n)
        grown += ESCAPE_BYTES - n;
    return grown;
}

void mcp_sse_write_line(buf_t *b, str_t line)
{
    size_t from = 0, n;
    uint32_t c;
    for (size_t i = 0; (n = next_break(line, &i, &c)) > 0; i += n) {
        buf_put(b, str_of(line.p + from, i - from));
        buf_fmt(b, "\\u%04x", (unsigned)c);
        from = i + n;
    }
    buf_put(b, str_skip(line, from));
}

static void write_data(buf_t *b, str_t line)
{
    buf_put(b, STR("data: "));
    mcp_sse_write_line(b, line);
    buf_char(b, '\n');
}

void mcp_sse_write(buf_t *b, const mcp_sse_event_t *event)
{
    str_t line, rest = event->data;
    if (event->event.p)
        write_field(b, STR("event"), event->event);
    if (event->id.p)
        write_field(b, STR("id"), event->id);
    /* Readers would drop such an id, and go on with the one before. */
    if (event->id.p && memchr(event->id.p, 0, event->id.n))
        buf_fail(b, RC_MALFORMED);
    if (event->retry_ms >= 0) {
        buf_put(b, STR("retry: "));
        buf_i64(b, event->retry_ms);
        buf_char(b, '\n');
    }
    if (!str_is_utf8(event->data) ||
        memchr(event->data.p ? event->data.p : "", '\r', event->data.n))
        buf_fail(b, RC_MALFORMED);
    while (str_split(&rest, '\n', &line))
        write_data(b, line);
    if (is_something(event))
        buf_char(b, '\n');
}

str_t mcp_sse_keep_alive(void)
{
    return STR(":\n\n");
}
