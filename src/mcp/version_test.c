#include "mcp/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void spoken_revision_is_kept(void **state)
{
    (void)state;
    mcp_versions_t all = mcp_versions_handshake();
    assert_true(all.n >= 3);
    for (size_t i = 0; i < all.n; i++)
        assert_ptr_equal(mcp_version_negotiate(all.v[i].name), &all.v[i]);
}

static void unknown_revision_gets_the_newest(void **state)
{
    (void)state;
    static const char *const ASKED[] = {"2026-07-28", "2024-11-05", "", "1.0"};
    for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++) {
        assert_null(mcp_version_find(mcp_versions_handshake(), str_c(ASKED[i])));
        assert_true(str_eq(mcp_version_negotiate(str_c(ASKED[i]))->name, STR("2025-11-25")));
    }
}

static void what_a_server_may_have_negotiated(void **state)
{
    (void)state;
    static const char *const UNKNOWN[] = {"2026-07-28", "2024-10-07", "", "1.0"};
    assert_true(str_eq(mcp_version_of_server(STR("2024-11-05"))->name, STR("2024-11-05")));
    assert_int_equal(mcp_version_of_server(STR("2024-11-05"))->era, MCP_ERA_HANDSHAKE);
    assert_true(str_eq(mcp_version_of_server(STR("2025-06-18"))->name, STR("2025-06-18")));
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN; i++)
        assert_null(mcp_version_of_server(str_c(UNKNOWN[i])));
}

static void eras_stand_together_newest_first(void **state)
{
    (void)state;
    mcp_versions_t all = mcp_versions(), handshake = mcp_versions_handshake();
    for (size_t i = 0; i < all.n; i++) {
        bool is_handshake = mcp_version_find(handshake, all.v[i].name) != NULL;
        assert_int_equal(all.v[i].era, is_handshake ? MCP_ERA_HANDSHAKE : MCP_ERA_STATELESS);
        assert_true(i == 0 || str_cmp(all.v[i].name, all.v[i - 1].name) < 0);
    }
    assert_int_equal(mcp_version_find(all, STR("2026-07-28"))->era, MCP_ERA_STATELESS);
}

static void absent_header_means_the_first_revision_without_one(void **state)
{
    (void)state;
    assert_true(str_eq(mcp_version_assumed()->name, STR("2025-03-26")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spoken_revision_is_kept),
        cmocka_unit_test(unknown_revision_gets_the_newest),
        cmocka_unit_test(what_a_server_may_have_negotiated),
        cmocka_unit_test(eras_stand_together_newest_first),
        cmocka_unit_test(absent_header_means_the_first_revision_without_one),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
