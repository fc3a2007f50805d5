#include "rs/rs_test_world.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/limits.h"
#include "rs/revocations.h"

#define W_LIST "https://as.test/revocations"

static const char FOLLOWED[] = "{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS
                               "\",\"warder_revocations_endpoint\":\"" W_LIST "\"}";

static void list_is(world_t *w, const char *url, uint64_t since, const revoked_t *v, size_t n)
{
    str_t page;
    assert_int_equal(oauth_revocation_list_write(w->a, since, v, n, &page), RC_OK);
    world_page(w, url, page);
}

/* A resource server that has followed an empty list up to 0. */
static void follow(world_t *w)
{
    world_page(w, W_METADATA, str_c(FOLLOWED));
    list_is(w, W_LIST "?since=0", 0, NULL, 0);
    world_open(w);
    assert_true(warder_rs_refresh(w->rs));
    assert_string_equal(w->last_url, W_LIST "?since=0");
}

static const char *sign(world_t *w)
{
    return world_sign(w, &w->key,
                      "{\"iss\":\"" W_ISSUER "\",\"sub\":\"alice\",\"client_id\":\"c1\","
                      "\"jti\":\"f1.j1\"" W_AUD W_TIME ",\"scope\":\"files:read\"}");
}

static const char *sign_for(world_t *w, const char *who)
{
    return world_sign(w, &w->key, arena_printf(w->a, "{%s" W_AUD W_TIME "}", who).p);
}

#define OTHER "\"iss\":\"" W_ISSUER "\",\"sub\":\"bob\",\"client_id\":\"c2\",\"jti\":\"f2.j2\""

static void end_all_of(world_t *w, uint64_t seq, revoked_kind_t kind, str_t key, int64_t at)
{
    revoked_t r = {.seq = seq, .kind = kind, .key = key, .at = at};
    list_is(w, W_LIST "?since=0", 0, &r, 1);
}

static void lists_are_found_and_followed_from_where_they_end(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
    assert_allowed(world_ask(w, token, NULL));
    end_all_of(w, 41, REVOKED_GRANT, STR("f2"), W_NOW_S);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    assert_string_equal(w->last_url, W_LIST "?since=0");
    list_is(w, W_LIST "?since=41", 41, NULL, 0);
    world_pass(w, 2);
    assert_allowed(world_ask(w, token, NULL));
    assert_string_equal(w->last_url, W_LIST "?since=41");
    assert_denied(world_ask(w, sign_for(w, OTHER), NULL), 401, "token_revoked");
}

static void each_kind_ends_what_it_names_and_nothing_else(void **state)
{
    static const struct {
        revoked_kind_t kind;
        const char *key;
        int64_t at;
        bool ends, ends_other;
    } CASES[] = {
        {REVOKED_TOKEN, "f1.j1", 0, true, false},
        {REVOKED_TOKEN, "f1", 0, false, false},
        {REVOKED_TOKEN, "j1", 0, false, false},
        {REVOKED_GRANT, "f1", 0, true, false},
        {REVOKED_GRANT, "f1.j1", 0, false, false},
        {REVOKED_GRANT, "alice", 0, false, false},
        {REVOKED_SUBJECT, "alice", W_NOW_S, true, false},
        {REVOKED_SUBJECT, "alice", W_NOW_S - 1, false, false}, /* issued after it */
        {REVOKED_SUBJECT, "c1", W_NOW_S, false, false},
        {REVOKED_CLIENT, "c1", W_NOW_S, true, false},
        {REVOKED_CLIENT, "c1", W_NOW_S - 1, false, false},
        {REVOKED_ALL, "", W_NOW_S, true, true},
        {REVOKED_ALL, "", W_NOW_S - 1, false, false},
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        follow(w);
        const char *token = sign(w), *other = sign_for(w, OTHER);
        assert_allowed(world_ask(w, token, NULL));
        int64_t at = CASES[i].at ? CASES[i].at : W_NOW_S - 100;
        end_all_of(w, 1, CASES[i].kind, str_c(CASES[i].key), at);
        world_pass(w, 2);
        /* Remembered, and seen for the first time. */
        const warder_rs_verdict_t *v = world_ask(w, token, NULL);
        assert_string_equal(v->reason, CASES[i].ends ? "token_revoked" : "allowed");
        v = world_ask(w, other, NULL);
        assert_string_equal(v->reason, CASES[i].ends_other ? "token_revoked" : "allowed");
        w->wall_ms -= 2000;
    }
}

