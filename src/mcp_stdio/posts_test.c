#include "core/core_test_util.h"

#include "core/limits.h"
#include "mcp_stdio/posts.h"

#include <poll.h>
#include <pthread.h>

enum { THREADS = 4, EACH = 2000 };

static unsigned ran; /* by the thread of the test alone */

static void count(void *arg)
{
    ran++;
}

static bool rings(const mcp_posts_t *p, int wait_ms)
{
    struct pollfd fd = {.fd = mcp_posts_fd(p), .events = POLLIN};
    return poll(&fd, 1, wait_ms) == 1;
}

static void what_is_posted_rings_and_runs_in_order(void **state)
{
    mcp_posts_t *p = mcp_posts_new();
    assert_non_null(p);
    post_port_t port = mcp_posts_port(p);
    ran = 0;
    assert_false(rings(p, 0));
    assert_int_equal(port.post(port.ctx, count, NULL), RC_OK);
    assert_int_equal(port.post(port.ctx, count, NULL), RC_OK);
    assert_true(rings(p, 0));
    mcp_posts_run(p);
    assert_int_equal(ran, 2);
    assert_false(rings(p, 0));
    mcp_posts_free(p);
}

static void full_queue_is_busy(void **state)
{
    mcp_posts_t *p = mcp_posts_new();
    assert_non_null(p);
    post_port_t port = mcp_posts_port(p);
    ran = 0;
    for (size_t i = 0; i < LIMIT_HTTP_POSTS; i++)
        assert_int_equal(port.post(port.ctx, count, NULL), RC_OK);
    assert_int_equal(port.post(port.ctx, count, NULL), RC_BUSY);
    mcp_posts_run(p);
    assert_int_equal(ran, LIMIT_HTTP_POSTS);
    assert_int_equal(port.post(port.ctx, count, NULL), RC_OK);
    mcp_posts_run(p);
    assert_int_equal(ran, LIMIT_HTTP_POSTS + 1);
    mcp_posts_free(p);
}

static void *post_many(void *arg)
{
    post_port_t port = mcp_posts_port(arg);
    for (unsigned i = 0; i < EACH; i++) {
        if (port.post(port.ctx, count, NULL) != RC_OK)
            return arg;
    }
    return NULL;
}

static void no_post_of_other_threads_is_lost(void **state)
{
    pthread_t threads[THREADS];
    mcp_posts_t *p = mcp_posts_new();
    assert_non_null(p);
    ran = 0;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, p), 0);
    while (ran < THREADS * EACH) {
        assert_true(rings(p, 10000));
        mcp_posts_run(p);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    mcp_posts_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_posted_rings_and_runs_in_order),
        cmocka_unit_test(full_queue_is_busy),
        cmocka_unit_test(no_post_of_other_threads_is_lost),
    };
    return cmocka_run_group_tests_name("posts", tests, NULL, NULL);
}
