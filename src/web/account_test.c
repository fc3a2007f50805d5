#include "web/web_test_page.h"

#include <stdio.h>

#include "web/account.h"

static const web_grant_t GRANT = {
    STR_INIT("wcl_1"),
    STR_INIT("Ledger"),
    STR_INIT("https://rs.test/mcp"),
    STR_INIT("Finance"),
    STR_INIT("https://app.test/cb"),
    STR_INIT("news:read reports:*"),
    1709164800,
    STR_INIT("revoke-me"),
};

static str_t account(page_t *p, const web_account_t *v)
{
    *p = page_begin();
    web_page_account(&p->b, v);
    return page_done(p);
}

static void grants_with_their_buttons(void **state)
{
    (void)state;
    page_t p;
    web_grant_t grants[] = {GRANT, GRANT};
    grants[1].redirect_uri = STR("");
    web_account_t v = {STR("alice"), true, STR("out"), true, grants, 2, false};
    str_t page = account(&p, &v);
    assert_has(page, "<bdi>alice</bdi>");
    assert_has(page, ">Administrator<");
    assert_int_equal(count_of(page, "<form method=\"post\" action=\"/grants/revoke\">"), 2);
    assert_int_equal(count_of(page, "name=\"csrf\" value=\"revoke-me\""), 2);
    assert_has(page, "name=\"client_id\" value=\"wcl_1\"");
    assert_has(page, "name=\"resource\" value=\"https://rs.test/mcp\"");
    assert_has(page, "name=\"redirect_uri\" value=\"https://app.test/cb\"");
    assert_has(page, "Access goes to <code>https://app.test/cb</code>");
    assert_has(page, "Access goes to a device");
    assert_has(page, "<code>news:read reports:*</code>");
    assert_has(page, "<time datetime=\"2024-02-29\">29 February 2024</time>");
    assert_has(page, "aria-describedby=\"grant-1\"");
    assert_has(page, "method=\"post\" action=\"/logout\"");
    assert_has(page, "name=\"csrf\" value=\"out\"");
    assert_lacks(page, "role=\"status\"");
    page_free(&p);
}

static void without_grants(void **state)
{
    (void)state;
    page_t p;
    web_account_t v = {STR("bob"), false, STR("out"), true, NULL, 0, true};
    str_t page = account(&p, &v);
    assert_has(page, "No application may act in your name");
    assert_has(page, "role=\"status\">The access was taken back");
    assert_lacks(page, "Administrator");
    page_free(&p);
    v.grants_known = false;
    assert_lacks(account(&p, &v), "pplications with access");
    page_free(&p);
}

static void times_that_no_calendar_has(void **state)
{
    (void)state;
    static const int64_t TIMES[] = {0, -1, INT64_MIN, INT64_MAX, 253402300800};
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        page_t p;
        web_grant_t grant = GRANT;
        grant.granted_at = TIMES[i];
        web_account_t v = {STR("bob"), false, STR("out"), true, &grant, 1, false};
        assert_lacks(account(&p, &v), "<time");
        page_free(&p);
    }
}

static void a_grant_without_names(void **state)
{
    (void)state;
    page_t p;
    web_grant_t grant = GRANT;
    grant.client_name = grant.resource_name = grant.scope = STR_UNSET;
    web_account_t v = {STR("bob"), false, STR("out"), true, &grant, 1, false};
    str_t page = account(&p, &v);
    assert_has(page, "An application without a name");
    assert_has(page, "may use <strong><bdi>https://rs.test/mcp</bdi>");
    page_free(&p);
}

static void as_many_grants_as_have_room(void **state)
{
    (void)state;
    enum { MANY = 4000 };
    page_t p;
    static web_grant_t grants[MANY];
    for (size_t i = 0; i < MANY; i++)
        grants[i] = GRANT;
    web_account_t v = {STR("bob"), false, STR("out"), true, grants, MANY, false};
    str_t page = account(&p, &v);
    size_t shown = count_of(page, "action=\"/grants/revoke\"");
    char rest[64];
    snprintf(rest, sizeof rest, ">%zu more are not shown", MANY - shown);
    assert_in_range(shown, 300, MANY - 1);
    assert_has(page, rest);
    assert_has(page, ">Sign out<");
    page_free(&p);
}

static void a_page_too_small_for_its_frame_fails(void **state)
{
    (void)state;
    char room[300];
    buf_t b = buf_fixed(room, sizeof room);
    web_account_t v = {STR("bob"), false, STR("out"), true, &GRANT, 1, false};
    web_page_account(&b, &v);
    assert_int_equal(b.failed, RC_LIMIT);
}

static void without_memory_no_list_is_cut(void **state)
{
    (void)state;
    size_t failed = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 0; rc != RC_OK; budget += 509, failed += rc != RC_OK) {
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        buf_t b = buf_new(a, LIMIT_PAGE_BYTES);
        web_account_t v = {STR("bob"), false, STR("out"), true, &GRANT, 1, false};
        str_t page;
        web_page_account(&b, &v);
        rc = buf_done(&b, &page);
        assert_true(rc == RC_MEMORY || (rc == RC_OK && count_of(page, "/grants/revoke") == 1));
        arena_free(a);
    }
    assert_true(failed > 1);
}

static void the_other_pages(void **state)
{
    (void)state;
    page_t p = page_begin();
    web_page_logout(&p.b, &(web_logout_t){STR("alice"), STR("tok")});
    str_t page = page_done(&p);
    assert_has(page, "<title>Sign out \xe2\x80\x93 Warder</title>");
    assert_has(page, "action=\"/logout\"");
    assert_has(page, "name=\"csrf\" value=\"tok\"");
    page_free(&p);
    p = page_begin();
    web_page_signed_out(&p.b);
    assert_has(page_done(&p), "href=\"/login\"");
    page_free(&p);
    p = page_begin();
    web_page_welcome(&p.b, false);
    assert_has(page_done(&p), "href=\"/login\"");
    page_free(&p);
    p = page_begin();
    web_page_welcome(&p.b, true);
    page = page_done(&p);
    assert_has(page, "There is no account yet");
    assert_lacks(page, "/login");
    page_free(&p);
}

static void hostile_accounts(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        str_t s = hostile(i);
        page_t p;
        web_grant_t grants[] = {{s, s, s, s, s, s, 1, s}, {s, s, s, s, s, s, 1, s}};
        web_account_t v = {s, true, s, true, grants, 2, true};
        account(&p, &v);
        page_free(&p);
        p = page_begin();
        web_page_logout(&p.b, &(web_logout_t){s, s});
        page_done(&p);
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_with_their_buttons),
        cmocka_unit_test(without_grants),
        cmocka_unit_test(times_that_no_calendar_has),
        cmocka_unit_test(a_grant_without_names),
        cmocka_unit_test(as_many_grants_as_have_room),
        cmocka_unit_test(a_page_too_small_for_its_frame_fails),
        cmocka_unit_test(without_memory_no_list_is_cut),
        cmocka_unit_test(the_other_pages),
        cmocka_unit_test(hostile_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
