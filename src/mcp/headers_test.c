#include "mcp/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const str_t ORIGINS[] = {STR_INIT("https://app.example.com")};
static const str_t HOSTS[] = {STR_INIT("mcp.example.com")};
static const str_list_t ALLOWED = {ORIGINS, 1};
static const str_list_t NAMES = {HOSTS, 1};

static void version_header_is_checked(void **state)
{
    (void)state;
    assert_true(str_eq(mcp_header_version(STR_UNSET)->name, STR("2025-03-26")));
    assert_true(str_eq(mcp_header_version(STR("2025-06-18"))->name, STR("2025-06-18")));
    assert_null(mcp_header_version(STR("2026-07-28")));
    assert_null(mcp_header_version(STR("")));
    assert_null(mcp_header_version(STR("2025-06-18, 2025-11-25")));
}

static void session_ids_are_visible_ascii(void **state)
{
    (void)state;
    char longest[MCP_SESSION_ID_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(mcp_session_id_is_valid(STR("0f3c-~!")));
    assert_true(mcp_session_id_is_valid(str_of(longest, MCP_SESSION_ID_BYTES)));
    assert_false(mcp_session_id_is_valid(str_of(longest, sizeof longest)));
    assert_false(mcp_session_id_is_valid(STR("")));
    assert_false(mcp_session_id_is_valid(STR_UNSET));
    assert_false(mcp_session_id_is_valid(STR("a b")));
    assert_false(mcp_session_id_is_valid(STR("a\x7f")));
    assert_false(mcp_session_id_is_valid(STR("\xc3\xa9")));
}

static void foreign_origin_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"https://evil.test",
                                      "null",
                                      "",
                                      "https://app.example.com.evil.test",
                                      "http://app.example.com",
                                      "https://app.example.com:8443",
                                      "https://app.example.com/",
                                      "http://localhost.evil.test",
                                      "http://localhost@evil.test",
                                      "file://",
                                      "https://APP.example.com"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (mcp_origin_allowed(str_c(BAD[i]), ALLOWED))
            fail_msg("%s", BAD[i]);
    assert_true(mcp_origin_allowed(STR("https://app.example.com"), ALLOWED));
}

static void loopback_origin_and_none_are_allowed(void **state)
{
    (void)state;
    assert_true(mcp_origin_allowed(STR_UNSET, ALLOWED));
    assert_true(mcp_origin_allowed(STR("http://localhost:6274"), ALLOWED));
    assert_true(mcp_origin_allowed(STR("http://127.0.0.1"), ALLOWED));
    assert_true(mcp_origin_allowed(STR("http://[::1]:3000"), ALLOWED));
}

static void foreign_host_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "evil.test", "evil.test:9000",      "mcp.example.com.evil.test",
        "",          "localhost.evil.test", "127.0.0.1.evil.test"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (mcp_host_allowed(str_c(BAD[i]), NAMES))
            fail_msg("%s", BAD[i]);
    assert_false(mcp_host_allowed(STR_UNSET, NAMES));
}

static void own_and_loopback_hosts_are_served(void **state)
{
    (void)state;
    assert_true(mcp_host_allowed(STR("mcp.example.com"), NAMES));
    assert_true(mcp_host_allowed(STR("MCP.example.com:443"), NAMES));
    assert_true(mcp_host_allowed(STR("localhost:9000"), NAMES));
    assert_true(mcp_host_allowed(STR("127.0.0.1:9000"), NAMES));
    assert_true(mcp_host_allowed(STR("[::1]:9000"), NAMES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_header_is_checked),
        cmocka_unit_test(session_ids_are_visible_ascii),
        cmocka_unit_test(foreign_origin_is_refused),
        cmocka_unit_test(loopback_origin_and_none_are_allowed),
        cmocka_unit_test(foreign_host_is_refused),
        cmocka_unit_test(own_and_loopback_hosts_are_served),
    };
    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
