#include "conf/conf_test_util.h"

#include "conf/conf_table.h"

#include <stdio.h>
#include <stdlib.h>

static str_t shown(arena_t *a, const conf_sources_t *s)
{
    str_t out;
    assert_int_equal(conf_show(a, s, test_load(a, s), &out), RC_OK);
    return out;
}

static bool has_line(str_t text, const char *line)
{
    str_t part;
    while (str_split(&text, '\n', &part))
        if (str_eq(part, str_c(line)))
            return true;
    return false;
}

static void every_setting_with_its_source(void **state)
{
    conf_value_t env[] = {{STR("log_level"), STR("warn")}};
    conf_value_t flags[] = {{STR("workers"), STR("3")}};
    conf_sources_t s =
        test_file(STR("data: 'a \"b\" \\c'\npublic_url: HTTPS://H/\n"
                      "trusted_proxies: ['::1', 10.0.0.0/8]\nrefresh_grace: 007\n"
                      "registration_management: false\n"
                      "resources: [{uri: 'https://h/mcp', scopes: {a: b, c: d}}]\n"));
    s.env = env;
    s.n_env = 1;
    s.flags = flags;
    s.n_flags = 1;
    static const char *const LINES[] = {
        "listen: \"127.0.0.1:8080\"  # default",
        "data: \"a \\\"b\\\" \\\\c\"  # file",
        "public_url: \"https://h\"  # file",
        "trusted_proxies: [\"::1\",\"10.0.0.0/8\"]  # file",
        "refresh_grace: 7  # file",
        "registration_management: false  # file",
        "log_level: \"warn\"  # environment",
        "workers: 3  # command line",
        "code_lifetime: 60  # default",
        "# resource https://h/mcp with 2 scopes",
    };
    str_t out = shown(*state, &s);
    for (size_t i = 0; i < ROWS(LINES); i++)
        if (!has_line(out, LINES[i]))
            fail_msg("no line %s in\n%" PRIstr, LINES[i], STR_ARG(out));
    size_t lines = 0;
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    assert_int_equal(lines, CONF_N_ROWS + 1);
}

static void what_is_shown_can_be_loaded(void **state)
{
    conf_sources_t s = test_file(STR("data: \"\xc3\xa4 # 'x': [y]\"\ntrusted_proxies: ['::1']\n"));
    str_t once = shown(*state, &s);
    conf_sources_t again = test_file(once);
    str_t twice = shown(*state, &again);
    conf_sources_t more = test_file(twice);
    assert_str(shown(*state, &more), twice);
    assert_str(test_load(*state, &again)->data, STR("\xc3\xa4 # 'x': [y]"));
    assert_int_equal(test_load(*state, &again)->trusted_proxies.n, 1);
}

/* A setting may say where a secret lies: the path of a file is none. */
static bool names_a_file(const conf_row_t *row)
{
    return row->type == CONF_STR && str_ends(row->key, STR("_file")) &&
           str_starts(row->text, STR("File with "));
}

/* Settings are shown and logged as they are, so none may be a secret. */
static void no_setting_is_a_secret(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"secret", "password", "passphrase",
                                        "token",  "key",      "credential"};
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        for (size_t k = 0; k < ROWS(WORDS); k++)
            if (CONF_ROWS[i].type != CONF_INT && !names_a_file(&CONF_ROWS[i]) &&
                str_contains(CONF_ROWS[i].key, str_c(WORDS[k])))
                fail_msg("%" PRIstr, STR_ARG(CONF_ROWS[i].key));
}

static str_t read_source(arena_t *a, const char *name)
{
    const char *folder = getenv("WARDER_SOURCE");
    if (!folder) {
        print_message("skipped: WARDER_SOURCE is not set\n");
        skip();
    }
    FILE *f = fopen(arena_printf(a, "%s/%s", folder, name).p, "rb");
    if (!f)
        fail_msg("%s is not there", name);
    enum { MAX = 1 << 20 };
    char *p = arena_alloc(a, MAX);
    size_t n = fread(p, 1, MAX, f);
    fclose(f);
    return str_of(p, n);
}

static void the_document_is_the_table(void **state)
{
    str_t out;
    assert_int_equal(conf_document(*state, &out), RC_OK);
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        if (!str_contains(out, arena_printf(*state, "\n| `%" PRIstr "` | `WARDER_",
                                            STR_ARG(CONF_ROWS[i].key))))
            fail_msg("%" PRIstr, STR_ARG(CONF_ROWS[i].key));
    const char *write_to = getenv("WARDER_WRITE_SETTINGS");
    if (write_to) {
        FILE *f = fopen(write_to, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(out.p, 1, out.n, f), out.n);
        fclose(f);
    }
    if (!str_eq(read_source(*state, "docs/SETTINGS.md"), out))
        fail_msg("docs/SETTINGS.md is old: WARDER_WRITE_SETTINGS=docs/SETTINGS.md "
                 "BUILD/src/conf_conf_show_test writes it");
}

/* The document may not promise what no file can say. */
static void the_example_of_the_document_loads(void **state)
{
    str_t out;
    assert_int_equal(conf_document(*state, &out), RC_OK);
    size_t at = 0;
    while (!str_starts(str_skip(out, at), STR("```yaml\n")))
        at++;
    str_t yaml = str_skip(out, at + 8);
    yaml = str_first(yaml, str_find(yaml, '`', 0));
    const conf_t *c = test_load_file(*state, yaml);
    assert_int_equal(c->n_resources, 1);
    assert_int_equal(c->resources[0].n_scopes, 1);
}

static void no_memory(void **state)
{
    conf_sources_t none = {0};
    const conf_t *conf = test_load(*state, &none);
    arena_t *a = arena_new(64);
    str_t out;
    assert_int_equal(conf_show(a, &none, conf, &out), RC_MEMORY);
    assert_int_equal(conf_document(a, &out), RC_MEMORY);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(every_setting_with_its_source),
        ARENA_TEST(what_is_shown_can_be_loaded),
        ARENA_TEST(no_setting_is_a_secret),
        ARENA_TEST(the_document_is_the_table),
        ARENA_TEST(the_example_of_the_document_loads),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
