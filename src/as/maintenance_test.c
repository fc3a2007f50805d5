/* Keeping house, by the timers of a real server on loopback. */
#include "as/maintenance.h"

#include "as/as_test_browser.h"
#include "as/as_test_served.h"
#include "as/keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { RING = 3 }; /* one key that signs, one that derives, one that seals */

static size_t keys(world_t *w)
{
    return world_look(w, (ask_t){.kind = ASK_KEYS}).count;
}

static bool key_change_is_recorded(world_t *w)
{
    return trail_count(w, "key.changed", "allow", "rotation") > 0;
}

static void missing_keys_are_made_and_recorded(void **state)
{
    world_t *w = *state;
    world_serve(w, false);
    assert_true(world_comes(w, key_change_is_recorded));
    assert_int_equal(keys(w), RING);
    world_serve_stop(w);
    assert_int_equal(keys(w), RING);
}

static void ask_for_rotation(world_t *w)
{
    as_keys_plan_t plan;
    const as_keys_policy_t policy = {.conf = w->conf,
                                     .random = world_random(w),
                                     .now = atomic_load(&w->ms) / 1000,
                                     .rotate_now = true};
    ask_t asked = world_look(w, (ask_t){.kind = ASK_KEYS});
    const as_keys_t keys = {asked.u.keys, asked.count};
    assert_ok(as_keys_plan(w->a, &keys, &policy, &plan));
    assert_ok(world_apply(w, w->admin, &plan.effects));
}

static bool is_signed_with_another(world_t *w)
{
    ask_t all = world_look(w, (ask_t){.kind = ASK_KEYS});
    for (size_t i = 0; i < all.count; i++)
        if (all.u.keys[i].use == KEY_SIGN && all.u.keys[i].state == KEY_RETIRED)
            return true;
    return false;
}

static bool old_key_is_gone(world_t *w)
{
    return keys(w) == RING;
}

/* Published, then used, then the one before forgotten: each step when it is due. */
static void a_rotation_goes_its_way(void **state)
{
    world_t *w = *state;
    ask_for_rotation(w);
    assert_int_equal(keys(w), RING + 1);
    world_serve(w, false);
    world_pass(w, w->conf->key_set_cache_age + 120);
    assert_true(world_comes(w, is_signed_with_another));
    world_pass(w, w->conf->access_token_lifetime + w->conf->key_set_cache_age + 120);
    assert_true(world_comes(w, old_key_is_gone));
    world_serve_stop(w);
}

static bool session_is_gone(world_t *w)
{
    const hash_t id = {{7}};
    return !world_look(w, (ask_t){.kind = ASK_SESSION, .hash = id}).u.session;
}

static const session_t OLD = {.id = {{7}},
                              .user_id = STR_INIT(W_USER_ID),
                              .created_at = W_START_S - 1000,
                              .expires_at = W_START_S - 100};

static void what_has_expired_is_deleted(void **state)
{
    world_t *w = *state;
    const session_t live = {.id = {{8}},
                            .user_id = STR(W_USER_ID),
                            .created_at = W_START_S,
                            .expires_at = W_START_S + 1000};
    world_restart(w, "cleanup_interval", "1");
    world_put(w, EFFECT_SESSION_INSERT, &OLD);
    world_put(w, EFFECT_SESSION_INSERT, &live);
    assert_false(session_is_gone(w));
    world_serve(w, false);
    assert_true(world_comes(w, session_is_gone));
    world_serve_stop(w);
    assert_non_null(world_look(w, (ask_t){.kind = ASK_SESSION, .hash = live.id}).u.session);
}

enum { MANY = 12000 };

static hash_t nth_hash(uint32_t i)
{
    hash_t h = {{9}};
    memcpy(h.b + 1, &i, sizeof i);
    return h;
}

static void put_many(world_t *w)
{
    session_t s[EFFECTS_MAX];
    for (uint32_t i = 0; i < MANY; i += EFFECTS_MAX) {
        effects_t effects = {.n = 0};
        for (uint32_t k = 0; k < EFFECTS_MAX; k++) {
            s[k] = (session_t){.id = nth_hash(i + k),
                               .user_id = STR(W_USER_ID),
                               .created_at = W_START_S - 1000,
                               .expires_at = W_START_S - 100};
            effects_add(&effects, EFFECT_SESSION_INSERT, W_START_S)->u.session = &s[k];
        }
        assert_ok(world_apply(w, w->admin, &effects));
    }
}

