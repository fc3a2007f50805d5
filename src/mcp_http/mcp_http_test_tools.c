/* The functions of the world of the tests. */
#include "mcp_http/mcp_http_test_world.h"

static warder_mcp_next_t run_echo(warder_mcp_call_t *call, void *ctx)
{
    mcp_world_t *f = ctx;
    const char *text = warder_mcp_string(call, "text");
    atomic_fetch_add(&f->runs, 1);
    if (text && strcmp(text, "fail") == 0)
        return WARDER_MCP_FAIL;
    if (text && strcmp(text, "bad") == 0)
        warder_mcp_error(call, "That is bad.");
    else
        warder_mcp_text(call, text ? text : "nothing");
    return WARDER_MCP_DONE;
}

/* Tells how far it is, and waits while it is held. */
static warder_mcp_next_t run_wait(warder_mcp_call_t *call, void *ctx)
{
    mcp_world_t *f = ctx;
    atomic_fetch_add(&f->runs, 1);
    warder_mcp_progress(call, 1, 2, "begun");
    while (atomic_load(&f->hold)) {
        if (warder_mcp_sleep(call, 2))
            continue;
        atomic_fetch_add(&f->cancelled, 1);
        return WARDER_MCP_DONE;
    }
    warder_mcp_progress(call, 2, 2, "nearly");
    warder_mcp_text(call, "waited");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_log(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_log(call, WARDER_MCP_WARNING, NULL, "a word");
    return run_echo(call, ctx);
}

static warder_mcp_next_t run_let_go(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_let_go(call);
    return run_wait(call, ctx);
}

static warder_mcp_next_t run_flood(warder_mcp_call_t *call, void *ctx)
{
    char text[FLOOD_BYTES + 1];
    (void)ctx;
    memset(text, 'x', FLOOD_BYTES);
    text[FLOOD_BYTES] = '\0';
    for (int i = 1; i <= FLOOD_MESSAGES; i++)
        warder_mcp_progress(call, i, FLOOD_MESSAGES, text);
    for (int i = 0; i < FLOOD_BLOCKS; i++)
        warder_mcp_text(call, text);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_ask(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "size", "Which size?",
                           "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"string\"}}}"))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "size %s", warder_mcp_answer_string(call, "size", "content.size"));
    return WARDER_MCP_DONE;
}

/* Finds out that it needs more; after a word where "late" is said. */
static warder_mcp_next_t run_need(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (warder_mcp_string(call, "late"))
        warder_mcp_progress(call, 1, 2, "begun");
    warder_mcp_need_scope(call, "news:write");
    return WARDER_MCP_DONE;
}

#define CITY                                                                                       \
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"x-mcp-header\":"         \
    "\"City\"}}}"
#define ANY "{\"type\":\"object\"}"

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "echo",
     .description = "Echoes.",
     .input_schema = ANY,
     .scope = "news:read",
     .run = run_echo},
    {.name = "quick",
     .description = "For tests.",
     .input_schema = ANY,
     .run = run_echo,
     .flags = WARDER_MCP_QUICK},
    {.name = "city", .description = "For tests.", .input_schema = CITY, .run = run_echo},
    {.name = "log", .description = "For tests.", .input_schema = ANY, .run = run_log},
    {.name = "wait", .description = "For tests.", .run = run_wait},
    {.name = "let_go", .description = "For tests.", .run = run_let_go},
    {.name = "flood", .description = "For tests.", .run = run_flood},
    {.name = "ask", .description = "For tests.", .run = run_ask},
    {.name = "need", .description = "For tests.", .input_schema = ANY, .run = run_need},
};

const warder_mcp_tool_t *mcp_world_tools(size_t *count)
{
    *count = sizeof TOOLS / sizeof *TOOLS;
    return TOOLS;
}
