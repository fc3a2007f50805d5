#include "as/as_test_browser.h"

static answer_t revoke(world_t *w, const char *client, str_t token)
{
    return world_post(w, "/revoke", "",
                      arena_printf(w->a, "client_id=%s&token=%" PRIstr, client, STR_ARG(token)));
}

static bool still_works(world_t *w, str_t token)
{
    answer_t r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, token));
    return r.status == 200;
}

static void a_refresh_token_ends_its_family(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w), other = world_grant(w);
    answer_t r = revoke(w, W_PUBLIC, t.refresh);
    assert_status(r, 200);
    assert_int_equal(r.body.n, 0);
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    assert_false(still_works(w, t.refresh));
    assert_true(still_works(w, other.refresh));
}

/* attack case: MGT-003 */
static void an_access_token_ends_alone(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = revoke(w, W_PUBLIC, t.access);
    assert_status(r, 200);
    assert_true(str_is_set(json_get_str(trail_last(w), STR("token"))));
    ask_t list = world_look(w, (ask_t){.kind = ASK_REVOCATIONS});
    assert_int_equal(list.count, 1);
    assert_int_equal(list.u.revoked[0].kind, REVOKED_TOKEN);
    assert_str(list.u.revoked[0].key, json_get_str(trail_last(w), STR("token")));
    assert_true(still_works(w, t.refresh));
    r = revoke(w, W_PUBLIC, t.access); /* again: the list does not grow */
    assert_status(r, 200);
    list = world_look(w, (ask_t){.kind = ASK_REVOCATIONS});
    assert_int_equal(list.count, 1);
}

static void a_token_that_is_none_is_200(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    str_t forged = arena_printf(w->a, "%" PRIstr "x", STR_ARG(t.access));
    const str_t tokens[] = {STR("wrr_x"), STR("x"), STR("a.b.c"), forged};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        answer_t r = revoke(w, W_PUBLIC, tokens[i]);
        assert_status(r, 200);
    }
    assert_true(still_works(w, t.refresh));
}

static void twice_is_200(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    for (int i = 0; i < 2; i++) {
        answer_t r = revoke(w, W_PUBLIC, t.refresh);
        assert_status(r, 200);
    }
}

static void another_client_revokes_nothing(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = revoke(w, W_NATIVE, t.refresh);
    assert_status(r, 200);
    r = revoke(w, W_NATIVE, t.access);
    assert_status(r, 200);
    assert_true(still_works(w, t.refresh));
    assert_int_equal(trail_count(w, "revoke", "deny", "token_other_client"), 2);
}

static void who_fails_to_authenticate_gets_401(void **state)
{
    world_t *w = *state;
    answer_t r = revoke(w, "unknown", STR("x"));
    assert_status(r, 401);
    assert_false(str_is_set(answer_header(&r, "www-authenticate")));
    r = world_post(w, "/revoke", world_basic(w, W_BASIC, "wrong"), STR("token=x"));
    assert_status(r, 401);
    assert_true(str_starts(answer_header(&r, "www-authenticate"), STR("Basic")));
    assert_int_equal(trail_count(w, "revoke", "deny", NULL), 2);
}

static void a_missing_token_is_400(void **state)
{
    world_t *w = *state;
    answer_t r = world_post(w, "/revoke", "", STR("client_id=" W_PUBLIC));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
}

static void too_many_failures_are_429(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    answer_t r = world_post(w, "/revoke", world_basic(w, W_BASIC, "wrong"), STR("token=x"));
    assert_status(r, 401);
    r = world_post(w, "/revoke", world_basic(w, W_BASIC, W_SECRET), STR("token=x"));
    assert_status(r, 429);
    /* Guessing goes on at neither endpoint. */
    r = world_post(w, "/token", world_basic(w, W_BASIC, W_SECRET),
                   STR("grant_type=refresh_token&refresh_token=x"));
    assert_status(r, 429);
}

static void a_failing_store_revokes_nothing_and_says_503(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    w->faults.apply = RC_IO;
    answer_t r = revoke(w, W_PUBLIC, t.refresh);
    assert_status(r, 503);
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 0);
    w->faults.apply = RC_OK;
    assert_true(still_works(w, t.refresh));
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    str_t form = arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.refresh));
    world_starve(w, world_request(w, "POST", STR("/revoke"), W_FORM, form), 200);
    assert_false(still_works(w, t.refresh));
}

static void too_many_requests_are_429(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_requests_per_minute", "2");
    for (int i = 0; i < 2; i++) {
        answer_t fine = revoke(w, W_PUBLIC, STR("x"));
        assert_status(fine, 200);
    }
    answer_t r = revoke(w, W_PUBLIC, STR("x"));
    assert_status(r, 429);
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_refresh_token_ends_its_family),
        WORLD_TEST(an_access_token_ends_alone),
        WORLD_TEST(a_token_that_is_none_is_200),
        WORLD_TEST(twice_is_200),
        WORLD_TEST(another_client_revokes_nothing),
        WORLD_TEST(who_fails_to_authenticate_gets_401),
        WORLD_TEST(a_missing_token_is_400),
        WORLD_TEST(too_many_failures_are_429),
        WORLD_TEST(too_many_requests_are_429),
        WORLD_TEST(a_failing_store_revokes_nothing_and_says_503),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
