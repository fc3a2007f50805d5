#include "web/web_test_page.h"

#include "web/leave.h"

static str_t leave(page_t *p, const web_leave_t *v)
{
    *p = page_begin();
    web_page_leave(&p->b, v);
    return page_done(p);
}

static void goes_on_by_itself_and_by_a_link(void **state)
{
    (void)state;
    page_t p;
    str_t page = leave(&p, &(web_leave_t){STR("https://c.test/cb?code=a&state=b"), STR("c.test"),
                                          WEB_REDIRECT_HTTPS, STR("Ledger"), true});
    assert_has(page, "<title>Access approved \xe2\x80\x93 Warder</title>");
    assert_has(page, "<meta http-equiv=\"refresh\" "
                     "content=\"0;url=https://c.test/cb?code=a&amp;state=b\">");
    assert_has(page, "href=\"https://c.test/cb?code=a&amp;state=b\" rel=\"noreferrer\">");
    assert_has(page, "<bdi>c.test</bdi>");
    assert_has(page, "Go to <bdi>Ledger</bdi>");
    assert_lacks(page, "<form");
    page_free(&p);
}

static void says_what_was_decided_and_where_it_leads(void **state)
{
    (void)state;
    static const struct {
        web_redirect_kind_t kind;
        const char *url, *host, *says;
    } ROWS[] = {
        {WEB_REDIRECT_HTTPS, "https://c.test/cb", "c.test", "on your way to <"},
        {WEB_REDIRECT_LOOPBACK, "http://127.0.0.1:9/cb", "127.0.0.1:9", "program on this computer"},
        {WEB_REDIRECT_PRIVATE, "cursor://cb", "cursor", "the app that opens links of"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        page_t p;
        web_leave_t v = {str_c(ROWS[i].url), str_c(ROWS[i].host), ROWS[i].kind, STR_UNSET, false};
        str_t page = leave(&p, &v);
        assert_has(page, "<h1>Access denied</h1>");
        assert_has(page, "was given no access");
        assert_has(page, "Go to <bdi>the application</bdi>");
        assert_has(page, ROWS[i].says);
        page_free(&p);
    }
}

static void dangerous_schemes_get_no_link(void **state)
{
    (void)state;
    static const char *const URLS[] = {
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "javascript://c.test/%0aalert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://c.test/1",
        "filesystem:https://c.test/1",
        "about:blank",
        "view-source:https://c.test/",
        "/consent",
        "//evil.test",
        "https:evil.test",
        "",
        NULL,
    };
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        page_t p;
        web_leave_t v = {str_c(URLS[i]), STR("c.test"), WEB_REDIRECT_PRIVATE, STR("x"), true};
        str_t page = leave(&p, &v);
        assert_lacks(page, "refresh");
        assert_int_equal(count_of(page, "<a "), 1); /* to the content */
        assert_has(page, "not safe to open");
        page_free(&p);
    }
}

static void the_longest_answer_is_whole(void **state)
{
    (void)state;
    page_t p;
    static char url[LIMIT_REDIRECT_BYTES];
    memset(url, '&', sizeof url);
    memcpy(url, "https://c.test/?", 16);
    web_leave_t v = {str_of(url, sizeof url), STR("c.test"), WEB_REDIRECT_HTTPS, STR("x"), true};
    str_t page = leave(&p, &v);
    assert_int_equal(count_of(page, "&amp;"), 2 * (LIMIT_REDIRECT_BYTES - 16));
    page_free(&p);
}

static void hostile_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        page_t p;
        str_t s = hostile(i);
        leave(&p, &(web_leave_t){s, s, WEB_REDIRECT_HTTPS, s, true});
        page_free(&p);
        leave(&p, &(web_leave_t){STR("https://c.test/"), s, WEB_REDIRECT_HTTPS, s, false});
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_by_itself_and_by_a_link),
        cmocka_unit_test(says_what_was_decided_and_where_it_leads),
        cmocka_unit_test(dangerous_schemes_get_no_link),
        cmocka_unit_test(the_longest_answer_is_whole),
        cmocka_unit_test(hostile_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
