#include "core/core_test_util.h"

#include "proxy/trail.h"

enum { ITEMS = TRAIL_BATCH + 10 };

typedef struct {
    trail_t trail;
    trail_item_t items[ITEMS];
    size_t writes, written, done;
    rc_t rc, last;
} fixture_t;

static rc_t write_events(void *ctx, const audit_event_t *const *events, size_t n)
{
    fixture_t *f = ctx;
    f->writes++;
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(events[i], &f->items[f->written + i].event);
    f->written += n;
    return f->rc;
}

static void on_done(void *arg, rc_t rc)
{
    fixture_t *f = arg;
    f->done++;
    f->last = rc;
}

static void put(fixture_t *f, size_t i)
{
    f->items[i].done = on_done;
    f->items[i].arg = f;
    trail_put(&f->trail, &f->items[i]);
}

static fixture_t *make(arena_t *a)
{
    fixture_t *f = ARENA_NEW(a, fixture_t);
    assert_non_null(f);
    trail_init(&f->trail, (trail_port_t){write_events, NULL, f}, NULL);
    return f;
}

static void one_turn_is_one_write(void **state)
{
    fixture_t *f = make(*state);
    for (size_t i = 0; i < 20; i++)
        put(f, i);
    assert_int_equal(f->done, 0);
    trail_flush(&f->trail);
    assert_int_equal(f->writes, 1);
    assert_int_equal(f->done, 20);
    trail_flush(&f->trail);
    assert_int_equal(f->writes, 1);
}

static void a_long_turn_is_more_than_one(void **state)
{
    fixture_t *f = make(*state);
    for (size_t i = 0; i < ITEMS; i++)
        put(f, i);
    trail_flush(&f->trail);
    assert_int_equal(f->writes, 2);
    assert_int_equal(f->done, ITEMS);
}

static void a_failure_reaches_all_of_the_write(void **state)
{
    fixture_t *f = make(*state);
    f->rc = RC_IO;
    put(f, 0);
    put(f, 1);
    trail_flush(&f->trail);
    assert_int_equal(f->done, 2);
    assert_int_equal(f->last, RC_IO);
    f->rc = RC_OK;
    put(f, 2);
    trail_flush(&f->trail);
    assert_int_equal(f->last, RC_OK);
}

static void what_is_silent_is_not_written(void **state)
{
    fixture_t *f = make(*state);
    f->rc = RC_IO;
    f->items[0].silent = true;
    put(f, 0);
    assert_int_equal(f->done, 0);
    trail_flush(&f->trail);
    assert_int_equal(f->writes, 0);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->last, RC_OK);
}

static void put_another(void *arg, rc_t rc)
{
    fixture_t *f = arg;
    (void)rc;
    f->done++;
    put(f, 1);
}

static void what_is_queued_meanwhile_is_written_too(void **state)
{
    fixture_t *f = make(*state);
    f->items[0].done = put_another;
    f->items[0].arg = f;
    trail_put(&f->trail, &f->items[0]);
    trail_flush(&f->trail);
    assert_int_equal(f->writes, 2);
    assert_int_equal(f->done, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(one_turn_is_one_write),
        ARENA_TEST(a_long_turn_is_more_than_one),
        ARENA_TEST(a_failure_reaches_all_of_the_write),
        ARENA_TEST(what_is_silent_is_not_written),
        ARENA_TEST(what_is_queued_meanwhile_is_written_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
