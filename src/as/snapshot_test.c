#include "as/as_test_browser.h"

static void a_change_makes_a_new_one(void **state)
{
    world_t *w = *state;
    as_snapshot_t *before = w->worker->snapshot;
    as_snapshot_refresh(w->worker);
    assert_ptr_equal(w->worker->snapshot, before);
    as_snapshot_hold(before);
    world_rotate(w, w->admin);
    as_snapshot_refresh(w->worker);
    assert_ptr_not_equal(w->worker->snapshot, before);
    assert_false(str_eq(w->worker->snapshot->kid, before->kid));
    assert_int_equal(before->refs, 1);
    as_snapshot_release(before);
}

static void what_does_not_concern_it_leaves_it_alone(void **state)
{
    world_t *w = *state;
    as_snapshot_t *before = w->worker->snapshot;
    world_grant(w);
    as_snapshot_refresh(w->worker);
    assert_ptr_equal(w->worker->snapshot, before);
    assert_int_equal(before->refs, 1); /* nobody has forgotten to let go */
}

static void a_request_in_flight_keeps_its_own(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    as_snapshot_t *before = w->worker->snapshot;
    w->faults.hold = true;
    http_direct_t *d = world_send(
        w, world_request(w, "POST", STR("/token"), W_FORM, refresh_form(w, W_PUBLIC, t.refresh)));
    assert_int_equal(before->refs, 2);
    world_rotate(w, w->admin);
    as_snapshot_refresh(w->worker);
    assert_ptr_not_equal(w->worker->snapshot, before);
    assert_int_equal(before->refs, 1);
    as_snapshot_hold(before); /* to look at it when the request is over */
    w->faults.hold = false;
    world_release(w, 0);
    answer_t r = world_land(w, d);
    answer_tokens(w, &r);
    assert_int_equal(before->refs, 1);
    as_snapshot_release(before);
}

static void rotate(world_t *w)
{
    world_rotate(w, w->admin);
}

/* Decided twice, on two snapshots: what the first gave may still be borrowed. */
static void a_request_may_hold_several(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    w->faults = (faults_t){.apply = RC_CONFLICT, .times = 1, .race = rotate};
    answer_t r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, t.refresh));
    tokens_t got = answer_tokens(w, &r);
    assert_true(str_contains(got.access, STR(".")));
    assert_int_equal(w->worker->snapshot->refs, 1);
    answer_t jwks = world_get(w, "/jwks");
    assert_true(str_contains(jwks.body, w->worker->snapshot->kid));
}

static void a_store_that_fails_leaves_the_one_before(void **state)
{
    world_t *w = *state;
    as_snapshot_t *before = w->worker->snapshot;
    world_rotate(w, w->admin);
    w->faults.ask = RC_IO;
    answer_t r = world_get(w, "/jwks");
    assert_status(r, 200);
    assert_ptr_equal(w->worker->snapshot, before);
    assert_true(world_logged(w, "keys and resources cannot be read"));
    r = world_get(w, "/healthz");
    assert_status(r, 503);
    w->faults = (faults_t){.ask = RC_OK};
    world_pass_ms(w, 999);
    r = world_get(w, "/jwks");
    assert_int_equal(w->faults.asks, 0); /* not with each request */
    world_pass_ms(w, 1);
    r = world_get(w, "/jwks");
    assert_ptr_not_equal(w->worker->snapshot, before);
    r = world_get(w, "/healthz");
    assert_status(r, 200);
}

static void keys_that_cannot_be_used_leave_the_one_before(void **state)
{
    world_t *w = *state;
    as_snapshot_t *before = w->worker->snapshot;
    const key_record_t strange = {.kid = STR("strange"),
                                  .alg = STR("none"),
                                  .use = KEY_SIGN,
                                  .state = KEY_NEXT,
                                  .secret = STR("x"),
                                  .created_at = W_START_S};
    world_put(w, EFFECT_KEY_PUT, &strange);
    answer_t r = world_get(w, "/jwks");
    assert_status(r, 200);
    assert_ptr_equal(w->worker->snapshot, before);
    r = world_get(w, "/healthz");
    assert_status(r, 503);
    world_put_key(w, EFFECT_KEY_DELETE, STR("strange"));
    world_pass(w, 1);
    r = world_get(w, "/healthz");
    assert_status(r, 200);
}

static void a_ring_without_a_signing_key_is_none(void **state)
{
    world_t *w = *state;
    ask_t keys = world_look(w, (ask_t){.kind = ASK_KEYS});
    as_snapshot_t *before = w->worker->snapshot;
    for (size_t i = 0; i < keys.count; i++)
        if (keys.u.keys[i].use == KEY_SIGN)
            world_put_key(w, EFFECT_KEY_DELETE, keys.u.keys[i].kid);
    as_snapshot_refresh(w->worker);
    assert_ptr_equal(w->worker->snapshot, before);
    assert_true(w->worker->snapshot_retry_at > 0);
}

static void all_workers_publish_the_same(void **state)
{
    world_t *w = *state;
    as_worker_t *other;
    assert_ok(as_worker_new(w->as, world_post_port(w), &other));
    for (size_t i = 0; i < AS_DOCUMENTS; i++) {
        assert_str(other->snapshot->documents[i].etag, w->worker->snapshot->documents[i].etag);
        assert_str(other->snapshot->documents[i].body, w->worker->snapshot->documents[i].body);
    }
    as_worker_free(other);
}

static void another_algorithm_is_signed_with(void **state)
{
    world_t *w = *state;
    world_restart(w, "signing_alg", "EdDSA");
    world_rotate(w, w->admin);
    answer_t r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET),
                            STR("grant_type=client_credentials"));
    assert_status(r, 200);
    assert_int_equal(w->worker->snapshot->alg, ALG_EDDSA);
    r = world_get(w, "/.well-known/openid-configuration");
    assert_true(str_contains(r.body, STR("EdDSA")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_change_makes_a_new_one),
        WORLD_TEST(what_does_not_concern_it_leaves_it_alone),
        WORLD_TEST(a_request_in_flight_keeps_its_own),
        WORLD_TEST(a_request_may_hold_several),
        WORLD_TEST(a_store_that_fails_leaves_the_one_before),
        WORLD_TEST(keys_that_cannot_be_used_leave_the_one_before),
        WORLD_TEST(a_ring_without_a_signing_key_is_none),
        WORLD_TEST(all_workers_publish_the_same),
        WORLD_TEST(another_algorithm_is_signed_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
