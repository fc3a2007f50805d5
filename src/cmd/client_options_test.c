/* The options of the client's commands: what each is, and each way to be wrong about them. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_options.h"
#include "core/core_test_util.h"

#include <stdio.h>
#include <sys/stat.h>

enum { ARGS = 24 };

typedef struct {
    arena_t *a;
    const char *argv[ARGS];
    const char *url;
    client_options_t out;
} play_t;

static int read_options(play_t *p)
{
    option_t rows[] = {CLIENT_OPTION_ROWS, {NULL}};
    int argc = 0;
    while (p->argv[argc])
        argc++;
    if (!options_parse(argc, (char **)(uintptr_t)p->argv, rows, NULL, 0, NULL))
        return EXIT_USAGE;
    return client_options_read(p->a, rows, str_c(p->url ? p->url : "https://mcp.example/mcp"),
                               &p->out);
}

static int in_child(void *arg)
{
    play_t *p = arg;
    p->a = arena_new(1 << 20);
    int code = read_options(p);
    jwk_free(&p->out.key);
    arena_free(p->a);
    return code;
}

static void refused(play_t p, int code, const char *says)
{
    ran_t ran;
    test_child(in_child, &p, STR_UNSET, &ran);
    if (ran.code != code || !strstr(ran.err, says))
        fail_msg("%d: %s instead of %d: %s", ran.code, ran.err, code, says);
    assert_one_line(&ran);
}

static void nothing_said_is_a_person_in_a_browser(void **state)
{
    play_t p = {.a = *state};
    assert_int_equal(read_options(&p), EXIT_DONE);
    assert_int_equal(p.out.tokens.way, TOKENS_PERSON);
    assert_int_equal(p.out.tokens.reach, HTTP_REACH_PUBLIC);
    assert_int_equal(p.out.tokens.strict, CLIENT_RESOURCE_PREFIX);
    assert_int_equal(p.out.keep, CLIENT_KEEP_AUTO);
    assert_false(p.out.tokens.plain_ok);
}

static void grants_by_name(void **state)
{
    static const struct {
        const char *name;
        tokens_way_t way;
    } GRANTS[] = {{"authorization_code", TOKENS_PERSON},
                  {"device_code", TOKENS_DEVICE},
                  {"none", TOKENS_NONE}};
    for (size_t i = 0; i < ROWS(GRANTS); i++) {
        play_t p = {.a = *state, .argv = {"--grant", GRANTS[i].name}};
        assert_int_equal(read_options(&p), EXIT_DONE);
        assert_int_equal(p.out.tokens.way, GRANTS[i].way);
    }
    play_t device = {.a = *state, .argv = {"--device"}};
    assert_int_equal(read_options(&device), EXIT_DONE);
    assert_int_equal(device.out.tokens.way, TOKENS_DEVICE);
    play_t both = {.a = *state, .argv = {"--device", "--grant", "device_code"}};
    assert_int_equal(read_options(&both), EXIT_DONE);
    assert_int_equal(both.out.tokens.way, TOKENS_DEVICE);
}

static void what_cannot_be_is_said_in_one_line(void **state)
{
    (void)state;
    refused((play_t){.argv = {"--grant", "password"}}, EXIT_USAGE, "--grant wants");
    refused((play_t){.argv = {"--grant", "none", "--device"}}, EXIT_USAGE,
            "--grant says something else");
    refused((play_t){.argv = {"--keep", "cloud"}}, EXIT_USAGE, "--keep wants");
    refused((play_t){.argv = {"--callback-port", "0"}}, EXIT_USAGE, "--callback-port wants");
    refused((play_t){.argv = {"--callback-port", "65536"}}, EXIT_USAGE, "--callback-port wants");
    refused((play_t){.argv = {"--sign-in-seconds", "x"}}, EXIT_USAGE, "--sign-in-seconds wants");
    refused((play_t){.argv = {"--browser", "firefox"}}, EXIT_USAGE, "--browser wants");
    refused((play_t){.argv = {"--issuer", "http://a.example"}}, EXIT_USAGE, "issuer 'http");
    refused((play_t){.argv = {"--grant", "client_credentials"}}, EXIT_USAGE, "wants --client-id");
    refused((play_t){.argv = {"--grant", "jwt-bearer"}}, EXIT_USAGE, "--assertion-file");
    refused((play_t){.argv = {"--grant", "enterprise"}}, EXIT_USAGE, "--provider");
    refused((play_t){.url = "javascript:alert(1)"}, EXIT_USAGE, "the URL");
    refused((play_t){.url = "mcp.example"}, EXIT_USAGE, "the URL");
    refused((play_t){.url = "https://a@mcp.example/"}, EXIT_USAGE, "the URL");
}

static void secrets_come_from_files_of_their_owner(void **state)
{
    char folder[64], path[300];
    test_folder(folder);
    snprintf(path, sizeof path, "%s", test_file(folder, "secret", "s3cret\n"));
    chmod(path, 0600);
    play_t p = {.a = *state, .argv = {"--client-id", "me", "--client-secret-file", path}};
    assert_int_equal(read_options(&p), EXIT_DONE);
    assert_true(str_eq(p.out.tokens.who.secret.hidden, STR("s3cret")));
    play_t none = {.argv = {"--client-secret-file", path}};
    refused(none, EXIT_USAGE, "--client-id is missing");
    chmod(path, 0604);
    refused((play_t){.argv = {"--client-id", "me", "--client-secret-file", path}}, EXIT_SETTING,
            "client-secret-file");
    snprintf(path, sizeof path, "%s", test_file(folder, "empty", "\n"));
    chmod(path, 0600);
    refused((play_t){.argv = {"--client-id", "me", "--client-secret-file", path}}, EXIT_SETTING,
            "is empty");
    refused((play_t){.argv = {"--client-id", "me", "--client-key-file", path}}, EXIT_SETTING,
            "is empty");
    snprintf(path, sizeof path, "%s", test_file(folder, "noise", "-----BEGIN X-----\n"));
    chmod(path, 0600);
    refused((play_t){.argv = {"--client-id", "me", "--client-key-file", path}}, EXIT_SETTING,
            "PKCS#8");
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(nothing_said_is_a_person_in_a_browser),
        ARENA_TEST(grants_by_name),
        ARENA_TEST(what_cannot_be_is_said_in_one_line),
        ARENA_TEST(secrets_come_from_files_of_their_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
