/* What a revocation has not seen, or not written yet: the rest of very many grants, what was on its
 * way, and programs that know nothing of either. */
#include "store/postgres_test_race.h"

#include <stdio.h>

enum { MANY = 2500 };

/* So many grants of one person to a client, which is deleted and leaves no row. */
static void delete_client_of_many(race_t *r)
{
    char sql[300];
    family_t f = test_family(STR("first"));
    client_t client = test_client(f.client_id);
    f.created_at = TEST_NOW;
    f.revoked_at = 0;
    f.expires_at = TEST_NOW * 2LL;
    race_add(&r->v[0], EFFECT_CLIENT_PUT)->u.client = &client;
    race_add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = &f;
    race_prepare(r);
    snprintf(sql, sizeof sql,
             "CREATE TEMPORARY TABLE more AS SELECT * FROM family; INSERT INTO family SELECT "
             "(jsonb_populate_record(more, jsonb_build_object('id', 'm' || i))).* FROM more, "
             "generate_series(2, %d) AS i; DROP TABLE more",
             MANY);
    pg_test_sql(r->pg, sql);
    race_add(&r->v[0], EFFECT_CLIENT_DELETE)->u.key = f.client_id;
    race_prepare(r);
}

/* Nobody can make the list longer than resource servers remember by one client with grants of one
 * person: what is written later folds as well, into what ends no token of later. */
static void rest_of_many_grants_folds_by_the_person(void **state)
{
    race_t *r = race_ready(state);
    size_t deleted = 0, steps = 0;
    delete_client_of_many(r);
    do
        assert_int_equal(pg_test_expire(r->pg, TEST_NOW + 200, 10, &deleted), RC_OK);
    while (deleted >= 10 && ++steps < 10);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"), 0);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM revoked WHERE kind=1"), 0);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM revoked WHERE owner IS NOT NULL"), 1);
    assert_int_equal(
        pg_test_sql(r->pg, "SELECT at FROM revoked WHERE kind=2 AND owner IS NOT NULL"),
        TEST_NOW + 2);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_reason="
                                        "'client_deleted' AND revoked_at=(SELECT max(at) FROM "
                                        "revoked WHERE kind=3)"),
                     MANY);
}

/* The newest entry of a client ends its families; an older one of it would count them again, and a
 * step that seems to be the last one leave those of another client. */
static void entries_of_one_client_do_not_end_the_step_early(void **state)
{
    race_t *r = race_ready(state);
    size_t deleted = 0;
    delete_client_of_many(r);
    pg_test_sql(
        r->pg, "DELETE FROM family WHERE revoked_at>0; DELETE FROM family WHERE id IN (SELECT id "
               "FROM family LIMIT 900);"
               "INSERT INTO family SELECT (jsonb_populate_record(f, jsonb_build_object('id', 'z' "
               "|| f.id, 'client_id', 'z'))).* FROM family f;"
               "INSERT INTO revoked(seq, kind, key, at, expires_at) SELECT seq+1, kind, key, at-1, "
               "expires_at FROM revoked WHERE kind=3;"
               "INSERT INTO revoked(seq, kind, key, at, expires_at) SELECT seq+2, kind, 'z', at, "
               "expires_at FROM revoked WHERE kind=3 LIMIT 1;"
               "UPDATE family SET created_at=created_at-1");
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"), 1200);
    assert_int_equal(pg_test_expire(r->pg, TEST_NOW + 200, 10, &deleted), RC_OK);
    assert_int_equal(deleted, 10);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"), 200);
}

static void add_end(race_t *r, size_t kind, revoked_t *all, str_t client_id)
{
    *all = (revoked_t){.kind = kind == 1 ? REVOKED_CLIENT : REVOKED_ALL,
                       .key = client_id,
                       .at = TEST_NOW + 2,
                       .expires_at = TEST_NOW + 100};
    race_add(&r->v[0], EFFECT_REVOCATION_PUT)->u.revoked = all;
}

/* As one takes its name that knows no other columns. */
static void start_older_node(race_t *r)
{
    pg_test_sql(r->pg,
                "INSERT INTO lease(name, holder, until) VALUES('node:a', 'a', 9999999999) ON "
                "CONFLICT(name) DO UPDATE SET holder=excluded.holder, until=excluded.until");
}

static void start_node(race_t *r)
{
    static const lease_t LEASE = {STR_INIT("node:a"), STR_INIT("a"), 9999999999};
    race_add(&r->v[0], EFFECT_LEASE_TAKE)->u.lease = &LEASE;
    race_prepare(r);
}

