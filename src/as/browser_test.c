#include "as/browser.h"

#include "as/as_test_browser.h"

static bool is_signed_in(world_t *w, const char *cookie_lines)
{
    answer_t r = world_ask(w, world_request(w, "GET", STR("/"), cookie_lines, STR("")));
    assert_status(r, 200);
    return str_contains(r.body, STR(W_USER));
}

static void the_cookie_signs_in(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    str_t line = arena_printf(w->a, "Cookie: other=1; __Host-warder=%s; x=y\r\n", b.session);
    assert_true(is_signed_in(w, arena_cstr(w->a, line)));
}

/* Somebody has put one beside ours: there is no telling which is which. */
static void two_cookies_are_none(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    str_t twice =
        arena_printf(w->a, "Cookie: __Host-warder=%s; __Host-warder=%s\r\n", b.session, b.session);
    assert_false(is_signed_in(w, arena_cstr(w->a, twice)));
    str_t lines = arena_printf(w->a, "Cookie: __Host-warder=%s\r\nCookie: a=b\r\n", b.session);
    assert_false(is_signed_in(w, arena_cstr(w->a, lines)));
}

static void another_name_is_no_cookie_of_ours(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    const char *const names[] = {"warder", "__host-warder", "__Host-warder-browser",
                                 "__Secure-warder"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        str_t line = arena_printf(w->a, "Cookie: %s=%s\r\n", names[i], b.session);
        assert_false(is_signed_in(w, arena_cstr(w->a, line)));
    }
}

static void what_is_no_handle_is_not_looked_up(void **state)
{
    world_t *w = *state;
    assert_false(is_signed_in(w, "Cookie: __Host-warder=x\r\n"));
    assert_false(is_signed_in(w, "Cookie: __Host-warder=' OR 1=1\r\n"));
}

/* Browsers take no __Host- cookie over plain http. */
static void loopback_has_plain_cookies(void **state)
{
    world_t *w = *state;
    as_identify(w->as, STR("http://127.0.0.1:8080"));
    answer_t page = world_get(w, "/login");
    str_t cookie = answer_header(&page, "set-cookie");
    assert_true(str_starts(cookie, STR("warder-browser=")));
    assert_false(str_contains(cookie, STR("Secure")));
    assert_true(str_contains(cookie, STR("HttpOnly")));
    str_t value = str_skip(cookie, STR("warder-browser=").n);
    value = str_first(value, str_find(value, ';', 0));
    str_t headers = arena_printf(w->a,
                                 W_FORM "Origin: http://localhost:8080\r\n"
                                        "Cookie: warder-browser=%" PRIstr "\r\n",
                                 STR_ARG(value));
    answer_t r = world_ask(w, world_request(w, "POST", STR("/login"), arena_cstr(w->a, headers),
                                            login_form(w, page.body, W_USER, W_PASSWORD)));
    assert_status(r, 303);
    assert_true(str_starts(answer_header(&r, "set-cookie"), STR("warder=wss_")));
}

static void the_browser_cookie_is_set_once(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = browser_get(&b, STR("/login"));
    str_t cookie = answer_header(&r, "set-cookie");
    assert_true(str_starts(cookie, STR("__Host-warder-browser=")));
    assert_true(str_contains(cookie, STR("Max-Age=3600")));
    r = browser_get(&b, STR("/login"));
    assert_false(str_is_set(answer_header(&r, "set-cookie")));
}

/* A token fits one form of one browser about one thing. */
static void a_token_of_one_form_fits_no_other(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t home = browser_get(&b, STR("/"));
    str_t logout = page_field(home.body, "csrf");
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t consent = page_field(page, "csrf"), handle = page_field(page, "interaction");
    answer_t r =
        browser_post(&b, "/consent",
                     arena_printf(w->a, "csrf=%" PRIstr "&interaction=%" PRIstr "&decision=approve",
                                  STR_ARG(logout), STR_ARG(handle)));
    assert_status(r, 403);
    r = browser_post(&b, "/logout", arena_printf(w->a, "csrf=%" PRIstr, STR_ARG(consent)));
    assert_status(r, 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_cookie_signs_in),
        WORLD_TEST(two_cookies_are_none),
        WORLD_TEST(another_name_is_no_cookie_of_ours),
        WORLD_TEST(what_is_no_handle_is_not_looked_up),
        WORLD_TEST(loopback_has_plain_cookies),
        WORLD_TEST(the_browser_cookie_is_set_once),
        WORLD_TEST(a_token_of_one_form_fits_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
