/* Failures as programs read them. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_error.h"
#include "core/core_test_util.h"

#include <stdio.h>
#include <stdlib.h>

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

/* The one object of a run, on one line. */
static const json_t *only_object(arena_t *a, const ran_t *ran, const char *code)
{
    const json_t *root;
    str_t out = str_c(ran->out);
    assert_true(out.n > 0 && str_find(out, '\n', 0) == out.n - 1);
    assert_int_equal(json_parse(a, str_first(out, out.n - 1), NULL, &root), RC_OK);
    assert_str(json_path(root, STR("error.code"))->str, str_c(code));
    assert_true(json_path(root, STR("error.message"))->str.n > 0);
    assert_true(json_path(root, STR("error.mend"))->str.n > 0);
    assert_int_equal(strtol(json_get(root, STR("exit"))->raw.p, NULL, 10), ran->code);
    return root;
}

/* However a command failed, programs read one object. */
static void every_failure_is_one_object(void **state)
{
    char folder[64], line[1024];
    ran_t ran;
    static const struct {
        const char *words, *code;
        int exit;
    } ROWS_OF[] = {
        {"--keep memory --ca-file /proc/self/none", "setting", EXIT_SETTING},
        {"--keep memory --client-id me --client-secret-file /dev/null", "setting", EXIT_SETTING},
        {"--keep folder --folder /proc/self/none", "keep_failed", EXIT_FAILED},
    };
    static const char *const NAMES[] = {"call", "tools", "token", "logout"};
    test_folder(folder);
    for (size_t i = 0; i < sizeof ROWS_OF / sizeof *ROWS_OF; i++) {
        for (size_t k = 0; k < 4; k++) {
            snprintf(line, sizeof line, "%s https://mcp.example/mcp %s --json %s", NAMES[k],
                     k == 0 ? "x" : "", ROWS_OF[i].words);
            test_command(line, STR(""), &ran);
            assert_int_equal(ran.code, ROWS_OF[i].exit);
            only_object(*state, &ran, ROWS_OF[i].code);
        }
    }
    test_command("logout https://mcp.example/mcp --json --keep memory", STR(""), &ran);
    assert_int_equal(ran.code, EXIT_REFUSED);
    const json_t *root = only_object(*state, &ran, "not_kept");
    assert_str(json_path(root, STR("error.kept"))->raw, STR("false"));
    assert_str(json_path(root, STR("error.revoked"))->raw, STR("false"));
    test_command("logout https://mcp.example/mcp --keep memory", STR(""), &ran);
    assert_string_equal(ran.out, "");
    test_folder_remove(folder);
}

static int failed_revocation(void *arg)
{
    static const char *const ARGV[] = {"--keep", "memory", "--json", NULL};
    option_t rows[] = {CLIENT_OPTION_ROWS, {.name = "json", .is_switch = true}, {NULL}};
    const client_failure_t why = {CLIENT_SERVER_FAILS, STR("it answered 500")};
    const client_left_t left = {.kept = true};
    client_world_t w;
    (void)arg;
    if (!options_parse(3, (char **)(uintptr_t)ARGV, rows, NULL, 0, NULL) ||
        client_world_open(&w, rows, STR("https://mcp.example/mcp"), CLIENT_ASK_NOBODY) != EXIT_DONE)
        return 77;
    int code = client_error_end(&w, client_error_left(&w, &why, &left));
    fflush(stdout);
    return code;
}

static void a_failed_sign_out_says_what_it_came_to(void **state)
{
    ran_t ran;
    test_child(failed_revocation, NULL, STR(""), &ran);
    assert_int_equal(ran.code, EXIT_SIGN_IN);
    const json_t *root = only_object(*state, &ran, "server_fails");
    assert_str(json_path(root, STR("error.kept"))->raw, STR("true"));
    assert_str(json_path(root, STR("error.revoked"))->raw, STR("false"));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;

    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_error_says_what_mends_it_and_by_which_rule),
        ARENA_TEST(an_error_of_the_server_is_passed_on),
        ARENA_TEST(every_failure_is_one_object),
        ARENA_TEST(a_failed_sign_out_says_what_it_came_to),
    };
    return cmocka_run_group_tests_name("client_error", tests, NULL, NULL);
}
