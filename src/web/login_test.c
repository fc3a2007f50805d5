#include "web/web_test_page.h"

#include "web/login.h"

static str_t login(page_t *p, const web_login_t *v)
{
    *p = page_begin();
    web_page_login(&p->b, v);
    return page_done(p);
}

static const web_login_t PLAIN = {.csrf = STR_INIT("tok"),
                                  .interaction = STR_INIT("int"),
                                  .client_name = STR_INIT("Ledger & Sons")};

static void a_form_that_password_managers_know(void **state)
{
    (void)state;
    page_t p;
    str_t page = login(&p, &PLAIN);
    assert_has(page, "<title>Sign in \xe2\x80\x93 Warder</title>");
    assert_has(page, "<form method=\"post\" action=\"/login\">");
    assert_has(page, "<input type=\"hidden\" name=\"csrf\" value=\"tok\">");
    assert_has(page, "<input type=\"hidden\" name=\"interaction\" value=\"int\">");
    assert_has(page, "type=\"text\" id=\"username\" name=\"username\" value=\"\" "
                     "autocomplete=\"username\"");
    assert_has(page, "type=\"password\" id=\"password\" name=\"password\" "
                     "autocomplete=\"current-password\"");
    assert_has(page, "<strong><bdi>Ledger &amp; Sons</bdi></strong> asks for access");
    assert_int_equal(count_of(page, "<button"), 1);
    assert_lacks(page, "role=\"alert\"");
    page_free(&p);
}

static void a_provider_is_a_button_beside_the_password(void **state)
{
    (void)state;
    page_t p;
    web_login_t v = PLAIN;
    v.provider = STR("A & B");
    v.forward_csrf = STR("fwd");
    str_t page = login(&p, &v);
    assert_has(page, "<form method=\"post\" action=\"/login/elsewhere\">\n"
                     "<input type=\"hidden\" name=\"csrf\" value=\"fwd\">\n"
                     "<input type=\"hidden\" name=\"interaction\" value=\"int\">\n"
                     "<div class=\"actions\"><button>Sign in with <bdi>A &amp; B</bdi></button>");
    assert_has(page, "action=\"/login\"");
    page_free(&p);
    v.no_password = true;
    v.notice = WEB_LOGIN_AGAIN;
    page = login(&p, &v);
    assert_lacks(page, "type=\"password\"");
    assert_lacks(page, "action=\"/login\"");
    assert_has(page, "<button class=\"primary\">Sign in with");
    assert_has(page, "please sign in again");
    page_free(&p);
}

/* AS-74: nobody is forwarded who has not been shown for whom. */
static void who_is_led_to_a_provider_sees_for_whom(void **state)
{
    (void)state;
    static const web_scope_t SCOPES[] = {
        {.name = STR_INIT("a:read"), .text = STR_INIT("Read your files")}};
    static const web_consent_t ASKS = {
        .client_name = STR_INIT("Ledger & Sons"),
        .client_id = STR_INIT("https://app.test/client.json"),
        .client_origin = WEB_CLIENT_BY_HOST,
        .client_host = STR_INIT("app.test"),
        .redirect_uri = STR_INIT("http://127.0.0.1:4711/cb"),
        .redirect_kind = WEB_REDIRECT_LOOPBACK,
        .redirect_host = STR_INIT("127.0.0.1:4711"),
        .resource_name = STR_INIT("Files"),
        .resource_uri = STR_INIT("https://rs.test/mcp"),
        .scopes = SCOPES,
        .n_scopes = 1,
        .only_loopback = true,
    };
    static const char *const SHOWN[] = {
        "https://app.test/client.json",   "Published by",        "http://127.0.0.1:4711/cb",
        "A program on this computer",     "https://rs.test/mcp", "Read your files",
        "Nothing proves that the program"};
    page_t p;
    web_login_t v = PLAIN;
    v.asks = &ASKS;
    str_t page = login(&p, &v); /* by password it is shown on the next page */
    assert_lacks(page, "class=\"facts\"");
    page_free(&p);
    v.provider = STR("A & B");
    v.forward_csrf = STR("fwd");
    page = login(&p, &v);
    for (size_t i = 0; i < sizeof SHOWN / sizeof SHOWN[0]; i++)
        assert_has(page, SHOWN[i]);
    assert_lacks(page, "Signed in as");
    assert_has(page, "<button aria-describedby=\"advice\">Continue to <bdi>A &amp; B</bdi> for "
                     "<bdi>Ledger &amp; Sons</bdi></button>");
    assert_has(page, "id=\"advice\">Go on only if you have just started this yourself.");
    page_free(&p);
}

