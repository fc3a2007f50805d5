#include "web/web_test_page.h"

#include "web/consent.h"

static const web_scope_t SCOPES[] = {
    {STR_INIT("news:read"), STR_INIT("Read market news"), false, false},
    {STR_INIT("reports:*"), STR_INIT("Everything with reports"), true, false},
    {STR_INIT("bare:scope"), {NULL, 0}, false, false},
};

static web_consent_t sample(void)
{
    return (web_consent_t){
        .csrf = STR("tok"),
        .interaction = STR("int"),
        .client_name = STR("Ledger desktop"),
        .client_id = STR("wcl_1"),
        .redirect_kind = WEB_REDIRECT_HTTPS,
        .redirect_uri = STR("https://c.test:8443/cb"),
        .redirect_host = STR("c.test:8443"),
        .resource_name = STR("Finance"),
        .resource_uri = STR("https://rs.test/mcp"),
        .scopes = SCOPES,
        .n_scopes = 3,
        .username = STR("alice"),
        .switch_href = STR("/login?interaction=int"),
    };
}

static str_t consent(page_t *p, const web_consent_t *v)
{
    *p = page_begin();
    web_page_consent(&p->b, v);
    return page_done(p);
}

static void two_buttons_and_what_they_send(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    str_t page = consent(&p, &v);
    assert_has(page, "<form method=\"post\" action=\"/consent\">");
    assert_has(page, "<input type=\"hidden\" name=\"csrf\" value=\"tok\">");
    assert_has(page, "<input type=\"hidden\" name=\"interaction\" value=\"int\">");
    assert_has(page, "name=\"decision\" value=\"approve\" aria-describedby=\"advice\">Approve<");
    assert_has(page, "name=\"decision\" value=\"deny\">Deny<");
    assert_int_equal(count_of(page, "<button"), 2);
    assert_int_equal(count_of(page, "<form"), 1);
    page_free(&p);
}

static void who_what_and_where(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    str_t page = consent(&p, &v);
    assert_has(page, "<h1>Give <bdi>Ledger desktop</bdi> access?</h1>");
    assert_has(page, "<code>wcl_1</code>");
    assert_has(page, "<strong class=\"host\"><bdi>c.test:8443</bdi></strong>");
    assert_has(page, "<code>https://c.test:8443/cb</code>");
    assert_has(page, "<bdi>Finance</bdi>");
    assert_has(page, "<code>https://rs.test/mcp</code>");
    assert_has(page, "<bdi>alice</bdi>");
    assert_has(page, "<a href=\"/login?interaction=int\">Not you?</a>");
    page_free(&p);
}

static void origins_of_clients(void **state)
{
    (void)state;
    static const char *const SAYS[] = {
        [WEB_CLIENT_UNVERIFIED] = "Unverified: it gave itself this name",
        [WEB_CLIENT_BY_ADMIN] = "Added by the administrator",
        [WEB_CLIENT_BY_HOST] = "Published by <bdi>app.test</bdi>",
        [WEB_CLIENT_VOUCHED] = "Vouched for by <bdi>app.test</bdi>",
    };
    for (size_t i = 0; i < 4; i++) {
        page_t p;
        web_consent_t v = sample();
        v.client_origin = (web_client_origin_t)i;
        v.client_host = STR("app.test");
        str_t page = consent(&p, &v);
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(count_of(page, SAYS[j]), i == j);
        page_free(&p);
    }
}

/* attack case: CIMD-016 */
static void a_name_on_loopback_alone_proves_nothing(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    assert_lacks(consent(&p, &v), "answered only on this computer");
    page_free(&p);
    v.only_loopback = true;
    v.client_origin = WEB_CLIENT_BY_HOST;
    v.client_host = STR("evil.test");
    v.redirect_kind = WEB_REDIRECT_LOOPBACK;
    v.redirect_host = STR("localhost:4711");
    str_t page = consent(&p, &v);
    assert_has(page, "<p class=\"alert\" role=\"note\">This application is answered only on");
    assert_has(page, "<strong class=\"host\"><bdi>evil.test</bdi></strong>");
    assert_has(page, "<strong class=\"host\"><bdi>localhost:4711</bdi></strong>");
    page_free(&p);
}

static void the_form_says_which_document_it_is_about(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    assert_lacks(consent(&p, &v), "name=\"document\"");
    page_free(&p);
    v.document = STR("hash");
    assert_has(consent(&p, &v), "<input type=\"hidden\" name=\"document\" value=\"hash\">");
    page_free(&p);
}

static void kinds_of_redirects(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    v.redirect_kind = WEB_REDIRECT_LOOPBACK;
    v.redirect_uri = STR("http://127.0.0.1:33418/cb");
    v.redirect_host = STR("127.0.0.1:33418");
    str_t page = consent(&p, &v);
    assert_has(page, "A program on this computer");
    assert_has(page, "Any program here can pretend to be this application.");
    assert_has(page, "<code>http://127.0.0.1:33418/cb</code>");
    page_free(&p);
    v.redirect_kind = WEB_REDIRECT_PRIVATE;
    v.redirect_uri = STR("cursor://cb");
    v.redirect_host = STR("cursor");
    page = consent(&p, &v);
    assert_has(page, "The app on this device that opens <code>cursor:</code> links");
    assert_has(page, "Any installed app can claim such links.");
    page_free(&p);
}

/* RFC 8628 section 5.4 */
static void a_device_is_known_by_its_code(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    v.user_code = STR("WDJB-MJHT");
    v.redirect_uri = v.redirect_host = STR_UNSET;
    str_t page = consent(&p, &v);
    assert_has(page, "The device that shows the code <code>WDJB-MJHT</code>");
    assert_has(page, "If no device in front of you shows it");
    assert_has(page, "Approve only if you have just started this yourself");
    assert_int_equal(count_of(page, "Access goes to"), 1);
    page_free(&p);
}

