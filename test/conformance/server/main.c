/* The server that the official conformance suite is run against:
 * warder-conformance-server --listen ADDR:PORT | --stdio
 * Prints "warder-conformance-server: ready at URL" where it listens. */
#include "surface.h"

enum { TOOLS_MAX = 64, WHY_BYTES = 256 };

static size_t join(warder_mcp_tool_t *all, size_t n, tools_t some)
{
    if (n + some.n > TOOLS_MAX)
        abort();
    memcpy(all + n, some.rows, some.n * sizeof *some.rows);
    return n + some.n;
}

static size_t every_tool(warder_mcp_tool_t all[TOOLS_MAX])
{
    size_t n = join(all, 0, content_tools());
    n = join(all, n, work_tools());
    n = join(all, n, ask_tools());
    n = join(all, n, round_tools());
    return join(all, n, task_tools());
}

static void ready(void *ctx, const char *url)
{
    (void)ctx;
    printf("warder-conformance-server: ready at %s\n", url);
    fflush(stdout);
}

static int serve(surface_t *s, const char *listen, char why[WHY_BYTES])
{
    const warder_mcp_http_t http = {.listen = listen, .ready = ready};
    if (!listen)
        return warder_mcp_serve_stdio(s->mcp, why, WHY_BYTES);
    return warder_mcp_serve_http(s->mcp, &http, why, WHY_BYTES);
}

int main(int argc, char **argv)
{
    bool stdio = argc == 2 && strcmp(argv[1], "--stdio") == 0;
    if (!stdio && (argc != 3 || strcmp(argv[1], "--listen") != 0)) {
        fputs("usage: warder-conformance-server --listen ADDR:PORT | --stdio\n", stderr);
        return 2;
    }
    surface_t s = {0};
    char why[WHY_BYTES] = "";
    static warder_mcp_tool_t tools[TOOLS_MAX];
    const warder_mcp_config_t config = {
        .name = "warder-conformance-server",
        .title = "Everything that the kit offers",
        .version = "1.0.0",
        .instructions = "A server for tests.",
        .tools = tools,
        .tool_count = every_tool(tools),
        .resources = RESOURCES,
        .resource_count = RESOURCE_COUNT,
        .prompts = PROMPTS,
        .prompt_count = PROMPT_COUNT,
        .ctx = &s,
        .threads = 64,               /* the suite leaves tasks of a minute behind */
        .calls_per_minute = 1000000, /* measurements call it far more often than people do */
        .task_kept_s = 120, /* runs one after the other are of one principal, who may have 100 */
    };
    s.mcp = warder_mcp_new(&config, why, sizeof why);
    int code = s.mcp ? serve(&s, stdio ? NULL : argv[2], why) : 3;
    if (code != 0)
        fprintf(stderr, "warder-conformance-server: %s\n", why);
    warder_mcp_free(s.mcp);
    return code;
}
