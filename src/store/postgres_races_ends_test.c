/* What ends all of a person, of a client or of everybody, while others make something of it; and
 * who follows the list of revocations meanwhile. WARDER_TEST_ROUNDS says how often. */
#include "store/postgres_test_race.h"

#include <stdatomic.h>
#include <stdio.h>

enum { REDEEMERS = RACERS / 2 };

/* One person with as many codes as there are redeemers. */
typedef struct {
    user_t user;
    code_t codes[REDEEMERS];
    family_t families[REDEEMERS];
    refresh_t refresh[REDEEMERS];
    consent_t consent;
} person_t;

static void settle(race_t *r, person_t *p, int round)
{
    p->user = test_user(race_name(r, "u", round, 0), race_name(r, "name", round, 0));
    race_add(&r->v[0], EFFECT_USER_INSERT)->u.user = &p->user;
    for (int i = 0; i < REDEEMERS; i++) {
        p->families[i] = test_family(race_name(r, "f", round, i));
        p->families[i].user_id = p->user.id;
        p->families[i].created_at = TEST_NOW;
        p->families[i].revoked_at = 0;
        p->codes[i] = test_code(race_name(r, "c", round, i).p, p->families[i].id);
        p->codes[i].user_id = p->user.id;
        p->codes[i].consumed_at = 0;
        p->codes[i].expires_at = TEST_NOW + 60;
        p->codes[i].created_at = TEST_NOW;
        p->refresh[i] = test_refresh(race_name(r, "r", round, i).p, p->families[i].id);
        race_add(&r->v[0], EFFECT_CODE_INSERT)->u.code = &p->codes[i];
    }
    const family_t *f = &p->families[0];
    p->consent = (consent_t){.user_id = p->user.id,
                             .client_id = f->client_id,
                             .resource = f->resource,
                             .redirect_uri = f->redirect_uri};
    race_add(&r->v[0], EFFECT_CONSENT_PUT)->u.consent = &p->consent;
    race_prepare(r);
}

/* What the token endpoint asks of the store for a code. */
static void redeem(race_t *r, person_t *p)
{
    for (int i = 0; i < REDEEMERS; i++) {
        race_add(&r->v[i], EFFECT_CODE_CONSUME)->u.hash = &p->codes[i].id;
        race_add(&r->v[i], EFFECT_FAMILY_INSERT)->u.family = &p->families[i];
        race_add(&r->v[i], EFFECT_REFRESH_INSERT)->u.refresh = &p->refresh[i];
    }
}

/* Either a code was redeemed, and its family ended, or it was not. */
static void assert_none_slipped_through(race_t *r)
{
    for (int i = 0; i < REDEEMERS; i++)
        assert_true(r->v[i].rc == RC_OK || r->v[i].rc == RC_CONFLICT);
    assert_int_equal(r->v[REDEEMERS].rc, RC_OK);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"), 0);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM code WHERE consumed_at=0"), 0);
}

static void disabled_user_keeps_no_grant(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        person_t p;
        settle(r, &p, round);
        redeem(r, &p);
        race_add(&r->v[REDEEMERS], EFFECT_USER_DISABLE)->u.key = p.user.id;
        race_run(r, REDEEMERS + 1);
        assert_none_slipped_through(r);
    }
}

static void changed_password_leaves_no_grant(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        person_t p;
        settle(r, &p, round);
        redeem(r, &p);
        race_add(&r->v[REDEEMERS], EFFECT_USER_SET_PASSWORD)->u.user = &p.user;
        race_run(r, REDEEMERS + 1);
        assert_none_slipped_through(r);
    }
}

static void withdrawn_consent_leaves_no_grant(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        person_t p;
        settle(r, &p, round);
        for (int i = 0; i < REDEEMERS; i++) {
            char sql[400];
            snprintf(sql, sizeof sql,
                     "UPDATE code SET client_id='%" PRIstr "', resource='%" PRIstr
                     "', redirect_uri='%" PRIstr "' WHERE consumed_at=0",
                     STR_ARG(p.consent.client_id), STR_ARG(p.consent.resource),
                     STR_ARG(p.consent.redirect_uri));
            pg_test_sql(r->pg, sql);
        }
        redeem(r, &p);
        race_add(&r->v[REDEEMERS], EFFECT_CONSENT_DELETE)->u.consent = &p.consent;
        race_run(r, REDEEMERS + 1);
        assert_none_slipped_through(r);
    }
}

