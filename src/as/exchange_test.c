/* Token exchange (RFC 8693) over the whole server. */
#include "as/as_test_browser.h"

#define TYPE "urn:ietf:params:oauth:token-type:access_token"
#define EXCHANGE                                                                                   \
    "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=" TYPE

static void put_next(world_t *w, token_format_t format)
{
    static const scope_text_t SCOPES[] = {{STR_INIT("files:read"), STR_INIT("Read files")}};
    const resource_t next = {.uri = STR(W_NEXT),
                             .scopes = SCOPES,
                             .n_scopes = 1,
                             .created_at = W_START_S,
                             .token_format = format};
    world_put(w, EFFECT_RESOURCE_PUT, &next);
    world_restart(w, "default_resource", W_RESOURCE);
}

static answer_t exchange(world_t *w, const char *client, str_t token, const char *more)
{
    return world_post(
        w, "/token", world_basic(w, client, W_SECRET),
        arena_printf(w->a, EXCHANGE "&subject_token=%" PRIstr "%s", STR_ARG(token), more));
}

static str_t exchanged(world_t *w, str_t token)
{
    answer_t r = exchange(w, W_SERVICE, token, "");
    assert_status(r, 200);
    const json_t *json = answer_json(w, &r);
    assert_text(json_get_str(json, STR("issued_token_type")), TYPE);
    assert_null(json_get(json, STR("refresh_token")));
    return json_get_str(json, STR("access_token"));
}

/* What the server of W_NEXT learns of a token. */
static const json_t *introspected(world_t *w, str_t token)
{
    static const str_t SERVES[] = {STR_INIT(W_NEXT)};
    ask_t ask = world_look(w, (ask_t){.kind = ASK_CLIENT, .key = STR(W_MACHINE)});
    client_t next = *ask.u.client;
    next.resources = (str_list_t){SERVES, 1};
    world_put(w, EFFECT_CLIENT_PUT, &next);
    answer_t r = world_post(w, "/introspect", world_basic(w, W_MACHINE, W_SECRET),
                            arena_printf(w->a, "token=%" PRIstr, STR_ARG(token)));
    assert_status(r, 200);
    return answer_json(w, &r);
}

static void a_service_calls_the_next_on_behalf_of_a_person(void **state)
{
    world_t *w = *state;
    for (int opaque = 0; opaque < 2; opaque++) {
        put_next(w, opaque ? TOKEN_OPAQUE : TOKEN_JWT);
        tokens_t t = world_grant(w);
        world_pass(w, 10);
        str_t token = exchanged(w, t.access);
        assert_int_equal(str_starts(token, STR("wra_")), opaque);
        assert_text(json_get_str(trail_last(w), STR("client")), W_SERVICE);
        assert_true(str_contains(json_get_str(trail_last(w), STR("detail")), STR(W_PUBLIC)));
        const json_t *json = introspected(w, token);
        assert_text(json_get_str(json, STR("sub")), W_USER_ID);
        assert_text(json_get_str(json, STR("aud")), W_NEXT);
        assert_text(json_get_str(json, STR("client_id")), W_SERVICE);
        assert_text(json_get_str(json, STR("scope")), "files:read");
        assert_text(json_get(json, STR("act"))->raw,
                    "{\"sub\":\"" W_SERVICE "\",\"client_id\":\"" W_SERVICE "\"}");
        int64_t iat, exp;
        assert_true(json_get_i64(json, STR("iat"), &iat));
        assert_true(json_get_i64(json, STR("exp"), &exp));
        assert_int_equal(exp - iat, 590);
    }
}

static void it_ends_with_the_grant(void **state)
{
    world_t *w = *state;
    bool active;
    put_next(w, TOKEN_JWT);
    tokens_t t = world_grant(w);
    str_t token = exchanged(w, t.access);
    assert_true(json_get_bool(introspected(w, token), STR("active"), &active) && active);
    answer_t r =
        world_post(w, "/revoke", "",
                   arena_printf(w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(t.refresh)));
    assert_status(r, 200);
    assert_true(json_get_bool(introspected(w, token), STR("active"), &active) && !active);
    r = exchange(w, W_SERVICE, t.access, "");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
}

static void a_service_ends_its_own_token_and_not_the_grant(void **state)
{
    world_t *w = *state;
    bool active;
    put_next(w, TOKEN_JWT);
    tokens_t t = world_grant(w);
    str_t token = exchanged(w, t.access);
    answer_t r = world_post(w, "/revoke", world_basic(w, W_SERVICE, W_SECRET),
                            arena_printf(w->a, "token=%" PRIstr, STR_ARG(token)));
    assert_status(r, 200);
    assert_true(json_get_bool(introspected(w, token), STR("active"), &active) && !active);
    exchanged(w, t.access);
    r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, t.refresh));
    assert_status(r, 200);
}

static void others_get_nothing(void **state)
{
    world_t *w = *state;
    put_next(w, TOKEN_JWT);
    tokens_t t = world_grant(w);
    answer_t r = exchange(w, W_BASIC, t.access, "");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "unauthorized_client");
    r = exchange(w, W_SERVICE, t.access, "&resource=" W_RESOURCE);
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_target");
    r = exchange(w, W_SERVICE, t.refresh, "");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
    /* A token that was exchanged is for the next resource, and this client is not its server. */
    r = exchange(w, W_SERVICE, exchanged(w, t.access), "");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
    assert_int_equal(trail_count(w, "token", "deny", "exchange_subject_not_yours"), 1);
}

static void an_actor_token_names_who_acts(void **state)
{
    world_t *w = *state;
    put_next(w, TOKEN_JWT);
    tokens_t t = world_grant(w);
    answer_t r = exchange(
        w, W_SERVICE, t.access,
        arena_printf(w->a, "&actor_token_type=" TYPE "&actor_token=%" PRIstr, STR_ARG(t.access)).p);
    assert_status(r, 400); /* it is another client's */
    assert_int_equal(trail_count(w, "token", "deny", "exchange_actor_invalid"), 1);
    exchanged(w, t.access);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    put_next(w, TOKEN_OPAQUE);
    tokens_t t = world_grant(w);
    str_t form = arena_printf(w->a, EXCHANGE "&subject_token=%" PRIstr, STR_ARG(t.access));
    str_t headers = arena_printf(w->a, "%s%s", W_FORM, world_basic(w, W_SERVICE, W_SECRET));
    world_starve(w, world_request(w, "POST", STR("/token"), headers.p, form), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_service_calls_the_next_on_behalf_of_a_person),
        WORLD_TEST(it_ends_with_the_grant),
        WORLD_TEST(a_service_ends_its_own_token_and_not_the_grant),
        WORLD_TEST(others_get_nothing),
        WORLD_TEST(an_actor_token_names_who_acts),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
