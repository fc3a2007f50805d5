/* The lines for local hosts. */
#include "cmd/cmd_test_run.h"

#include "cmd/connect_config.h"
#include "core/core_test_util.h"
#include "core/json.h"

#include <stdio.h>

static const str_t ARGS[] = {STR_INIT("connect"), STR_INIT("https://h/mcp?a=\"b\\")};
static const connect_config_t CONFIG = {STR_INIT("news"), STR_INIT("/usr/bin/warder"), {ARGS, 2}};

static const char *written(arena_t *a, const char *host)
{
    buf_t b = buf_new(a, 4096);
    str_t out;
    assert_true(connect_config_write(str_c(host), &CONFIG, &b));
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return arena_cstr(a, out);
}

static void each_host_has_its_form(void **state)
{
    const char *args = "\"command\":\"/usr/bin/warder\",\"args\":[\"connect\","
                       "\"https://h/mcp?a=\\\"b\\\\\"]}}}\n";
    const char *claude = written(*state, "claude");
    assert_true(str_starts(str_c(claude), STR("{\"mcpServers\":{\"news\":{\"command\"")));
    assert_true(str_ends(str_c(claude), str_c(args)));
    assert_string_equal(claude, written(*state, "cursor"));
    assert_string_equal(claude, written(*state, "windsurf"));
    assert_string_equal(claude, written(*state, "gemini-cli"));
    assert_true(str_starts(str_c(written(*state, "zed")),
                           STR("{\"context_servers\":{\"news\":{\"command\"")));
    assert_true(str_starts(str_c(written(*state, "vscode")),
                           STR("{\"servers\":{\"news\":{\"type\":\"stdio\",\"command\"")));
    assert_string_equal(written(*state, "codex"),
                        "[mcp_servers.news]\ncommand = \"/usr/bin/warder\"\n"
                        "args = [\"connect\", \"https://h/mcp?a=\\\"b\\\\\"]\n");
}

static void another_host_is_refused(void **state)
{
    buf_t b = buf_new(*state, 64);
    assert_false(connect_config_write(STR("emacs"), &CONFIG, &b));
}

static void names_are_letters_digits_and_dashes(void **state)
{
    static const char *const NAMES[][2] = {
        {"https://mcp.example.com/mcp", "mcp-example-com"},
        {"https://mcp.example.com", "mcp-example-com"},
        {"http://127.0.0.1:8080/a/b/mcp?x=1", "127-0-0-1-8080-a-b"},
        {"https://[::1]/", "1"},
        {"../../\"],x", "x"},
        {"my news", "my-news"},
        {"../..", "remote"},
    };
    for (size_t i = 0; i < ROWS(NAMES); i++) {
        str_t name = connect_config_name(*state, str_c(NAMES[i][0]));
        assert_string_equal(arena_cstr(*state, name), NAMES[i][1]);
    }
}

static void the_document_of_a_client_is_for_its_url(void **state)
{
    ran_t ran;
    const json_t *v;
    test_command("connect --print-client-metadata https://me.test/client.json --client-name My~own",
                 STR(""), &ran);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_int_equal(json_parse(*state, str_c(ran.out), NULL, &v), RC_OK);
    assert_true(str_eq(json_get_str(v, STR("client_id")), STR("https://me.test/client.json")));
    assert_true(str_eq(json_get_str(v, STR("client_name")), STR("My own")));
    assert_true(str_eq(json_get_str(v, STR("token_endpoint_auth_method")), STR("none")));
    assert_int_equal(json_get(v, STR("redirect_uris"))->count, 3);
}

static void a_document_that_cannot_be_hosted_there_is_not_printed(void **state)
{
    static const char *const URLS[] = {"http://me.test/client.json", "https://me.test", "me"};
    (void)state;
    for (size_t i = 0; i < sizeof URLS / sizeof *URLS; i++) {
        char line[128];
        ran_t ran;
        snprintf(line, sizeof line, "connect --print-client-metadata %s", URLS[i]);
        test_command(line, STR(""), &ran);
        assert_int_equal(ran.code, EXIT_USAGE);
        assert_one_line(&ran);
        assert_string_equal(ran.out, "");
    }
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        ARENA_TEST(each_host_has_its_form),
        ARENA_TEST(another_host_is_refused),
        ARENA_TEST(names_are_letters_digits_and_dashes),
        ARENA_TEST(the_document_of_a_client_is_for_its_url),
        ARENA_TEST(a_document_that_cannot_be_hosted_there_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
