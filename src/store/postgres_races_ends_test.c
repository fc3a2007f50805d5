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
        RACE(disabled_user_keeps_no_grant),          RACE(changed_password_leaves_no_grant),
        RACE(withdrawn_consent_leaves_no_grant),     RACE(revoked_subject_keeps_no_grant),
        RACE(cleaner_ends_what_a_revocation_missed), RACE(follower_misses_no_revocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
