/* What keep.h promises, of each driver. */
#include "core/core_test_util.h"
#include "tokens/tokens_test_drivers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 20000, THREADS = 4, NAME_CHARS = 120 };

static rc_t put(tokens_test_keep_t *k, str_t name, str_t text)
{
    str_t why;
    return tokens_test_put(k, name, text, &why);
}

static rc_t get(tokens_test_keep_t *k, str_t name, str_t *text)
{
    str_t why;
    return tokens_test_get(k, name, text, &why);
}

static rc_t drop(tokens_test_keep_t *k, str_t name)
{
    str_t why;
    return k->keep.erase(k->keep.ctx, k->arena, name, &why);
}

static void assert_names(tokens_test_keep_t *k, const str_t *want, size_t n)
{
    str_list_t names;
    str_t why;
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    assert_int_equal(names.n, n);
    for (size_t i = 0; i < n; i++)
        assert_str(names.v[i], want[i]);
}

static rc_t take(tokens_test_keep_t *k, str_t name, int64_t ms, tokens_lock_t **lock)
{
    return k->keep.lock(k->keep.ctx, name, ms, lock);
}

static void give(tokens_test_keep_t *k, tokens_lock_t *lock)
{
    k->keep.unlock(k->keep.ctx, lock);
}

static void nothing_is_kept_under_a_new_name(void **state)
{
    str_t text;
    assert_int_equal(get(*state, STR("tokens-1"), &text), RC_NOT_FOUND);
    assert_false(str_is_set(text));
    assert_names(*state, NULL, 0);
}

static void what_was_written_is_read(void **state)
{
    assert_int_equal(put(*state, STR("tokens-1"), STR("{\"a\":1}")), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), STR("{\"a\":1}"));
}

static void a_write_replaces_what_was_there(void **state)
{
    assert_int_equal(put(*state, STR("tokens-1"), STR("the first, which is longer")), RC_OK);
    assert_int_equal(put(*state, STR("tokens-1"), STR("second")), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), STR("second"));
    assert_names(*state, (str_t[]){STR("tokens-1")}, 1);
}

static void names_do_not_mix(void **state)
{
    assert_int_equal(put(*state, STR("tokens-1"), STR("one")), RC_OK);
    assert_int_equal(put(*state, STR("tokens-12"), STR("two")), RC_OK);
    assert_int_equal(put(*state, STR("tokens-"), STR("three")), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), STR("one"));
    tokens_test_assert_kept(*state, STR("tokens-12"), STR("two"));
    tokens_test_assert_kept(*state, STR("tokens-"), STR("three"));
}

static void an_empty_text_is_kept(void **state)
{
    assert_int_equal(put(*state, STR("tokens-1"), STR("")), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), STR(""));
}

static void every_byte_is_kept(void **state)
{
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    assert_int_equal(put(*state, STR("tokens-1"), str_of(bytes, sizeof bytes)), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), str_of(bytes, sizeof bytes));
}

static void a_text_that_is_too_long_leaves_the_old_one(void **state)
{
    tokens_test_keep_t *k = *state;
    char *p = arena_alloc(k->arena, TOKENS_KEEP_BYTES + 1);
    assert_non_null(p);
    memset(p, 'x', TOKENS_KEEP_BYTES + 1);
    assert_int_equal(put(k, STR("tokens-1"), STR("old")), RC_OK);
    assert_int_equal(put(k, STR("tokens-1"), str_of(p, TOKENS_KEEP_BYTES + 1)), RC_LIMIT);
    tokens_test_assert_kept(k, STR("tokens-1"), STR("old"));
    assert_int_equal(put(k, STR("tokens-1"), str_of(p, TOKENS_KEEP_BYTES)), RC_OK);
    tokens_test_assert_kept(k, STR("tokens-1"), str_of(p, TOKENS_KEEP_BYTES));
}

