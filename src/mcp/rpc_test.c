#include "mcp/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 16 << 20 };

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static mcp_error_t parse(void **state, str_t body, mcp_message_t *m)
{
    rc_t rc;
    mcp_error_t e = mcp_message_parse(*state, body, m, &rc);
    assert_int_equal(rc, RC_OK);
    return e;
}

static void refused(void **state, str_t body, mcp_error_t want)
{
    mcp_message_t m;
    if (parse(state, body, &m) != want)
        fail_msg("%.*s", STR_ARG(body));
}

/* After every refusal a good message must still be taken. */
static void control(void **state)
{
    mcp_message_t m;
    assert_int_equal(parse(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"), &m),
                     MCP_NO_ERROR);
}

static void request_is_read(void **state)
{
    mcp_message_t m;
    str_t body = STR("{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"method\":\"tools/call\","
                     "\"params\":{\"name\":\"x\"},\"extra\":1}");
    assert_int_equal(parse(state, body, &m), MCP_NO_ERROR);
    assert_int_equal(m.kind, MCP_REQUEST);
    assert_true(str_eq(m.id, STR("\"a\\u0062\"")));
    assert_true(str_eq(m.method, STR("tools/call")));
    assert_true(str_eq(json_get_str(m.params, STR("name")), STR("x")));
}

static void notification_has_no_id(void **state)
{
    mcp_message_t m;
    str_t body = STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_int_equal(parse(state, body, &m), MCP_NO_ERROR);
    assert_int_equal(m.kind, MCP_NOTIFICATION);
    assert_null(m.params);
    assert_false(str_is_set(m.id));
}

static void response_holds_result_or_error(void **state)
{
    mcp_message_t m;
    assert_int_equal(parse(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), &m),
                     MCP_NO_ERROR);
    assert_int_equal(m.kind, MCP_RESPONSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1}"), MCP_ERROR_BAD_RESPONSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}"),
            MCP_ERROR_BAD_RESPONSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"result\":1}"), MCP_ERROR_BAD_RESPONSE);
    control(state);
}

static void malformed_json(void **state)
{
    refused(state, STR(""), MCP_ERROR_PARSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x"), MCP_ERROR_PARSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}"),
            MCP_ERROR_PARSE);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"), MCP_ERROR_PARSE);
    control(state);
}

static void batch_refused(void **state)
{
    refused(state, STR("[]"), MCP_ERROR_BATCH);
    refused(state, STR("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]"), MCP_ERROR_BATCH);
    control(state);
}

static void malformed_message(void **state)
{
    refused(state, STR("\"ping\""), MCP_ERROR_NOT_OBJECT);
    refused(state, STR("{\"id\":1,\"method\":\"ping\"}"), MCP_ERROR_BAD_VERSION);
    refused(state, STR("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}"), MCP_ERROR_BAD_VERSION);
    refused(state, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}"),
            MCP_ERROR_BAD_PARAMS);
    control(state);
}

/* attack case: GWM-012 */
static void id_must_be_short_string_or_integer(void **state)
{
    static const char *const BAD[] = {
        "null", "true", "1.5", "1e3", "{}", "[1]", "9007199254740994", "-9007199254740994"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(state,
                arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", BAD[i]),
                MCP_ERROR_BAD_ID);
    char *longest = arena_alloc(*state, 1 << 18);
    memset(longest, 'a', (1 << 18) - 1);
    refused(
        state,
        arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"ping\"}", longest),
        MCP_ERROR_BAD_ID);
    control(state);
}

/* attack case: GWM-011 */
static void method_must_be_a_short_string(void **state)
{
    static const char *const BAD[] = {"\"\"", "1", "null", "{}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(state, arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}", BAD[i]),
                MCP_ERROR_BAD_METHOD);
    char *longest = arena_alloc(*state, MCP_METHOD_BYTES + 2);
    memset(longest, 'm', MCP_METHOD_BYTES + 1);
    refused(state,
            arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", longest),
            MCP_ERROR_BAD_METHOD);
    control(state);
}

static void too_deep_or_too_many(void **state)
{
    enum { DEEP = 100000 };
    char *p = arena_alloc(*state, DEEP + 1);
    memset(p, '[', DEEP);
    refused(state, str_of(p, DEEP), MCP_ERROR_TOO_LARGE);
    for (size_t i = 0; i < DEEP; i++)
        p[i] = i == 0 ? '[' : i == DEEP - 1 ? ']' : i % 2 ? '1' : ',';
    p[DEEP - 2] = '1';
    p[DEEP - 3] = ',';
    refused(state, str_of(p, DEEP), MCP_ERROR_TOO_LARGE);
    control(state);
}

static void id_of_a_bad_message_is_kept(void **state)
{
    mcp_message_t m;
    assert_int_equal(parse(state, STR("{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"x\"}"), &m),
                     MCP_ERROR_BAD_VERSION);
    assert_true(str_eq(m.id, STR("7")));
}

static void answers_are_json(void **state)
{
    str_t r = mcp_result(*state, STR("7"), STR("{\"a\":1}"));
    assert_true(str_eq(r, STR("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1}}")));
    str_t e = mcp_error(*state, STR_UNSET, MCP_ERROR_PARSE, STR("no \"quotes\""), STR("[1]"));
    const json_t *root;
    assert_int_equal(json_parse(*state, e, NULL, &root), RC_OK);
    assert_null(json_get(root, STR("id"))); /* never null (2025-11-25, "Error Responses") */
    const json_t *error = json_get(root, STR("error"));
    int64_t code;
    assert_true(json_get_i64(error, STR("code"), &code));
    assert_int_equal(code, -32700);
    assert_true(str_eq(json_get_str(error, STR("message")), STR("no \"quotes\"")));
    assert_int_equal(json_get(error, STR("data"))->count, 1);
}

static void every_error_has_its_row(void **state)
{
    (void)state;
    for (int e = MCP_NO_ERROR + 1; e < MCP_ERROR_COUNT; e++) {
        const mcp_error_row_t *row = mcp_error_row((mcp_error_t)e);
        assert_true(row->code < 0 && row->status >= 200 && row->status < 600);
        assert_true(row->reason.n > 0 && row->sentence.n > 0);
    }
}

#define RPC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RPC_TEST(request_is_read),
        RPC_TEST(notification_has_no_id),
        RPC_TEST(response_holds_result_or_error),
        RPC_TEST(malformed_json),
        RPC_TEST(batch_refused),
        RPC_TEST(malformed_message),
        RPC_TEST(id_must_be_short_string_or_integer),
        RPC_TEST(method_must_be_a_short_string),
        RPC_TEST(too_deep_or_too_many),
        RPC_TEST(id_of_a_bad_message_is_kept),
        RPC_TEST(answers_are_json),
        RPC_TEST(every_error_has_its_row),
    };
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
