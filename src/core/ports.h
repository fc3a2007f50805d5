/* Clock and randomness as ports: wired in cmd/, doubled in tests. */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include "core/rc.h"
#include "core/str.h"

/** Time. `now_ms` is Unix time in milliseconds, `mono_ms` never goes back. Any thread. */
typedef struct {
    int64_t (*now_ms)(void *ctx);
    int64_t (*mono_ms)(void *ctx);
    void *ctx;
} clock_port_t;

/** Unpredictable bytes; fails only if the system cannot give any. Any thread. */
typedef struct {
    rc_t (*fill)(void *ctx, void *out, size_t n);
    void *ctx;
} random_port_t;

/** Runs fn(arg) soon on the thread that owns the port (a worker's event loop). Any thread may call;
 *  RC_BUSY when the queue is full, RC_IO when the loop is gone: fn will not run then. */
typedef struct {
    rc_t (*post)(void *ctx, void (*fn)(void *arg), void *arg);
    void *ctx;
} post_port_t;

/** The system's clock and getrandom(2) (ports_sys.c). */
clock_port_t clock_system(void);
random_port_t random_system(void);

/** Microseconds of the system's clock that never goes back, for measuring. */
int64_t clock_micros(void);

/** Doubles: a clock that stands where it is put, and bytes from a counter (tests only). */
typedef struct {
    int64_t ms;
} clock_fake_t;
clock_port_t clock_fake(clock_fake_t *state);
typedef struct {
    uint64_t next;
} random_fake_t;
random_port_t random_fake(random_fake_t *state);

static inline int64_t clock_seconds(const clock_port_t *c)
{
    return c->now_ms(c->ctx) / 1000;
}

#endif
