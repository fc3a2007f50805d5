/* The disk and the memory failing at every single call: nothing is half done, nothing that failed
 * appears later, nothing acknowledged is lost, and the store goes on. */
#include "store/sqlite_test_fault.h"
#include "store/store_test_util.h"

#include <stdio.h>
#include <stdlib.h>

enum { JOBS = 4, NAMES = 24 };

/* One redemption: five rows in one decision. */
typedef struct {
    char name[NAMES];
    hash_t code;
    family_t family;
    refresh_t refresh;
    access_token_t token;
    spent_t spent;
    effects_t effects;
    test_result_t result;
} job_t;

static void start(play_t *p, job_t *job, int number)
{
    snprintf(job->name, sizeof job->name, "job-%d", number);
    job->code = test_hash(job->name);
    job->family = test_family(str_c(job->name));
    job->refresh = test_refresh(job->name, job->family.id);
    job->token = test_access_token(job->name, job->family.id);
    job->spent = (spent_t){job->code, TEST_NOW + 60};
    job->effects.n = 0;
    job->result.done = false;
    effects_add(&job->effects, EFFECT_CODE_CONSUME, TEST_NOW)->u.hash = &job->code;
    effects_add(&job->effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &job->family;
    effects_add(&job->effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &job->refresh;
    effects_add(&job->effects, EFFECT_ACCESS_TOKEN_INSERT, TEST_NOW)->u.access_token = &job->token;
    effects_add(&job->effects, EFFECT_SPEND, TEST_NOW)->u.spent = &job->spent;
    store_apply(p->conn, &job->effects, test_done, &job->result);
}

static rc_t finish(play_t *p, job_t *job)
{
    while (!job->result.done)
        test_loop_step(&p->loop);
    return job->result.rc;
}

/* Whether the name is taken; what cannot be done with it keeps it from being taken here. */
static bool is_spent(play_t *p, const spent_t *s)
{
    hash_t unknown = test_hash("unknown");
    play_add(p, EFFECT_SPEND)->u.spent = s;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &unknown;
    assert_int_equal(play_apply(p), RC_CONFLICT);
    return p->failed == 0;
}

/* Acknowledged: all five are there; otherwise none is. */
static void check(play_t *p, const job_t *job)
{
    bool want = job->result.rc == RC_OK;
    assert_int_equal(get_code(p, job->name)->consumed_at != 0, want);
    assert_int_equal(get_family(p, job->family.id) != NULL, want);
    assert_int_equal(get_refresh(p, job->name) != NULL, want);
    assert_int_equal(get_access_token(p, job->name) != NULL, want);
    assert_int_equal(is_spent(p, &job->spent), want);
}

static play_t *begin(void)
{
    void *state = NULL;
    play_begin_sqlite(&state);
    play_t *p = state;
    code_t codes[JOBS + 1];
    char names[JOBS + 1][NAMES];
    for (int i = 0; i <= JOBS; i++) {
        snprintf(names[i], sizeof names[i], "job-%d", i);
        codes[i] = test_code(names[i], STR("f"));
        play_add(p, EFFECT_CODE_INSERT)->u.code = &codes[i];
    }
    assert_applied(p);
    return p;
}

static void end(play_t *p)
{
    void *state = p;
    play_end(&state);
}

/* Returns whether the fault struck. */
static bool apply_under(fault_t fault, int n)
{
    play_t *p = begin();
    job_t jobs[JOBS], after;
    fault_arm(fault, n);
    for (int i = 0; i < JOBS; i++)
        start(p, &jobs[i], i);
    for (int i = 0; i < JOBS; i++) {
        rc_t rc = finish(p, &jobs[i]);
        assert_true(rc == RC_OK || rc == RC_MEMORY || rc == RC_IO);
    }
    bool struck = fault_disarm();
    for (int i = 0; i < JOBS; i++)
        check(p, &jobs[i]);
    start(p, &after, JOBS);
    assert_int_equal(finish(p, &after), RC_OK);
    play_close(p);
    play_open(p);
    for (int i = 0; i < JOBS; i++)
        check(p, &jobs[i]);
    check(p, &after);
    end(p);
    return struck;
}

/* Hundreds of calls, in an opening thousands: each of the first, then ever wider steps. */
static int wider(int n)
{
    return n + 1 + n / 8;
}

static void apply_under_all(fault_t fault)
{
    int n = 0;
    while (apply_under(fault, n))
        n = fault == FAULT_MEMORY ? wider(n) : n + 1;
    assert_true(n > 0);
}

static void no_memory_leaves_nothing_half_applied(void **state)
{
    apply_under_all(FAULT_MEMORY);
}

static void failed_write_leaves_nothing_half_applied(void **state)
{
    apply_under_all(FAULT_WRITE);
}

static void full_disk_leaves_nothing_half_applied(void **state)
{
    apply_under_all(FAULT_FULL);
}

static void failed_sync_acknowledges_nothing(void **state)
{
    apply_under_all(FAULT_SYNC);
}

/* What the whole life of a connection asks of the disk, each call failing in turn. */
static bool ask_under(play_t *p, fault_t fault, int n)
{
    test_loop_t loop;
    store_conn_t *conn = NULL;
    bool connected;
    test_loop_init(&loop);
    fault_arm(fault, n);
    connected = store_connect(p->store, test_loop_port(&loop), &conn) == RC_OK;
    for (int tries = 0; tries < 2 && connected; tries++) {
        test_result_t r = {0};
        ask_t asks[] = {{.kind = ASK_CODE, .hash = test_hash("job-0")},
                        {.kind = ASK_USER_BY_NAME, .key = STR("mia")},
                        {.kind = ASK_CLIENTS, .limit = 9},
                        {.kind = ASK_DEVICE_BY_CODE, .key = STR("CODE"), .since = TEST_NOW},
                        {.kind = ASK_ACCESS_TOKEN, .hash = test_hash("t")},
                        {.kind = ASK_REVOCATIONS, .limit = 9},
                        {.kind = ASK_REVOKED, .key = STR("f1.x")},
                        {.kind = ASK_GRANTS, .key = STR("u1"), .limit = 9}};
        store_ask(conn, p->a, asks, sizeof asks / sizeof asks[0], test_done, &r);
        assert_true(r.rc == RC_OK || r.rc == RC_MEMORY || r.rc == RC_IO);
        /* An answer is right or there is none: "no such code" would be a lie. */
        if (r.rc == RC_OK) {
            assert_non_null(asks[0].u.code);
            assert_non_null(asks[1].u.user);
            assert_int_equal(asks[2].count, 1);
            assert_non_null(asks[3].u.device);
            assert_non_null(asks[3].owner);
            assert_non_null(asks[4].u.access_token);
            assert_non_null(asks[4].family);
            assert_int_equal(asks[5].count, 1);
            assert_int_equal(asks[6].count, 1);
            assert_int_equal(asks[7].count, 1);
            assert_non_null(asks[7].u.grants[0].client);
        }
        store_generation(conn);
        if (tries == 1)
            assert_int_equal(r.rc, RC_OK);
        else
            n = fault_disarm() ? n : -1;
    }
    if (!connected)
        fault_disarm();
    else
        store_disconnect(conn);
    test_loop_free(&loop);
    return n >= 0;
}

static void put_what_is_asked(play_t *p)
{
    device_t d = test_device("d", STR("CODE"));
    family_t f = test_family(STR("f1"));
    access_token_t t = test_access_token("t", f.id);
    consent_t c = {.user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("r")};
    revoked_t r = {.kind = REVOKED_TOKEN, .key = STR("f1.x"), .at = TEST_NOW};
    d.user_id = STR("u1");
    put_device(p, &d);
    put_family(p, &f);
    put_access_token(p, &t);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
}

static void ask_under_all(fault_t fault)
{
    play_t *p = begin();
    user_t u = test_user(STR("u1"), STR("mia"));
    client_t c = test_client(STR("c1"));
    put_user(p, &u);
    put_client(p, &c);
    put_what_is_asked(p);
    int n = 0;
    while (ask_under(p, fault, n))
        n++;
    assert_true(n > 0);
    end(p);
}

static void no_memory_answers_nothing_wrong(void **state)
{
    ask_under_all(FAULT_MEMORY);
}

static void failed_read_answers_nothing_wrong(void **state)
{
    ask_under_all(FAULT_READ);
}

/* Opening, on a database that another process left unclean. */
static bool open_under(fault_t fault, int n)
{
    play_t *p = begin();
    store_config_t config = {
        .driver = STR("sqlite"), .path = str_c(p->path), .clock = clock_fake(&p->clock)};
    store_t *second = NULL;
    str_t why = STR_UNSET;
    fault_arm(fault, n);
    rc_t rc = store_open(p->a, &config, &second, &why);
    bool struck = fault_disarm();
    if (rc == RC_OK) {
        store_close(second);
    } else {
        assert_true(struck);
        assert_true(str_contains(why, STR("database")) || rc == RC_MEMORY);
        assert_true(str_is_set(why));
    }
    play_close(p);
    /* The same on a new file. */
    remove(p->path);
    fault_arm(fault, n);
    rc = store_open(p->a, &config, &second, &why);
    struck |= fault_disarm();
    if (rc == RC_OK)
        store_close(second);
    play_open(p);
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    end(p);
    return struck;
}

static void every_failure_to_open_gives_a_sentence(void **state)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        int n = 0;
        while (open_under((fault_t)fault, n))
            n = wider(n);
        /* Nothing is cut short at opening. */
        assert_true(n > 0 || fault == FAULT_TRUNCATE);
    }
}

