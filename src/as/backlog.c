#include "as/backlog.h"

enum { WINDOW_MS = 100 };

void as_backlog_begin(as_backlog_t *b, int64_t now_ms)
{
    if (b->open++ > 0)
        return;
    b->since_ms = b->window_ms = now_ms;
    b->done = 0;
    b->last_ms = 0;
}

void as_backlog_end(as_backlog_t *b, int64_t now_ms)
{
    b->open--;
    b->done++;
    if (now_ms - b->window_ms < WINDOW_MS)
        return;
    b->last_done = b->done;
    b->last_ms = now_ms - b->window_ms;
    b->window_ms = now_ms;
    b->done = 0;
}

int64_t as_backlog_wait(const as_backlog_t *b, int64_t now_ms)
{
    if (b->open == 0)
        return 0;
    /* How fast it goes is not known yet: as long as the oldest may have waited. */
    if (b->last_ms == 0)
        return now_ms - b->since_ms;
    int64_t wait = b->open * b->last_ms / b->last_done;
    int64_t stalled = b->done == 0 ? now_ms - b->window_ms : 0;
    return stalled > wait ? stalled : wait;
}
