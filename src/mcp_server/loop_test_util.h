/* A loop for tests: what is posted waits until it is run, on whatever thread runs it. */
#ifndef MCP_SERVER_LOOP_TEST_UTIL_H
#define MCP_SERVER_LOOP_TEST_UTIL_H

#include "core/ports.h"

#include <pthread.h>

enum { TEST_LOOP_POSTS = 4096 };

typedef struct {
    pthread_mutex_t lock;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } posts[TEST_LOOP_POSTS];
    size_t first, count;
    bool gone, full;
} test_loop_t;

void test_loop_init(test_loop_t *l);
post_port_t test_loop_port(test_loop_t *l);
/** Runs what waits, and what comes meanwhile; how many that were. */
size_t test_loop_run(test_loop_t *l);

#endif
