#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "mcp/endpoint.h"

#include <string.h>

static int new_arena(void **state)
{
    *state = arena_new(1 << 20);
    return *state ? 0 : 1;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static void assert_leads(arena_t *a, const char *base, const char *reference, const char *want)
{
    str_t out;
    assert_int_equal(mcp_endpoint_resolve(a, str_c(base), str_c(reference), &out), RC_OK);
    if (!str_eq(out, str_c(want)))
        fail_msg("%s at %s is %.*s", reference, base, STR_ARG(out));
}

static rc_t refused(arena_t *a, const char *base, const char *reference)
{
    str_t out;
    rc_t rc = mcp_endpoint_resolve(a, str_c(base), str_c(reference), &out);
    assert_false(str_is_set(out));
    return rc;
}

static void each_form_of_a_reference(void **state)
{
    static const char BASE[] = "https://mcp.example.com/a/sse?key=1";
    assert_leads(*state, BASE, "/messages?sessionId=7",
                 "https://mcp.example.com/messages?sessionId=7");
    assert_leads(*state, BASE, "messages?sessionId=7",
                 "https://mcp.example.com/a/messages?sessionId=7");
    assert_leads(*state, BASE, "?sessionId=7", "https://mcp.example.com/a/sse?sessionId=7");
    assert_leads(*state, BASE, "https://mcp.example.com/m", "https://mcp.example.com/m");
    assert_leads(*state, BASE, "https://MCP.example.com:443/m", "https://MCP.example.com:443/m");
    assert_leads(*state, BASE, "//mcp.example.com/m", "https://mcp.example.com/m");
    assert_leads(*state, BASE, " /m ", "https://mcp.example.com/m");
    assert_leads(*state, BASE, "m?next=https://x/", "https://mcp.example.com/a/m?next=https://x/");
}

static void a_base_without_a_path(void **state)
{
    assert_leads(*state, "http://127.0.0.1:8080", "messages", "http://127.0.0.1:8080/messages");
    assert_leads(*state, "http://127.0.0.1:8080", "/messages", "http://127.0.0.1:8080/messages");
    assert_leads(*state, "http://127.0.0.1:8080", "?s=1", "http://127.0.0.1:8080/?s=1");
}

static void an_endpoint_of_another_origin(void **state)
{
    static const char *const OTHERS[] = {
        "https://evil.example/messages",     "http://mcp.example.com/messages",
        "https://mcp.example.com:444/m",     "//evil.example/m",
        "https://mcp.example.com.evil.io/m", "https://sub.mcp.example.com/m",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        assert_int_equal(refused(*state, "https://mcp.example.com/sse", OTHERS[i]), RC_NOT_FOUND);
}

static void an_endpoint_that_is_no_url(void **state)
{
    static const char *const BAD[] = {
        "",
        " ",
        "/a b",
        "/a\\b",
        "/m#top",
        "../m",
        "./m",
        "/x/../m",
        "/x/..",
        "/m\xc3\xa9",
        "/%zz",
        "javascript:alert(1)",
        "file:///m",
        "https:",
        "https://mcp.example.com@evil.example/m",
        "https://u:p@mcp.example.com/m",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (refused(*state, "https://mcp.example.com/sse", BAD[i]) != RC_MALFORMED)
            fail_msg("'%s' is not refused as malformed", BAD[i]);
    }
}

static void an_endpoint_that_is_too_long(void **state)
{
    static char path[LIMIT_URL_BYTES + 2];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    assert_int_equal(refused(*state, "https://mcp.example.com/sse", path), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_form_of_a_reference, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(a_base_without_a_path, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(an_endpoint_of_another_origin, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(an_endpoint_that_is_no_url, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(an_endpoint_that_is_too_long, new_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