static bool last_is_gone(world_t *w)
{
    const ask_t question = {.kind = ASK_SESSION, .hash = nth_hash(MANY - 1)};
    return !world_look(w, question).u.session;
}

/* More than a batch of each second of our patience. */
static void many_that_have_expired_go_at_once(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    put_many(w);
    world_serve(w, false);
    assert_true(world_comes(w, last_is_gone));
    world_serve_stop(w);
    assert_in_range(w->faults.most, 1, 1000); /* a batch must not hold up who else writes */
    assert_true(w->faults.least_pause_us >= 80000);
}

static bool a_batch_was_large(world_t *w)
{
    return w->faults.most > AS_PACE_FIRST;
}

static void a_slow_disk_makes_no_batch_small(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    put_many(w);
    w->faults.held_ms = 1;
    w->faults.waits_ms = 1000;
    world_serve(w, false);
    assert_true(world_comes(w, a_batch_was_large));
    world_serve_stop(w);
}

/* ---- of several nodes one ---- */

static rc_t take_lease(world_t *w, const char *name, const char *holder, int64_t length)
{
    int64_t now = atomic_load(&w->ms) / 1000;
    const lease_t lease = {.name = str_c(name), .holder = str_c(holder), .until = now + length};
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_LEASE_TAKE, now)->u.lease = &lease;
    return world_apply(w, w->admin, &effects);
}

static bool has_tried(world_t *w)
{
    return w->faults.applies >= 1;
}

static bool has_tried_twice(world_t *w)
{
    return w->faults.applies >= 2;
}

static void what_another_node_cleans_is_left_to_it(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    world_put(w, EFFECT_SESSION_INSERT, &OLD);
    assert_ok(take_lease(w, "cleaning", "another", 1000));
    world_serve(w, false);
    assert_true(world_comes(w, has_tried_twice));
    assert_int_equal(w->faults.expires, 0);
    world_pass(w, 1000); /* it has died */
    assert_true(world_comes(w, session_is_gone));
    world_serve_stop(w);
}

static void keys_that_another_node_makes_are_left_to_it(void **state)
{
    world_t *w = *state;
    assert_ok(take_lease(w, "keys", "another", 1000));
    world_serve(w, false);
    assert_true(world_comes(w, has_tried));
    assert_int_equal(keys(w), 0);
    world_pass(w, 1000); /* it has died */
    assert_true(world_comes_in_time(w, key_change_is_recorded));
    world_serve_stop(w);
}

/* One takes over from the other: they are of one node, and both believe it to be theirs. */
static void keys_that_another_process_of_the_node_makes_are_left_to_it(void **state)
{
    world_t *w = *state;
    w->as->holder = STR("west");
    assert_ok(take_lease(w, "keys", "west", 1000));
    world_serve(w, false);
    assert_true(world_comes(w, has_tried));
    assert_int_equal(keys(w), 0);
    world_pass(w, 1000);
    assert_true(world_comes_in_time(w, key_change_is_recorded));
    world_serve_stop(w);
}

static bool name_is_kept_twice(world_t *w)
{
    return w->faults.applies >= 2;
}

static void keys_are_left_alone_until_the_sockets_are_ours(void **state)
{
    world_t *w = *state;
    w->as->node_lease = STR("node:west");
    http_server_t *s = world_serve(w, true);
    assert_true(world_comes(w, name_is_kept_twice));
    assert_int_equal(keys(w), 0);
    http_server_keep(s);
    assert_true(world_comes(w, key_change_is_recorded));
    world_serve_stop(w);
}

static bool has_cleaned(world_t *w)
{
    return w->faults.expires > 0;
}

static void a_clean_end_leaves_everything_to_the_others(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    world_serve(w, false);
    assert_true(world_comes(w, key_change_is_recorded));
    assert_true(world_comes(w, has_cleaned));
    assert_int_equal(take_lease(w, "cleaning", "another", 10), RC_CONFLICT);
    assert_int_equal(take_lease(w, "keys", "another", 10), RC_CONFLICT);
    world_serve_stop(w);
    assert_ok(take_lease(w, "cleaning", "another", 10));
    assert_ok(take_lease(w, "keys", "another", 10));
}

