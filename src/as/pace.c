#include "as/pace.h"

/* Of one batch: one that takes longer is cut, one that is much shorter may grow. */
enum { LONG_MS = 50, SHORT_MS = 10, HALVINGS_MAX = 7 };

as_pace_t as_pace_begin(void)
{
    return (as_pace_t){.rows = AS_PACE_FIRST, .pause_ms = AS_PACE_PAUSE_MS};
}

static uint32_t next_rows(uint32_t rows, int64_t held_ms)
{
    uint32_t next = held_ms > LONG_MS ? rows / 2 : held_ms <= SHORT_MS ? rows * 2 : rows;
    if (next < AS_PACE_LEAST)
        return AS_PACE_LEAST;
    return next > AS_PACE_MOST ? AS_PACE_MOST : next;
}

bool as_pace_next(as_pace_t *p, size_t deleted, int64_t held_ms)
{
    if (deleted < p->rows)
        return false;
    unsigned halvings = ++p->full / AS_PACE_BEHIND;
    int64_t pause_ms = halvings > HALVINGS_MAX ? 0 : AS_PACE_PAUSE_MS >> halvings;
    p->pause_ms = pause_ms > held_ms ? pause_ms : held_ms;
    p->rows = next_rows(p->rows, held_ms);
    return true;
}
