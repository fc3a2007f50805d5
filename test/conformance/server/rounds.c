/* Tools that answer in several rounds (2026-07-28, input_required). */
#include "surface.h"

#define OK_FORM OBJECT("\"ok\":{\"type\":\"boolean\"}", "\"ok\"")

static warder_mcp_next_t ask_name(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_elicit(call, "user_name", "What is your name?", NAME_FORM))
        return WARDER_MCP_ASK;
    const char *name = warder_mcp_answer_string(call, "user_name", "content.name");
    warder_mcp_textf(call, "Hello, %s!", name ? name : "whoever you are");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t ask_model(warder_mcp_call_t *call, void *ctx)
{
    static const char PARAMS[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":"
        "\"What is the capital of France?\"}}],\"maxTokens\":100}";
    if (!warder_mcp_sample(call, "capital_question", PARAMS))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, said(call, "capital_question"));
    return WARDER_MCP_DONE;
}

static void say_roots(warder_mcp_call_t *call)
{
    char path[32];
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "roots.%d.uri", i);
        const char *uri = warder_mcp_answer_string(call, "client_roots", path);
        if (!uri)
            return;
        warder_mcp_textf(call, "Root: %s", uri);
    }
}

static warder_mcp_next_t ask_roots(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_roots(call, "client_roots"))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "The client's roots:");
    say_roots(call);
    return WARDER_MCP_DONE;
}

/* The state came back as it went out. */
static bool state_is(const warder_mcp_call_t *call, const char *text)
{
    const char *state = warder_mcp_state(call);
    return state && strcmp(state, text) == 0;
}

static warder_mcp_next_t with_state(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_elicit(call, "confirm", "Please confirm", OK_FORM)) {
        warder_mcp_set_state(call, "confirming");
        return WARDER_MCP_ASK;
    }
    warder_mcp_text(call, state_is(call, "confirming") ? "state-ok" : "the state is lost");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t three_at_once(warder_mcp_call_t *call, void *ctx)
{
    const char *name = warder_mcp_elicit(call, "user_name", "What is your name?", NAME_FORM);
    const char *greeting = warder_mcp_sample(call, "greeting", GREETING);
    const char *roots = warder_mcp_roots(call, "client_roots");
    if (!name || !greeting || !roots) {
        warder_mcp_set_state(call, "asked");
        return WARDER_MCP_ASK;
    }
    warder_mcp_textf(call, "Hello, %s: all three came.",
                     warder_mcp_answer_string(call, "user_name", "content.name"));
    return WARDER_MCP_DONE;
}

/* The name of the first round is kept as state for the last one. */
static warder_mcp_next_t two_rounds(warder_mcp_call_t *call, void *ctx)
{
    const char *name = warder_mcp_state(call);
    if (!name || !*name) {
        if (!warder_mcp_elicit(call, "step1", "Step 1: What is your name?", NAME_FORM)) {
            warder_mcp_set_state(call, "");
            return WARDER_MCP_ASK;
        }
        name = warder_mcp_answer_string(call, "step1", "content.name");
        warder_mcp_set_state(call, name ? name : "nobody");
    }
    if (!warder_mcp_elicit(call, "step2", "Step 2: What is your favorite color?",
                           OBJECT(STRING("color"), "\"color\"")))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "%s likes %s.", name ? name : "nobody",
                     warder_mcp_answer_string(call, "step2", "content.color"));
    return WARDER_MCP_DONE;
}

/* Only what the client can do is asked. */
static warder_mcp_next_t by_capabilities(warder_mcp_call_t *call, void *ctx)
{
    bool waits = false;
    if (warder_mcp_client_can(call, "sampling"))
        waits |= !warder_mcp_sample(call, "greeting", GREETING);
    if (warder_mcp_client_can(call, "elicitation"))
        waits |= !warder_mcp_elicit(call, "user_name", "What is your name?", NAME_FORM);
    if (warder_mcp_client_can(call, "roots"))
        waits |= !warder_mcp_roots(call, "client_roots");
    if (waits)
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "There is nothing left to ask.");
    return WARDER_MCP_DONE;
}

#define ROUNDS(suffix, words, function)                                                            \
    {                                                                                              \
        .name = "test_input_required_result_" suffix, .description = words, .run = function        \
    }
static const warder_mcp_tool_t TOOLS[] = {
    ROUNDS("elicitation", "Asks for a name first", ask_name),
    ROUNDS("sampling", "Asks the model first", ask_model),
    ROUNDS("list_roots", "Asks for the roots first", ask_roots),
    ROUNDS("request_state", "Keeps its state at the client", with_state),
    ROUNDS("multiple_inputs", "Asks three things at once", three_at_once),
    ROUNDS("multi_round", "Asks one thing after the other", two_rounds),
    ROUNDS("tampered_state", "Its state is not to be changed", with_state),
    ROUNDS("capabilities", "Asks only for what the client can do", by_capabilities),
};

tools_t round_tools(void)
{
    return (tools_t){TOOLS, sizeof TOOLS / sizeof *TOOLS};
}
