#include "as/as_test_browser.h"

static str_t logout_form(world_t *w, str_t page)
{
    str_t csrf = page_field(page, "csrf");
    return arena_printf(w->a, "csrf=%" PRIstr, STR_ARG(csrf));
}

static void home_welcomes_who_is_not_signed_in(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = browser_get(&b, STR("/"));
    assert_status(r, 200);
    assert_true(answer_is_page(&r));
    assert_true(str_contains(r.body, STR("/login")));
    assert_false(str_contains(r.body, STR(W_USER)));
}

static void home_without_accounts_tells_of_the_link(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    world_make_keys(w);
    world_pass(w, 2);
    answer_t empty = browser_get(&b, STR("/"));
    assert_status(empty, 200);
    assert_false(str_contains(empty.body, STR("href=\"/login\"")));
}

static void home_shows_the_account(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, STR("/"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR(W_USER)));
    assert_true(str_is_set(page_field(r.body, "csrf")));
}

static void put_consent(world_t *w, str_t client, str_t scope)
{
    const consent_t consent = {.user_id = STR(W_USER_ID),
                               .client_id = client,
                               .resource = STR(W_RESOURCE),
                               .scope = scope,
                               .granted_at = W_START_S};
    world_put(w, EFFECT_CONSENT_PUT, &consent);
}

static void home_lists_nothing_for_who_is_not_signed_in(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    put_consent(w, STR(W_PUBLIC), STR("files:read"));
    answer_t r = browser_get(&b, STR("/?revoked"));
    assert_status(r, 200);
    assert_false(str_contains(r.body, STR("Applications with access")));
    assert_false(str_contains(r.body, STR("Client &lt;b&gt;")));
    assert_false(str_contains(r.body, STR("taken back")));
}

static void home_lists_none_where_none_was_approved(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, STR("/"));
    assert_true(str_contains(r.body, STR("No application may act in your name")));
    assert_false(str_contains(r.body, STR("/grants/revoke")));
}

/* Its consent is still there, and can be taken back. */
static void home_lists_a_client_that_is_gone_without_its_name(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    put_consent(w, STR("client-that-was"), STR("files:read"));
    answer_t r = browser_get(&b, STR("/"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("An application without a name")));
    assert_text(page_field(r.body, "client_id"), "client-that-was");
}

static void home_lists_a_resource_that_is_gone_by_its_address(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    put_consent(w, STR(W_PUBLIC), STR("files:read"));
    world_put_key(w, EFFECT_RESOURCE_DELETE, STR(W_RESOURCE));
    world_pass(w, 2);
    answer_t r = browser_get(&b, STR("/"));
    assert_status(r, 200);
    assert_false(str_contains(r.body, STR(">Files<")));
    assert_true(str_contains(r.body, STR("<bdi>" W_RESOURCE "</bdi>")));
}

static void home_says_that_more_is_granted_than_fits(void **state)
{
    enum { GRANTS = 480, SCOPE_BYTES = 2000 };
    world_t *w = *state;
    browser_t b = browser_new(w);
    char *scope = arena_alloc(w->a, SCOPE_BYTES);
    memset(scope, 's', SCOPE_BYTES);
    browser_sign_in(&b);
    for (int i = 0; i < GRANTS; i++)
        put_consent(w, arena_printf(w->a, "client-%d", i), str_of(scope, SCOPE_BYTES));
    answer_t r = browser_get(&b, STR("/"));
    assert_status(r, 200);
    assert_true(answer_is_page(&r));
    assert_true(str_contains(r.body, STR(" more are not shown.")));
    assert_true(str_contains(r.body, STR("/grants/revoke")));
}

static void signing_out_ends_the_session(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), copy;
    browser_sign_in(&b);
    copy = b;
    answer_t page = browser_get(&b, STR("/logout"));
    assert_status(page, 200);
    answer_t r = browser_post(&b, "/logout", logout_form(w, page.body));
    assert_status(r, 200);
    assert_true(str_contains(answer_header(&r, "set-cookie"), STR("Max-Age=0")));
    assert_false(b.session[0]);
    assert_int_equal(trail_count(w, "logout", "allow", NULL), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    r = browser_get(&copy, STR("/"));
    assert_false(str_contains(r.body, STR(W_USER)));
    r = browser_post(&copy, "/logout", logout_form(w, page.body));
    assert_status(r, 200); /* twice is once */
}

static void signing_out_from_the_account_page_works(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t page = browser_get(&b, STR("/"));
    answer_t r = browser_post(&b, "/logout", logout_form(w, page.body));
    assert_status(r, 200);
    assert_false(b.session[0]);
}

static void who_is_not_signed_in_need_not_sign_out(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = browser_get(&b, STR("/logout"));
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
}

static void nobody_else_signs_a_person_out(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    browser_sign_in(&b);
    browser_sign_in(&other);
    answer_t page = browser_get(&other, STR("/logout"));
    answer_t r = browser_post(&b, "/logout", logout_form(w, page.body));
    assert_status(r, 403);
    r = browser_post(&b, "/logout", STR(""));
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "logout", "deny", "form_not_ours"), 2);
    r = browser_get(&b, STR("/"));
    assert_true(str_contains(r.body, STR(W_USER)));
}

static void use_keeps_a_session_alive(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    unsigned before = w->faults.applies;
    browser_get(&b, STR("/"));
    assert_int_equal(w->faults.applies, before); /* not a write for each look */
    world_pass(w, 61);
    browser_get(&b, STR("/"));
    assert_int_equal(w->faults.applies, before + 1);
    world_pass(w, w->conf->session_lifetime);
    answer_t r = browser_get(&b, STR("/"));
    assert_false(str_contains(r.body, STR(W_USER)));
}

static void a_failing_store_signs_nobody_out(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t page = browser_get(&b, STR("/logout"));
    w->faults.apply = RC_IO;
    answer_t r = browser_post(&b, "/logout", logout_form(w, page.body));
    assert_status(r, 503);
    assert_false(str_is_set(answer_header(&r, "set-cookie")));
    assert_int_equal(trail_count(w, "logout", "allow", NULL), 0);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t page = browser_get(&b, STR("/logout"));
    world_starve(w, browser_request(&b, "GET", STR("/"), STR("")), 200);
    world_starve(w, browser_request(&b, "GET", STR("/logout"), STR("")), 200);
    world_starve(w, browser_request(&b, "POST", STR("/logout"), logout_form(w, page.body)), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(home_welcomes_who_is_not_signed_in),
        EMPTY_TEST(home_without_accounts_tells_of_the_link),
        WORLD_TEST(home_shows_the_account),
        WORLD_TEST(home_lists_nothing_for_who_is_not_signed_in),
        WORLD_TEST(home_lists_none_where_none_was_approved),
        WORLD_TEST(home_lists_a_client_that_is_gone_without_its_name),
        WORLD_TEST(home_lists_a_resource_that_is_gone_by_its_address),
        WORLD_TEST(home_says_that_more_is_granted_than_fits),
        WORLD_TEST(signing_out_ends_the_session),
        WORLD_TEST(signing_out_from_the_account_page_works),
        WORLD_TEST(who_is_not_signed_in_need_not_sign_out),
        WORLD_TEST(nobody_else_signs_a_person_out),
        WORLD_TEST(use_keeps_a_session_alive),
        WORLD_TEST(a_failing_store_signs_nobody_out),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
