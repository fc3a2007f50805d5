/* What holds of every decision: order, all or nothing, one view, neighbours; for every driver. */
#include "store/store_test_util.h"

static void no_effect_is_applied(void **state)
{
    play_t *p = *state;
    assert_applied(p);
}

static void later_effects_see_earlier_ones(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c"));
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id), rotated = r;
    play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c;
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = c.id;
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = &rotated;
    assert_applied(p);
    assert_int_equal(get_client(p, c.id)->expires_at, 0);
    assert_int_equal(get_refresh(p, "r")->uses, 1);
}

static void effects_run_in_order(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    family_t end = {.id = f.id, .revoked_at = TEST_NOW, .revoked_reason = STR("x")};
    refresh_t r = test_refresh("r", f.id);
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f;
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &end;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    assert_refused(p, RC_CONFLICT, 2);
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &end;
    assert_applied(p);
}

/* Eleven changes of every kind, then one that cannot be. */
static void conflict_leaves_nothing_behind(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia")), u2 = test_user(STR("u2"), STR("tom"));
    user_t password = {.id = u.id, .password = STR("new")};
    session_t s = test_session("s", u.id);
    client_t c = test_client(STR("c1"));
    code_t code = test_code("c", STR("f1"));
    family_t f = test_family(STR("f1")), f2 = test_family(STR("f2"));
    refresh_t r = test_refresh("r", f.id);
    interaction_t i = test_interaction("i");
    put_user(p, &u);
    put_session(p, &s);
    put_client(p, &c);
    put_code(p, &code);
    put_family(p, &f);
    put_refresh(p, &r);
    play_add(p, EFFECT_USER_INSERT)->u.user = &u2;
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = &r;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &code.id;
    play_add(p, EFFECT_USER_SET_PASSWORD)->u.user = &password;
    play_add(p, EFFECT_USER_DISABLE)->u.key = u.id;
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f2;
    play_add(p, EFFECT_INTERACTION_INSERT)->u.interaction = &i;
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = c.id;
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = c.id;
    assert_refused(p, RC_CONFLICT, 8);
    assert_null(get_user(p, u2.id));
    assert_int_equal(get_refresh(p, "r")->uses, 0);
    assert_str(get_user(p, u.id)->password, u.password);
    assert_false(get_user(p, u.id)->disabled);
    assert_non_null(get_session(p, "s"));
    assert_int_equal(get_code(p, "c")->consumed_at, 0);
    assert_null(get_family(p, f2.id));
    assert_null(get_interaction(p, "i"));
    assert_non_null(get_client(p, c.id));
    assert_int_equal(get_family(p, f.id)->revoked_at, 0);
}

enum { MANY = 300 };