static void revoked_subject_keeps_no_grant(void **state)
{
    race_t *r = race_ready(state);
    for (int round = 0; round < race_rounds(); round++) {
        person_t p;
        settle(r, &p, round);
        redeem(r, &p);
        revoked_t all = {
            .kind = REVOKED_SUBJECT, .key = p.user.id, .at = TEST_NOW, .expires_at = TEST_NOW + 10};
        race_add(&r->v[REDEEMERS], EFFECT_REVOCATION_PUT)->u.revoked = &all;
        race_run(r, REDEEMERS + 1);
        assert_none_slipped_through(r);
    }
}

/* A grant without a code, made by an assertion, may show up behind the revocation: the cleaner ends
 * it. */
static void cleaner_ends_what_a_revocation_missed(void **state)
{
    static const revoked_kind_t KINDS[] = {REVOKED_CLIENT, REVOKED_ALL};
    race_t *r = race_ready(state);
    for (size_t i = 0; i < 2; i++) {
        size_t deleted = 0;
        family_t early = test_family(race_name(r, "early", 0, (int)i)),
                 late = test_family(race_name(r, "late", 0, (int)i));
        early.created_at = TEST_NOW;
        late.created_at = TEST_NOW + 2;
        early.expires_at = late.expires_at = TEST_NOW * 2LL;
        revoked_t revoked = {.kind = KINDS[i],
                             .key = early.client_id,
                             .at = TEST_NOW + 1,
                             .expires_at = TEST_NOW + 100};
        race_add(&r->v[0], EFFECT_REVOCATION_PUT)->u.revoked = &revoked;
        race_add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = &early;
        race_add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = &late;
        race_prepare(r);
        assert_int_equal(pg_test_expire(r->pg, TEST_NOW + 3, 10, &deleted), RC_OK);
        assert_int_equal(
            pg_test_sql(r->pg,
                        "SELECT count(*) FROM family WHERE revoked_at=0 AND id LIKE 'late%'"),
            1);
        assert_int_equal(
            pg_test_sql(r->pg,
                        "SELECT count(*) FROM family WHERE revoked_at=0 AND id LIKE 'early%'"),
            0);
        pg_test_sql(r->pg, "DELETE FROM family; DELETE FROM revoked");
    }
}

enum { MANY = 2500 };

/* So many grants of one client, each of another person, and one with its refresh token. */
static void grant_many(race_t *r, const family_t *f, const refresh_t *t)
{
    char sql[300];
    race_add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = f;
    race_add(&r->v[0], EFFECT_REFRESH_INSERT)->u.refresh = t;
    race_prepare(r);
    snprintf(sql, sizeof sql,
             "CREATE TEMPORARY TABLE IF NOT EXISTS more AS SELECT * FROM family; INSERT INTO "
             "family SELECT (jsonb_populate_record(more, jsonb_build_object('id', 'm' || i, "
             "'user_id', 'p' || i))).* FROM more, generate_series(2, %d) AS i; DROP TABLE more",
             MANY);
    pg_test_sql(r->pg, sql);
}

/* What the store says of a grant, and whether it still gives tokens. */
static void assert_ended(race_t *r, str_t id, const refresh_t *t)
{
    ask_t family = {.kind = ASK_FAMILY, .key = id}, refresh = {.kind = ASK_REFRESH, .hash = t->id};
    assert_int_equal(pg_test_ask(r->pg, r->a, &family, 1), RC_OK);
    assert_true(family.u.family->revoked_at > 0);
    assert_int_equal(pg_test_ask(r->pg, r->a, &refresh, 1), RC_OK);
    assert_true(refresh.family->revoked_at > 0);
    effects_t effects = {.n = 0};
    size_t failed;
    effects_add(&effects, EFFECT_REFRESH_ROTATE, TEST_NOW)->u.refresh = t;
    assert_int_equal(pg_test_apply(r->pg, &effects, &failed), RC_CONFLICT);
}

static void add_end(race_t *r, size_t kind, revoked_t *all, const family_t *f)
{
    *all = (revoked_t){.kind = kind == 1 ? REVOKED_CLIENT : REVOKED_ALL,
                       .key = f->client_id,
                       .at = TEST_NOW + 2,
                       .expires_at = TEST_NOW + 100};
    if (kind > 0)
        race_add(&r->v[0], EFFECT_REVOCATION_PUT)->u.revoked = all;
    else
        race_add(&r->v[0], EFFECT_CLIENT_DELETE)->u.key = f->client_id;
}

/* One statement for all of them would hold the row that all revocations take their numbers from,
 * and be longer than a statement may take. */
