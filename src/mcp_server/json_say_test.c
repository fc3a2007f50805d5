#include "mcp_server/said_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static rc_t failure(const said_world_t *w)
{
    return w->call.said.structured.buf.failed;
}

static void members_are_written_in_order(void **state)
{
    said_world_t *w = *state;
    warder_json_t *j = warder_mcp_structured(&w->call);
    warder_json_string(j, "s", "x");
    warder_json_string(j, "absent", NULL);
    warder_json_list(j, "l");
    warder_json_integer(j, NULL, -1);
    warder_json_object(j, NULL);
    warder_json_number(j, "n", 0.25);
    warder_json_end(j);
    warder_json_end(j);
    warder_json_boolean(j, "b", true);
    warder_json_null(j, "z");
    warder_json_raw(j, "r", "[1, {}]");
    warder_json_end(j);
    assert_int_equal(failure(w), RC_OK);
    assert_text(buf_str(&w->call.said.structured.buf),
                "{\"s\":\"x\",\"l\":[-1,{\"n\":0.25}],\"b\":true,\"z\":null,\"r\":[1, {}]}");
}

static warder_json_t *anew(said_world_t *w)
{
    mcp_said_reset(&w->call);
    return warder_mcp_structured(&w->call);
}

static void misuse_of_nesting_sticks(void **state)
{
    said_world_t *w = *state;
    warder_json_t *j = anew(w);
    warder_json_integer(j, NULL, 1); /* a member without its name */
    assert_int_equal(failure(w), RC_MALFORMED);
    j = anew(w);
    warder_json_list(j, "l");
    warder_json_integer(j, "k", 1); /* an element with one */
    assert_int_equal(failure(w), RC_MALFORMED);
    j = anew(w);
    warder_json_end(j);
    warder_json_end(j); /* one end too many */
    assert_int_equal(failure(w), RC_MALFORMED);
    j = anew(w);
    warder_json_end(j);
    warder_mcp_structured(&w->call); /* a second document */
    assert_int_equal(failure(w), RC_MALFORMED);
    j = anew(w);
    for (int i = 0; i < 64; i++)
        warder_json_object(j, "o");
    assert_int_equal(failure(w), RC_LIMIT);
    warder_json_end(anew(w));
    assert_int_equal(failure(w), RC_OK);
}

static void values_that_json_has_not_fail(void **state)
{
    said_world_t *w = *state;
    warder_json_number(anew(w), "n", 0.0 / 0.0);
    assert_int_equal(failure(w), RC_MALFORMED);
    warder_json_string(anew(w), "s", "\xc3");
    assert_int_equal(failure(w), RC_MALFORMED);
}

static void raw_must_be_one_value(void **state)
{
    said_world_t *w = *state;
    const char *bad[] = {"", "1,2", "}", "{\"a\":1},\"b\":2", "nul", NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        warder_json_raw(anew(w), "r", bad[i]);
        assert_int_equal(failure(w), RC_MALFORMED);
    }
    warder_json_raw(anew(w), "r", "null");
    assert_int_equal(failure(w), RC_OK);
}

static void whole_must_be_an_object(void **state)
{
    said_world_t *w = *state;
    warder_mcp_structured_json(&w->call, "[1]");
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    mcp_said_reset(&w->call);
    warder_mcp_structured_json(&w->call, "{\"a\":");
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    mcp_said_reset(&w->call);
    warder_mcp_structured_json(&w->call, "{\"a\":1}");
    assert_int_equal(w->call.said.failed, RC_OK);
    assert_text(w->call.said.structured_raw, "{\"a\":1}");
}

static void structured_content_is_said_once(void **state)
{
    said_world_t *w = *state;
    warder_json_end(warder_mcp_structured(&w->call));
    warder_mcp_structured_json(&w->call, "{}");
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    mcp_said_reset(&w->call);
    warder_mcp_structured_json(&w->call, "{}");
    warder_json_end(warder_mcp_structured(&w->call));
    assert_int_equal(failure(w), RC_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAID_TEST(members_are_written_in_order),  SAID_TEST(misuse_of_nesting_sticks),
        SAID_TEST(values_that_json_has_not_fail), SAID_TEST(raw_must_be_one_value),
        SAID_TEST(whole_must_be_an_object),       SAID_TEST(structured_content_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