static void what_was_erased_is_gone(void **state)
{
    str_t text;
    assert_int_equal(drop(*state, STR("tokens-1")), RC_NOT_FOUND);
    assert_int_equal(put(*state, STR("tokens-1"), STR("one")), RC_OK);
    assert_int_equal(put(*state, STR("tokens-2"), STR("two")), RC_OK);
    assert_int_equal(drop(*state, STR("tokens-1")), RC_OK);
    assert_int_equal(get(*state, STR("tokens-1"), &text), RC_NOT_FOUND);
    assert_int_equal(drop(*state, STR("tokens-1")), RC_NOT_FOUND);
    assert_names(*state, (str_t[]){STR("tokens-2")}, 1);
    assert_int_equal(put(*state, STR("tokens-1"), STR("again")), RC_OK);
    tokens_test_assert_kept(*state, STR("tokens-1"), STR("again"));
}

static void names_are_sorted_and_hold_no_locks(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock;
    assert_int_equal(take(k, STR("server-0"), WAIT_MS, &lock), RC_OK);
    assert_int_equal(put(k, STR("tokens-b"), STR("1")), RC_OK);
    assert_int_equal(put(k, STR("client-z"), STR("2")), RC_OK);
    assert_int_equal(put(k, STR("tokens-a"), STR("3")), RC_OK);
    assert_names(k, (str_t[]){STR("client-z"), STR("tokens-a"), STR("tokens-b")}, 3);
    give(k, lock);
    assert_names(k, (str_t[]){STR("client-z"), STR("tokens-a"), STR("tokens-b")}, 3);
}

static void bad_names_are_refused(void **state)
{
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT(".."),
        STR_INIT("../tokens-1"),
        STR_INIT("a/b"),
        STR_INIT("a.b"),
        STR_INIT("A"),
        STR_INIT("a_b"),
        STR_INIT("a b"),
        STR_INIT("a\0b"),
        STR_INIT("\xC3\xA4"),
        STR_INIT("01234567890123456789012345678901234567890123456789012345678901234"),
    };
    tokens_test_keep_t *k = *state;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_t text;
        tokens_lock_t *lock;
        assert_int_equal(put(k, BAD[i], STR("x")), RC_MALFORMED);
        assert_int_equal(get(k, BAD[i], &text), RC_MALFORMED);
        assert_int_equal(drop(k, BAD[i]), RC_MALFORMED);
        assert_int_equal(take(k, BAD[i], 0, &lock), RC_MALFORMED);
        assert_null(lock);
    }
    str_t longest = str_first(BAD[ROWS(BAD) - 1], TOKENS_NAME_BYTES);
    assert_int_equal(put(k, longest, STR("x")), RC_OK);
    tokens_test_assert_kept(k, longest, STR("x"));
}

