#include "proxy/child_stream.h"

#include "core/buf.h"
#include "core/num.h"
#include "mcp/sse.h"

#include <stdlib.h>

enum { AROUND_BYTES = 96 };

static uint64_t oldest(const child_stream_t *s)
{
    return s->last - s->count + 1;
}

static void forget_oldest(child_stream_t *s)
{
    size_t i = oldest(s) % CHILD_REPLAY_EVENTS;
    s->bytes -= s->kept[i].n;
    free(s->kept[i].p);
    s->kept[i].p = NULL;
    s->count--;
}

static str_t write_id(const child_stream_t *s, uint64_t place, char *room)
{
    buf_t b = buf_fixed(room, CHILD_EVENT_ID_BYTES);
    buf_fmt(&b, "%u.%llu", s->number, (unsigned long long)place);
    return buf_str(&b);
}

rc_t child_stream_add(child_stream_t *s, str_t text, str_t *event)
{
    size_t cap = text.n + mcp_sse_growth(text) + AROUND_BYTES;
    char *p = malloc(cap);
    if (!p)
        return RC_MEMORY;
    char id[CHILD_EVENT_ID_BYTES];
    buf_t b = buf_fixed(p, cap);
    const mcp_sse_event_t e = {.id = write_id(s, s->last + 1, id), .data = text, .retry_ms = -1};
    mcp_sse_write(&b, &e);
    if (b.failed != RC_OK) {
        free(p);
        return RC_MALFORMED;
    }
    while (s->count && (s->count == CHILD_REPLAY_EVENTS || s->bytes + b.n > CHILD_REPLAY_BYTES))
        forget_oldest(s);
    s->last++;
    s->count++;
    s->bytes += b.n;
    s->kept[s->last % CHILD_REPLAY_EVENTS].p = p;
    s->kept[s->last % CHILD_REPLAY_EVENTS].n = b.n;
    *event = buf_str(&b);
    return RC_OK;
}

str_t child_stream_primer(const child_stream_t *s, uint64_t at, char *room)
{
    char id[CHILD_EVENT_ID_BYTES];
    buf_t b = buf_fixed(room, CHILD_PRIMER_BYTES);
    const mcp_sse_event_t e = {
        .id = write_id(s, at, id), .data = STR(""), .retry_ms = CHILD_RETRY_MS};
    mcp_sse_write(&b, &e);
    return buf_str(&b);
}

bool child_stream_next(const child_stream_t *s, uint64_t *at, str_t *event)
{
    if (s->count == 0 || *at >= s->last)
        return false;
    *at = *at + 1 < oldest(s) ? oldest(s) : *at + 1;
    size_t i = *at % CHILD_REPLAY_EVENTS;
    *event = str_of(s->kept[i].p, s->kept[i].n);
    return true;
}

bool child_event_read(str_t id, uint32_t *number, uint64_t *place)
{
    uint64_t n;
    size_t dot = str_find(id, '.', 0);
    if (!id.p || id.n >= CHILD_EVENT_ID_BYTES || dot == id.n)
        return false;
    if (!num_u64(str_first(id, dot), UINT32_MAX, &n))
        return false;
    *number = (uint32_t)n;
    return num_u64(str_skip(id, dot + 1), INT64_MAX, place);
}

void child_stream_clear(child_stream_t *s)
{
    while (s->count)
        forget_oldest(s);
}