static void a_page_that_does_not_know_for_whom_leads_to_one_that_does(void **state)
{
    (void)state;
    page_t p;
    web_login_t v = PLAIN;
    v.provider = STR("A & B");
    v.forward_href = STR("/login?interaction=int");
    str_t page = login(&p, &v);
    assert_lacks(page, "/login/elsewhere");
    assert_has(page, "<a class=\"button\" href=\"/login?interaction=int\">Sign in with "
                     "<bdi>A &amp; B</bdi></a>");
    page_free(&p);
    v.forward_href = STR("//evil.test/");
    assert_lacks(login(&p, &v), "evil");
    page_free(&p);
}

static void without_an_interaction_nobody_waits(void **state)
{
    (void)state;
    page_t p;
    str_t page = login(&p, &(web_login_t){.csrf = STR("t"), .client_name = STR("Ledger")});
    assert_lacks(page, "Ledger");
    assert_lacks(page, "name=\"interaction\"");
    page_free(&p);
}

static void a_client_without_a_name(void **state)
{
    (void)state;
    page_t p;
    web_login_t v = PLAIN;
    v.client_name = STR("\xe2\x80\x8b");
    assert_has(login(&p, &v), "An application without a name");
    page_free(&p);
    v.client_name = STR_UNSET;
    assert_has(login(&p, &v), "<bdi>An application</bdi>");
    page_free(&p);
}

static void notices(void **state)
{
    (void)state;
    static const struct {
        web_login_notice_t notice;
        uint32_t retry_after_s;
        const char *says;
        bool alert;
    } ROWS[] = {
        {WEB_LOGIN_AGAIN, 0, "enter your password again", false},
        {WEB_LOGIN_REFUSED, 0, "The user name or the password is wrong", true},
        {WEB_LOGIN_LATER, 0, "wait 1 second, then", true},
        {WEB_LOGIN_LATER, 1, "wait 1 second, then", true},
        {WEB_LOGIN_LATER, 120, "wait 120 seconds, then", true},
        {WEB_LOGIN_LATER, 121, "wait 3 minutes, then", true},
        {WEB_LOGIN_LATER, UINT32_MAX, "wait 71582789 minutes, then", true},
        {WEB_LOGIN_BUSY, 0, "too much to do", true},
        {WEB_LOGIN_STALE, 0, "open for too long", true},
        {WEB_LOGIN_FAILED, 0, "there did not work", true},
        {WEB_LOGIN_AWAY, 0, "cannot be reached right now", true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        page_t p;
        web_login_t v = PLAIN;
        v.notice = ROWS[i].notice;
        v.retry_after_s = ROWS[i].retry_after_s;
        str_t page = login(&p, &v);
        assert_has(page, ROWS[i].says);
        assert_int_equal(count_of(page, "role=\"alert\" id=\"problem\""), ROWS[i].alert);
        assert_int_equal(count_of(page, "aria-describedby=\"problem\""), ROWS[i].alert ? 2 : 0);
        assert_int_equal(count_of(page, "<title>Problem: Sign in"), ROWS[i].alert);
        page_free(&p);
    }
}

static void what_was_typed_stays_but_never_the_password(void **state)
{
    (void)state;
    page_t p;
    web_login_t v = PLAIN;
    v.username = STR("al\"ice");
    v.notice = WEB_LOGIN_REFUSED;
    str_t page = login(&p, &v);
    assert_has(page, "name=\"username\" value=\"al&quot;ice\"");
    assert_int_equal(count_of(page, "aria-invalid=\"true\""), 2);
    assert_has(page, "name=\"password\" autocomplete");
    page_free(&p);
}

static void hostile_logins(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT * WEB_LOGIN_NOTICE_COUNT; i++) {
        page_t p;
        str_t s = hostile(i % TEST_HOSTILE_COUNT);
        web_login_t v = {.csrf = s,
                         .interaction = s,
                         .client_name = s,
                         .username = s,
                         .provider = s,
                         .no_password = i % 2 == 0,
                         .notice = (web_login_notice_t)(i / TEST_HOSTILE_COUNT),
                         .retry_after_s = 7};
        login(&p, &v);
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_that_password_managers_know),
        cmocka_unit_test(a_provider_is_a_button_beside_the_password),
        cmocka_unit_test(who_is_led_to_a_provider_sees_for_whom),
        cmocka_unit_test(a_page_that_does_not_know_for_whom_leads_to_one_that_does),
        cmocka_unit_test(without_an_interaction_nobody_waits),
        cmocka_unit_test(a_client_without_a_name),
        cmocka_unit_test(notices),
        cmocka_unit_test(what_was_typed_stays_but_never_the_password),
        cmocka_unit_test(hostile_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