static void a_lock_that_is_held_is_not_given_twice(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock, *other, *again;
    clock_port_t clock = clock_system();
    assert_int_equal(take(k, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    int64_t from = clock.mono_ms(clock.ctx);
    assert_int_equal(take(k, STR("tokens-1"), 60, &again), RC_BUSY);
    assert_null(again);
    assert_true(clock.mono_ms(clock.ctx) - from >= 60);
    assert_int_equal(take(k, STR("tokens-1"), 0, &again), RC_BUSY);
    assert_int_equal(take(k, STR("tokens-2"), 0, &other), RC_OK);
    give(k, other);
    give(k, lock);
    assert_int_equal(take(k, STR("tokens-1"), 0, &again), RC_OK);
    give(k, again);
}

typedef struct {
    tokens_test_keep_t *k;
    arena_t *arena;
    rc_t rc;
} worker_t;

static void *take_and_give(void *arg)
{
    worker_t *w = arg;
    tokens_lock_t *lock;
    w->rc = take(w->k, STR("tokens-1"), WAIT_MS, &lock);
    if (w->rc == RC_OK)
        give(w->k, lock);
    return NULL;
}

static void who_waits_for_a_lock_hinders_nobody_and_gets_it(void **state)
{
    tokens_test_keep_t *k = *state;
    worker_t w = {.k = k};
    tokens_lock_t *lock;
    pthread_t thread;
    assert_int_equal(take(k, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    assert_int_equal(pthread_create(&thread, NULL, take_and_give, &w), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(put(k, STR("tokens-1"), STR("text")), RC_OK);
        tokens_test_assert_kept(k, STR("tokens-1"), STR("text"));
    }
    give(k, lock);
    pthread_join(thread, NULL);
    assert_int_equal(w.rc, RC_OK);
}

static rc_t count_once(worker_t *w)
{
    const tokens_keep_t *keep = &w->k->keep;
    secret_t text;
    str_t why;
    arena_reset(w->arena);
    rc_t rc = keep->read(keep->ctx, w->arena, STR("tokens-1"), &text, &why);
    if (rc != RC_OK)
        return rc;
    int n = atoi(arena_cstr(w->arena, text.hidden));
    str_t next = arena_printf(w->arena, "%d", n + 1);
    return keep->write(keep->ctx, w->arena, STR("tokens-1"), secret_of(next), &why);
}

static void *count(void *arg)
{
    worker_t *w = arg;
    for (int i = 0; i < w->k->driver->rounds && w->rc == RC_OK; i++) {
        tokens_lock_t *lock;
        w->rc = take(w->k, STR("tokens-1"), WAIT_MS, &lock);
        if (w->rc != RC_OK)
            break;
        w->rc = count_once(w);
        give(w->k, lock);
    }
    return NULL;
}

static void threads_that_count_under_a_lock_lose_nothing(void **state)
{
    tokens_test_keep_t *k = *state;
    worker_t w[THREADS];
    pthread_t threads[THREADS];
    assert_int_equal(put(k, STR("tokens-1"), STR("0")), RC_OK);
    for (size_t i = 0; i < THREADS; i++) {
        w[i] = (worker_t){.k = k, .arena = arena_new(TEST_ARENA_BYTES)};
        assert_int_equal(pthread_create(&threads[i], NULL, count, &w[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        arena_free(w[i].arena);
        assert_int_equal(w[i].rc, RC_OK);
    }
    tokens_test_assert_kept(k, STR("tokens-1"),
                            arena_printf(k->arena, "%d", THREADS * k->driver->rounds));
}

static void what_lasts_is_there_after_opening_again(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t text;
    assert_int_equal(put(k, STR("tokens-1"), STR("text")), RC_OK);
    tokens_test_reopen(k);
    assert_int_equal(get(k, STR("tokens-1"), &text), k->driver->lasts ? RC_OK : RC_NOT_FOUND);
    if (k->driver->lasts)
        assert_str(text, STR("text"));
}

#define CASE(fn)                                                                                   \
    {                                                                                              \
#fn, fn                                                                                    \
    }
static const struct {
    const char *name;
    CMUnitTestFunction test;
} CASES[] = {
    CASE(nothing_is_kept_under_a_new_name),
    CASE(what_was_written_is_read),
    CASE(a_write_replaces_what_was_there),
    CASE(names_do_not_mix),
    CASE(an_empty_text_is_kept),
    CASE(every_byte_is_kept),
    CASE(a_text_that_is_too_long_leaves_the_old_one),
    CASE(what_was_erased_is_gone),
    CASE(names_are_sorted_and_hold_no_locks),
    CASE(bad_names_are_refused),
    CASE(a_lock_that_is_held_is_not_given_twice),
    CASE(who_waits_for_a_lock_hinders_nobody_and_gets_it),
    CASE(threads_that_count_under_a_lock_lose_nothing),
    CASE(what_lasts_is_there_after_opening_again),
};

static int run(const tokens_test_driver_t *driver)
{
    static char names[ROWS(CASES)][NAME_CHARS];
    struct CMUnitTest tests[ROWS(CASES)];
    for (size_t i = 0; i < ROWS(CASES); i++) {
        snprintf(names[i], sizeof names[i], "%s: %s", driver->name, CASES[i].name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = CASES[i].test,
            .setup_func = tokens_test_setup,
            .teardown_func = tokens_test_teardown,
            .initial_state = (void *)(uintptr_t)driver,
        };
    }
    const char *reason;
    if (driver->prepare && !driver->prepare(&reason)) {
        print_message("%s is not tried: %s\n", driver->name, reason);
        return 0;
    }
    int failed = _cmocka_run_group_tests(driver->name, tests, ROWS(tests), NULL, NULL);
    if (driver->dismiss)
        driver->dismiss();
    return failed;
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < TOKENS_TEST_DRIVER_COUNT; i++)
        failed += run(&TOKENS_TEST_DRIVERS[i]);
    return failed;
}
