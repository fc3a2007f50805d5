/* The pool over the double of a server (postgres_test_server.h), or over two. */
#ifndef STORE_POSTGRES_TEST_WORLD_H
#define STORE_POSTGRES_TEST_WORLD_H

#include "store/postgres_test_server.h"
#include "store/postgres_thread.h"
#include "store/store_test_util.h"

enum { WORLD_WAIT_MS = 3000 };

typedef struct {
    fake_t server;
    fake_t other; /* a second host, where `hosts` is 2 */
    int hosts;
    arena_t *a;
    postgres_pool_t *pool;
    test_loop_t loop;
    uint32_t connections;
    int64_t wait_ms;
} world_t;

/* What came of a job. */
typedef struct {
    bool done;
    rc_t rc;
    size_t failed;
    unsigned tries;
} outcome_t;

/** Setup and teardown of cmocka; the test opens the pool. */
int world_begin(void **state);
int world_end(void **state);
/** Opens the pool, with more for its conninfo. */
rc_t world_try_open(world_t *w, const char *more, str_t *why);
/** Opens the pool and waits until all its connections are up. */
void world_open(world_t *w);

store_health_t world_health(const world_t *w);
/** Waits until exactly so many connections are up. */
void world_await_up(const world_t *w, uint32_t connections);
/** Waits, `ms` at most, until at least so many were made anew. */
void world_await_reconnects(const world_t *w, uint64_t reconnects, int ms);

/** A job of as many statements, each for an effect of its own; the first is CODE_CONSUME, the
 * others are SESSION_DELETE. */
postgres_job_t *world_job(world_t *w, outcome_t *out, size_t n);
/** Sends a job of two. */
void world_push(world_t *w, outcome_t *out);
outcome_t world_await(world_t *w, const outcome_t *out);
outcome_t world_call(world_t *w);
/** How often the server committed a change. */
int world_commits(world_t *w);

int64_t test_now_ms(void);
void test_pause_ms(int ms);

#define IN_WORLD(test)                                                                             \
    {                                                                                              \
#test, test, world_begin, world_end, NULL                                                  \
    }

#endif
