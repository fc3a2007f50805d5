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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
