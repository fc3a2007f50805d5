/* What a list that is followed ends, and how soon. */
#include "rs/rs_test_list.h"

#include "core/limits.h"

#include <stdio.h>

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
        list_follow(w);
        const char *token = list_token(w), *other = list_token_of(w, W_OTHER);
        assert_allowed(world_ask(w, token, NULL));
        int64_t at = CASES[i].at ? CASES[i].at : W_NOW_S - 100;
        list_ends(w, 1, CASES[i].kind, str_c(CASES[i].key), at);
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
        list_follow(w);
        const char *token = list_token(w);
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
    list_follow(w);
    const char *token = list_token(w);
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
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
    list_follow(w);
    const char *token = world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1700000600}");
    list_ends(w, 1, REVOKED_SUBJECT, STR("alice"), W_NOW_S - 3000);
    world_pass(w, 2);
    assert_denied(world_ask(w, token, NULL), 401, "token_revoked");
}

/* MGT-005: the bound is a number. */
static void a_revocation_counts_within_the_bound(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const char *token = list_token(w);
    int64_t worst = 0;
    for (int64_t first = 0; first <= 2000; first += 100) {
        list_is(w, W_LIST "?since=0", 0, NULL, 0);
        list_follow(w);
        w->mono_ms += first; /* somewhere between two polls */
        assert_allowed(world_ask(w, token, NULL));
        list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
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
    list_follow(w);
    const char *token = list_token(w);
    assert_allowed(world_ask(w, token, NULL));
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 300);
    assert_int_equal(world_ask_now(w, token, NULL)->outcome, WARDER_RS_NEED_KEYS);
    warder_rs_refresh(w->rs);
    assert_denied(world_ask_now(w, token, NULL), 401, "token_revoked");
}

/* What stays open behind a request: nobody sends anything any more. */
static void what_stays_open_ends_too(void **state)
{
    world_t *w = *state;
    list_follow(w);
    const warder_rs_verdict_t *v = world_ask(w, list_token(w), NULL);
    assert_int_equal(v->iat, W_NOW_S);
    warder_rs_token_t t = {v->iss, v->sub, v->client_id, v->jti, v->iat, v->exp};
    bool due;
    assert_true(warder_rs_lives(w->rs, &t, &due));
    assert_false(due);
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
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
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S - MODEL_ACCESS_TOKEN_MAX_S - 60);
    rs_revocations_refresh(r, w->wall_ms);
    assert_false(rs_revocations_hold(r, 0, &who));
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S - MODEL_ACCESS_TOKEN_MAX_S - 59);
    w->mono_ms += 60000;
    rs_revocations_refresh(r, w->wall_ms);
    assert_true(rs_revocations_hold(r, 0, &who));
    rs_revocations_free(r);
}

static void threads_share_one_fetch_and_all_see_it(void **state)
{
    world_t *w = *state;
    caller_t callers[W_CALLERS];
    list_follow(w);
    const char *token = list_token(w);
    assert_allowed(world_ask(w, token, NULL));
    list_ends(w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S);
    world_pass(w, 2);
    unsigned before = w->fetches;
    world_ask_at_once(w, token, callers);
    assert_int_equal(callers_with(callers, "token_revoked"), W_CALLERS);
    assert_int_equal(w->fetches, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(each_kind_ends_what_it_names_and_nothing_else),
        WORLD_TEST(the_strictest_of_all_applies),
        WORLD_TEST(a_revoked_token_looks_like_any_bad_one),
        WORLD_TEST(a_token_without_iat_is_older_than_any_revocation),
        WORLD_TEST(a_revocation_counts_within_the_bound),
        WORLD_TEST(also_when_nobody_called_for_a_while),
        WORLD_TEST(what_stays_open_ends_too),
        WORLD_TEST(what_is_too_much_ends_all_that_is_older),
        WORLD_TEST(what_has_ended_by_itself_is_forgotten),
        WORLD_TEST(threads_share_one_fetch_and_all_see_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
