#include "core/log.h"

#include "core/ports.h"

#include <unistd.h>

static void write_stderr(void *ctx, str_t line)
{
    (void)ctx;
    /* A log that cannot be written must not stop the server. */
    ssize_t ignored = write(STDERR_FILENO, line.p, line.n);
    (void)ignored;
}

log_t log_stderr(log_level_t min)
{
    clock_port_t clock = clock_system();
    return (log_t){write_stderr, NULL, min, clock.now_ms, clock.ctx};
}
