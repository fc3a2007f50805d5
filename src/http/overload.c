#include "http/overload.h"

#include "core/limits.h"

/* A new connection, or the end of one, is seen this late at worst. */
enum { TURN_MS = 20 };

void http_turn_work(http_turn_t *t, int64_t seen_ms)
{
    if (t->began_ms == 0)
        t->began_ms = seen_ms;
}

void http_turn_end(http_turn_t *t)
{
    t->began_ms = 0;
}

int64_t http_turn_busy(const http_turn_t *t, int64_t now_ms)
{
    return t->began_ms ? now_ms - t->began_ms : 0;
}

bool http_overload_is_long(int64_t busy_ms)
{
    return busy_ms >= TURN_MS;
}

bool http_overload_is_late(int64_t waited_ms)
{
    return waited_ms > LIMIT_HTTP_WAIT_MS;
}
