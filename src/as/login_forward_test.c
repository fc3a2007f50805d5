/* Who is led to a provider has seen for whom (AS-74). */
#include "as/as_test_browser.h"

#define OP "https://op.test"

static void configure(world_t *w)
{
    static const http_fetch_fake_row_t META = {
        OP "/.well-known/openid-configuration", 200, "application/json",
        "{\"issuer\":\"" OP "\",\"authorization_endpoint\":\"" OP "/authorize\","
        "\"token_endpoint\":\"" OP "/token\",\"jwks_uri\":\"" OP "/jwks\"}"};
    conf_t *conf = ARENA_NEW(w->a, conf_t);
    assert_non_null(conf);
    *conf = *w->conf;
    conf->login_issuer = STR(OP);
    conf->login_client_id = STR("warder");
    conf->login_scopes = STR("openid");
    w->as->conf = conf;
    w->web.rows = &META;
    w->web.n = 1;
}

static void assert_shows_all(str_t page)
{
    assert_true(str_contains(page, STR(W_PUBLIC)));
    assert_true(str_contains(page, STR("<code>" W_REDIRECT "</code>")));
    assert_true(str_contains(page, STR(W_RESOURCE)));
    assert_true(str_contains(page, STR("<code>files:read</code>")));
    assert_true(str_contains(page, STR("Continue to <bdi>op.test</bdi> for ")));
}

static void nobody_is_forwarded_who_has_not_seen_for_whom(void **state)
{
    world_t *w = *state;
    configure(w);
    browser_t b = browser_new(w);
    answer_t shown = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_shows_all(shown.body);
    str_t handle = page_field(shown.body, "interaction"), right = forward_form(w, shown.body);

    /* What a page gave that shows less is no leave to go on: the password's token, or the one of a
     * sign-in that nobody waits for. */
    answer_t alone = browser_get(&b, STR("/login"));
    const str_t others[] = {page_field(shown.body, "csrf"),
                            str_skip(forward_form(w, alone.body), strlen("csrf="))};
    unsigned calls = w->web.calls;
    for (size_t i = 0; i < 2; i++) {
        str_t form = arena_printf(w->a, "csrf=%" PRIstr "&interaction=%" PRIstr, STR_ARG(others[i]),
                                  STR_ARG(handle));
        answer_t r = browser_post(&b, "/login/elsewhere", form);
        assert_status(r, 403);
        assert_text(forward_form(w, r.body), ""); /* this page does not know */
    }
    assert_int_equal(w->web.calls, calls);

    /* But it leads to the one that does. */
    answer_t wrong = browser_login(&b, shown.body, W_USER, "wrong");
    assert_status(wrong, 403);
    assert_text(forward_form(w, wrong.body), "");
    str_t link = arena_printf(w->a, "/login?interaction=%" PRIstr, STR_ARG(handle));
    assert_true(str_contains(
        wrong.body, arena_printf(w->a, "href=\"%" PRIstr "\">Sign in with", STR_ARG(link))));
    answer_t all = browser_get(&b, link);
    assert_status(all, 200);
    assert_shows_all(all.body);
    answer_t r = browser_post(&b, "/login/elsewhere", forward_form(w, all.body));
    assert_status(r, 200);
    r = browser_post(&b, "/login/elsewhere", right);
    assert_status(r, 200);
}

/* Of what is no longer there, the consent page says so: nobody is sent round in a ring. */
static void what_cannot_be_shown_has_no_button(void **state)
{
    world_t *w = *state;
    configure(w);
    browser_t b = browser_new(w);
    answer_t shown = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    str_t link = arena_printf(w->a, "/login?interaction=%" PRIstr,
                              STR_ARG(page_field(shown.body, "interaction")));
    world_put_key(w, EFFECT_CLIENT_DELETE, STR(W_PUBLIC));
    const str_t links[] = {link, STR("/login?interaction=unknown")};
    for (size_t i = 0; i < 2; i++) {
        answer_t r = browser_get(&b, links[i]);
        assert_status(r, 303);
        str_t location = answer_header(&r, "location");
        assert_true(str_starts(location, STR("/consent?interaction=")));
        r = browser_get(&b, location);
        assert_true(r.status >= 400);
        assert_text(forward_form(w, r.body), "");
    }
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    configure(w);
    browser_t b = browser_new(w);
    answer_t shown = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    str_t link = arena_printf(w->a, "/login?interaction=%" PRIstr,
                              STR_ARG(page_field(shown.body, "interaction")));
    world_starve(w, world_request(w, "GET", link, "", STR("")), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(nobody_is_forwarded_who_has_not_seen_for_whom),
        WORLD_TEST(what_cannot_be_shown_has_no_button),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
