#include "as/settled.h"

static int64_t believe(as_settled_t *s, int64_t wall_ms, int64_t mono_ms)
{
    *s = (as_settled_t){.wall_ms = wall_ms, .mono_ms = mono_ms};
    return wall_ms;
}

int64_t as_settled_now(as_settled_t *s, int64_t wall_ms, int64_t mono_ms)
{
    int64_t expected = s->wall_ms + (mono_ms - s->mono_ms);
    if (s->wall_ms == 0 || wall_ms <= expected + AS_SETTLED_DRIFT_MS)
        return believe(s, wall_ms, mono_ms);
    if (s->ahead_since_ms == 0)
        s->ahead_since_ms = mono_ms;
    if (mono_ms - s->ahead_since_ms >= AS_SETTLED_AFTER_MS)
        return believe(s, wall_ms, mono_ms);
    return expected;
}