/* MGT-006: whatever ends a token is enough, in every combination. */
static void the_strictest_of_all_applies(void **state)
{
    world_t *w = *state;
    for (unsigned bits = 0; bits < 8; bits++) {
        follow(w);
        const char *token = sign(w);
        assert_allowed(world_ask(w, token, NULL));
        const revoked_t v[] = {
            {.seq = 1,
             .kind = REVOKED_SUBJECT,
             .key = STR("alice"),
             .at = bits & 1 ? W_NOW_S : W_NOW_S - 9},
            {.seq = 2,
             .kind = REVOKED_CLIENT,
             .key = STR("c1"),
             .at = bits & 2 ? W_NOW_S : W_NOW_S - 9},
            {.seq = 3, .kind = REVOKED_ALL, .at = bits & 4 ? W_NOW_S : W_NOW_S - 9},
        };
        list_is(w, W_LIST "?since=0", 0, v, 3);
        world_pass(w, 2);
        assert_string_equal(world_ask(w, token, NULL)->reason, bits ? "token_revoked" : "allowed");
        w->wall_ms -= 2000;
    }
}

static void a_revoked_token_looks_like_any_bad_one(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 2);
    const warder_rs_verdict_t *v = world_ask(w, token, "files:read");
    assert_denied(v, 401, "token_revoked");
    assert_string_equal(v->error, "invalid_token");
    assert_string_equal(v->sub, "");
    assert_non_null(strstr(v->www_authenticate, "error=\"invalid_token\""));
}

static void a_token_without_iat_is_older_than_any_revocation(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1700000600}");
    end_all_of(w, 1, REVOKED_SUBJECT, STR("alice"), W_NOW_S - 3000);
    world_pass(w, 2);
    assert_denied(world_ask(w, token, NULL), 401, "token_revoked");
}

/* MGT-005: the bound is a number. */
static void a_revocation_counts_within_the_bound(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
    int64_t worst = 0;
    for (int64_t first = 0; first <= 2000; first += 100) {
        list_is(w, W_LIST "?since=0", 0, NULL, 0);
        follow(w);
        w->mono_ms += first; /* somewhere between two polls */
        assert_allowed(world_ask(w, token, NULL));
        end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
        int64_t passed = 0;
        while (world_ask(w, token, NULL)->outcome == WARDER_RS_ALLOW) {
            w->mono_ms += 100; /* called every 100 ms */
            passed += 100;
            assert_true(passed <= 10000);
        }
        worst = passed > worst ? passed : worst;
    }
    print_message("a revoked token was refused after at most %lld ms (bound: 2000 ms)\n",
                  (long long)worst);
    assert_true(worst <= 2000);
}

static void also_when_nobody_called_for_a_while(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
    assert_allowed(world_ask(w, token, NULL));
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 300);
    assert_int_equal(world_ask_now(w, token, NULL)->outcome, WARDER_RS_NEED_KEYS);
    warder_rs_refresh(w->rs);
    assert_denied(world_ask_now(w, token, NULL), 401, "token_revoked");
}

/* What stays open behind a request: nobody sends anything any more. */
static void what_stays_open_ends_too(void **state)
{
    world_t *w = *state;
    follow(w);
    const warder_rs_verdict_t *v = world_ask(w, sign(w), NULL);
    assert_int_equal(v->iat, W_NOW_S);
    warder_rs_token_t t = {v->iss, v->sub, v->client_id, v->jti, v->iat, v->exp};
    bool due;
    assert_true(warder_rs_lives(w->rs, &t, &due));
    assert_false(due);
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 1);
    assert_true(warder_rs_lives(w->rs, &t, &due));
    assert_true(due);
    warder_rs_refresh(w->rs);
    assert_false(warder_rs_lives(w->rs, &t, NULL));
    t.jti = "f2.j2";
    assert_true(warder_rs_lives(w->rs, &t, NULL));
    t.iss = "https://evil.test";
    assert_false(warder_rs_lives(w->rs, &t, NULL));
    t.iss = W_ISSUER;
    world_pass(w, 400); /* the list cannot be had */
    world_page(w, W_LIST "?since=0", STR_UNSET);
    warder_rs_refresh(w->rs);
    assert_false(warder_rs_lives(w->rs, &t, NULL));
    world_page(w, W_LIST "?since=0", STR("{\"seq\":1,\"entries\":[]}"));
    world_pass(w, 10);
    warder_rs_refresh(w->rs);
    assert_true(warder_rs_lives(w->rs, &t, NULL));
    world_pass(w, 300); /* its end, and the leeway */
    assert_false(warder_rs_lives(w->rs, &t, NULL));
}

static void who_calls_often_never_waits(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
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
    follow(w);
    const char *token = sign(w);
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
    follow(w);
    world_page(w, W_LIST "?since=0", STR_UNSET);
    world_pass(w, 500);
    assert_allowed(world_ask(w, sign(w), NULL));
}

