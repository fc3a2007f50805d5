#include "core/ports.h"

static int64_t fake_ms(void *ctx)
{
    return ((clock_fake_t *)ctx)->ms;
}

clock_port_t clock_fake(clock_fake_t *state)
{
    return (clock_port_t){fake_ms, fake_ms, state};
}

/* Eight bytes of a counter at a time, mixed so that no two handles look alike (splitmix64). */
static rc_t fake_fill(void *ctx, void *out, size_t n)
{
    random_fake_t *state = ctx;
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = (state->next + i / 8 + 1) * 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        p[i] = (uint8_t)((z ^ z >> 31) >> (i % 8 * 8));
    }
    state->next += n / 8 + 1;
    return RC_OK;
}

random_port_t random_fake(random_fake_t *state)
{
    return (random_port_t){fake_fill, state};
}
