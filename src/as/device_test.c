/* A device from its question to its tokens, with the pages between. */
#include "as/as_test_browser.h"

#define GRANT "&grant_type=urn:ietf:params:oauth:grant-type:device_code"

typedef struct {
    str_t device_code, user_code, complete;
} device_asked_t;

static device_asked_t ask(world_t *w)
{
    answer_t r =
        world_post(w, "/device_authorization", "", STR("client_id=" W_DEVICE "&scope=files:write"));
    assert_status(r, 200);
    assert_text(answer_header(&r, "cache-control"), "no-store");
    const json_t *body = answer_json(w, &r);
    assert_text(json_get_str(body, STR("verification_uri")), W_ISSUER "/device");
    return (device_asked_t){json_get_str(body, STR("device_code")),
                            json_get_str(body, STR("user_code")),
                            json_get_str(body, STR("verification_uri_complete"))};
}

static answer_t poll(world_t *w, const device_asked_t *d)
{
    str_t form = arena_printf(w->a, "client_id=" W_DEVICE GRANT "&device_code=%.*s",
                              STR_ARG(d->device_code));
    return world_post(w, "/token", "", form);
}

static void waits(world_t *w, const device_asked_t *d, const char *error)
{
    answer_t r = poll(w, d);
    assert_status(r, 400);
    assert_str(answer_error(w, &r), str_c(error));
}

static str_t code_form_of(world_t *w, str_t page, str_t code)
{
    return arena_printf(w->a, "csrf=%.*s&user_code=%.*s", STR_ARG(page_field(page, "csrf")),
                        STR_ARG(code));
}

/* Types the code on the page of the bare address. */
static answer_t type(browser_t *b, str_t code)
{
    answer_t page = browser_get(b, STR("/device"));
    assert_status(page, 200);
    return browser_post(b, "/device", code_form_of(b->w, page.body, code));
}

static answer_t decide(browser_t *b, str_t page, const char *decision)
{
    return browser_post(b, "/consent", decision_form(b->w, page, decision));
}

static void from_the_device_to_its_tokens(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    device_asked_t d = ask(w);
    waits(w, &d, "authorization_pending");
    answer_t r = type(&b, d.user_code);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("Sign in")));
    r = browser_login(&b, r.body, W_USER, W_PASSWORD);
    r = browser_get(&b, answer_header(&r, "location"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, d.user_code));
    assert_true(str_contains(r.body, STR("files:write")));
    r = decide(&b, r.body, "approve");
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("You may go back to your device")));
    assert_false(str_is_set(page_target(w, r.body)));
    r = poll(w, &d);
    tokens_t t = answer_tokens(w, &r);
    assert_text(t.scope, "files:write");
    assert_true(str_is_set(t.refresh));
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    waits(w, &d, "invalid_grant");
    r = world_post(w, "/token", "", refresh_form(w, W_DEVICE, t.refresh));
    answer_tokens(w, &r);
    ask_t consent = world_look(w, (ask_t){.kind = ASK_CONSENT,
                                          .key = STR(W_USER_ID),
                                          .key2 = STR(W_DEVICE),
                                          .key3 = STR(W_RESOURCE)});
    assert_non_null(consent.u.consent); /* so that it stands on the account page */
}

static void polls_leave_no_line_in_the_trail(void **state)
{
    world_t *w = *state;
    device_asked_t d = ask(w);
    waits(w, &d, "authorization_pending");
    waits(w, &d, "slow_down");
    world_pass(w, 9);
    waits(w, &d, "slow_down");
    world_pass(w, 15);
    waits(w, &d, "authorization_pending");
    assert_int_equal(trail_count(w, "token", "deny", NULL), 0);
    world_pass(w, 600);
    waits(w, &d, "expired_token");
    assert_int_equal(trail_count(w, "token", "deny", "device_code_expired"), 1);
}

