/* Refresh tokens over the real store: rotation, races and reuse. */
#include "as/as_test_browser.h"

#include "oauth/token.h"

static answer_t refresh(world_t *w, str_t token)
{
    return world_post(w, "/token", "", refresh_form(w, W_PUBLIC, token));
}

static void assert_grant_error(world_t *w, const answer_t *r)
{
    assert_status(*r, 400);
    assert_text(answer_error(w, r), "invalid_grant");
    assert_false(str_is_set(answer_header(r, "www-authenticate")));
    assert_text(answer_header(r, "cache-control"), "no-store");
}

static void a_refresh_token_rotates(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    for (int i = 0; i < 3; i++) {
        answer_t r = refresh(w, t.refresh);
        tokens_t next = answer_tokens(w, &r);
        assert_false(str_eq(next.refresh, t.refresh));
        assert_false(str_eq(next.access, t.access));
        t = next;
        world_pass(w, 1000);
    }
}

/* pain rows 6 and 7: several processes of one client refresh at once; all go on working. */
static void racing_refreshes_all_work(void **state)
{
    enum { N = 5 };
    world_t *w = *state;
    tokens_t t = world_grant(w), got[N];
    str_t request =
        world_request(w, "POST", STR("/token"), W_FORM, refresh_form(w, W_PUBLIC, t.refresh));
    http_direct_t *flights[N];
    w->faults.hold = true;
    for (int i = 0; i < N; i++)
        flights[i] = world_send(w, request);
    assert_int_equal(w->n_held, N);
    w->faults.hold = false;
    for (size_t i = N; i > 0; i--)
        world_release(w, i - 1);
    for (int i = 0; i < N; i++) {
        answer_t r = world_land(w, flights[i]);
        got[i] = answer_tokens(w, &r);
    }
    for (int i = 0; i < N; i++) {
        answer_t r = refresh(w, got[i].refresh);
        answer_tokens(w, &r);
    }
    assert_int_equal(trail_count(w, "refresh_reuse", "deny", NULL), 0);
}

static void within_the_grace_time_a_lost_answer_costs_nothing(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = refresh(w, t.refresh);
    tokens_t winner = answer_tokens(w, &r);
    world_pass(w, w->conf->refresh_grace);
    r = refresh(w, t.refresh);
    tokens_t late = answer_tokens(w, &r);
    assert_false(str_eq(late.refresh, winner.refresh));
    r = refresh(w, winner.refresh);
    answer_tokens(w, &r);
    r = refresh(w, late.refresh);
    answer_tokens(w, &r);
}

static void reuse_after_the_grace_time_ends_the_family(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = refresh(w, t.refresh);
    tokens_t next = answer_tokens(w, &r);
    world_pass(w, w->conf->refresh_grace + 1);
    r = refresh(w, t.refresh);
    assert_grant_error(w, &r);
    assert_int_equal(trail_count(w, "refresh_reuse", "deny", "refresh_reused"), 1);
    r = refresh(w, next.refresh);
    assert_grant_error(w, &r);
}

static void a_storm_of_refreshes_is_bounded(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    int fine = 0;
    answer_t r;
    do {
        r = refresh(w, t.refresh);
        fine += r.status == 200;
    } while (r.status == 200 && fine < 100);
    assert_grant_error(w, &r);
    assert_int_equal(fine, OAUTH_REFRESH_SIBLINGS_MAX);
}

/* The one before stays good until its time is over, whatever scope is asked for. */
static void a_narrower_scope_is_for_one_token(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, W_PUBLIC, "&scope=files:read+files:write");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    tokens_t t = answer_tokens(w, &r);
    str_t form = refresh_form(w, W_PUBLIC, t.refresh);
    r = world_post(w, "/token", "",
                   arena_printf(w->a, "%" PRIstr "&scope=files:read", STR_ARG(form)));
    t = answer_tokens(w, &r);
    assert_text(t.scope, "files:read");
    r = refresh(w, t.refresh);
    assert_text(answer_tokens(w, &r).scope, "files:read files:write");
}

static void an_idle_token_is_over(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    world_pass(w, w->conf->refresh_token_idle);
    answer_t r = refresh(w, t.refresh);
    assert_grant_error(w, &r);
    assert_text(json_get_str(trail_last(w), STR("reason")), "refresh_expired");
}

static void a_token_of_another_client_is_refused(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = world_post(w, "/token", "", refresh_form(w, W_NATIVE, t.refresh));
    assert_grant_error(w, &r);
    assert_int_equal(trail_count(w, "token", "deny", "refresh_other_client"), 1);
    r = refresh(w, t.refresh);
    answer_tokens(w, &r);
}

static void without_grace_each_token_works_once(void **state)
{
    world_t *w = *state;
    world_restart(w, "refresh_grace", "0");
    tokens_t t = world_grant(w);
    str_t request =
        world_request(w, "POST", STR("/token"), W_FORM, refresh_form(w, W_PUBLIC, t.refresh));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    answer_t first = world_land(w, one), second = world_land(w, two);
    tokens_t next = answer_tokens(w, &first);
    assert_grant_error(w, &second);
    assert_int_equal(trail_count(w, "refresh_reuse", "deny", "refresh_reused"), 1);
    first = refresh(w, next.refresh);
    assert_grant_error(w, &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_refresh_token_rotates),
        WORLD_TEST(racing_refreshes_all_work),
        WORLD_TEST(within_the_grace_time_a_lost_answer_costs_nothing),
        WORLD_TEST(reuse_after_the_grace_time_ends_the_family),
        WORLD_TEST(a_storm_of_refreshes_is_bounded),
        WORLD_TEST(a_narrower_scope_is_for_one_token),
        WORLD_TEST(an_idle_token_is_over),
        WORLD_TEST(a_token_of_another_client_is_refused),
        WORLD_TEST(without_grace_each_token_works_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
