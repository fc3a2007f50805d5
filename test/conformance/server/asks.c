/* Tools that ask the client for one thing. */
#include "surface.h"

#define PERSON_FORM                                                                                \
    OBJECT("\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"               \
           "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}",             \
           "\"username\",\"email\"")
#define DEFAULTS_FORM                                                                              \
    OBJECT("\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"                              \
           "\"age\":{\"type\":\"integer\",\"default\":30},"                                        \
           "\"score\":{\"type\":\"number\",\"default\":95.5},"                                     \
           "\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"pending\"],"       \
           "\"default\":\"active\"},"                                                              \
           "\"verified\":{\"type\":\"boolean\",\"default\":true}",                                 \
           "")
#define OPTIONS "[\"option1\",\"option2\",\"option3\"]"
#define TITLED(one, two, three)                                                                    \
    "[{\"const\":\"value1\",\"title\":\"" one "\"},{\"const\":\"value2\",\"title\":\"" two         \
    "\"},{\"const\":\"value3\",\"title\":\"" three "\"}]"
#define ENUMS_FORM                                                                                 \
    OBJECT("\"untitledSingle\":{\"type\":\"string\",\"enum\":" OPTIONS "},"                        \
           "\"titledSingle\":{\"type\":\"string\",\"oneOf\":" TITLED(                              \
               "First Option", "Second Option",                                                    \
               "Third Option") "},"                                                                \
                               "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\","  \
                               "\"opt3\"],"                                                        \
                               "\"enumNames\":[\"Option One\",\"Option Two\",\"Option Three\"]},"  \
                               "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":"        \
                               "\"string\",\"enum\":" OPTIONS "}},"                                \
                               "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":" TITLED( \
                                   "First Choice", "Second Choice", "Third Choice") "}}",          \
           "")

const char *said(const warder_mcp_call_t *call, const char *key)
{
    const char *text = warder_mcp_answer_string(call, key, "content.text");
    if (!text)
        text = warder_mcp_answer_string(call, key, "content.0.text");
    return text ? text : "nothing";
}

static warder_mcp_next_t sampling(warder_mcp_call_t *call, void *ctx)
{
    char params[4096];
    const char *prompt = warder_mcp_json(call, "prompt");
    int n =
        snprintf(params, sizeof params,
                 "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":%s}}],"
                 "\"maxTokens\":100}",
                 prompt);
    if (n < 0 || (size_t)n >= sizeof params) {
        warder_mcp_error(call, "The prompt is too long.");
        return WARDER_MCP_DONE;
    }
    if (!warder_mcp_sample(call, "answer", params))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "LLM response: %s", said(call, "answer"));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t ask_form(warder_mcp_call_t *call, const char *message, const char *form,
                                  const char *before)
{
    const char *answer = warder_mcp_elicit(call, "answer", message, form);
    if (!answer)
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "%s: action=%s, answer=%s", before,
                     warder_mcp_answer_action(call, "answer"), answer);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t elicitation(warder_mcp_call_t *call, void *ctx)
{
    return ask_form(call, warder_mcp_string(call, "message"), PERSON_FORM, "User response");
}

static warder_mcp_next_t defaults(warder_mcp_call_t *call, void *ctx)
{
    return ask_form(call, "Please look at these values", DEFAULTS_FORM, "Elicitation completed");
}

static warder_mcp_next_t enums(warder_mcp_call_t *call, void *ctx)
{
    return ask_form(call, "Please look at these values", ENUMS_FORM, "Elicitation completed");
}

/* Fails where the client cannot sample, before it is asked. */
static warder_mcp_next_t missing_capability(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_sample(call, "greeting", GREETING))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "The client can sample.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t streaming_elicitation(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_progress(call, 1, 2, NULL);
    if (!warder_mcp_elicit(call, "user_name", "What is your name?", NAME_FORM))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "Hello, %s!",
                     warder_mcp_answer_string(call, "user_name", "content.name"));
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "test_sampling",
     .description = "Asks the model",
     .input_schema = OBJECT(STRING("prompt"), "\"prompt\""),
     .run = sampling},
    {.name = "test_elicitation",
     .description = "Asks the person",
     .input_schema = OBJECT(STRING("message"), "\"message\""),
     .run = elicitation},
    {.name = "test_elicitation_sep1034_defaults",
     .description = "A form with defaults",
     .run = defaults},
    {.name = "test_elicitation_sep1330_enums", .description = "A form with choices", .run = enums},
    {.name = "test_missing_capability",
     .description = "Needs a client that samples",
     .run = missing_capability},
    {.name = "test_streaming_elicitation",
     .description = "Says how far it is, then asks",
     .run = streaming_elicitation},
};

tools_t ask_tools(void)
{
    return (tools_t){TOOLS, sizeof TOOLS / sizeof *TOOLS};
}
