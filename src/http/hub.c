#include "http/hub.h"

#include <stddef.h>
#include <stdlib.h>

#include "http/conn.h"
#include "http/overload.h"

int64_t http_hub_now(const http_hub_t *h)
{
    return h->clock.mono_ms(h->clock.ctx);
}

str_t http_hub_date(http_hub_t *h)
{
    int64_t now = http_hub_now(h);
    if (now >= h->date_until_ms) {
        int64_t unix_ms = h->clock.now_ms(h->clock.ctx);
        http_writer_date(unix_ms / 1000, h->date);
        h->date_until_ms = now + 1000 - unix_ms % 1000;
    }
    return str_of(h->date, sizeof h->date);
}

rc_t http_hub_id(http_hub_t *h, char out[HTTP_ID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    if (h->ids_left < HTTP_ID_TEXT / 2) {
        TRY(h->random.fill(h->random.ctx, h->ids, sizeof h->ids));
        h->ids_left = sizeof h->ids;
    }
    h->ids_left -= HTTP_ID_TEXT / 2;
    const uint8_t *from = h->ids + h->ids_left;
    for (size_t i = 0; i < HTTP_ID_TEXT / 2; i++) {
        out[2 * i] = hex[from[i] >> 4];
        out[2 * i + 1] = hex[from[i] & 15];
    }
    return RC_OK;
}

arena_t *http_hub_arena(http_hub_t *h)
{
    return h->arena_count ? h->arenas[--h->arena_count] : arena_new(LIMIT_REQUEST_ARENA_BYTES);
}

void http_hub_give_arena(http_hub_t *h, arena_t *a)
{
    if (!a || h->arena_count == HTTP_HUB_ARENAS) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    h->arenas[h->arena_count++] = a;
}

http_block_t *http_hub_block(http_hub_t *h)
{
    http_block_t *b = h->blocks;
    if (!b)
        return malloc(sizeof *b);
    h->blocks = b->next;
    h->block_count--;
    return b;
}

void http_hub_give_block(http_hub_t *h, http_block_t *b)
{
    if (!b || h->block_count == HTTP_HUB_BLOCKS) {
        free(b);
        return;
    }
    b->next = h->blocks;
    h->blocks = b;
    h->block_count++;
}

http_call_t *http_hub_call(http_hub_t *h)
{
    http_call_t *call = h->calls;
    if (!call)
        return calloc(1, sizeof *call);
    h->calls = call->next;
    h->call_count--;
    memset(call, 0, sizeof *call);
    return call;
}

void http_hub_give_call(http_hub_t *h, http_call_t *call)
{
    if (!call || h->call_count == HTTP_HUB_CALLS) {
        free(call);
        return;
    }
    call->next = h->calls;
    h->calls = call;
    h->call_count++;
}

void http_hub_idle(http_hub_t *h, http_conn_t *c)
{
    if (c->idle)
        return;
    c->idle = true;
    c->idle_prev = h->idle_last;
    c->idle_next = NULL;
    *(h->idle_last ? &h->idle_last->idle_next : &h->idle_first) = c;
    h->idle_last = c;
}

void http_hub_busy(http_hub_t *h, http_conn_t *c)
{
    if (!c->idle)
        return;
    c->idle = false;
    *(c->idle_prev ? &c->idle_prev->idle_next : &h->idle_first) = c->idle_next;
    *(c->idle_next ? &c->idle_next->idle_prev : &h->idle_last) = c->idle_prev;
}

bool http_hub_evict(http_hub_t *h)
{
    http_conn_t *c = h->idle_first;
    if (c)
        http_conn_cut(c, 0);
    return c != NULL;
}

/* Calls fn on every connection. A hook may answer any exchange meanwhile, so nothing is freed
 * before the walk is over. */
static void each_conn(http_hub_t *h, void (*fn)(http_conn_t *c, int64_t now_ms))
{
    int64_t now = http_hub_now(h);
    h->walking = true;
    for (http_conn_t *c = h->conns; c; c = c->next) {
        if (c->phase != HTTP_PHASE_ENDED)
            fn(c, now);
    }
    h->walking = false;
    for (http_conn_t *c = h->conns, *next; c; c = next) {
        next = c->next;
        if (c->phase == HTTP_PHASE_ENDED)
            http_conn_free(c);
    }
}

void http_hub_due(http_hub_t *h, int64_t at_ms)
{
    if (at_ms && at_ms < h->due_ms)
        h->due_ms = at_ms;
}

/* Ten thousand idle streams have no deadline, and are not walked over. */
bool http_hub_must_wait(const http_hub_t *h)
{
    if (!h->busy_ms)
        return false;
    return !http_link_none(&h->waiting) || http_overload_is_long(h->busy_ms(h->loop));
}

bool http_hub_serve(http_hub_t *h)
{
    while (!http_link_none(&h->waiting) && !http_overload_is_long(h->busy_ms(h->loop))) {
        http_link_t *first = h->waiting.next;
        http_link_drop(first);
        http_conn_run((http_conn_t *)((char *)first - offsetof(http_conn_t, turn)));
    }
    return !http_link_none(&h->waiting);
}

void http_hub_tick(http_hub_t *h)
{
    if (http_hub_now(h) < h->due_ms)
        return;
    h->due_ms = INT64_MAX;
    each_conn(h, http_conn_tick);
}

void http_hub_drain(http_hub_t *h, int64_t grace_ms)
{
    h->draining = true;
    h->grace_ms = grace_ms;
    each_conn(h, http_conn_drain);
}

void http_hub_cut(http_hub_t *h)
{
    each_conn(h, http_conn_cut);
}

void http_hub_close(http_hub_t *h)
{
    while (h->arena_count)
        arena_free(h->arenas[--h->arena_count]);
    while (h->blocks) {
        http_block_t *b = h->blocks;
        h->blocks = b->next;
        free(b);
    }
    h->block_count = 0;
    while (h->calls) {
        http_call_t *call = h->calls;
        h->calls = call->next;
        free(call);
    }
    h->call_count = 0;
}
