/* Jobs of many nodes at the same moment, each on a connection of its own: what must be one winner,
 * and what must add up. WARDER_TEST_ROUNDS says how often. */
#include "store/postgres_test_race.h"

#include <stdio.h>

static void one_first_user(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        user_t users[RACERS];
        pg_test_sql(r->pg, "DELETE FROM \"user\"");
        for (int i = 0; i < RACERS; i++) {
            users[i] = test_user(race_name(r, "u", round, i), race_name(r, "name", round, i));
            race_add(&r->v[i], EFFECT_USER_INSERT_FIRST)->u.user = &users[i];
        }
        race_has_one_winner(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM \"user\""), 1);
    }
}

static void one_key_of_a_use(race_t *r, key_state_t key_state)
{
    char count[64];
    snprintf(count, sizeof count, "SELECT count(*) FROM key WHERE state=%d", key_state);
    for (int round = 0; round < race_rounds(); round++) {
        key_record_t keys[RACERS];
        pg_test_sql(r->pg, "DELETE FROM key");
        for (int i = 0; i < RACERS; i++) {
            keys[i] = (key_record_t){.kid = race_name(r, "k", round, i), .state = key_state};
            race_add(&r->v[i], EFFECT_KEY_PUT)->u.key_record = &keys[i];
        }
        race_has_one_winner(r);
        assert_int_equal(pg_test_sql(r->pg, count), 1);
    }
    assert_true(pg_test_sql(r->pg, "SELECT value FROM meta WHERE name='generation'") >
                race_rounds());
}

static void one_current_key_of_a_use(void **state)
{
    one_key_of_a_use(race_ready(state), KEY_CURRENT);
}

static void one_next_key_of_a_use(void **state)
{
    one_key_of_a_use(race_ready(state), KEY_NEXT);
}

static void keys_are_replaced_once(void **state)
{
    race_t *r = race_ready(state);
    key_record_t was = {.kid = STR("old"), .state = KEY_CURRENT}, becomes[RACERS];
    key_change_t changes[RACERS];
    for (int round = 0; round < race_rounds(); round++) {
        pg_test_sql(r->pg, "DELETE FROM key");
        race_add(&r->v[0], EFFECT_KEY_PUT)->u.key_record = &was;
        race_prepare(r);
        for (int i = 0; i < RACERS; i++) {
            becomes[i] = (key_record_t){.kid = race_name(r, "k", round, i), .state = KEY_CURRENT};
            changes[i] = (key_change_t){&was, 1, &becomes[i], 1};
            race_add(&r->v[i], EFFECT_KEYS_REPLACE)->u.key_change = &changes[i];
        }
        race_has_one_winner(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM key"), 1);
    }
}

static void one_device_of_a_user_code(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        device_t devices[RACERS], ended = test_device("ended", STR("WDJBMJHT"));
        pg_test_sql(r->pg, "DELETE FROM device");
        ended.expires_at = TEST_NOW - 1;
        race_add(&r->v[0], EFFECT_DEVICE_INSERT)->u.device = &ended;
        race_prepare(r);
        for (int i = 0; i < RACERS; i++) {
            devices[i] = test_device(race_name(r, "d", round, i).p, STR("WDJBMJHT"));
            race_add(&r->v[i], EFFECT_DEVICE_INSERT)->u.device = &devices[i];
        }
        race_has_one_winner(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM device"), 1);
    }
}

static void one_holder_of_a_lease(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        lease_t leases[RACERS];
        for (int i = 0; i < RACERS; i++) {
            leases[i] =
                (lease_t){STR("clean"), race_name(r, "node", round, i), TEST_NOW + round + 1};
            effect_t *e = race_add(&r->v[i], EFFECT_LEASE_TAKE);
            e->u.lease = &leases[i];
            e->at = TEST_NOW + round;
        }
        race_has_one_winner(r);
    }
}

