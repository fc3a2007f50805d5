#include "as/backlog.h"

#include <stdbool.h>

#include "core/limits.h"

/* A window is this long at least, and holds as much, or is as long as anybody may wait. */
enum { WINDOW_MS = 100, WINDOW_DONE = 16 };

void as_backlog_begin(as_backlog_t *b, int64_t now_ms)
{
    if (b->open++ > 0)
        return;
    b->since_ms = b->window_ms = b->done_ms = now_ms;
    b->done = 0;
    b->last_ms = 0;
}

static bool is_whole(const as_backlog_t *b)
{
    int64_t ms = b->done_ms - b->window_ms;
    return b->done > 0 && ms >= WINDOW_MS && (b->done >= WINDOW_DONE || ms >= LIMIT_STORE_WAIT_MS);
}

/* What is done at one moment is counted together: it was one commit. */
void as_backlog_end(as_backlog_t *b, int64_t now_ms)
{
    if (now_ms > b->done_ms && is_whole(b)) {
        b->last_done = b->done;
        b->last_ms = b->done_ms - b->window_ms;
        b->window_ms = b->done_ms;
        b->done = 0;
    }
    b->open--;
    b->done++;
    b->done_ms = now_ms;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wait_of(const as_backlog_t *b, uint32_t done, int64_t ms)
{
    return b->open * ms / done;
}

/* By the pace that is known; until then nobody has waited longer than since it was empty. */
static int64_t by_pace(const as_backlog_t *b, int64_t now_ms)
{
    int64_t ms = b->done_ms - b->window_ms;
    if (is_whole(b))
        return wait_of(b, b->done, ms);
    if (b->last_ms > 0)
        return wait_of(b, b->last_done, b->last_ms);
    int64_t oldest = now_ms - b->since_ms;
    return b->done > 0 ? least(oldest, wait_of(b, b->done, ms)) : oldest;
}

int64_t as_backlog_wait(const as_backlog_t *b, int64_t now_ms)
{
    if (b->open == 0)
        return 0;
    int64_t wait = by_pace(b, now_ms), stalled = now_ms - b->done_ms;
    return stalled > wait ? stalled : wait;
}
