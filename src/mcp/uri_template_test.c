#include "mcp/uri_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
    const char *template, *uri;
    const char *values[3]; /* the first NULL: it does not match */
} CASES[] = {
    {"test://template/{id}/data", "test://template/123/data", {"123"}},
    {"test://template/{id}/data", "test://template/1%2F2/data", {"1/2"}},
    {"test://template/{id}/data", "test://template/%C3%A9/data", {"\xc3\xa9"}},
    {"test://template/{id}/data", "test://template//data", {NULL}},
    {"test://template/{id}/data", "test://template/a/b/data", {NULL}},
    {"test://template/{id}/data", "test://template/a/data/", {NULL}},
    {"test://template/{id}/data", "test://template/a?b/data", {NULL}},
    {"test://template/{id}/data", "test://template/%zz/data", {NULL}},
    {"test://template/{id}/data", "test://template/%00/data", {NULL}},
    {"test://template/{id}/data", "test://other/1/data", {NULL}},
    {"a:{x}", "a:1", {"1"}},
    {"a:{x}", "a:", {NULL}},
    {"a:{x}", "a:1#2", {NULL}},
    {"{x}.txt", "b.txt.txt", {"b.txt"}},
    {"{x}.{y}", "b.txt.txt", {"b", "txt.txt"}},
    {"a:{x}-{y}/{z}", "a:1-2-3/4", {"1", "2-3", "4"}},
    {"a:{x}-{y}/{z}", "a:1/2-3/4", {NULL}},
    {"a:{x}-{y}", "a:-1", {NULL}},
    {"a:{x}-{y}", "a:1-", {NULL}},
};

static void uris_give_their_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        arena_t *a = arena_new(1 << 16);
        mcp_uri_template_t t;
        str_t values[MCP_TEMPLATE_VARIABLES];
        assert_int_equal(mcp_uri_template_read(str_c(CASES[i].template), &t), RC_OK);
        rc_t rc = mcp_uri_template_match(a, &t, str_c(CASES[i].uri), values);
        if (rc != (CASES[i].values[0] ? RC_OK : RC_NOT_FOUND))
            fail_msg("%s: %s", CASES[i].template, CASES[i].uri);
        for (size_t k = 0; k < t.n && rc == RC_OK; k++)
            if (!str_eq(values[k], str_c(CASES[i].values[k])))
                fail_msg("%s: value %zu", CASES[i].uri, k);
        arena_free(a);
    }
}

static void names_are_in_order(void **state)
{
    (void)state;
    mcp_uri_template_t t;
    assert_int_equal(mcp_uri_template_read(STR("a:{one}/{two_2}"), &t), RC_OK);
    assert_int_equal(t.n, 2);
    assert_true(str_eq(t.names[0], STR("one")) && str_eq(t.names[1], STR("two_2")));
}

static const char *const REFUSED[] = {
    "a:{x}{y}", "a:{x}/{x}", "a:{+x}",  "a:{x*}", "a:{?x}",  "a:{x,y}", "a:{}",
    "a:{x",     "a:x}",      "a:{x:3}", "a:{/x}", "a:{{x}}", "a:{x.y}", "a:{x}}",
};

static void more_than_level_1_is_refused(void **state)
{
    (void)state;
    mcp_uri_template_t t;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        if (mcp_uri_template_read(str_c(REFUSED[i]), &t) != RC_CONFIG)
            fail_msg("%s", REFUSED[i]);
}

static void many_variables_are_refused(void **state)
{
    (void)state;
    char text[256] = "a:";
    mcp_uri_template_t t;
    for (int i = 0; i < MCP_TEMPLATE_VARIABLES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "/{v%d}", i);
    assert_int_equal(mcp_uri_template_read(str_c(text), &t), RC_OK);
    strcat(text, "/{more}");
    assert_int_equal(mcp_uri_template_read(str_c(text), &t), RC_CONFIG);
}

static void without_variables_it_is_a_uri(void **state)
{
    (void)state;
    mcp_uri_template_t t;
    assert_int_equal(mcp_uri_template_read(STR("test://static"), &t), RC_NOT_FOUND);
}

static void escapes_of_what_needs_none_are_undone(void **state)
{
    (void)state;
    str_t out;
    arena_t *a = arena_new(1 << 16);
    assert_int_equal(mcp_uri_normal(a, STR("a://%61%2d%2E%5f%7e/%2f%c3%A9"), &out), RC_OK);
    assert_true(str_eq(out, STR("a://a-._~/%2F%C3%A9")));
    assert_int_equal(mcp_uri_normal(a, STR("a:%00"), &out), RC_OK);
    assert_true(str_eq(out, STR("a:%00")));
    assert_int_equal(mcp_uri_normal(a, STR(""), &out), RC_OK);
    assert_int_equal(out.n, 0);
    arena_free(a);
}

/* "%%361" would become "%61", and that another name. */
static void broken_escapes_lead_nowhere(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {"a:%", "a:%4", "a:%zz", "a:%%361", "a:%6%31"};
    str_t out;
    arena_t *a = arena_new(1 << 16);
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++)
        assert_int_equal(mcp_uri_normal(a, str_c(BROKEN[i]), &out), RC_NOT_FOUND);
    arena_free(a);
}

static void dots_lead_nowhere(void **state)
{
    (void)state;
    static const char *const DOTS[] = {"a://b/..", "a://b/../c", "a://./c", "a:/%2e/c",
                                       "a://b/.%2E?q"};
    static const char *const NAMES[] = {"a://b/..c",   "a://b/c..", "a://b/.c",
                                        "a://b?/../c", "a://b#/./", "a://b/%2F..%2F"};
    str_t out;
    arena_t *a = arena_new(1 << 16);
    for (size_t i = 0; i < sizeof DOTS / sizeof *DOTS; i++)
        assert_int_equal(mcp_uri_normal(a, str_c(DOTS[i]), &out), RC_NOT_FOUND);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        assert_int_equal(mcp_uri_normal(a, str_c(NAMES[i]), &out), RC_OK);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_give_their_values),
        cmocka_unit_test(names_are_in_order),
        cmocka_unit_test(more_than_level_1_is_refused),
        cmocka_unit_test(many_variables_are_refused),
        cmocka_unit_test(without_variables_it_is_a_uri),
        cmocka_unit_test(escapes_of_what_needs_none_are_undone),
        cmocka_unit_test(broken_escapes_lead_nowhere),
        cmocka_unit_test(dots_lead_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
