/* Introspection, and the list of revocations that resource servers follow. */
#include "as/as_test_browser.h"

#include "oauth/revocation_list.h"

static answer_t introspect(world_t *w, const char *client, str_t token)
{
    return world_post(w, "/introspect", world_basic(w, client, W_SECRET),
                      arena_printf(w->a, "token=%" PRIstr, STR_ARG(token)));
}

static bool is_active(world_t *w, str_t token)
{
    bool active;
    answer_t r = introspect(w, W_SERVICE, token);
    assert_status(r, 200);
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_true(json_get_bool(answer_json(w, &r), STR("active"), &active));
    if (!active)
        assert_text(r.body, "{\"active\":false}");
    return active;
}

/* Makes the tokens of W_RESOURCE opaque. */
static void go_opaque(world_t *w)
{
    ask_t resources = world_look(w, (ask_t){.kind = ASK_RESOURCES});
    resource_t r = resources.u.resources[0];
    r.token_format = TOKEN_OPAQUE;
    world_put(w, EFFECT_RESOURCE_PUT, &r);
}

static void tokens_of_both_formats_are_answered_alike(void **state)
{
    world_t *w = *state;
    tokens_t jwt = world_grant(w);
    go_opaque(w);
    tokens_t opaque = world_grant(w);
    assert_true(str_starts(opaque.access, STR("wra_")));
    const str_t tokens[] = {jwt.access, opaque.access};
    for (size_t i = 0; i < 2; i++) {
        answer_t r = introspect(w, W_SERVICE, tokens[i]);
        const json_t *json = answer_json(w, &r);
        assert_text(json_get_str(json, STR("iss")), W_ISSUER);
        assert_text(json_get_str(json, STR("sub")), W_USER_ID);
        assert_text(json_get_str(json, STR("username")), W_USER);
        assert_text(json_get_str(json, STR("aud")), W_RESOURCE);
        assert_text(json_get_str(json, STR("client_id")), W_PUBLIC);
        assert_text(json_get_str(json, STR("scope")), "files:read");
        assert_text(json_get_str(json, STR("token_type")), "Bearer");
        int64_t iat, exp, auth_time;
        assert_true(json_get_i64(json, STR("iat"), &iat));
        assert_true(json_get_i64(json, STR("exp"), &exp));
        assert_true(json_get_i64(json, STR("auth_time"), &auth_time));
        assert_int_equal(exp - iat, 600);
    }
    assert_int_equal(trail_count(w, "introspection", "allow", NULL), 2);
}

static void whatever_ends_a_token_ends_it_here(void **state)
{
    world_t *w = *state;
    for (int opaque = 0; opaque < 2; opaque++) {
        if (opaque)
            go_opaque(w);
        tokens_t t = world_grant(w);
        assert_true(is_active(w, t.access));
        answer_t r = world_post(
            w, "/revoke", "",
            arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.access)));
        assert_status(r, 200);
        assert_false(is_active(w, t.access));

        t = world_grant(w);
        assert_true(is_active(w, t.access));
        r = world_post(
            w, "/revoke", "",
            arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.refresh)));
        assert_status(r, 200);
        assert_false(is_active(w, t.access)); /* RFC 7009 section 2.1 */

        t = world_grant(w);
        world_pass(w, 599);
        assert_true(is_active(w, t.access));
        world_pass(w, 1);
        assert_false(is_active(w, t.access));
    }
    tokens_t t = world_grant(w);
    assert_true(is_active(w, t.access));
    world_put_key(w, EFFECT_USER_DISABLE, STR(W_USER_ID));
    assert_false(is_active(w, t.access));
}

/* MGT-006: for a person, a client and all, in every combination; the strictest applies. */
static void revocations_of_many_tokens_count(void **state)
{
    world_t *w = *state;
    for (unsigned bits = 1; bits < 8; bits++) {
        tokens_t t = world_grant(w);
        assert_true(is_active(w, t.access));
        const revoked_t v[] = {{.kind = REVOKED_SUBJECT, .key = STR(W_USER_ID)},
                               {.kind = REVOKED_CLIENT, .key = STR(W_PUBLIC)},
                               {.kind = REVOKED_ALL, .key = STR("")}};
        for (size_t i = 0; i < 3; i++) {
            revoked_t r = v[i];
            bool now = bits & (1u << i);
            r.at = w->ms / 1000 - (now ? 0 : 1); /* or before the token was issued */
            r.expires_at = r.at + 4000;
            world_put(w, EFFECT_REVOCATION_PUT, &r);
        }
        assert_false(is_active(w, t.access));
        answer_t r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, t.refresh));
        assert_status(r, 400);
        assert_text(answer_error(w, &r), "invalid_grant");
        world_pass(w, 2);
    }
    tokens_t t = world_grant(w);
    assert_true(is_active(w, t.access));
}

/* Whoever calls a resource server makes as many up as they like, and each would be a durable line.
 */
static void made_up_tokens_leave_no_line(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    const str_t made_up[] = {STR("x"), STR("wra_x"), STR("a.b.c")};
    for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++)
        assert_false(is_active(w, made_up[i]));
    assert_int_equal(trail_count(w, "introspection", "deny", NULL), 0);
    world_pass(w, 600);
    assert_false(is_active(w, t.access));
    assert_int_equal(trail_count(w, "introspection", "deny", "introspection_inactive"), 1);
}