static void a_denial_reaches_the_device(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    device_asked_t d = ask(w);
    browser_sign_in(&b);
    answer_t page = type(&b, d.user_code);
    answer_t r = decide(&b, page.body, "deny");
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("Access denied")));
    waits(w, &d, "access_denied");
    assert_int_equal(trail_count(w, "consent", "deny", "access_denied"), 1);
    r = decide(&b, page.body, "approve"); /* too late */
    assert_true(str_contains(r.body, STR("Access denied")));
    waits(w, &d, "access_denied");
}

static void the_link_fills_in_and_decides_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    device_asked_t d = ask(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, str_skip(d.complete, STR(W_ISSUER).n));
    assert_status(r, 200);
    assert_str(page_field(r.body, "user_code"), d.user_code);
    assert_true(str_contains(r.body, STR("<input type=\"text\" id=\"user-code\"")));
    assert_true(str_contains(r.body, STR("Compare the code")));
    waits(w, &d, "authorization_pending");
    r = browser_post(&b, "/device", code_form_of(w, r.body, d.user_code));
    assert_true(str_contains(r.body, STR("The device that shows the code")));
}

static void nothing_is_learned_by_guessing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    device_asked_t d = ask(w);
    browser_sign_in(&b);
    answer_t none = type(&b, STR("BBBB-BBBB"));
    assert_status(none, 400);
    assert_true(str_contains(none.body, STR("This code is not valid")));
    answer_t garbage = type(&b, STR("%22BBBBBBB"));
    assert_status(garbage, 400);
    answer_t page = type(&b, d.user_code);
    decide(&b, page.body, "deny");
    answer_t used = type(&b, d.user_code);
    assert_status(used, 400);
    assert_true(str_contains(used.body, STR("This code is not valid")));
    assert_int_equal(trail_count(w, "device", "deny", "user_code_unknown"), 3);
}

/* RFC 8628 section 5.1 */
static void guessing_is_slow(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    device_asked_t d = ask(w);
    browser_sign_in(&b);
    for (size_t i = 0; i < 10; i++)
        assert_status(type(&b, STR("BBBB-BBBB")), 400);
    answer_t r = type(&b, d.user_code);
    assert_status(r, 429);
    assert_true(answer_is_page(&r));
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    world_pass(w, 6);
    assert_status(type(&b, d.user_code), 200);
}

static void the_form_is_ours(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    device_asked_t d = ask(w);
    answer_t page = browser_get(&b, STR("/device"));
    browser_get(&other, STR("/device"));
    answer_t r = browser_post(&other, "/device", code_form_of(w, page.body, d.user_code));
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "device", "deny", "form_not_ours"), 1);
    r = browser_post(&b, "/device", code_form_of(w, page.body, d.user_code));
    assert_status(r, 200);
}

static void who_may_not(void **state)
{
    world_t *w = *state;
    answer_t r = world_post(w, "/device_authorization", "", STR("client_id=" W_PUBLIC));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "unauthorized_client");
    r = world_post(w, "/device_authorization", "", STR("client_id=nobody"));
    assert_status(r, 401);
    r = world_get(w, "/device_authorization");
    assert_status(r, 405);
}

static void without_memory(void **state)
{
    world_t *w = *state;
    str_t form = STR("client_id=" W_DEVICE);
    world_starve(w, world_request(w, "POST", STR("/device_authorization"), W_FORM, form), 200);
    browser_t b = browser_new(w);
    world_starve(w, browser_request(&b, "GET", STR("/device"), STR_UNSET), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(from_the_device_to_its_tokens),
        WORLD_TEST(polls_leave_no_line_in_the_trail),
        ON_DISK_TEST(a_denial_reaches_the_device),
        WORLD_TEST(the_link_fills_in_and_decides_nothing),
        WORLD_TEST(nothing_is_learned_by_guessing),
        WORLD_TEST(guessing_is_slow),
        WORLD_TEST(the_form_is_ours),
        WORLD_TEST(who_may_not),
        WORLD_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
