#include "mcp_server/loop_test_util.h"

void test_loop_init(test_loop_t *l)
{
    *l = (test_loop_t){.first = 0};
    pthread_mutex_init(&l->lock, NULL);
}

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    test_loop_t *l = ctx;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&l->lock);
    if (l->gone)
        rc = RC_IO;
    else if (l->full || l->count == TEST_LOOP_POSTS)
        rc = RC_BUSY;
    if (rc == RC_OK) {
        size_t at = (l->first + l->count++) % TEST_LOOP_POSTS;
        l->posts[at].fn = fn;
        l->posts[at].arg = arg;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

post_port_t test_loop_port(test_loop_t *l)
{
    return (post_port_t){post, l};
}

static bool next(test_loop_t *l, void (**fn)(void *arg), void **arg)
{
    pthread_mutex_lock(&l->lock);
    bool some = l->count > 0;
    if (some) {
        *fn = l->posts[l->first].fn;
        *arg = l->posts[l->first].arg;
        l->first = (l->first + 1) % TEST_LOOP_POSTS;
        l->count--;
    }
    pthread_mutex_unlock(&l->lock);
    return some;
}

size_t test_loop_run(test_loop_t *l)
{
    void (*fn)(void *arg);
    void *arg;
    size_t n = 0;
    for (; next(l, &fn, &arg); n++)
        fn(arg);
    return n;
}
