/* What nobody uses any more, by the timers of a real server on loopback. */
#include "as/forget.h"

#include "as/as_test_browser.h"
#include "as/as_test_served.h"

enum { DAY_S = 86400, MANY = 3 * AS_FORGET_BATCH };

/* So long nobody has used anything that is put here. */
static int64_t long_ago(const world_t *w)
{
    return W_START_S - w->conf->client_unused_lifetime - 2 * DAY_S;
}

static str_t id_of(world_t *w, int i)
{
    return arena_printf(w->a, "client-%d", i);
}

static void put_client(world_t *w, str_t id, int64_t used_at)
{
    const client_t c = {.id = id,
                        .origin = CLIENT_BY_REGISTRATION,
                        .grants = GRANT_AUTHORIZATION_CODE,
                        .created_at = used_at,
                        .used_at = used_at};
    world_put(w, EFFECT_CLIENT_PUT, &c);
}

static void put_consent(world_t *w, str_t client, int64_t used_at)
{
    const consent_t c = {.user_id = STR(W_USER_ID),
                         .client_id = client,
                         .resource = STR(W_RESOURCE),
                         .redirect_uri = STR(W_REDIRECT),
                         .scope = STR("files:read"),
                         .granted_at = used_at,
                         .used_at = used_at};
    world_put(w, EFFECT_CONSENT_PUT, &c);
}

static bool first_is_gone(world_t *w)
{
    return trail_count(w, "client.deleted", "allow", "unused") > 0;
}

static bool many_are_gone(world_t *w)
{
    return trail_count(w, "client.deleted", "allow", "unused") >= MANY;
}

static bool is_there(world_t *w, str_t id)
{
    return world_look(w, (ask_t){.kind = ASK_CLIENT, .key = id}).u.client != NULL;
}

/* Each with a line that says whose it was. */
static void unused_client_and_consent_end(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    put_client(w, STR("old"), long_ago(w));
    put_consent(w, STR("old"), long_ago(w));
    put_client(w, STR("young"), long_ago(w) + 2 * DAY_S);
    world_serve(w, false);
    assert_true(world_comes(w, first_is_gone));
    world_serve_stop(w);
    assert_false(is_there(w, STR("old")));
    assert_true(is_there(w, STR("young")));
    assert_true(is_there(w, STR(W_PUBLIC))); /* an administrator's */
    assert_int_equal(trail_count(w, "client.deleted", "allow", "unused"), 1);
    assert_int_equal(trail_count(w, "revoke", "allow", "unused"), 1);
    assert_true(str_contains(trail_text(w), STR("\"user\":\"" W_USER_ID "\"")));
}

static void many_unused_clients_end_in_batches(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    for (int i = 0; i < MANY; i++)
        put_client(w, id_of(w, i), long_ago(w));
    world_serve(w, false);
    assert_true(world_comes(w, many_are_gone));
    world_serve_stop(w);
    assert_int_equal(trail_count(w, "client.deleted", "allow", "unused"), MANY);
    assert_false(is_there(w, id_of(w, MANY - 1)));
}

static void nothing_is_forgotten_where_it_is_off(void **state)
{
    world_t *w = *state;
    world_restart(w, "client_unused_lifetime", "0");
    as_forget_begin(w->worker, W_START_S);
    assert_null(w->as->forgetting.a);
}

/* Another node cleans. */
static void nothing_is_forgotten_without_the_lease(void **state)
{
    world_t *w = *state;
    world_restart(w, NULL, NULL);
    put_client(w, STR("old"), long_ago(w));
    as_forget_begin(w->worker, W_START_S);
    assert_null(w->as->forgetting.a);
    assert_true(is_there(w, STR("old")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(unused_client_and_consent_end),
        WORLD_TEST(many_unused_clients_end_in_batches),
        WORLD_TEST(nothing_is_forgotten_where_it_is_off),
        WORLD_TEST(nothing_is_forgotten_without_the_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
