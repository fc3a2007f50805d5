#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "mcp/id_scan.h"

/* In pieces of any length the same. */
static void assert_id(const char *text, const char *want)
{
    str_t all = str_c(text);
    for (size_t step = 1; step <= all.n + 1; step++) {
        mcp_id_scan_t s = {0};
        for (str_t rest = all; rest.n; rest = str_skip(rest, step))
            mcp_id_scan(&s, str_first(rest, step));
        str_t id = mcp_id_scanned(&s);
        bool same = want ? str_eq(id, str_c(want)) : !id.p;
        if (!same)
            fail_msg("%s in pieces of %zu: %.*s", text, step, STR_ARG(id));
    }
}

static void an_id_at_any_place(void **state)
{
    (void)state;
    assert_id("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{}}", "7");
    assert_id("{\"method\":\"m\",\"params\":{\"id\":1,\"a\":[{\"id\":2}]},\"id\":\"x-7\"}",
              "\"x-7\"");
    assert_id(" { \"id\" : -12 , \"method\" : \"m\" } ", "-12");
    assert_id("{\"a\":\"\\\"id\\\":5,{[\",\"id\":0,\"method\":\"\\\\\"}", "0");
    assert_id("{\"x\":[1,2,\"id\",{\"id\":3}],\"method\":\"m\",\"id\":\"\"}", "\"\"");
}

static void what_is_no_request_has_none(void **state)
{
    static const char *const NONE[] = {
        "",
        "7",
        "[1]",
        "\"id\"",
        "xx",
        "{}",
        "{\"id\":1}",
        "{\"method\":\"m\"}",
        "{\"id\":1,\"result\":{\"method\":\"m\"}}",
        "[{\"id\":1,\"method\":\"m\"}]",
        "{\"id\":1,\"method\":\"m\"",
        "{\"id\":1,\"method\":\"m\"}{\"id\":2}",
        "{\"a\":{\"id\":1,\"method\":\"m\"}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_id(NONE[i], NULL);
}

static void an_id_that_may_be_none(void **state)
{
    static const char *const IDS[] = {"null",       "1.5",       "1e3",          "01",
                                      "-",          "--1",       "{}",           "[1]",
                                      "true",       "\"a\\n\"",  "\"\xc3\xa9\"", "1234567890123456",
                                      "\"a\"\"b\"", "1,\"id\":2"};
    char text[128];
    (void)state;
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        snprintf(text, sizeof text, "{\"method\":\"m\",\"id\":%s}", IDS[i]);
        assert_id(text, NULL);
    }
}

static void an_id_that_is_too_long(void **state)
{
    char text[2 * MCP_ID_BYTES];
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "{\"method\":\"m\",\"id\":\"", 20);
    memcpy(text + sizeof text - 3, "\"}", 3);
    assert_id(text, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_at_any_place),
        cmocka_unit_test(what_is_no_request_has_none),
        cmocka_unit_test(an_id_that_may_be_none),
        cmocka_unit_test(an_id_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