static void nobody_is_let_in_before_the_first_list(void **state)
{
    world_t *w = *state;
    follow(w);
    world_page(w, W_LIST "?since=0", STR("<html>"));
    world_open(w);
    assert_denied(world_ask(w, sign(w), NULL), 503, "revocations_away");
    list_is(w, W_LIST "?since=0", 0, NULL, 0);
    world_pass(w, 10);
    assert_allowed(world_ask(w, sign(w), NULL));
}

static void a_server_without_a_list_is_no_fault(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    world_pass(w, 100);
    assert_allowed(world_ask(w, sign(w), NULL));
    assert_int_equal(w->fetches, 2);
}

static void a_place_that_is_given_needs_no_metadata(void **state)
{
    world_t *w = *state;
    w->servers[0].jwks_uri = W_JWKS;
    w->servers[0].revocations_uri = W_LIST "?tenant=a";
    list_is(w, W_LIST "?tenant=a&since=0", 0, NULL, 0);
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    assert_string_equal(w->last_url, W_LIST "?tenant=a&since=0");
}

static void lists_need_not_be_followed(void **state)
{
    world_t *w = *state;
    w->config.revocation_poll_s = -1;
    world_page(w, W_METADATA, str_c(FOLLOWED));
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    assert_int_equal(w->fetches, 2);
}

static void pages_are_read_to_the_end(void **state)
{
    world_t *w = *state;
    follow(w);
    const char *token = sign(w);
    revoked_t *v = ARENA_ARRAY(w->a, LIMIT_REVOCATIONS_PAGE + 1, revoked_t);
    for (size_t i = 0; i <= LIMIT_REVOCATIONS_PAGE; i++)
        v[i] = (revoked_t){.seq = i + 1,
                           .kind = REVOKED_TOKEN,
                           .key = arena_printf(w->a, "other-%zu", i),
                           .at = W_NOW_S};
    list_is(w, W_LIST "?since=0", 0, v, LIMIT_REVOCATIONS_PAGE + 1);
    const revoked_t last = {.seq = 501, .kind = REVOKED_TOKEN, .key = STR("f1.j1"), .at = W_NOW_S};
    list_is(w, W_LIST "?since=500", 500, &last, 1);
    world_pass(w, 2);
    assert_denied(world_ask(w, token, NULL), 401, "token_revoked");
    list_is(w, W_LIST "?since=501", 501, NULL, 0);
    world_pass(w, 2);
    assert_allowed(world_ask(w, sign_for(w, OTHER), NULL));
    assert_string_equal(w->last_url, W_LIST "?since=501");
}

/* A server that goes round in circles must not hold the thread. */
static void a_list_without_end_is_none(void **state)
{
    world_t *w = *state;
    follow(w);
    world_page(w, W_LIST "?since=0", STR("{\"seq\":0,\"entries\":[],\"more\":true}"));
    world_pass(w, 2);
    unsigned before = w->fetches;
    assert_allowed(world_ask(w, sign(w), NULL));
    assert_int_equal(w->fetches, before + 1);
    world_pass(w, 400);
    assert_denied(world_ask(w, sign(w), NULL), 503, "revocations_away");
}

static void after_a_gap_all_is_read_again(void **state)
{
    world_t *w = *state;
    follow(w);
    end_all_of(w, 41, REVOKED_GRANT, STR("f2"), W_NOW_S);
    world_pass(w, 2);
    assert_allowed(world_ask(w, sign(w), NULL));
    /* The server came back from a copy whose numbers begin lower. */
    end_all_of(w, 40, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 60);
    assert_denied(world_ask(w, sign(w), NULL), 401, "token_revoked");
}

static void what_is_too_much_ends_all_that_is_older(void **state)
{
    world_t *w = *state;
    const warder_rs_config_t *config = &w->config;
    rs_settings_t s;
    str_t why;
    assert_int_equal(rs_settings_check(w->a, config, &s, &why), RC_OK);
    rs_revocations_t *r = rs_revocations_new(&s, &w->ports);
    rs_revocations_found(r, 0, STR(W_LIST));
    rs_principal_t old = {
        .sub = "alice", .client_id = "c1", .jti = "f1.j1", .iat_ms = (W_NOW_S - 20) * 1000LL};
    rs_principal_t young = {
        .sub = "alice", .client_id = "c1", .jti = "f1.j1", .iat_ms = W_NOW_S * 1000LL};
    revoked_t *v = ARENA_ARRAY(w->a, LIMIT_REVOCATIONS_PAGE + 1, revoked_t);
    uint64_t seq = 0;
    char url[128];
    while (seq < LIMIT_RS_REVOCATIONS + 100) {
        size_t n = LIMIT_REVOCATIONS_PAGE;
        for (size_t i = 0; i < n; i++)
            v[i] = (revoked_t){.seq = seq + i + 1,
                               .kind = REVOKED_TOKEN,
                               .key = arena_printf(w->a, "%llu", (unsigned long long)(seq + i)),
                               .at = W_NOW_S - 10};
        assert_false(rs_revocations_hold(r, 0, &old));
        snprintf(url, sizeof url, W_LIST "?since=%llu", (unsigned long long)seq);
        w->pages[7] = (page_t){NULL, STR_UNSET};
        str_t page;
        assert_int_equal(oauth_revocation_list_write(w->a, seq, v, n, &page), RC_OK);
        w->pages[7] = (page_t){url, page};
        rs_revocations_refresh(r, w->wall_ms);
        w->mono_ms += 2000;
        seq += n;
    }
    assert_true(rs_revocations_hold(r, 0, &old));
    assert_false(rs_revocations_hold(r, 0, &young));
    rs_revocations_free(r);
}

