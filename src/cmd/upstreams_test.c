#include "cmd/cmd_test_run.h"

#include "cmd/upstreams.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { ARENA_BYTES = 8 << 20 };

typedef struct {
    arena_t *a;
    char folder[64];
    settings_t settings;
    refusal_t refusal;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(ARENA_BYTES);
    p->refusal.a = p->a;
    test_folder(p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

/* Settings of this text, in a file of the folder. */
static int load(play_t *p, const char *text)
{
    const conf_t *conf;
    str_t why;
    const conf_sources_t sources = {.file_name = arena_printf(p->a, "%s/warder.yaml", p->folder),
                                    .file = str_c(text)};
    if (conf_load(p->a, &sources, &conf, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    p->settings = (settings_t){.conf = *conf, .sources = sources, .refusal = &p->refusal};
    p->settings.conf.data = STR("/var/lib/warder");
    p->refusal.why = STR_UNSET;
    return upstreams_load(p->a, &p->settings);
}

static void put(const play_t *p, const char *name, const char *text, mode_t mode)
{
    assert_int_equal(chmod(test_file(p->folder, name, text), mode), 0);
}

static void assert_str(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("'%" PRIstr "' is not '%s'", STR_ARG(got), want);
}

#define U "upstreams: [{path: /mcp, url: 'http://127.0.0.1:1', "

static void secrets_are_read(void **state)
{
    play_t *p = *state;
    put(p, "key", " s3cret\n", 0600);
    put(p, "other", "another\n", 0600);
    assert_int_equal(
        load(p, U "credential: {kind: static, secret_file: key}, authorization_servers: [{issuer: "
                  "'https://a', client_id: c, client_secret_file: other}]}]"),
        EXIT_DONE);
    assert_str(p->settings.conf.upstreams[0].credential.secret.hidden, "s3cret");
    assert_str(p->settings.conf.upstreams[0].providers[0].client_secret.hidden, "another");
}

static void paths_become_absolute(void **state)
{
    play_t *p = *state;
    assert_int_equal(load(p, "upstreams: [{path: /a, command: [x]}, {path: /b, command: [x], "
                             "child: {directory: sub}}, {path: /c, command: [x], child: "
                             "{directory: /srv}}]"),
                     EXIT_DONE);
    const conf_upstream_t *u = p->settings.conf.upstreams;
    assert_str(u[0].child.directory, "/var/lib/warder");
    assert_str(u[1].child.directory, arena_printf(p->a, "%s/sub", p->folder).p);
    assert_str(u[2].child.directory, "/srv");
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *file, *why;
    } CASES[] = {
        {U "credential: {kind: static, secret_file: open}}]", "others can use the secret file"},
        {U "credential: {kind: static, secret_file: none}}]", "cannot be read"},
        {U "credential: {kind: static, secret_file: empty}}]", "is empty"},
        {U "authorization_servers: [{issuer: 'https://a', profile: nobody}]}]",
         "'nobody' is no profile"},
        {U "authorization_servers: [{issuer: 'https://a', profile: google}]}]",
         "'google' is no profile"},
        {"upstreams: [{path: /token, command: [x]}]", "choose another, such as /mcp"},
        {"upstreams: [{path: /readyz, command: [x]}]", "choose another, such as /mcp"},
        {"upstreams: [{path: /register/x, command: [x]}]", "choose another, such as /mcp"},
        {"upstreams: [{path: /assets/x, command: [x]}]", "choose another, such as /mcp"},
        {"upstreams: [{path: /a/.well-known/openid-configuration, command: [x]}]",
         "choose another, such as /mcp"},
    };
    play_t *p = *state;
    put(p, "open", "x", 0644);
    put(p, "empty", "\n", 0600);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(load(p, CASES[i].file), EXIT_SETTING);
        if (!str_contains(p->refusal.why, str_c(CASES[i].why)))
            fail_msg("%s: %" PRIstr, CASES[i].file, STR_ARG(p->refusal.why));
    }
    assert_int_equal(load(p, U "name: control}]"), EXIT_DONE);
}

static const conf_resource_t *resources(play_t *p, const char *text, size_t *n)
{
    const conf_resource_t *v;
    assert_int_equal(load(p, text), EXIT_DONE);
    assert_int_equal(upstreams_resources(p->a, &p->settings.conf, STR("https://h"), &v, n), RC_OK);
    return v;
}

static void each_upstream_is_a_resource(void **state)
{
    size_t n;
    const conf_resource_t *r =
        resources(*state,
                  "policies: [{name: p, rules: [{name: r, tools: [get], scopes: ['a:read'], "
                  "initial: true}, {name: w, tools: [put], scopes: ['a:write']}]}]\n"
                  "upstreams: [{path: /one, command: [x]}, {path: /two, command: [x], name: Two, "
                  "policy: p, scopes: {'a:read': Read it}, dpop_required: true}]",
                  &n);
    assert_int_equal(n, 2);
    assert_str(r[0].uri, "https://h/one");
    assert_int_equal(r[0].n_scopes, 1);
    assert_str(r[0].scopes[0].name, "mcp:use");
    assert_str(r[0].scopes[0].text, "Use this server");
    assert_str(r[0].default_scopes.v[0], "mcp:use");
    assert_false(r[0].dpop_required);
    assert_str(r[1].uri, "https://h/two");
    assert_str(r[1].name, "Two");
    assert_int_equal(r[1].n_scopes, 2);
    assert_str(r[1].scopes[0].text, "Read it");
    assert_str(r[1].scopes[1].text, "a:write");
    assert_int_equal(r[1].default_scopes.n, 1);
    assert_str(r[1].default_scopes.v[0], "a:read");
    assert_true(r[1].dpop_required);
}

static void declared_resources_win(void **state)
{
    size_t n;
    const conf_resource_t *r = resources(
        *state,
        "resources: [{uri: 'https://h/one', name: Mine, scopes: {'mcp:use': My text, extra: More}, "
        "default_scopes: [extra], access_token_lifetime: 120}, {uri: 'https://elsewhere'}]\n"
        "upstreams: [{path: /one, command: [x], name: Other}]",
        &n);
    assert_int_equal(n, 2);
    assert_str(r[0].name, "Mine");
    assert_int_equal(r[0].n_scopes, 2);
    assert_str(r[0].scopes[0].text, "My text");
    assert_str(r[0].default_scopes.v[0], "extra");
    assert_int_equal(r[0].access_token_lifetime, 120);
    assert_str(r[1].uri, "https://elsewhere");
}

/* Nobody could get a token for it here. */
static void others_tokens_need_no_resource(void **state)
{
    size_t n;
    resources(*state, U "authorization_servers: [{issuer: 'https://other'}]}]", &n);
    assert_int_equal(n, 0);
    resources(*state,
              U "authorization_servers: [{issuer: 'https://other'}, {issuer: 'https://h'}]}]", &n);
    assert_int_equal(n, 1);
}

/* What the documentation shows. */
static void the_example_is_good(void **state)
{
    static char text[65536];
    play_t *p = *state;
    size_t n;
    const char *root = getenv("WARDER_SOURCE");
    if (!root)
        skip();
    assert_true(
        test_read(arena_printf(p->a, "%s/examples/gateway.yaml", root).p, text, sizeof text));
    const conf_resource_t *r = resources(p, text, &n);
    assert_int_equal(p->settings.conf.n_upstreams, 3);
    assert_int_equal(n, 2);
    assert_int_equal(r[0].n_scopes, 2);
    assert_str(r[0].scopes[1].text, "Place orders of up to 10000");
    assert_str(r[0].default_scopes.v[0], "finance:read");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secrets_are_read),
        TEST(paths_become_absolute),
        TEST(what_is_refused),
        TEST(each_upstream_is_a_resource),
        TEST(declared_resources_win),
        TEST(the_example_is_good),
        TEST(others_tokens_need_no_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