static void only_the_server_of_the_resource_learns_anything(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    answer_t r = introspect(w, W_MACHINE, t.access);
    assert_status(r, 200);
    assert_text(r.body, "{\"active\":false}");
    assert_int_equal(trail_count(w, "introspection", "deny", "introspection_not_yours"), 1);
    r = introspect(w, W_SERVICE, t.refresh);
    assert_text(r.body, "{\"active\":false}");
    r = world_post(w, "/introspect", "",
                   arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.access)));
    assert_status(r, 401);
    r = world_post(w, "/introspect", world_basic(w, W_SERVICE, "wrong"), STR("token=x"));
    assert_status(r, 401);
    assert_true(str_starts(answer_header(&r, "www-authenticate"), STR("Basic")));
    r = world_post(w, "/introspect", "", arena_printf(w->a, "token=%" PRIstr, STR_ARG(t.access)));
    assert_status(r, 401);
    assert_true(is_active(w, t.access));
}

static void a_failing_store_says_nothing(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    w->faults.ask = RC_IO;
    answer_t r = introspect(w, W_SERVICE, t.access);
    assert_status(r, 503);
    w->faults.ask = RC_OK;
    assert_true(is_active(w, t.access));
}

static oauth_revocation_page_t list(world_t *w, const char *query)
{
    oauth_revocation_page_t page;
    answer_t r = world_get(w, arena_printf(w->a, "/revocations%s", query).p);
    assert_status(r, 200);
    assert_text(answer_header(&r, "cache-control"), "public, max-age=1");
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    assert_false(str_contains(r.body, STR(W_USER_ID)));
    assert_ok(oauth_revocation_list_read(w->a, r.body, &page));
    return page;
}

static void the_list_grows_with_each_revocation(void **state)
{
    world_t *w = *state;
    assert_int_equal(list(w, "").n, 0);
    tokens_t t = world_grant(w);
    answer_t r =
        world_post(w, "/revoke", "",
                   arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.refresh)));
    assert_status(r, 200);
    oauth_revocation_page_t page = list(w, "?since=0");
    assert_int_equal(page.n, 1);
    uint8_t id[OAUTH_REVOCATION_ID_BYTES];
    oauth_revocation_id(REVOKED_GRANT, json_get_str(trail_last(w), STR("family")), id);
    assert_memory_equal(page.v[0].id, id, sizeof id);
    str_t next = arena_printf(w->a, "?since=%llu", (unsigned long long)page.seq);
    assert_int_equal(list(w, next.p).n, 0);
    assert_int_equal(list(w, next.p).seq, page.seq);
    world_put_key(w, EFFECT_USER_DISABLE, STR(W_USER_ID));
    page = list(w, next.p);
    assert_int_equal(page.n, 1);
    oauth_revocation_id(REVOKED_SUBJECT, STR(W_USER_ID), id);
    assert_memory_equal(page.v[0].id, id, sizeof id);
    r = world_get(w, "/revocations?since=x");
    assert_status(r, 400);
}

/* The second round of questions shows that the signature was checked: of who has not proved to be a
 * client of ours it is not, or anybody had as many checked as they like. */
static void a_stranger_s_token_is_not_looked_at(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    str_t form = arena_printf(w->a, "token=%" PRIstr, STR_ARG(t.access));
    const char *const paths[] = {"/introspect", "/revoke"};
    for (size_t i = 0; i < 2; i++) {
        unsigned before = w->faults.asks;
        answer_t r = world_post(w, paths[i], world_basic(w, W_SERVICE, "wrong"), form);
        assert_status(r, 401);
        r = world_post(w, paths[i], world_basic(w, "made-up", W_SECRET), form);
        assert_status(r, 401);
        assert_int_equal(w->faults.asks - before, 2);
        before = w->faults.asks;
        r = world_post(w, paths[i], world_basic(w, W_SERVICE, W_SECRET), form);
        assert_status(r, 200);
        assert_int_equal(w->faults.asks - before, 2);
    }
}

/* A hundred resource servers behind one address ask each second; who asks more often waits. */
static void the_list_has_a_rate_of_its_own(void **state)
{
    world_t *w = *state;
    for (int second = 0; second < 3; second++, world_pass(w, 1))
        for (int server = 0; server < 100; server++)
            list(w, "");
    world_restart(w, "revocation_polls_per_minute", "60");
    for (int i = 0; i < 60; i++)
        list(w, "");
    answer_t r = world_get(w, "/revocations");
    assert_status(r, 429);
    assert_text(answer_header(&r, "retry-after"), "1");
    r = world_get(w, "/login");
    assert_status(r, 200); /* pages count apart */
    world_pass(w, 1);
    list(w, "");
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    str_t form = arena_printf(w->a, "token=%" PRIstr, STR_ARG(t.access));
    str_t headers = arena_printf(w->a, "%s%s", W_FORM, world_basic(w, W_SERVICE, W_SECRET));
    world_starve(w, world_request(w, "POST", STR("/introspect"), headers.p, form), 200);
    world_starve(w, world_request(w, "GET", STR("/revocations"), "", STR("")), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(tokens_of_both_formats_are_answered_alike),
        WORLD_TEST(whatever_ends_a_token_ends_it_here),
        WORLD_TEST(revocations_of_many_tokens_count),
        WORLD_TEST(made_up_tokens_leave_no_line),
        WORLD_TEST(only_the_server_of_the_resource_learns_anything),
        WORLD_TEST(a_failing_store_says_nothing),
        WORLD_TEST(a_stranger_s_token_is_not_looked_at),
        WORLD_TEST(the_list_grows_with_each_revocation),
        WORLD_TEST(the_list_has_a_rate_of_its_own),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
