#include "as/as_test_browser.h"

static answer_t decide(browser_t *b, str_t page, const char *decision)
{
    return browser_post(b, "/consent", decision_form(b->w, page, decision));
}

static str_t consent_target(world_t *w, str_t page)
{
    str_t handle = page_field(page, "interaction");
    return arena_printf(w->a, "/consent?interaction=%" PRIstr, STR_ARG(handle));
}

/* pain row 18: a page that leads on, since a redirect would fall to form-action. */
static void approval_leads_to_the_client_with_a_code(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 200);
    assert_true(answer_is_page(&r));
    str_t to = page_target(w, r.body);
    assert_true(str_starts(to, STR(W_REDIRECT "?")));
    assert_true(str_starts(url_parameter(w, to, "code"), STR("wrc_")));
    assert_text(url_parameter(w, to, "state"), "st &");
    assert_text(url_parameter(w, to, "iss"), W_ISSUER);
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    assert_text(json_get_str(trail_last(w), STR("client")), W_PUBLIC);
}

static void denial_leads_to_the_client_without_one(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    answer_t r = decide(&b, page, "deny");
    assert_status(r, 200);
    str_t to = page_target(w, r.body);
    assert_text(url_parameter(w, to, "error"), "access_denied");
    assert_text(url_parameter(w, to, "state"), "st &");
    assert_false(str_is_set(url_parameter(w, to, "code")));
    assert_int_equal(trail_count(w, "consent", "deny", "access_denied"), 1);
    ask_t consent = world_look(w, (ask_t){.kind = ASK_CONSENT,
                                          .key = STR(W_USER_ID),
                                          .key2 = STR(W_PUBLIC),
                                          .key3 = STR(W_RESOURCE),
                                          .key4 = STR(W_REDIRECT)});
    assert_null(consent.u.consent);
}

static void anything_but_approve_is_no_approval(void **state)
{
    static const char *const OTHERS[] = {"", "APPROVE", "approve&decision=approve", "yes"};
    world_t *w = *state;
    browser_t b = browser_new(w);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        str_t page = browser_to_consent(&b, W_PUBLIC, "");
        answer_t r = decide(&b, page, OTHERS[i]);
        assert_status(r, 200);
        assert_text(url_parameter(w, page_target(w, r.body), "error"), "access_denied");
    }
}

/* pain row 20 */
static void a_double_click_gets_the_same_code(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    answer_t one = decide(&b, page, "approve"), two = decide(&b, page, "approve");
    assert_status(two, 200);
    assert_str(page_target(w, two.body), page_target(w, one.body));
    answer_t r = decide(&b, page, "deny"); /* too late to decide otherwise */
    assert_str(page_target(w, r.body), page_target(w, one.body));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 1);
    world_pass(w, 31);
    r = decide(&b, page, "approve");
    assert_status(r, 400);
    assert_false(str_is_set(page_target(w, r.body)));
}

static void two_clicks_at_once_get_the_same_code(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t request = browser_request(&b, "POST", STR("/consent"), decision_form(w, page, "approve"));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    assert_int_equal(w->n_held, 2);
    w->faults.hold = false;
    world_release(w, 1);
    world_release(w, 0);
    answer_t first = world_land(w, one), second = world_land(w, two);
    assert_status(first, 200);
    assert_str(page_target(w, first.body), page_target(w, second.body));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 1);
    str_t code = url_parameter(w, page_target(w, first.body), "code");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    answer_tokens(w, &r);
}

static void of_two_decisions_at_once_the_first_holds(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    w->faults.hold = true;
    http_direct_t *yes = world_send(
        w, browser_request(&b, "POST", STR("/consent"), decision_form(w, page, "approve")));
    http_direct_t *no =
        world_send(w, browser_request(&b, "POST", STR("/consent"), decision_form(w, page, "deny")));
    w->faults.hold = false;
    world_release(w, 1);
    world_release(w, 0);
    answer_t denied = world_land(w, no), approved = world_land(w, yes);
    assert_text(url_parameter(w, page_target(w, denied.body), "error"), "access_denied");
    assert_str(page_target(w, approved.body), page_target(w, denied.body));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 0);
}

static void a_form_without_its_token_decides_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t handle = page_field(page, "interaction");
    const char *const tokens[] = {"", "x", "csrf=&csrf="};
    for (size_t i = 0; i < 3; i++) {
        answer_t r =
            browser_post(&b, "/consent",
                         arena_printf(w->a, "csrf=%s&interaction=%" PRIstr "&decision=approve",
                                      tokens[i], STR_ARG(handle)));
        assert_status(r, 403);
        assert_true(answer_is_page(&r));
    }
    assert_int_equal(trail_count(w, "consent", "deny", "form_not_ours"), 3);
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 0);
}