/* All of them wait at once; every third cannot be. */
static void conflict_spares_its_neighbours(void **state)
{
    static effects_t effects[MANY];
    static test_result_t results[MANY];
    play_t *p = *state;
    client_t taken = test_client(STR("taken"));
    put_client(p, &taken);
    for (int i = 0; i < MANY; i++) {
        client_t *own = ARENA_NEW(p->a, client_t);
        assert_non_null(own);
        *own = test_client(arena_printf(p->a, "c%d", i));
        effects[i].n = 0;
        results[i].done = false;
        effects_add(&effects[i], EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = own;
        if (i % 3 == 0)
            effects_add(&effects[i], EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = &taken;
        store_apply(p->conn, &effects[i], test_done, &results[i]);
    }
    for (int i = 0; i < MANY; i++) {
        while (!results[i].done)
            test_loop_step(&p->loop);
        assert_int_equal(results[i].rc, i % 3 == 0 ? RC_CONFLICT : RC_OK);
        if (i % 3 == 0)
            assert_int_equal(results[i].failed, 1);
        bool there = get_client(p, arena_printf(p->a, "c%d", i)) != NULL;
        assert_int_equal(there, i % 3 != 0);
    }
}

static void jobs_of_one_worker_keep_their_order(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    effects_t first = {0}, second = {0};
    test_result_t one = {0}, two = {0};
    effects_add(&first, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &f;
    effects_add(&second, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &r;
    store_apply(p->conn, &first, test_done, &one);
    store_apply(p->conn, &second, test_done, &two);
    while (!one.done || !two.done)
        test_loop_step(&p->loop);
    assert_int_equal(one.rc, RC_OK);
    assert_int_equal(two.rc, RC_OK);
}

static void every_connection_sees_what_was_acknowledged(void **state)
{
    play_t *p = *state;
    test_loop_t loop;
    test_loop_init(&loop);
    store_conn_t *other = play_connect(p->store, &loop);
    for (int i = 0; i < 50; i++) {
        test_result_t r = {0};
        client_t c = test_client(arena_printf(p->a, "c%d", i));
        ask_t ask = {.kind = ASK_CLIENT, .key = c.id};
        put_client(p, &c);
        store_ask(other, p->a, &ask, 1, test_done, &r);
        while (!r.done)
            test_loop_step(&loop);
        assert_non_null(ask.u.client);
    }
    store_disconnect(other);
    test_loop_free(&loop);
}

static void answer_that_does_not_fit_the_arena_is_no_memory(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    bool answered = false;
    for (size_t budget = 16; budget < 4096; budget += 16) {
        arena_t *small = arena_new(budget);
        test_result_t r = {0};
        ask_t asks[] = {{.kind = ASK_CLIENT, .key = c.id}, {.kind = ASK_CLIENTS, .limit = 2}};
        store_ask(p->conn, small, asks, 2, test_done, &r);
        while (!r.done)
            test_loop_step(&p->loop);
        assert_true(r.rc == RC_OK || r.rc == RC_MEMORY);
        answered |= r.rc == RC_OK;
        arena_free(small);
    }
    assert_true(answered);
    assert_non_null(get_client(p, c.id));
}

/* Queues as many inserts as there are results, and closes the store at once. */
static void close_with_writes_waiting(play_t *p, test_result_t *results, int n)
{
    effects_t *effects = ARENA_ARRAY(p->a, (size_t)n, effects_t);
    assert_non_null(effects);
    for (int i = 0; i < n; i++) {
        client_t *c = ARENA_NEW(p->a, client_t);
        assert_non_null(c);
        *c = test_client(arena_printf(p->a, "c%d", i));
        effects_add(&effects[i], EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = c;
        store_apply(p->conn, &effects[i], test_done, &results[i]);
    }
    play_close(p);
}

static void closing_waits_for_queued_writes(void **state)
{
    play_t *p = *state;
    test_result_t results[100] = {0};
    close_with_writes_waiting(p, results, 100);
    while (p->loop.n > 0)
        test_loop_step(&p->loop);
    play_open(p);
    bool keeps = !str_eq(str_c(p->driver), STR("memory"));
    for (int i = 0; i < 100; i++) {
        assert_true(results[i].done);
        assert_int_equal(results[i].rc, RC_OK);
        assert_int_equal(get_client(p, arena_printf(p->a, "c%d", i)) != NULL, keeps);
    }
}

static void loop_that_has_ended_gets_no_answer(void **state)
{
    play_t *p = *state;
    test_result_t results[100] = {0};
    p->loop.gone = true;
    close_with_writes_waiting(p, results, 100);
    p->loop.gone = false;
    play_open(p);
    assert_int_equal(p->loop.n, 0);
    for (int i = 0; i < 100; i++)
        assert_false(results[i].done);
}

static void unknown_driver_is_refused_with_a_sentence(void **state)
{
    play_t *p = *state;
    store_config_t config = {.driver = STR("oracle"), .clock = clock_fake(&p->clock)};
    store_t *store;
    str_t why = STR_UNSET;
    assert_int_equal(store_open(p->a, &config, &store, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("sqlite, memory or postgres")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(no_effect_is_applied),
        ON_EVERY_STORE(later_effects_see_earlier_ones),
        ON_EVERY_STORE(effects_run_in_order),
        ON_EVERY_STORE(conflict_leaves_nothing_behind),
        ON_EVERY_STORE(conflict_spares_its_neighbours),
        ON_EVERY_STORE(jobs_of_one_worker_keep_their_order),
        ON_EVERY_STORE(every_connection_sees_what_was_acknowledged),
        ON_EVERY_STORE(answer_that_does_not_fit_the_arena_is_no_memory),
        ON_EVERY_STORE(closing_waits_for_queued_writes),
        ON_EVERY_STORE(loop_that_has_ended_gets_no_answer),
        ON_EVERY_STORE(unknown_driver_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
