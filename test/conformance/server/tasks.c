/* Tools that are tasks where the client can have them (io.modelcontextprotocol/tasks). */
#include "surface.h"

#define CONFIRM_FORM OBJECT("\"confirm\":{\"type\":\"boolean\"}", "\"confirm\"")

static warder_mcp_next_t greet(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_textf(call, "Hello, %s!", warder_mcp_string(call, "name"));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t slow_compute(warder_mcp_call_t *call, void *ctx)
{
    double seconds = 0;
    warder_mcp_number(call, "seconds", &seconds);
    warder_mcp_task_status(call, "computing");
    if (!warder_mcp_sleep(call, (int)(seconds * 1000)))
        return WARDER_MCP_DONE;
    warder_mcp_textf(call, "Computed for %g seconds.", seconds);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t failing_job(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_sleep(call, 1000);
    warder_mcp_error(call, "The job ran, and failed.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t protocol_error_job(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_sleep(call, 100);
    return WARDER_MCP_FAIL;
}

static warder_mcp_next_t confirm_delete(warder_mcp_call_t *call, void *ctx)
{
    char message[256];
    const char *name = warder_mcp_string(call, "filename");
    snprintf(message, sizeof message, "Delete %s?", name ? name : "the file");
    if (!warder_mcp_elicit(call, "confirm", message, CONFIRM_FORM))
        return WARDER_MCP_ASK;
    const char *action = warder_mcp_answer_action(call, "confirm");
    bool yes = action && strcmp(action, "accept") == 0;
    warder_mcp_textf(call, "%s %s.", yes ? "Deleted" : "Kept", name ? name : "the file");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t multi_input(warder_mcp_call_t *call, void *ctx)
{
    const char *name = warder_mcp_elicit(call, "name", "What is your name?", NAME_FORM);
    const char *confirmed = warder_mcp_elicit(call, "confirm", "Go on?", CONFIRM_FORM);
    if (!name || !confirmed)
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "Both answers came.");
    return WARDER_MCP_DONE;
}

/* Gathers its input in the call itself, and only then becomes a task. */
static warder_mcp_next_t with_task(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_elicit(call, "user_name", "What is your name?", NAME_FORM))
        return WARDER_MCP_ASK;
    warder_mcp_become_task(call);
    warder_mcp_sleep(call, 200);
    const char *name = warder_mcp_answer_string(call, "user_name", "content.name");
    warder_mcp_textf(call, "Worked for %s.", name ? name : "nobody");
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "greet",
     .description = "Greets",
     .input_schema = OBJECT(STRING("name"), "\"name\""),
     .run = greet},
    {.name = "slow_compute",
     .description = "Takes some seconds",
     .input_schema =
         OBJECT("\"seconds\":{\"type\":\"number\",\"minimum\":0,\"maximum\":600}," STRING("label"),
                "\"seconds\""),
     .flags = WARDER_MCP_TASK,
     .run = slow_compute},
    {.name = "failing_job",
     .description = "Fails after a second",
     .flags = WARDER_MCP_TASK | WARDER_MCP_TASK_ONLY,
     .run = failing_job},
    {.name = "protocol_error_job",
     .description = "Fails as a machine does",
     .flags = WARDER_MCP_TASK,
     .run = protocol_error_job},
    {.name = "confirm_delete",
     .description = "Asks before it deletes",
     .input_schema = OBJECT(STRING("filename"), "\"filename\""),
     .flags = WARDER_MCP_TASK,
     .run = confirm_delete},
    {.name = "multi_input",
     .description = "Asks two things at once",
     .flags = WARDER_MCP_TASK,
     .run = multi_input},
    {.name = "test_tool_with_task",
     .description = "Asks, and then works as a task",
     .flags = WARDER_MCP_TASK_ONLY,
     .run = with_task},
};

tools_t task_tools(void)
{
    return (tools_t){TOOLS, sizeof TOOLS / sizeof *TOOLS};
}