static void very_many_grants_end_at_once_and_are_written_in_steps(void **state)
{
    race_t *r = race_ready(state);
    for (size_t kind = 0; kind < 3; kind++) {
        size_t deleted = 0, steps = 0;
        revoked_t all;
        family_t f = test_family(race_name(r, "first", 0, (int)kind));
        client_t client = test_client(f.client_id);
        f.created_at = TEST_NOW;
        f.revoked_at = 0;
        f.expires_at = TEST_NOW * 2LL;
        refresh_t t = test_refresh(f.id.p, f.id);
        t.rotated_at = 0;
        t.uses = 0;
        race_add(&r->v[0], EFFECT_CLIENT_PUT)->u.client = &client;
        grant_many(r, &f, &t);
        add_end(r, kind, &all, &f);
        race_prepare(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"),
                         MANY - 1000);
        pg_test_sql(r->pg, "UPDATE family SET revoked_at=0 WHERE id LIKE 'first%'");
        assert_ended(r, f.id, &t);
        assert_ended(r, STR("m2500"), &t);
        do
            assert_int_equal(pg_test_expire(r->pg, TEST_NOW + 200, 10, &deleted), RC_OK);
        while (deleted >= 10 && ++steps < 10);
        assert_int_equal(steps, 1);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM family WHERE revoked_at=0"), 0);
        /* What they were known by stayed until then, though its time was over. */
        assert_int_equal(pg_test_expire(r->pg, TEST_NOW + 200, 10, &deleted), RC_OK);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM revoked WHERE kind=4"), 0);
        pg_test_sql(r->pg, "DELETE FROM family; DELETE FROM refresh; DELETE FROM revoked; DELETE "
                           "FROM client");
    }
}

/* One that reads the list as it grows, always from the last number that it has seen. */
typedef struct {
    PGconn *pg;
    atomic_bool over;
    int seen;
    bool failed;
} follower_t;

static bool follow_once(follower_t *f, int64_t *last)
{
    arena_t *a = arena_new(1 << 20);
    ask_t ask = {.kind = ASK_REVOCATIONS, .since = *last};
    f->failed |= pg_test_ask(f->pg, a, &ask, 1) != RC_OK;
    for (size_t i = 0; i < ask.count; i++)
        *last = (int64_t)ask.u.revoked[i].seq;
    f->seen += (int)ask.count;
    arena_free(a);
    return ask.count > 0;
}

static void *follow(void *arg)
{
    follower_t *f = arg;
    int64_t last = 0;
    while (!atomic_load(&f->over))
        follow_once(f, &last);
    while (follow_once(f, &last))
        ;
    return NULL;
}

static void follower_misses_no_revocation(void **state)
{
    race_t *r = race_ready(state);
    follower_t f = {.pg = pg_test_connect(pg_test_database("WARDER_TEST_POSTGRES"))};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, follow, &f), 0);
    for (int round = 0; round < 3 * race_rounds(); round++) {
        revoked_t revoked[RACERS];
        family_t families[RACERS], ended[RACERS];
        for (int i = 0; i < RACERS; i++) {
            revoked[i] = (revoked_t){.kind = REVOKED_TOKEN,
                                     .key = race_name(r, "j", round, i),
                                     .at = TEST_NOW,
                                     .expires_at = TEST_NOW + 10};
            families[i] = test_family(race_name(r, "f", round, i));
            families[i].user_id = families[i].id;
            families[i].revoked_at = 0;
            ended[i] = families[i];
            ended[i].revoked_at = TEST_NOW;
            race_add(&r->v[i], EFFECT_REVOCATION_PUT)->u.revoked = &revoked[i];
            race_add(&r->v[i], EFFECT_FAMILY_INSERT)->u.family = &families[i];
            race_add(&r->v[i], EFFECT_FAMILY_REVOKE)->u.family = &ended[i];
        }
        assert_int_equal(race_run(r, RACERS), RACERS);
    }
    atomic_store(&f.over, true);
    pthread_join(thread, NULL);
    assert_false(f.failed);
    assert_int_equal(f.seen, 3 * race_rounds() * RACERS * 2);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM revoked"), f.seen);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(DISTINCT seq) FROM revoked"), f.seen);
    PQfinish(f.pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RACE(disabled_user_keeps_no_grant),
        RACE(changed_password_leaves_no_grant),
        RACE(withdrawn_consent_leaves_no_grant),
        RACE(revoked_subject_keeps_no_grant),
        RACE(cleaner_ends_what_a_revocation_missed),
        RACE(very_many_grants_end_at_once_and_are_written_in_steps),
        RACE(follower_misses_no_revocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