static void scopes_in_words_with_their_tokens(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    str_t page = consent(&p, &v);
    assert_has(page, "Read market news");
    assert_has(page, "<span class=\"small\"><code>news:read</code></span>");
    assert_has(page, "<span class=\"what\"><code>bare:scope</code></span>");
    assert_int_equal(count_of(page, ">Broad<"), 1);
    assert_lacks(page, ">New<");
    assert_lacks(page, "offline_access");
    page_free(&p);
}

static void new_scopes_are_marked_beside_old_ones(void **state)
{
    (void)state;
    page_t p;
    web_scope_t scopes[3];
    memcpy(scopes, SCOPES, sizeof scopes);
    scopes[0].already = true;
    web_consent_t v = sample();
    v.scopes = scopes;
    str_t page = consent(&p, &v);
    assert_int_equal(count_of(page, ">New<"), 2);
    assert_int_equal(count_of(page, ">Approved before<"), 1);
    page_free(&p);
}

static void offline_access_is_explained(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    v.offline = true;
    str_t page = consent(&p, &v);
    assert_has(page, "also while you are away");
    assert_has(page, "<code>offline_access</code>");
    page_free(&p);
}

static void what_is_unset_is_left_out(void **state)
{
    (void)state;
    page_t p;
    web_consent_t v = sample();
    v.client_name = v.resource_name = v.switch_href = STR_UNSET;
    v.scopes = NULL;
    v.n_scopes = 0;
    str_t page = consent(&p, &v);
    assert_has(page, "<h1>Give <bdi>this application</bdi> access?</h1>");
    assert_has(page, "An application without a name");
    assert_int_equal(count_of(page, "https://rs.test/mcp"), 1);
    assert_lacks(page, "Not you?");
    assert_has(page, "Connect in your name");
    page_free(&p);
}

static void the_way_to_another_account_is_ours(void **state)
{
    (void)state;
    static const char *const FOREIGN[] = {"https://evil.test/", "//evil.test/", "/\\evil.test",
                                          "javascript:alert(1)"};
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++) {
        page_t p;
        web_consent_t v = sample();
        v.switch_href = str_c(FOREIGN[i]);
        assert_lacks(consent(&p, &v), "Not you?");
        page_free(&p);
    }
}

static web_consent_t filled(str_t s, web_scope_t *scopes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        scopes[i] = (web_scope_t){s, s, true, i == 0};
    return (web_consent_t){
        s, s,    s, s, WEB_CLIENT_BY_HOST, s, WEB_REDIRECT_PRIVATE, s, s, s, s, scopes,
        n, true, s, s, STR_UNSET};
}

static void hostile_consents(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT * 3; i++) {
        page_t p;
        web_scope_t scopes[3];
        web_consent_t v = filled(hostile(i % TEST_HOSTILE_COUNT), scopes, 3);
        v.redirect_kind = (web_redirect_kind_t)(i / TEST_HOSTILE_COUNT);
        v.client_origin = (web_client_origin_t)(i / TEST_HOSTILE_COUNT);
        str_t page = consent(&p, &v);
        assert_int_equal(count_of(page, "<button"), 2);
        page_free(&p);
    }
}

/* Whatever clients and resources say, the page can be shown: LIMIT_PAGE_BYTES suffices. */
static void the_worst_page_has_room(void **state)
{
    (void)state;
    page_t p;
    web_scope_t scopes[LIMIT_SCOPE_TOKENS];
    static char exact[LIMIT_WEB_EXACT_BYTES];
    memset(exact, '"', 256);
    web_consent_t v = filled(hostile(TEST_HOSTILE_COUNT - 2), scopes, LIMIT_SCOPE_TOKENS);
    v.csrf = v.interaction = str_of(exact, 256);
    str_t page = consent(&p, &v);
    assert_in_range(page.n, LIMIT_PAGE_BYTES / 2, LIMIT_PAGE_BYTES);
    assert_has(page, ">Deny<");
    page_free(&p);
}

static void without_memory_there_is_no_page(void **state)
{
    (void)state;
    size_t failed = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 0; rc != RC_OK; budget += 509, failed += rc != RC_OK) {
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        buf_t b = buf_new(a, LIMIT_PAGE_BYTES);
        web_consent_t v = sample();
        str_t page;
        web_page_consent(&b, &v);
        rc = buf_done(&b, &page);
        assert_true(rc == RC_OK || (rc == RC_MEMORY && !str_is_set(page)));
        arena_free(a);
    }
    assert_true(failed > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_buttons_and_what_they_send),
        cmocka_unit_test(who_what_and_where),
        cmocka_unit_test(origins_of_clients),
        cmocka_unit_test(a_name_on_loopback_alone_proves_nothing),
        cmocka_unit_test(the_form_says_which_document_it_is_about),
        cmocka_unit_test(kinds_of_redirects),
        cmocka_unit_test(a_device_is_known_by_its_code),
        cmocka_unit_test(scopes_in_words_with_their_tokens),
        cmocka_unit_test(new_scopes_are_marked_beside_old_ones),
        cmocka_unit_test(offline_access_is_explained),
        cmocka_unit_test(what_is_unset_is_left_out),
        cmocka_unit_test(the_way_to_another_account_is_ours),
        cmocka_unit_test(hostile_consents),
        cmocka_unit_test(the_worst_page_has_room),
        cmocka_unit_test(without_memory_there_is_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
