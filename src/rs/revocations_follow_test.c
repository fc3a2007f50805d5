/* How lists are found and followed, and what an outage means. */
#include "rs/rs_test_list.h"

#include "core/limits.h"

static void lists_are_found_and_followed_from_where_they_end(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const char *token = list_token(w);
    assert_allowed(world_ask(w, token, NULL));
    list_ends(w, 41, REVOKED_GRANT, STR("f2"), W_NOW_S);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    assert_string_equal(w->last_url, W_LIST "?since=0");
    list_is(w, W_LIST "?since=41", 41, NULL, 0);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    assert_string_equal(w->last_url, W_LIST "?since=41");
    assert_denied(world_ask(w, list_token_of(w, W_OTHER), NULL), 401, "token_revoked");
}

static void who_calls_often_never_waits(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const char *token = list_token(w);
    for (int i = 0; i < 50; i++) {
        w->mono_ms += 500;
        w->wall_ms += 500;
        const warder_rs_verdict_t *v = world_ask_now(w, token, NULL);
        assert_allowed(v);
        if (v->refresh_due)
            warder_rs_refresh(w->rs);
    }
    /* Metadata, keys, the first list, and one in a second. */
    assert_in_range(w->fetches, 3 + 20, 3 + 26);
}

static void an_outage_is_borne_for_a_while_and_then_refuses(void **state)
{
    world_t *w = *state;
    w->config.revocation_stale_s = 60;
    list_follow(w);
    const char *token = list_token(w);
    world_page(w, W_LIST "?since=0", STR_UNSET);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    unsigned before = w->fetches;
    assert_allowed(world_ask(w, token, NULL));
    assert_int_equal(w->fetches, before); /* nobody waits for it once it has failed */
    world_pass(w, 57);
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 2);
    const warder_rs_verdict_t *v = world_ask(w, token, NULL);
    assert_denied(v, 503, "revocations_away");
    assert_string_equal(v->www_authenticate, "");
    assert_true(v->retry_after_s > 0);
    list_is(w, W_LIST "?since=0", 0, NULL, 0);
    world_pass(w, 10);
    assert_allowed(world_ask(w, token, NULL));
}

static void an_outage_may_be_borne_for_ever(void **state)
{
    world_t *w = *state;
    w->config.revocation_stale_s = -1;
    list_follow(w);
    world_page(w, W_LIST "?since=0", STR_UNSET);
    world_pass(w, 500);
    assert_allowed(world_ask(w, list_token(w), NULL));
}

static void nobody_is_let_in_before_the_first_list(void **state)
{
    world_t *w = *state;
    list_follow(w);
    world_page(w, W_LIST "?since=0", STR("<html>"));
    world_open(w);
    assert_denied(world_ask(w, list_token(w), NULL), 503, "revocations_away");
    list_is(w, W_LIST "?since=0", 0, NULL, 0);
    world_pass(w, 10);
    assert_allowed(world_ask(w, list_token(w), NULL));
}

static void a_server_without_a_list_is_no_fault(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_allowed(world_ask(w, list_token(w), NULL));
    world_pass(w, 100);
    assert_allowed(world_ask(w, list_token(w), NULL));
    assert_int_equal(w->fetches, 2);
}

static void a_place_that_is_given_needs_no_metadata(void **state)
{
    world_t *w = *state;
    w->servers[0].jwks_uri = W_JWKS;
    w->servers[0].revocations_uri = W_LIST "?tenant=a";
    list_is(w, W_LIST "?tenant=a&since=0", 0, NULL, 0);
    world_open(w);
    assert_allowed(world_ask(w, list_token(w), NULL));
    assert_string_equal(w->last_url, W_LIST "?tenant=a&since=0");
}

static void lists_need_not_be_followed(void **state)
{
    world_t *w = *state;
    w->config.revocation_poll_s = -1;
    world_page(w, W_METADATA, STR(LIST_METADATA));
    world_open(w);
    assert_allowed(world_ask(w, list_token(w), NULL));
    assert_int_equal(w->fetches, 2);
}

/* The list at `url`, asked since `since`: a page of others, and on the next one the token. */
static void two_pages(world_t *w, const char *url, uint64_t since)
{
    revoked_t *v = ARENA_ARRAY(w->a, LIMIT_REVOCATIONS_PAGE + 1, revoked_t);
    for (size_t i = 0; i <= LIMIT_REVOCATIONS_PAGE; i++)
        v[i] = (revoked_t){.seq = i + 1,
                           .kind = REVOKED_TOKEN,
                           .key = arena_printf(w->a, "other-%zu", i),
                           .at = W_NOW_S};
    list_is(w, url, since, v, LIMIT_REVOCATIONS_PAGE + 1);
    const revoked_t last = {.seq = 501, .kind = REVOKED_TOKEN, .key = STR("f1.j1"), .at = W_NOW_S};
    list_is(w, W_LIST "?since=500", 500, &last, 1);
}

