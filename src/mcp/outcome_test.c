#include "core/core_test_util.h"

#include "mcp/outcome.h"

typedef struct {
    const char *text;
    mcp_outcome_kind_t kind;
    int64_t code;
} row_t;

static const row_t ANSWERS[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"isError\":true,\"content\":[]},\"id\":1}", MCP_OUTCOME_TOOL_ERROR, 0},
    {"{\"result\":{\"content\":[{\"isError\":true}],\"isError\" : \n true}}",
     MCP_OUTCOME_TOOL_ERROR, 0},
    {"{\"result\":{\"isError\":false}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"content\":[{\"isError\":true}]}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"text\":\"isError\",\"more\":true}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"isErrors\":true,\"sError\":true}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"a\":\"\\\"},\\\"isError\\\":true\"}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":\"error\",\"id\":{\"code\":7}}", MCP_OUTCOME_RESULT, 0},
    {"{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no\"}}", MCP_OUTCOME_ERROR, -32602},
    {"{\"error\":{\"message\":\"code 7\",\"data\":{\"code\":9},\"code\": 12 }}", MCP_OUTCOME_ERROR,
     12},
    {"{\"error\":{\"message\":\"none\"}}", MCP_OUTCOME_ERROR, 0},
    {"{\"error\":{\"code\":5,\"n\":77}}", MCP_OUTCOME_ERROR, 5},
    {"{\"error\":{\"code\":99999999999999999999}}", MCP_OUTCOME_ERROR, 999999999},
    {"{\"error\":null,\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"{\"method\":\"notifications/progress\",\"params\":{\"result\":1,\"error\":{}}}",
     MCP_OUTCOME_NONE, 0},
    {"[{\"result\":{}}]", MCP_OUTCOME_NONE, 0},
    {"\"result\"", MCP_OUTCOME_NONE, 0},
    {"}}}}{\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"", MCP_OUTCOME_NONE, 0},
};

static void assert_row(const row_t *row, const mcp_outcome_t *o)
{
    if (o->kind != row->kind || o->code != row->code)
        fail_msg("%s: kind %d, code %lld", row->text, (int)o->kind, (long long)o->code);
}

static void tells_how_an_answer_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        mcp_outcome_t o = {0};
        mcp_outcome_feed(&o, str_c(ANSWERS[i].text));
        assert_row(&ANSWERS[i], &o);
    }
}

static void does_not_depend_on_how_bytes_were_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        str_t text = str_c(ANSWERS[i].text);
        for (size_t size = 1; size < 6; size++) {
            mcp_outcome_t o = {0};
            for (str_t rest = text; rest.n > 0; rest = str_skip(rest, size))
                mcp_outcome_feed(&o, str_first(rest, size));
            assert_row(&ANSWERS[i], &o);
        }
    }
}

static void depth_needs_no_memory(void **state)
{
    mcp_outcome_t o = {0};
    (void)state;
    for (int i = 0; i < 1000000; i++)
        mcp_outcome_feed(&o, STR("[{"));
    assert_int_equal(o.kind, MCP_OUTCOME_NONE);
    assert_int_equal(o.depth, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_an_answer_ends),
        cmocka_unit_test(does_not_depend_on_how_bytes_were_split),
        cmocka_unit_test(depth_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
