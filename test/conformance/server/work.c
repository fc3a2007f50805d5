/* Tools that take their time, and those that say what has changed. */
#include "surface.h"

static warder_mcp_next_t logging(warder_mcp_call_t *call, void *ctx)
{
    static const char *const LINES[] = {"Tool execution started", "Tool processing data",
                                        "Tool execution completed"};
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            warder_mcp_sleep(call, 50);
        warder_mcp_log(call, WARDER_MCP_INFO, "conformance", LINES[i]);
    }
    warder_mcp_text(call, "Logged three times.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t log_once(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_log(call, WARDER_MCP_INFO, NULL, "logged once");
    warder_mcp_text(call, "Logged, if that was asked for.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t progress(warder_mcp_call_t *call, void *ctx)
{
    for (int done = 0; done <= 100; done += 50) {
        if (done > 0)
            warder_mcp_sleep(call, 50);
        warder_mcp_progress(call, done, 100, "step by step");
    }
    warder_mcp_text(call, "Done.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t slow(warder_mcp_call_t *call, void *ctx)
{
    surface_t *s = ctx;
    double seconds = 0;
    warder_mcp_number(call, "seconds", &seconds);
    for (int step = 1; step <= seconds * 10; step++) {
        if (!warder_mcp_sleep(call, 100)) {
            atomic_fetch_add(&s->stopped, 1);
            return WARDER_MCP_DONE;
        }
        if (step % 2 == 0)
            warder_mcp_progress(call, step, seconds * 10, NULL);
    }
    warder_mcp_textf(call, "counted to %g", seconds * 10);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t stopped(warder_mcp_call_t *call, void *ctx)
{
    surface_t *s = ctx;
    warder_mcp_textf(call, "%d", atomic_load(&s->stopped));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t reconnection(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_let_go(call);
    warder_mcp_sleep(call, 100);
    warder_mcp_text(call, "Reconnection test completed successfully.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t tools_change(warder_mcp_call_t *call, void *ctx)
{
    surface_t *s = ctx;
    warder_mcp_tools_changed(s->mcp);
    warder_mcp_text(call, "told");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t prompts_change(warder_mcp_call_t *call, void *ctx)
{
    surface_t *s = ctx;
    warder_mcp_prompts_changed(s->mcp);
    warder_mcp_text(call, "told");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t resource_change(warder_mcp_call_t *call, void *ctx)
{
    surface_t *s = ctx;
    const char *uri = warder_mcp_string(call, "uri");
    warder_mcp_resource_updated(s->mcp, uri ? uri : "test://watched-resource");
    warder_mcp_text(call, "told");
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "test_tool_with_logging", .description = "Logs while it works", .run = logging},
    {.name = "test_logging_tool", .description = "Logs once", .run = log_once},
    {.name = "test_tool_with_progress", .description = "Says how far it is", .run = progress},
    {.name = "test_slow",
     .description = "Counts for a while, and notices when it is stopped",
     .input_schema =
         OBJECT("\"seconds\":{\"type\":\"number\",\"minimum\":0,\"maximum\":60}", "\"seconds\""),
     .run = slow},
    {.name = "test_stopped", .description = "How many slow calls were stopped", .run = stopped},
    {.name = "test_reconnection",
     .description = "Lets its stream go while it works",
     .run = reconnection},
    {.name = "test_trigger_tool_change",
     .description = "Says that tools have changed",
     .run = tools_change},
    {.name = "test_trigger_prompt_change",
     .description = "Says that prompts have changed",
     .run = prompts_change},
    {.name = "test_trigger_resource_update",
     .description = "Says that a resource has changed",
     .input_schema = OBJECT(STRING("uri"), ""),
     .run = resource_change},
};

tools_t work_tools(void)
{
    return (tools_t){TOOLS, sizeof TOOLS / sizeof *TOOLS};
}
