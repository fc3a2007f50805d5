/* The params of a request of 2026-07-28, from which a function takes answers to a form, a page, a
 * model and roots: what it gets fits, and what goes out is JSON that asks for the rest. */
#include "mcp_server/server_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static unsigned ask(warder_mcp_call_t *call)
{
    static const char FORM[] = "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"string\","
                               "\"maxLength\":3},\"n\":{\"type\":\"integer\",\"minimum\":1}},"
                               "\"required\":[\"size\"]}";
    unsigned open = 0;
    mcp_said_reset(call);
    mcp_questions_begin(call);
    const char *form = warder_mcp_elicit(call, "form", "?", FORM);
    const char *size = warder_mcp_answer_string(call, "form", "content.size");
    const char *action = warder_mcp_answer_action(call, "form");
    check(!form == !action);
    check(!form || action[0] != 'a' || !size || strlen(size) <= 12);
    open += !form;
    open += !warder_mcp_elicit_url(call, "page", "?", "https://a.test/");
    open += !warder_mcp_sample(call, "model", "{\"maxTokens\":1}");
    open += !warder_mcp_roots(call, "roots");
    if (open == 4)
        warder_mcp_set_state(call, "nothing yet");
    check(call->said.failed == RC_OK);
    mcp_questions_settle(call);
    return open;
}

static void run(warder_mcp_call_t *call)
{
    const json_t *out = NULL;
    unsigned open = ask(call);
    check(mcp_questions_answered(call) == (open == 0));
    str_t result = mcp_questions_result(call);
    if (!result.p)
        return; /* more than is carried */
    check(json_parse(call->arena, result, NULL, &out) == RC_OK);
    check(json_get(out, STR("inputRequests"))->count == open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 << 16)
        return 0;
    clock_fake_t clock = {INT64_C(1790000000000)};
    warder_mcp_t m = {.world.clock = clock_fake(&clock)};
    warder_mcp_call_t *call = mcp_call_new(&m);
    if (!call)
        return 0;
    bool good =
        json_parse(call->arena, str_of(data, size), NULL, &call->op.message.params) == RC_OK;
    str_t able = STR("{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},\"roots\":{}}");
    call->op.era = MCP_ERA_STATELESS;
    if (good && json_parse(call->arena, able, NULL, &call->capabilities) == RC_OK &&
        mcp_questions_read(call) == MCP_NO_ERROR)
        run(call);
    mcp_call_drop(call);
    return 0;
}
