/* The table of refusals itself; and that each of its rows is tried, and documented. */
#include "oauth/oauth_test_world.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    oauth_reason_t reason;
    str_t id, name;
} ROWS[] = {
#define REASON(id, name, error, status, description, audit, rule)                                  \
    {OAUTH_##id, STR_INIT(#id), STR_INIT(name)},
#include "oauth/reasons.def"
#undef REASON
};

enum { N_ROWS = sizeof ROWS / sizeof ROWS[0] };

static void names_are_their_identifiers(void **state)
{
    (void)state;
    assert_int_equal(N_ROWS + 1, OAUTH_REASON_COUNT);
    for (size_t i = 0; i < N_ROWS; i++) {
        assert_true(str_eq_nocase(ROWS[i].id, ROWS[i].name));
        for (size_t k = 0; k < ROWS[i].name.n; k++)
            assert_false(isupper((unsigned char)ROWS[i].name.p[k]));
        assert_str(oauth_reason_name(ROWS[i].reason), ROWS[i].name);
    }
    assert_text(oauth_reason_name(OAUTH_FINE), "allowed");
}

/* SDKs search challenges and bodies for these words without anchors. */
static void descriptions_are_fit_for_the_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        str_t d = oauth_reason_description(ROWS[i].reason);
        assert_true(d.n > 0 && str_is_printable_ascii(d));
        assert_true(str_find(d, '"', 0) == d.n && str_find(d, '\\', 0) == d.n);
        assert_false(str_contains(d, STR("scope=")) || str_contains(d, STR("error=")));
        assert_true(oauth_reason_audit(ROWS[i].reason).n > 0);
        assert_true(oauth_reason_rule(ROWS[i].reason).n > 0);
    }
}

/* RFC 6749 section 5.2, RFC 7591 section 3.2.2, RFC 8707 section 2 */
static void statuses_fit_their_errors(void **state)
{
    (void)state;
    static const struct {
        str_t error;
        int status;
    } FIXED[] = {
        {STR_INIT("invalid_client"), 401},         {STR_INIT("invalid_request"), 400},
        {STR_INIT("invalid_grant"), 400},          {STR_INIT("invalid_scope"), 400},
        {STR_INIT("invalid_target"), 400},         {STR_INIT("unauthorized_client"), 400},
        {STR_INIT("unsupported_grant_type"), 400}, {STR_INIT("invalid_client_metadata"), 400},
        {STR_INIT("invalid_redirect_uri"), 400},   {STR_INIT("invalid_token"), 401},
    };
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t k = 0; k < sizeof FIXED / sizeof FIXED[0]; k++)
            if (str_eq(oauth_reason_error(ROWS[i].reason), FIXED[k].error))
                assert_int_equal(oauth_reason_status(ROWS[i].reason), FIXED[k].status);
}

static void the_body_of_an_error(void **state)
{
    (void)state;
    world_t w;
    str_t body;
    world_begin(&w);
    assert_int_equal(oauth_reason_json(w.a, OAUTH_CODE_UNKNOWN, STR_UNSET, &body), RC_OK);
    assert_text(body,
                "{\"error\":\"invalid_grant\",\"error_description\":\"The code is not valid\"}");
    assert_int_equal(
        oauth_reason_json(w.a, OAUTH_RESOURCE_UNKNOWN, STR("a\"b\\c\n\xc3\xa9"), &body), RC_OK);
    assert_text(body, "{\"error\":\"invalid_target\",\"error_description\":\"a?b?c???\"}");
    world_end(&w);
}

static void append_file(buf_t *b, const char *folder, const char *name)
{
    char path[4096], bytes[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
        buf_put(b, str_of(bytes, n));
    fclose(f);
}

static const char *source(void)
{
    const char *folder = getenv("WARDER_SOURCE");
    if (!folder)
        skip();
    return folder;
}

static str_t all_tests(world_t *w)
{
    char folder[4096];
    buf_t b = buf_new(w->a, TEST_ARENA_BYTES);
    snprintf(folder, sizeof folder, "%s/src/oauth", source());
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        str_t name = str_c(e->d_name);
        if (str_ends(name, STR("_test.c")) && !str_eq(name, STR("reason_test.c")))
            append_file(&b, folder, e->d_name);
    }
    closedir(dir);
    str_t text;
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

/* A test function, or a row of a table of tests, has the reason's name. */
static void every_reason_is_tried(void **state)
{
    (void)state;
    world_t w;
    (void)source(); /* skips before there is anything to free */
    world_begin(&w);
    str_t text = all_tests(&w);
    size_t missing = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        str_t function = arena_printf(w.a, "static void %" PRIstr "(", STR_ARG(ROWS[i].name));
        str_t row = arena_printf(w.a, "{\"%" PRIstr "\",", STR_ARG(ROWS[i].name));
        if (str_contains(text, function) || str_contains(text, row))
            continue;
        print_error("no test is named %" PRIstr "\n", STR_ARG(ROWS[i].name));
        missing++;
    }
    assert_int_equal(missing, 0);
    world_end(&w);
}

static void every_reason_is_documented(void **state)
{
    (void)state;
    world_t w;
    str_t text;
    const char *root = source();
    world_begin(&w);
    buf_t b = buf_new(w.a, TEST_ARENA_BYTES);
    append_file(&b, root, "docs/REASONS.md");
    assert_int_equal(buf_done(&b, &text), RC_OK);
    for (size_t i = 0; i < N_ROWS; i++) {
        oauth_reason_t r = ROWS[i].reason;
        str_t line = arena_printf(w.a,
                                  "| `%" PRIstr "` | `%" PRIstr "` | %d | %" PRIstr " | %" PRIstr
                                  " | %" PRIstr " |\n",
                                  STR_ARG(ROWS[i].name), STR_ARG(oauth_reason_error(r)),
                                  oauth_reason_status(r), STR_ARG(oauth_reason_description(r)),
                                  STR_ARG(oauth_reason_audit(r)), STR_ARG(oauth_reason_rule(r)));
        if (!str_contains(text, line))
            fail_msg("run script/reasons: docs/REASONS.md lacks %" PRIstr, STR_ARG(line));
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_their_identifiers),
        cmocka_unit_test(descriptions_are_fit_for_the_wire),
        cmocka_unit_test(statuses_fit_their_errors),
        cmocka_unit_test(the_body_of_an_error),
        cmocka_unit_test(every_reason_is_tried),
        cmocka_unit_test(every_reason_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
