#include "cmd/admin_test_play.h"

#include "cmd/command.h"

static void resource_is_added_listed_and_deleted(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(
        p, "admin resource add --uri HTTPS://RS.test:443/mcp --name My~server --scope a:read=Read "
           "--scope b --default-scope a:read --alias https://rs.test/sse");
    assert_string_equal(p->ran.out, "https://rs.test/mcp has 2 scopes\n");
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "admin resource list");
    assert_string_equal(p->ran.out, "https://rs.test/mcp\n  a:read  Read\n  b  \n");
    admin_play_store(p);
    ask_t resources = {.kind = ASK_RESOURCES};
    admin_play_ask(p, &resources);
    assert_int_equal(resources.count, 1);
    assert_true(str_eq(resources.u.resources[0].default_scope, STR("a:read")));
    assert_true(str_list_has(resources.u.resources[0].aliases, STR("https://rs.test/sse")));
    admin_play_run(p, "admin resource delete https://rs.test/mcp");
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    admin_play_refused(p, "admin resource delete https://rs.test/mcp", EXIT_REFUSED,
                       "no such resource");
    admin_play_run(p, "admin resource list");
    assert_string_equal(p->ran.out, "");
}

static void resource_that_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } CASES[] = {
        {"admin resource add --scope a=b", EXIT_USAGE, "--uri"},
        {"admin resource add --uri rs.test/mcp", EXIT_REFUSED, "--uri"},
        {"admin resource add --uri https://rs.test/#f", EXIT_REFUSED, "fragment"},
        {"admin resource add --uri https://u@rs.test/", EXIT_REFUSED, "user"},
        {"admin resource add --uri https://rs.test --alias mcp", EXIT_REFUSED, "--alias"},
        {"admin resource add --uri https://rs.test --scope =Read", EXIT_REFUSED, "name=text"},
        {"admin resource add --uri https://rs.test --scope a~b=Read", EXIT_REFUSED, "spaces"},
        {"admin resource add --uri https://rs.test --scope a --scope a=b", EXIT_REFUSED, "twice"},
        {"admin resource add --uri https://rs.test --scope a=b\tc", EXIT_REFUSED, "break lines"},
        {"admin resource add --uri https://rs.test --name x\xe2\x80\xae", EXIT_REFUSED, "--name"},
        {"admin resource add --uri https://rs.test --scope a --default-scope b", EXIT_REFUSED,
         "--default-scope 'b'"},
        {"admin resource delete", EXIT_USAGE, "URI"},
    };
    admin_play_t *p = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        admin_play_refused(p, CASES[i].line, CASES[i].code, CASES[i].says);
    admin_play_run(p, "admin resource list");
    assert_string_equal(p->ran.out, "");
    assert_int_equal(admin_play_trail_lines(p), 0);
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(resource_is_added_listed_and_deleted),
        PLAY_TEST(resource_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