static bool cleaning_is_the_other_s(world_t *w)
{
    return take_lease(w, "cleaning", "another", 1000) == RC_OK;
}

/* A node that was stopped for a while, or whose clock is behind, goes on with a batch or two at
 * most: deleting twice what has expired does no harm. */
static void a_node_that_lost_the_lease_stops_cleaning(void **state)
{
    world_t *w = *state;
    world_restart(w, "cleanup_interval", "1");
    world_serve(w, false);
    assert_true(world_comes(w, has_cleaned));
    world_pass(w, 1000);
    assert_true(world_comes_in_time(w, cleaning_is_the_other_s)); /* it may take it once more */
    w->faults.applies = 0;
    assert_true(world_comes(w, has_tried));
    unsigned before = w->faults.expires;
    w->faults.applies = 0;
    assert_true(world_comes(w, has_tried));
    assert_int_equal(w->faults.expires, before);
    world_serve_stop(w);
}

enum { AHEAD_S = 30 };

/* The node that cleans has a clock that is ahead; the others still take proofs of that age. */
static void a_clock_that_is_ahead_forgets_no_spent_name(void **state)
{
    world_t *w = *state;
    const spent_t proof = {.id = {{5}}, .expires_at = W_START_S + 5};
    effects_t again = {.n = 0};
    world_restart(w, "cleanup_interval", "1");
    world_put(w, EFFECT_SESSION_INSERT, &OLD);
    world_put(w, EFFECT_SPEND, &proof);
    world_pass(w, 5 + AHEAD_S);
    world_serve(w, false);
    assert_true(world_comes(w, session_is_gone));
    world_serve_stop(w);
    effects_add(&again, EFFECT_SPEND, W_START_S + 4)->u.spent = &proof;
    assert_int_equal(world_apply(w, w->admin, &again), RC_CONFLICT);
}

/* ---- the node's name ---- */

#define NAME "node:west"

static bool name_is_taken(world_t *w)
{
    return take_lease(w, NAME, "another", 0) == RC_CONFLICT; /* takes nothing where it is free */
}

static bool name_was_free(world_t *w)
{
    return take_lease(w, NAME, "another", 100) == RC_OK;
}

static bool name_is_lost(world_t *w)
{
    return world_logged(w, "another node has taken this node's name");
}

static bool name_is_back(world_t *w)
{
    return world_logged(w, "this node's name is its own again");
}

static void a_name_is_kept_until_the_end(void **state)
{
    world_t *w = *state;
    w->as->node_lease = STR(NAME);
    world_serve(w, false);
    assert_true(world_comes(w, name_is_taken));
    world_pass(w, AS_NODE_LEASE_S - 1);
    assert_true(name_is_taken(w));
    world_serve_stop(w);
    assert_true(name_was_free(w));
    assert_false(name_is_lost(w));
}

static void name_stays_when_it_ends(world_t *w)
{
    world_serve_join(w);
    assert_false(name_was_free(w));
}

/* The next one has it, under the same id. */
static void a_name_is_not_given_up_after_a_take_over(void **state)
{
    world_t *w = *state;
    w->as->node_lease = STR(NAME);
    http_server_t *s = world_serve(w, false);
    assert_true(world_comes(w, name_is_taken));
    http_server_hand_over(s);
    name_stays_when_it_ends(w);
}

/* The one before has it still. */
static void a_name_is_not_given_up_by_a_server_that_fails_to_take_over(void **state)
{
    world_t *w = *state;
    w->as->node_lease = STR(NAME);
    http_server_t *s = world_serve(w, true);
    assert_true(world_comes(w, name_is_taken));
    http_server_stop(s);
    name_stays_when_it_ends(w);
}

static void a_name_that_another_node_takes_is_told(void **state)
{
    world_t *w = *state;
    w->as->node_lease = STR(NAME);
    assert_true(name_was_free(w));
    world_serve(w, false);
    assert_true(world_comes(w, name_is_lost));
    world_pass(w, 100);
    assert_true(world_comes(w, name_is_back));
    assert_true(name_is_taken(w));
    world_serve_stop(w);
}

