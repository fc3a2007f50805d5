#include "web/web_test_page.h"

#include "web/link.h"

static void leads_away(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool leads;
    } ROWS[] = {
        {"https://c.test/cb?code=x&state=a%20b", true},
        {"http://127.0.0.1:33418/callback?code=x", true},
        {"http://[::1]:1/cb", true},
        {"HTTPS://c.test", true},
        {"cursor://anysphere.cursor-mcp/oauth/callback?code=x", true},
        {"com.example.app:/cb?code=x", true},
        {"https://c.test/cb#_=_", true},
        {"javascript:alert(1)", false},
        {"JavaScript:alert(1)", false},
        {"javascript://c.test/%0aalert(1)", false},
        {"java\tscript:alert(1)", false},
        {" javascript:alert(1)", false},
        {"\x01javascript:alert(1)", false},
        {"vbscript:x", false},
        {"livescript:x", false},
        {"data:text/html,<script>alert(1)</script>", false},
        {"data:text/html;base64,PHNjcmlwdD4=", false},
        {"file:///etc/passwd", false},
        {"filesystem:https://c.test/x", false},
        {"blob:https://c.test/1", false},
        {"about:blank", false},
        {"view-source:https://c.test", false},
        {"jar:https://c.test!/x", false},
        {"chrome://settings", false},
        {"intent://x#Intent;end", false},
        {"mailto:a@c.test", false},
        {"ws://c.test", false},
        {"", false},
        {"/path", false},
        {"//c.test/", false},
        {"https:c.test", false},
        {"https:///path", false},
        {"https://", false},
        {"http:", false},
        {"app:", false},
        {"1app:/x", false},
        {"https://user@c.test/", false},
        {"https://c.test\\@evil.test/", false},
        {"https://c.test/ b", false},
        {"https://c.test/?a\"b", false},
        {"https://c.test/?a<b", false},
        {"https://c.test/?\xc3\xa9", false},
        {"https://c.test/\n", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (web_link_leads_away(str_c(ROWS[i].url)) != ROWS[i].leads)
            fail_msg("\"%s\"", ROWS[i].url);
    assert_false(web_link_leads_away(STR_UNSET));
    assert_false(web_link_leads_away(STR("https://c.test/?a\0b")));
}

static void the_answer_may_be_long_but_not_endless(void **state)
{
    (void)state;
    static char url[LIMIT_WEB_EXACT_BYTES + 1];
    memset(url, 'x', sizeof url);
    memcpy(url, "https://c.test/cb?state=", 24);
    assert_true(web_link_leads_away(str_of(url, LIMIT_WEB_EXACT_BYTES)));
    assert_false(web_link_leads_away(str_of(url, LIMIT_WEB_EXACT_BYTES + 1)));
}

static void is_ours(void **state)
{
    (void)state;
    assert_true(web_link_is_ours(STR("/login?interaction=x&switch=1")));
    assert_false(web_link_is_ours(STR("//evil.test/")));
    assert_false(web_link_is_ours(STR("/\\evil.test/")));
    assert_false(web_link_is_ours(STR("/\t/evil.test/")));
    assert_false(web_link_is_ours(STR("https://evil.test/")));
    assert_false(web_link_is_ours(STR("javascript:alert(1)")));
    assert_false(web_link_is_ours(STR("")));
    assert_false(web_link_is_ours(STR_UNSET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_away),
        cmocka_unit_test(the_answer_may_be_long_but_not_endless),
        cmocka_unit_test(is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
