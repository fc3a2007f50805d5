/* Failures as programs read them. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_error.h"
#include "core/core_test_util.h"

static str_t written(arena_t *a, const client_error_t *e, int code)
{
    str_t out;
    assert_int_equal(client_error_write(a, e, code, &out), RC_OK);
    return out;
}

static void an_error_says_what_mends_it_and_by_which_rule(void **state)
{
    const client_error_t e = {.code = STR("issuer_mismatch"),
                              .sentence = STR("Another issuer"),
                              .detail = STR("it says\x1b[2J \"x\""),
                              .mend = STR("Mend it"),
                              .rule = STR("RFC 8414 section 3.3")};
    str_t out = written(*state, &e, 5);
    assert_false(str_contains(out, STR("\x1b")));
    const json_t *root;
    assert_int_equal(json_parse(*state, out, NULL, &root), RC_OK);
    assert_str(json_path(root, STR("error.code"))->str, STR("issuer_mismatch"));
    assert_str(json_path(root, STR("error.message"))->str, STR("Another issuer"));
    assert_str(json_path(root, STR("error.mend"))->str, STR("Mend it"));
    assert_str(json_path(root, STR("error.rule"))->str, STR("RFC 8414 section 3.3"));
    assert_str(json_get(root, STR("exit"))->raw, STR("5"));
    assert_null(json_path(root, STR("error.status")));
    assert_null(json_path(root, STR("error.rpc")));
}

static void an_error_of_the_server_is_passed_on(void **state)
{
    const mcp_client_failure_t rpc = {.is_rpc_error = true,
                                      .code = -32602,
                                      .message = STR("Unknown tool"),
                                      .data = STR("{\"a\":1}")};
    const client_error_t e = {
        .code = STR("server_error"), .sentence = STR("It refused"), .status = 200, .rpc = &rpc};
    assert_str(
        written(*state, &e, 4),
        STR("{\"error\":{\"code\":\"server_error\",\"message\":\"It refused\",\"status\":200,"
            "\"rpc\":{\"code\":-32602,\"message\":\"Unknown tool\",\"data\":{\"a\":1}}},"
            "\"exit\":4}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_error_says_what_mends_it_and_by_which_rule),
        ARENA_TEST(an_error_of_the_server_is_passed_on),
    };
    return cmocka_run_group_tests_name("client_error", tests, NULL, NULL);
}