static void one_rotation_and_one_redemption(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        family_t family = test_family(race_name(r, "f", round, 0));
        refresh_t parent = test_refresh(race_name(r, "r", round, 0).p, family.id), next[RACERS];
        race_add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = &family;
        race_add(&r->v[0], EFFECT_REFRESH_INSERT)->u.refresh = &parent;
        race_prepare(r);
        for (int i = 0; i < RACERS; i++) {
            next[i] = test_refresh(race_name(r, "n", round, i).p, family.id);
            race_add(&r->v[i], EFFECT_REFRESH_ROTATE)->u.refresh = &parent;
            race_add(&r->v[i], EFFECT_REFRESH_INSERT)->u.refresh = &next[i];
        }
        race_has_one_winner(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM refresh"), 2 * (round + 1));
    }
}

static void one_spends_a_name(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        spent_t spent = {test_hash(race_name(r, "s", round, 0).p), TEST_NOW + 10};
        for (int i = 0; i < RACERS; i++)
            race_add(&r->v[i], EFFECT_SPEND)->u.spent = &spent;
        race_has_one_winner(r);
    }
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='spent'"),
                     race_rounds());
}

/* The same document of a client is put by all who fetched it. */
static void all_may_put_the_same_client(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        client_t client = test_client(race_name(r, "c", round, 0));
        client.origin = CLIENT_BY_REGISTRATION;
        for (int i = 0; i < RACERS; i++)
            race_add(&r->v[i], EFFECT_CLIENT_PUT)->u.client = &client;
        assert_int_equal(race_run(r, RACERS), RACERS);
    }
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='registered'"),
                     race_rounds());
}

static void quotas_are_passed_by_no_more_than_race(void **state)
{
    enum { QUOTA = 20 };
    race_t *r = race_ready(state);
    int taken = 0;
    size_t deleted = 0;
    for (int round = 0; round < 10; round++) {
        interaction_t interactions[RACERS];
        for (int i = 0; i < RACERS; i++) {
            interactions[i] = test_interaction(race_name(r, "i", round, i).p);
            effect_t *e = race_add(&r->v[i], EFFECT_INTERACTION_INSERT);
            e->u.interaction = &interactions[i];
            e->quota.max_interactions = QUOTA;
        }
        taken += race_run(r, RACERS);
    }
    assert_in_range(taken, QUOTA, QUOTA + RACERS - 1);
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota"), taken);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM interaction"), taken);
    assert_int_equal(pg_test_expire(r->pg, TEST_NOW * 2LL, 100, &deleted), RC_OK);
    assert_int_equal(deleted, taken);
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota"), 0);
}

/* Registered, used, made room for, deleted, all at once: the count is that of the rows. */
static void registrations_add_up(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        client_t clients[RACERS];
        for (int i = 0; i < RACERS; i++) {
            clients[i] = test_client(race_name(r, "c", round, i));
            clients[i].origin = CLIENT_BY_REGISTRATION;
            effect_t *e = race_add(&r->v[i], EFFECT_CLIENT_INSERT);
            e->u.client = &clients[i];
            e->quota.max_clients = 12;
            if (i % 4 == 0)
                race_add(&r->v[i], EFFECT_CLIENT_DELETE)->u.key = clients[i].id;
            if (i % 4 == 1)
                race_add(&r->v[i], EFFECT_CLIENT_PUT)->u.client = &clients[i];
        }
        assert_int_equal(race_run(r, RACERS), RACERS);
        assert_int_equal(
            pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='registered'"),
            pg_test_sql(r->pg, "SELECT count(*) FROM client WHERE origin=1 AND deleted_at=0"));
    }
    assert_true(pg_test_sql(r->pg, "SELECT count(*) FROM client") <= 12 + RACERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RACE(one_first_user),
        RACE(one_current_key_of_a_use),
        RACE(one_next_key_of_a_use),
        RACE(keys_are_replaced_once),
        RACE(one_device_of_a_user_code),
        RACE(one_holder_of_a_lease),
        RACE(one_rotation_and_one_redemption),
        RACE(one_spends_a_name),
        RACE(all_may_put_the_same_client),
        RACE(quotas_are_passed_by_no_more_than_race),
        RACE(registrations_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
