#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <stdio.h>

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
        {"admin resource add --uri https://rs.test --lifetime 59", EXIT_REFUSED, "60 to 3600"},
        {"admin resource add --uri https://rs.test --lifetime 1h", EXIT_REFUSED, "60 to 3600"},
        {"admin resource add --uri https://rs.test --format JWT", EXIT_USAGE, "--format"},
        {"admin resource add --uri https://rs.test --binding tls", EXIT_USAGE, "--binding"},
        {"admin resource show", EXIT_USAGE, "URI"},
        {"admin resource show https://rs.test", EXIT_REFUSED, "no such resource"},
        {"admin resource delete", EXIT_USAGE, "URI"},
    };
    admin_play_t *p = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        admin_play_refused(p, CASES[i].line, CASES[i].code, CASES[i].says);
    admin_play_run(p, "admin resource list");
    assert_string_equal(p->ran.out, "");
    assert_int_equal(admin_play_trail_lines(p), 0);
}

static void resource_shows_what_its_tokens_are_like(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin resource add --uri https://rs.test/mcp --name My~server --scope "
                      "a:read=Read --default-scope a:read --alias https://rs.test/sse --lifetime "
                      "300 --format opaque --binding dpop");
    admin_play_run(p, "admin resource show https://RS.test/mcp");
    assert_string_equal(p->ran.out, "uri             https://rs.test/mcp\n"
                                    "name            My server\n"
                                    "scope           a:read  Read\n"
                                    "default scopes  a:read\n"
                                    "alias           https://rs.test/sse\n"
                                    "lifetime        300 seconds\n"
                                    "format          opaque\n"
                                    "binding         dpop\n"
                                    "from            a command\n");
    admin_play_run(p, "admin resource add --uri https://rs.test/mcp");
    admin_play_run(p, "admin resource show https://rs.test/mcp");
    assert_string_equal(p->ran.out, "uri             https://rs.test/mcp\n"
                                    "format          jwt\n"
                                    "binding         none\n"
                                    "from            a command\n");
}

static void resource_of_the_settings_file_is_not_changed(void **state)
{
    admin_play_t *p = *state;
    char line[512];
    const char *file =
        test_file(p->folder, "warder.yaml", "resources: [{uri: 'https://rs.test/mcp'}]\n");
    snprintf(line, sizeof line, "admin resource add --uri https://rs.test/mcp --config %s", file);
    admin_play_refused(p, line, EXIT_REFUSED, "stands in the settings file");
    snprintf(line, sizeof line, "admin resource delete https://rs.test/mcp --config %s", file);
    admin_play_refused(p, line, EXIT_REFUSED, "stands in the settings file");
    snprintf(line, sizeof line, "admin resource add --uri https://rs.test/x --config %s", file);
    admin_play_run(p, line);
    /* Out of the file, it is the command's. */
    admin_play_run(p, "admin resource add --uri https://rs.test/mcp");
    admin_play_run(p, "admin resource delete https://rs.test/mcp");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(resource_is_added_listed_and_deleted),
        PLAY_TEST(resource_that_cannot_be_is_refused),
        PLAY_TEST(resource_shows_what_its_tokens_are_like),
        PLAY_TEST(resource_of_the_settings_file_is_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