static void failure_at_closing_loses_nothing(void **state)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        bool struck = true;
        for (int n = 0; struck; n = wider(n)) {
            play_t *p = begin();
            job_t job;
            start(p, &job, 0);
            assert_int_equal(finish(p, &job), RC_OK);
            fault_arm((fault_t)fault, n);
            play_close(p);
            struck = fault_disarm();
            play_open(p);
            check(p, &job);
            end(p);
        }
    }
}

static void acknowledged_write_is_synced(void **state)
{
    play_t *p = *state;
    for (int i = 0; i < 20; i++) {
        client_t c = test_client(arena_printf(p->a, "c%d", i));
        put_client(p, &c);
        assert_int_equal(fault_unsynced(), 0);
    }
}

static void many_jobs_share_a_sync(void **state)
{
    enum { MANY = 400 };
    play_t *p = *state;
    static effects_t effects[MANY];
    static test_result_t results[MANY];
    int before = fault_syncs();
    for (int i = 0; i < MANY; i++) {
        client_t *c = ARENA_NEW(p->a, client_t);
        *c = test_client(arena_printf(p->a, "c%d", i));
        effects_add(&effects[i], EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = c;
        store_apply(p->conn, &effects[i], test_done, &results[i]);
    }
    for (int i = 0; i < MANY; i++) {
        while (!results[i].done)
            test_loop_step(&p->loop);
        assert_int_equal(results[i].rc, RC_OK);
    }
    assert_true(fault_syncs() - before < MANY / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_leaves_nothing_half_applied),
        cmocka_unit_test(failed_write_leaves_nothing_half_applied),
        cmocka_unit_test(full_disk_leaves_nothing_half_applied),
        cmocka_unit_test(failed_sync_acknowledges_nothing),
        cmocka_unit_test(no_memory_answers_nothing_wrong),
        cmocka_unit_test(failed_read_answers_nothing_wrong),
        cmocka_unit_test(every_failure_to_open_gives_a_sentence),
        cmocka_unit_test(failure_at_closing_loses_nothing),
        ON_SQLITE(acknowledged_write_is_synced),
        ON_SQLITE(many_jobs_share_a_sync),
    };
    if (!fault_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