static void pages_are_read_to_the_end(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const char *token = list_token(w);
    two_pages(w, W_LIST "?since=0", 0);
    world_pass(w, 2);
    assert_denied(world_ask(w, token, NULL), 401, "token_revoked");
    list_is(w, W_LIST "?since=501", 501, NULL, 0);
    world_pass(w, 2);
    assert_allowed(world_ask(w, list_token_of(w, W_OTHER), NULL));
    assert_string_equal(w->last_url, W_LIST "?since=501");
}

/* A server that has lost its newest numbers, and does not know ours, tells all that it has. */
static void a_list_that_goes_back_is_read_anew(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const char *token = list_token(w);
    list_ends(w, 9000, REVOKED_GRANT, STR("f2"), W_NOW_S);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    two_pages(w, W_LIST "?since=9000", 9000);
    world_pass(w, 2);
    assert_denied(world_ask(w, token, NULL), 401, "token_revoked");
    /* What was remembered of the numbers that are lost goes on to count. */
    list_is(w, W_LIST "?since=501", 501, NULL, 0);
    world_pass(w, 2);
    assert_denied(world_ask(w, list_token_of(w, W_OTHER), NULL), 401, "token_revoked");
    assert_string_equal(w->last_url, W_LIST "?since=501");
}

/* A server that goes round in circles must not hold the thread. */
static void a_list_without_end_is_none(void **state)
{
    world_t *w = *state;
    list_follow(w);
    world_page(w, W_LIST "?since=0", STR("{\"seq\":0,\"entries\":[],\"more\":true}"));
    world_pass(w, 2);
    unsigned before = w->fetches;
    assert_allowed(world_ask(w, list_token(w), NULL));
    assert_int_equal(w->fetches, before + 1);
    world_pass(w, 400);
    assert_denied(world_ask(w, list_token(w), NULL), 503, "revocations_away");
}

static void after_a_gap_all_is_read_again(void **state)
{
    world_t *w = *state;
    list_follow(w);
    list_ends(w, 41, REVOKED_GRANT, STR("f2"), W_NOW_S);
    world_pass(w, 2);
    assert_allowed(world_ask(w, list_token(w), NULL));
    /* The server came back from a copy whose numbers begin lower. */
    list_ends(w, 40, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 60);
    assert_denied(world_ask(w, list_token(w), NULL), 401, "token_revoked");
}

static void list_ages(void **state)
{
    (void)state;
    rs_settings_t s = {.poll_ms = 100, .list_stale_ms = 1000, .refetch_ms = 50};
    rs_list_times_t t = {0};
    assert_int_equal(rs_list_age(&t, &s, 5), RS_LIST_FRESH);
    assert_false(rs_list_may_fetch(&t, &s, 5));
    t.followed = true;
    assert_int_equal(rs_list_age(&t, &s, 5), RS_LIST_WAIT);
    assert_true(rs_list_may_fetch(&t, &s, 5));
    t.failed = true;
    t.ended_at = 5;
    assert_int_equal(rs_list_age(&t, &s, 6), RS_LIST_AWAY);
    assert_false(rs_list_may_fetch(&t, &s, 54));
    assert_true(rs_list_may_fetch(&t, &s, 55));
    t = (rs_list_times_t){.followed = true, .have = true, .as_of = 10};
    assert_int_equal(rs_list_age(&t, &s, 59), RS_LIST_FRESH);
    assert_int_equal(rs_list_age(&t, &s, 60), RS_LIST_DUE);
    assert_int_equal(rs_list_age(&t, &s, 109), RS_LIST_DUE);
    assert_int_equal(rs_list_age(&t, &s, 110), RS_LIST_WAIT);
    t.failed = true;
    assert_int_equal(rs_list_age(&t, &s, 1009), RS_LIST_DUE);
    assert_int_equal(rs_list_age(&t, &s, 1010), RS_LIST_AWAY);
    s.list_stale_ms = -1;
    assert_int_equal(rs_list_age(&t, &s, 1010), RS_LIST_DUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lists_are_found_and_followed_from_where_they_end),
        WORLD_TEST(who_calls_often_never_waits),
        WORLD_TEST(an_outage_is_borne_for_a_while_and_then_refuses),
        WORLD_TEST(an_outage_may_be_borne_for_ever),
        WORLD_TEST(nobody_is_let_in_before_the_first_list),
        WORLD_TEST(a_server_without_a_list_is_no_fault),
        WORLD_TEST(a_place_that_is_given_needs_no_metadata),
        WORLD_TEST(lists_need_not_be_followed),
        WORLD_TEST(pages_are_read_to_the_end),
        WORLD_TEST(a_list_that_goes_back_is_read_anew),
        WORLD_TEST(a_list_without_end_is_none),
        WORLD_TEST(after_a_gap_all_is_read_again),
        cmocka_unit_test(list_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