static bool keys_are_stored(world_t *w)
{
    return keys(w) == RING;
}

/* The trail stands still while the server ends: its thread outlives the workers, but not what it
 * hands its result to. */
static void a_look_that_nobody_waits_for_ends_well(void **state)
{
    world_t *w = *state;
    int fd = open(arena_cstr(w->a, w->trail), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    http_server_t *s = world_serve(w, false);
    assert_true(world_comes(w, keys_are_stored));
    http_server_stop(s);
    http_server_join(s);
    w->served = NULL;
    assert_non_null(w->as->keys.look);
    close(fd);
    world_serve_stop_threads(w);
    http_server_free(s);
    assert_true(key_change_is_recorded(w));
}

static bool failure_is_logged(world_t *w)
{
    return world_logged(w, "keys could not be rotated");
}

static void keys_that_cannot_be_stored_are_tried_again(void **state)
{
    world_t *w = *state;
    w->faults = (faults_t){.apply = RC_IO, .times = 1};
    world_serve(w, false);
    assert_true(world_comes(w, failure_is_logged));
    assert_true(world_comes(w, key_change_is_recorded));
    world_serve_stop(w);
    assert_int_equal(keys(w), RING);
}

/* The plan fails on another thread, maybe before the one that handed it over goes on. */
static void keys_that_cannot_be_made_are_tried_again(void **state)
{
    world_t *w = *state;
    atomic_store(&w->random_fails, true);
    world_serve(w, false);
    assert_true(world_comes(w, failure_is_logged));
    assert_true(world_logged(w, "\"at\":\"plan\""));
    assert_int_equal(keys(w), 0);
    atomic_store(&w->random_fails, false);
    assert_true(world_comes(w, key_change_is_recorded));
    world_serve_stop(w);
    assert_int_equal(keys(w), RING);
}

static void a_store_that_cannot_be_read_is_tried_again(void **state)
{
    world_t *w = *state;
    w->faults = (faults_t){.ask = RC_IO, .ask_ok = 1}; /* the worker's snapshot comes first */
    world_serve(w, false);
    assert_true(world_comes(w, failure_is_logged));
    world_serve_stop(w);
    assert_true(world_logged(w, "\"at\":\"store\""));
    assert_int_equal(keys(w), 0);
}

static void a_faster_process_is_no_failure(void **state)
{
    world_t *w = *state;
    w->faults = (faults_t){.apply = RC_CONFLICT, .apply_ok = 1, .times = 1}; /* behind the lease */
    world_serve(w, false);
    assert_true(world_comes(w, key_change_is_recorded));
    world_serve_stop(w);
    assert_false(failure_is_logged(w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY_TEST(missing_keys_are_made_and_recorded),
        WORLD_TEST(a_rotation_goes_its_way),
        WORLD_TEST(what_has_expired_is_deleted),
        WORLD_TEST(many_that_have_expired_go_at_once),
        WORLD_TEST(a_slow_disk_makes_no_batch_small),
        WORLD_TEST(what_another_node_cleans_is_left_to_it),
        EMPTY_TEST(keys_that_another_node_makes_are_left_to_it),
        EMPTY_TEST(keys_that_another_process_of_the_node_makes_are_left_to_it),
        EMPTY_TEST(keys_are_left_alone_until_the_sockets_are_ours),
        EMPTY_TEST(a_clean_end_leaves_everything_to_the_others),
        WORLD_TEST(a_node_that_lost_the_lease_stops_cleaning),
        WORLD_TEST(a_clock_that_is_ahead_forgets_no_spent_name),
        WORLD_TEST(a_name_is_kept_until_the_end),
        WORLD_TEST(a_name_is_not_given_up_after_a_take_over),
        WORLD_TEST(a_name_is_not_given_up_by_a_server_that_fails_to_take_over),
        WORLD_TEST(a_name_that_another_node_takes_is_told),
        EMPTY_TEST(a_look_that_nobody_waits_for_ends_well),
        EMPTY_TEST(keys_that_cannot_be_stored_are_tried_again),
        EMPTY_TEST(keys_that_cannot_be_made_are_tried_again),
        EMPTY_TEST(a_store_that_cannot_be_read_is_tried_again),
        EMPTY_TEST(a_faster_process_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
