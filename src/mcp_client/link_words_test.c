/* What the ends of a link are called: every end has all its words, and a name of its own. */
#include "core/core_test_util.h"

#include "mcp_client/link.h"

static void every_end_has_its_words(void **state)
{
    (void)state;
    for (mcp_link_end_t end = MCP_LINK_UNREACHABLE; end <= MCP_LINK_STOPPED; end++) {
        const mcp_link_end_row_t *row = mcp_link_end_row(end);
        assert_true(row->name.n > 0 && row->sentence.n > 0 && row->mend.n > 0);
        for (mcp_link_end_t other = MCP_LINK_UNREACHABLE; other < end; other++)
            assert_false(str_eq(row->name, mcp_link_end_row(other)->name));
    }
}

static void what_helps_depends_on_what_came(void **state)
{
    static const struct {
        mcp_link_failure_t why;
        const char *says;
    } CASES[] = {
        {{.end = MCP_LINK_HTTP, .status = 404}, "last slash"},
        {{.end = MCP_LINK_HTTP, .status = 405}, "whole URL"},
        {{.end = MCP_LINK_HTTP, .status = 301}, "leads to"},
        {{.end = MCP_LINK_HTTP, .status = 429}, "Wait"},
        {{.end = MCP_LINK_HTTP, .status = 502}, "later"},
        {{.end = MCP_LINK_HTTP, .status = 400}, "Check that the URL"},
        {{.end = MCP_LINK_UNREACHABLE, .refused = true}, "Start the server"},
        {{.end = MCP_LINK_UNREACHABLE, .detail = STR_INIT("x: wrong version number")}, "no TLS"},
        {{.end = MCP_LINK_UNREACHABLE, .detail = STR_INIT("Could not resolve host: h")}, "name"},
        {{.end = MCP_LINK_UNREACHABLE}, "certificate"},
        {{.end = MCP_LINK_MALFORMED, .detail = STR_INIT("text/html; charset=utf-8")}, "whole URL"},
        {{.end = MCP_LINK_MALFORMED}, "Check the URL"},
        {{.end = MCP_LINK_TIMEOUT}, "Try again"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        if (!str_contains(mcp_link_mend(&CASES[i].why), str_c(CASES[i].says)))
            fail_msg("%zu: %.*s", i, STR_ARG(mcp_link_mend(&CASES[i].why)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_words),
        cmocka_unit_test(what_helps_depends_on_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