static long left_of_many(race_t *r)
{
    delete_client_of_many(r);
    long left = pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0");
    pg_test_sql(r->pg, "DELETE FROM family; DELETE FROM revoked");
    return left;
}

/* An older program beside this one refreshes what is not written yet, and as the cleaner forgets
 * what the rest would be known by. */
static void all_grants_end_at_once_beside_an_older_program(void **state)
{
    race_t *r = race_ready(state);
    start_older_node(r);
    assert_int_equal(left_of_many(r), 0);
    start_node(r);
    assert_int_equal(left_of_many(r), MANY - 1000);
    start_older_node(r); /* over what the newer one wrote */
    pg_test_sql(r->pg, "UPDATE lease SET until=until-1");
    assert_int_equal(left_of_many(r), 0);
    pg_test_sql(r->pg, "UPDATE lease SET until=1"); /* it is gone */
    assert_int_equal(left_of_many(r), MANY - 1000);
}

/* Each sees nothing of the other where both are on their way: here the code simply comes second. */
static void code_that_shows_up_behind_a_revocation_is_none(void **state)
{
    race_t *r = race_ready(state);
    for (size_t kind = 1; kind < 3; kind++) {
        size_t failed;
        revoked_t all;
        effects_t redeem = {.n = 0};
        code_t code = test_code(race_name(r, "late", 0, (int)kind).p, STR("f"));
        code.consumed_at = 0;
        code.created_at = TEST_NOW + 1;
        code.expires_at = TEST_NOW + 60;
        add_end(r, kind, &all, code.request.client_id);
        race_add(&r->v[0], EFFECT_CODE_INSERT)->u.code = &code;
        race_prepare(r);
        ask_t ask = {.kind = ASK_CODE, .hash = code.id};
        assert_int_equal(pg_test_ask(r->pg, r->a, &ask, 1), RC_OK);
        assert_null(ask.u.code);
        effects_add(&redeem, EFFECT_CODE_CONSUME, TEST_NOW + 4)->u.hash = &code.id;
        assert_int_equal(pg_test_apply(r->pg, &redeem, &failed), RC_CONFLICT);
        /* One of later is not touched; nor is a spent one, which tells of replays. */
        pg_test_sql(r->pg, "UPDATE code SET created_at=created_at+2");
        assert_int_equal(pg_test_apply(r->pg, &redeem, &failed), RC_OK);
        pg_test_sql(r->pg, "UPDATE code SET created_at=created_at-2");
        assert_int_equal(pg_test_ask(r->pg, r->a, &ask, 1), RC_OK);
        assert_non_null(ask.u.code);
        pg_test_sql(r->pg, "DELETE FROM code; DELETE FROM revoked");
    }
}

static void approval_that_shows_up_behind_a_revocation_is_none(void **state)
{
    race_t *r = race_ready(state);
    for (size_t kind = 1; kind < 3; kind++) {
        size_t failed;
        revoked_t all;
        effects_t fetch = {.n = 0};
        device_t d = test_device("late", STR("BBBBCCCC"));
        d.created_at = TEST_NOW + 1;
        race_add(&r->v[0], EFFECT_DEVICE_INSERT)->u.device = &d;
        race_prepare(r);
        add_end(r, kind, &all, d.client_id);
        device_t approved = d;
        approved.state = DEVICE_APPROVED;
        approved.user_id = STR("u1");
        approved.family_id = STR("f");
        race_add(&r->v[0], EFFECT_DEVICE_DECIDE)->u.device = &approved;
        race_prepare(r);
        ask_t ask = {.kind = ASK_DEVICE, .hash = d.id};
        assert_int_equal(pg_test_ask(r->pg, r->a, &ask, 1), RC_OK);
        assert_int_equal(ask.u.device->state, DEVICE_DENIED);
        effects_add(&fetch, EFFECT_DEVICE_CONSUME, TEST_NOW + 4)->u.hash = &d.id;
        assert_int_equal(pg_test_apply(r->pg, &fetch, &failed), RC_CONFLICT);
        pg_test_sql(r->pg, "UPDATE device SET created_at=created_at+2");
        assert_int_equal(pg_test_apply(r->pg, &fetch, &failed), RC_OK);
        pg_test_sql(r->pg, "DELETE FROM device; DELETE FROM revoked");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RACE(rest_of_many_grants_folds_by_the_person),
        RACE(entries_of_one_client_do_not_end_the_step_early),
        RACE(all_grants_end_at_once_beside_an_older_program),
        RACE(code_that_shows_up_behind_a_revocation_is_none),
        RACE(approval_that_shows_up_behind_a_revocation_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
