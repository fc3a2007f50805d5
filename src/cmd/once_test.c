#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/once.h"

#include <unistd.h>

typedef struct {
    once_t once;
    once_result_t result;
    char order[16];
    size_t n;
} play_t;

static void note_a(void *arg)
{
    play_t *p = arg;
    p->order[p->n++] = 'a';
}

static void note_b(void *arg)
{
    play_t *p = arg;
    p->order[p->n++] = 'b';
}

static void finish(void *arg)
{
    play_t *p = arg;
    once_done(&p->result, RC_CONFLICT, 3);
}

static void *post_later(void *arg)
{
    play_t *p = arg;
    post_port_t port = once_port(&p->once);
    usleep(20000);
    assert_int_equal(port.post(port.ctx, note_a, p), RC_OK);
    usleep(20000);
    assert_int_equal(port.post(port.ctx, finish, p), RC_OK);
    return NULL;
}

static void waits_for_another_thread(void **state)
{
    (void)state;
    play_t p = {0};
    pthread_t thread;
    once_init(&p.once);
    assert_int_equal(pthread_create(&thread, NULL, post_later, &p), 0);
    once_wait(&p.once, &p.result);
    pthread_join(thread, NULL);
    assert_true(p.result.done);
    assert_int_equal(p.result.rc, RC_CONFLICT);
    assert_int_equal(p.result.failed, 3);
    assert_string_equal(p.order, "a");
}

static void runs_in_the_order_posted(void **state)
{
    (void)state;
    play_t p = {0};
    once_init(&p.once);
    post_port_t port = once_port(&p.once);
    assert_int_equal(port.post(port.ctx, note_b, &p), RC_OK);
    assert_int_equal(port.post(port.ctx, note_a, &p), RC_OK);
    assert_int_equal(port.post(port.ctx, finish, &p), RC_OK);
    assert_int_equal(port.post(port.ctx, note_a, &p), RC_OK);
    once_wait(&p.once, &p.result);
    assert_string_equal(p.order, "ba");
    assert_int_equal(p.once.n, 1);
}

/* A completion that came before anybody waited. */
static void done_already_returns_at_once(void **state)
{
    (void)state;
    play_t p = {0};
    once_init(&p.once);
    once_done(&p.result, RC_OK, 0);
    once_wait(&p.once, &p.result);
    assert_int_equal(p.result.rc, RC_OK);
}

static void full_queue_is_busy(void **state)
{
    (void)state;
    play_t p = {0};
    once_init(&p.once);
    post_port_t port = once_port(&p.once);
    for (int i = 0; i < 8; i++)
        assert_int_equal(port.post(port.ctx, note_a, &p), RC_OK);
    assert_int_equal(port.post(port.ctx, note_a, &p), RC_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_another_thread),
        cmocka_unit_test(runs_in_the_order_posted),
        cmocka_unit_test(done_already_returns_at_once),
        cmocka_unit_test(full_queue_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