static void what_has_ended_by_itself_is_forgotten(void **state)
{
    world_t *w = *state;
    rs_settings_t s;
    str_t why;
    assert_int_equal(rs_settings_check(w->a, &w->config, &s, &why), RC_OK);
    rs_revocations_t *r = rs_revocations_new(&s, &w->ports);
    rs_revocations_found(r, 0, STR(W_LIST));
    rs_principal_t who = {.sub = "alice", .client_id = "c1", .jti = "f1.j1"};
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S - MODEL_ACCESS_TOKEN_MAX_S - 60);
    rs_revocations_refresh(r, w->wall_ms);
    assert_false(rs_revocations_hold(r, 0, &who));
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S - MODEL_ACCESS_TOKEN_MAX_S - 59);
    w->mono_ms += 60000;
    rs_revocations_refresh(r, w->wall_ms);
    assert_true(rs_revocations_hold(r, 0, &who));
    rs_revocations_free(r);
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

/* ---- many threads and one fetch ---- */

enum { CALLERS = 24 };

typedef struct {
    world_t *w;
    const char *value;
    char reason[64];
} caller_t;

static void slow(world_t *w)
{
    (void)w;
    usleep(30000);
}

static void *call(void *arg)
{
    caller_t *c = arg;
    warder_rs_request_t req = {.headers = &c->value, .header_count = 1};
    warder_rs_verdict_t *v = warder_rs_check(c->w->rs, &req);
    snprintf(c->reason, sizeof c->reason, "%s", v ? v->reason : "none");
    warder_rs_verdict_free(v);
    return NULL;
}

static void threads_share_one_fetch_and_all_see_it(void **state)
{
    world_t *w = *state;
    pthread_t threads[CALLERS];
    caller_t callers[CALLERS];
    follow(w);
    const char *token = sign(w);
    assert_allowed(world_ask(w, token, NULL));
    end_all_of(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 2);
    unsigned before = w->fetches;
    w->during_fetch = slow;
    const char *value = arena_printf(w->a, "Bearer %s", token).p;
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller_t){.w = w, .value = value};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_string_equal(callers[i].reason, "token_revoked");
    }
    assert_int_equal(w->fetches, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lists_are_found_and_followed_from_where_they_end),
        WORLD_TEST(each_kind_ends_what_it_names_and_nothing_else),
        WORLD_TEST(the_strictest_of_all_applies),
        WORLD_TEST(a_revoked_token_looks_like_any_bad_one),
        WORLD_TEST(a_token_without_iat_is_older_than_any_revocation),
        WORLD_TEST(a_revocation_counts_within_the_bound),
        WORLD_TEST(also_when_nobody_called_for_a_while),
        WORLD_TEST(what_stays_open_ends_too),
        WORLD_TEST(who_calls_often_never_waits),
        WORLD_TEST(an_outage_is_borne_for_a_while_and_then_refuses),
        WORLD_TEST(an_outage_may_be_borne_for_ever),
        WORLD_TEST(nobody_is_let_in_before_the_first_list),
        WORLD_TEST(a_server_without_a_list_is_no_fault),
        WORLD_TEST(a_place_that_is_given_needs_no_metadata),
        WORLD_TEST(lists_need_not_be_followed),
        WORLD_TEST(pages_are_read_to_the_end),
        WORLD_TEST(a_list_without_end_is_none),
        WORLD_TEST(after_a_gap_all_is_read_again),
        WORLD_TEST(what_is_too_much_ends_all_that_is_older),
        WORLD_TEST(what_has_ended_by_itself_is_forgotten),
        cmocka_unit_test(list_ages),
        WORLD_TEST(threads_share_one_fetch_and_all_see_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