static void the_token_of_one_request_decides_no_other(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t one = browser_to_consent(&b, W_PUBLIC, "");
    str_t two = browser_to_consent(&b, W_NATIVE, "");
    str_t csrf = page_field(one, "csrf"), handle = page_field(two, "interaction");
    answer_t r =
        browser_post(&b, "/consent",
                     arena_printf(w->a, "csrf=%" PRIstr "&interaction=%" PRIstr "&decision=approve",
                                  STR_ARG(csrf), STR_ARG(handle)));
    assert_status(r, 403);
}

static void another_session_cannot_decide(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    browser_sign_in(&other);
    answer_t r = browser_get(&other, consent_target(w, page));
    assert_status(r, 403);
    assert_true(str_contains(r.body, STR("another browser session")));
    r = decide(&other, page, "approve");
    assert_status(r, 403);
    r = decide(&b, page, "approve");
    assert_true(str_is_set(page_target(w, r.body)));
}

static void nobody_cannot_decide(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), nobody = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    answer_t r = decide(&nobody, page, "approve");
    assert_status(r, 403);
}

static void a_session_that_ended_meanwhile_cannot_decide(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    hash_t id = identity_session_hash(str_c(b.session));
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_SESSION_DELETE, W_START_S)->u.hash = &id;
    assert_ok(world_apply(w, w->admin, &effects));
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "consent", "deny", "interaction_other_session"), 1);
}

static void end_sessions(world_t *w)
{
    world_put_key(w, EFFECT_USER_DISABLE, STR(W_USER_ID));
}

/* The facts were gathered while the account was in order; what is written then is not. */
static void an_account_that_is_disabled_meanwhile_approves_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    world_pass(w, 61); /* the session is to be touched: it must exist */
    w->faults.race = end_sessions;
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 403);
    assert_false(str_is_set(page_target(w, r.body)));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 0);
}

static void an_expired_request_is_over(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    world_pass(w, 900);
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "consent", "deny", "interaction_expired"), 1);
    r = browser_get(&b, consent_target(w, page));
    assert_status(r, 400);
}

static void an_unknown_request_is_a_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, STR("/consent?interaction=wri_x"));
    assert_status(r, 400);
    assert_true(answer_is_page(&r));
    r = browser_get(&b, STR("/consent"));
    assert_status(r, 400);
}

static void a_client_that_is_gone_gets_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    world_put_key(w, EFFECT_CLIENT_DELETE, STR(W_PUBLIC));
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "consent", "deny", "client_not_registered"), 1);
}

static void the_page_can_be_loaded_again(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    answer_t r = browser_get(&b, consent_target(w, page));
    assert_status(r, 200);
    assert_str(page_field(r.body, "interaction"), page_field(page, "interaction"));
    r = decide(&b, r.body, "approve");
    assert_true(str_is_set(url_parameter(w, page_target(w, r.body), "code")));
}

/* pain row 32: who asks for one scope more keeps what was approved before. */
static void stepping_up_keeps_what_was_approved(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_walk(&b, W_PUBLIC, "&scope=files:read");
    str_t code = browser_walk(&b, W_PUBLIC, "&scope=files:write");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    str_t scope = answer_tokens(w, &r).scope;
    assert_true(str_contains(scope, STR("files:read")));
    assert_true(str_contains(scope, STR("files:write")));
}

static void a_failing_store_approves_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    w->faults.apply = RC_IO;
    answer_t r = decide(&b, page, "approve");
    assert_status(r, 503);
    assert_true(answer_is_page(&r));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 0);
    w->faults.apply = RC_OK;
    r = decide(&b, page, "approve");
    assert_true(str_is_set(url_parameter(w, page_target(w, r.body), "code")));
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    world_starve(w, browser_request(&b, "GET", consent_target(w, page), STR("")), 200);
    world_starve(w, browser_request(&b, "POST", STR("/consent"), decision_form(w, page, "approve")),
                 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(approval_leads_to_the_client_with_a_code),
        WORLD_TEST(denial_leads_to_the_client_without_one),
        WORLD_TEST(anything_but_approve_is_no_approval),
        WORLD_TEST(a_double_click_gets_the_same_code),
        WORLD_TEST(two_clicks_at_once_get_the_same_code),
        WORLD_TEST(of_two_decisions_at_once_the_first_holds),
        WORLD_TEST(a_form_without_its_token_decides_nothing),
        WORLD_TEST(the_token_of_one_request_decides_no_other),
        WORLD_TEST(another_session_cannot_decide),
        WORLD_TEST(nobody_cannot_decide),
        WORLD_TEST(a_session_that_ended_meanwhile_cannot_decide),
        WORLD_TEST(an_account_that_is_disabled_meanwhile_approves_nothing),
        WORLD_TEST(an_expired_request_is_over),
        WORLD_TEST(an_unknown_request_is_a_page),
        WORLD_TEST(a_client_that_is_gone_gets_nothing),
        WORLD_TEST(the_page_can_be_loaded_again),
        WORLD_TEST(stepping_up_keeps_what_was_approved),
        WORLD_TEST(a_failing_store_approves_nothing),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
