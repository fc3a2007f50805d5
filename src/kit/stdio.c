/* warder_mcp_serve_stdio. */
#include "kit/options.h"
#include "mcp_stdio/stdio.h"
#include "mcp_stdio/streams.h"

#include <stdio.h>

static int fail(char *out, size_t n, const char *sentence)
{
    if (out && n > 0)
        snprintf(out, n, "%s", sentence);
    return KIT_FAILED;
}

/* Nobody but who started the program is there: no tokens, and no trail. */
static void wire(warder_mcp_t *m, const log_t *log)
{
    const mcp_world_ports_t world = {
        .clock = clock_system(), .random = random_system(), .log = log};
    mcp_server_wire(m, &world);
}

int warder_mcp_serve_stdio(warder_mcp_t *m, char *why, size_t why_size)
{
    mcp_streams_t streams;
    log_t log = log_stderr(LOG_WARN);
    mcp_stdio_config_t config = mcp_stdio_defaults();
    if (mcp_streams_take(&streams) != RC_OK)
        return fail(
            why, why_size,
            "standard input and output are not open; start the program from a host, or with "
            "pipes");
    config.in = streams.in;
    config.out = streams.out;
    log.now_ms = config.clock.now_ms;
    log.clock_ctx = config.clock.ctx;
    wire(m, &log);
    rc_t rc = mcp_stdio_serve(m, &config);
    wire(m, NULL); /* it ends here */
    mcp_streams_give_back(&streams);
    if (rc == RC_OK)
        return KIT_DONE;
    return fail(why, why_size,
                rc == RC_MEMORY ? "there is not enough memory"
                                : "standard input or output cannot be used any more");
}
