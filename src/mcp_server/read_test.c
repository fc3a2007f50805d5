#include "mcp_server/said_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void strings_are_found_by_path(void **state)
{
    said_world_t *w = *state;
    said_world_arguments(w, "{\"a\":{\"b\":[\"x\",\"y\\u00e9\"]},\"n\":\"a\\u0000b\",\"i\":1}");
    assert_string_equal(warder_mcp_string(&w->call, "a.b.1"), "y\xc3\xa9");
    assert_null(warder_mcp_string(&w->call, "a.b.2"));
    assert_null(warder_mcp_string(&w->call, "a.c"));
    assert_null(warder_mcp_string(&w->call, "i"));
    assert_null(warder_mcp_string(&w->call, "n")); /* a C string would be cut at its NUL */
}

static void bytes_are_base64(void **state)
{
    said_world_t *w = *state;
    size_t n = 9;
    said_world_arguments(w, "{\"b\":\"AP/+\",\"e\":\"\",\"no\":\"A\",\"url\":\"AP_-\",\"i\":1}");
    static const char *const NONE[] = {"no", "url", "i", "x"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        assert_null(warder_mcp_bytes(&w->call, NONE[i], &n));
        assert_int_equal(n, 0);
    }
    assert_memory_equal(warder_mcp_bytes(&w->call, "b", &n), "\0\xff\xfe", 3);
    assert_int_equal(n, 3);
    assert_non_null(warder_mcp_bytes(&w->call, "e", &n));
    assert_int_equal(n, 0);
}

static void numbers_leave_what_is_absent(void **state)
{
    said_world_t *w = *state;
    double d = 7;
    said_world_arguments(w, "{\"d\":1.5,\"s\":\"1\"}");
    assert_false(warder_mcp_number(&w->call, "s", &d));
    assert_false(warder_mcp_number(&w->call, "x", &d));
    assert_true(d == 7);
    assert_true(warder_mcp_number(&w->call, "d", &d));
    assert_true(d == 1.5);
}

static void integers_are_those_of_schemas(void **state)
{
    said_world_t *w = *state;
    int64_t i = 7;
    said_world_arguments(w, "{\"i\":9223372036854775807,\"whole\":-3.0,\"power\":1e3,\"half\":0.5,"
                            "\"huge\":1e300,\"s\":\"1\"}");
    assert_false(warder_mcp_integer(&w->call, "half", &i));
    assert_false(warder_mcp_integer(&w->call, "huge", &i));
    assert_false(warder_mcp_integer(&w->call, "s", &i));
    assert_int_equal(i, 7);
    assert_true(warder_mcp_integer(&w->call, "i", &i));
    assert_true(i == INT64_MAX);
    assert_true(warder_mcp_integer(&w->call, "whole", &i));
    assert_int_equal(i, -3);
    assert_true(warder_mcp_integer(&w->call, "power", &i));
    assert_int_equal(i, 1000);
}

static void booleans_are_no_numbers(void **state)
{
    said_world_t *w = *state;
    bool b = true;
    said_world_arguments(w, "{\"f\":false,\"zero\":0}");
    assert_false(warder_mcp_boolean(&w->call, "zero", &b));
    assert_true(b);
    assert_true(warder_mcp_boolean(&w->call, "f", &b));
    assert_false(b);
}

static void meta_is_read_by_its_key(void **state)
{
    said_world_t *w = *state;
    assert_null(warder_mcp_meta(&w->call, "a.example/x"));
    str_t params = STR("{\"_meta\":{\"a.example/x\":{\"y\":[1]}}}");
    assert_int_equal(json_parse(w->call.arena, params, NULL, &w->call.op.message.params), RC_OK);
    assert_string_equal(warder_mcp_meta(&w->call, "a.example/x"), "{\"y\":[1]}");
    assert_null(warder_mcp_meta(&w->call, "y"));
}

static void counts_are_of_lists_and_objects(void **state)
{
    said_world_t *w = *state;
    said_world_arguments(w, "{\"l\":[1,2,3],\"o\":{\"a\":1},\"s\":\"abc\"}");
    assert_int_equal(warder_mcp_count(&w->call, "l"), 3);
    assert_int_equal(warder_mcp_count(&w->call, "o"), 1);
    assert_int_equal(warder_mcp_count(&w->call, "s"), 0);
    assert_int_equal(warder_mcp_count(&w->call, "x"), 0);
    assert_int_equal(warder_mcp_count(&w->call, ""), 3);
}

static void json_is_as_it_came(void **state)
{
    said_world_t *w = *state;
    assert_string_equal(warder_mcp_json(&w->call, ""), "{}"); /* no arguments came at all */
    said_world_arguments(w, "{\"l\":[1, 2.0]}");
    assert_string_equal(warder_mcp_json(&w->call, "l"), "[1, 2.0]");
    assert_string_equal(warder_mcp_json(&w->call, ""), "{\"l\":[1, 2.0]}");
    assert_null(warder_mcp_json(&w->call, "x"));
}

static void who_asks_is_said(void **state)
{
    said_world_t *w = *state;
    assert_string_equal(warder_mcp_subject(&w->call), "alice");
    assert_string_equal(warder_mcp_client(&w->call), "c1");
    assert_string_equal(warder_mcp_issuer(&w->call), "https://as.example");
    assert_string_equal(warder_mcp_name(&w->call), "t");
    assert_string_equal(warder_mcp_revision(&w->call), "2025-11-25");
    w->call.who = (mcp_caller_t){0};
    assert_string_equal(warder_mcp_subject(&w->call), "");
}

static void scopes_are_judged_by_the_port(void **state)
{
    said_world_t *w = *state;
    assert_false(warder_mcp_granted(&w->call, "news:write"));
    assert_false(warder_mcp_granted(&w->call, "news:read news:write"));
    assert_true(warder_mcp_granted(&w->call, "news:read watchlist:write"));
    assert_true(warder_mcp_granted(&w->call, NULL));
    w->m.world.scopes = (mcp_scope_port_t){0};
    assert_false(warder_mcp_granted(&w->call, "news:read"));
    w->call.who.everything = true;
    assert_true(warder_mcp_granted(&w->call, "news:read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAID_TEST(strings_are_found_by_path),
        SAID_TEST(numbers_leave_what_is_absent),
        SAID_TEST(integers_are_those_of_schemas),
        SAID_TEST(booleans_are_no_numbers),
        SAID_TEST(counts_are_of_lists_and_objects),
        SAID_TEST(meta_is_read_by_its_key),
        SAID_TEST(bytes_are_base64),
        SAID_TEST(json_is_as_it_came),
        SAID_TEST(who_asks_is_said),
        SAID_TEST(scopes_are_judged_by_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
