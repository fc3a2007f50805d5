#include "mcp_server/mcp_server_test_world.h"

#include <stdlib.h>

static warder_mcp_next_t run_add(warder_mcp_call_t *call, void *ctx)
{
    double a = 0, b = 0;
    (void)ctx;
    warder_mcp_number(call, "a", &a);
    warder_mcp_number(call, "b", &b);
    warder_mcp_textf(call, "%g", a + b);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_done(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_name(call));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_waits(warder_mcp_call_t *call, void *ctx)
{
    server_world_t *w = ctx;
    while (!atomic_load(&w->go_on) && !warder_mcp_cancelled(call))
        warder_mcp_sleep(call, 1);
    bool fails = false, breaks = false;
    warder_mcp_boolean(call, "fails", &fails);
    warder_mcp_boolean(call, "breaks", &breaks);
    if (breaks)
        warder_mcp_protocol_error(call, -32050, "It broke", NULL);
    else if (fails)
        warder_mcp_error(call, "It failed");
    else
        warder_mcp_text(call, "waited");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_asks(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    const char *answer = warder_mcp_elicit(call, "size", "Which size?",
                                           "{\"type\":\"object\",\"properties\":{\"size\":{"
                                           "\"type\":\"string\"}},\"required\":[\"size\"]}");
    if (!answer)
        return WARDER_MCP_ASK;
    warder_mcp_text(call, warder_mcp_answer_string(call, "size", "content.size"));
    return WARDER_MCP_DONE;
}

static void complete(warder_mcp_call_t *call, const char *argument, const char *value, void *ctx)
{
    (void)ctx;
    const char *style = warder_mcp_string(call, "style");
    warder_mcp_suggest(call, argument);
    warder_mcp_suggest(call, value);
    if (style)
        warder_mcp_suggest(call, style);
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "add",
     .title = "Add",
     .description = "Adds two numbers",
     .input_schema = "{\"type\": \"object\",\n \"properties\": {\"a\": {\"type\": \"number\"},\n"
                     "  \"b\": {\"type\": \"number\"}}, \"required\": [\"a\", \"b\"]}",
     .flags = WARDER_MCP_QUICK | WARDER_MCP_READ_ONLY,
     .run = run_add},
    {.name = "secret", .description = "Needs news:read", .scope = "news:read", .run = run_done},
    {.name = "hidden",
     .description = "Needs admin",
     .input_schema = "{\"type\":\"object\",\"required\":[\"a\"]}",
     .scope = "admin",
     .run = run_done},
    {.name = "waits", .description = "Waits until it is told", .run = run_waits},
    {.name = "job",
     .description = "A task",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"fails\":{\"type\":\"boolean\"}}}",
     .flags = WARDER_MCP_TASK,
     .run = run_waits},
    {.name = "job_only",
     .description = "A task only",
     .flags = WARDER_MCP_TASK | WARDER_MCP_TASK_ONLY,
     .run = run_asks},
    {.name = "repeats",
     .description = "Repeats an argument",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\","
                     "\"x-mcp-header\":\"Region\"}}}",
     .run = run_done},
    {.name = "asks", .description = "Asks", .run = run_asks},
};

static const warder_mcp_resource_t RESOURCES[] = {
    {.uri = "test://static", .name = "static", .mime_type = "text/plain", .run = run_done},
    {.uri = "test://items/{id}", .name = "items", .run = run_done, .complete = complete},
    {.uri = "test://hidden", .name = "hidden", .scope = "admin", .run = run_done},
};

static const warder_mcp_argument_t ARGUMENTS[] = {
    {.name = "name", .description = "Whom", .required = true}, {.name = "style"}};

static const warder_mcp_prompt_t PROMPTS[] = {
    {.name = "greet",
     .description = "Greets",
     .arguments = ARGUMENTS,
     .argument_count = 2,
     .run = run_done,
     .complete = complete},
    {.name = "plain", .run = run_done},
};

warder_mcp_config_t test_config(void)
{
    return (warder_mcp_config_t){.name = "test",
                                 .title = "Test",
                                 .version = "1.2",
                                 .instructions = "Be kind.",
                                 .website_url = "https://test.example",
                                 .tools = TOOLS,
                                 .tool_count = sizeof TOOLS / sizeof *TOOLS,
                                 .resources = RESOURCES,
                                 .resource_count = sizeof RESOURCES / sizeof *RESOURCES,
                                 .prompts = PROMPTS,
                                 .prompt_count = sizeof PROMPTS / sizeof *PROMPTS,
                                 .threads = 2};
}
