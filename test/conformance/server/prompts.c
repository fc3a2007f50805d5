#include "surface.h"

static warder_mcp_next_t simple(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, "This is a simple prompt for testing.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t with_arguments(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_textf(call, "Prompt with arguments: arg1='%s', arg2='%s'",
                     warder_mcp_string(call, "arg1"), warder_mcp_string(call, "arg2"));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t with_resource(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_embed_text(call, warder_mcp_string(call, "resourceUri"), "text/plain",
                          "Embedded resource content for testing.");
    warder_mcp_text(call, "Please process the embedded resource above.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t with_image(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_image(call, "image/png", PNG, sizeof PNG);
    warder_mcp_text(call, "Please analyze the image above.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t in_context(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_elicit(call, "user_context", "What context should the prompt use?",
                           OBJECT(STRING("context"), "\"context\"")))
        return WARDER_MCP_ASK;
    const char *context = warder_mcp_answer_string(call, "user_context", "content.context");
    warder_mcp_textf(call, "In this context: %s", context ? context : "none");
    return WARDER_MCP_DONE;
}

static void suggest_words(warder_mcp_call_t *call, const char *argument, const char *value,
                          void *ctx)
{
    static const char *const WORDS[] = {"paris", "park", "party"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(WORDS[i], value, strlen(value)) == 0)
            warder_mcp_suggest(call, WORDS[i]);
}

static const warder_mcp_argument_t TWO[] = {
    {.name = "arg1", .description = "First test argument", .required = true},
    {.name = "arg2", .description = "Second test argument", .required = true},
};
static const warder_mcp_argument_t URI[] = {
    {.name = "resourceUri", .description = "URI of the resource to embed", .required = true},
};

const warder_mcp_prompt_t PROMPTS[] = {
    {.name = "test_simple_prompt", .description = "No arguments", .run = simple},
    {.name = "test_prompt_with_arguments",
     .description = "Two arguments",
     .arguments = TWO,
     .argument_count = 2,
     .run = with_arguments,
     .complete = suggest_words},
    {.name = "test_prompt_with_embedded_resource",
     .description = "With a resource",
     .arguments = URI,
     .argument_count = 1,
     .run = with_resource},
    {.name = "test_prompt_with_image", .description = "With an image", .run = with_image},
    {.name = "test_input_required_result_prompt",
     .description = "Asks for the context first",
     .run = in_context},
};
const size_t PROMPT_COUNT = sizeof PROMPTS / sizeof *PROMPTS;
