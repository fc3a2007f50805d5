/* What the tests of the store share: a store of each driver in turn, and calls that wait. */
#ifndef STORE_TEST_UTIL_H
#define STORE_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store.h"

#include <pthread.h>

enum { TEST_NOW = 1700000000, TEST_QUEUE = 4096, TEST_SERVER_MS = 30000 };

/* The double of a worker's loop: what is posted waits here until its thread runs it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } queue[TEST_QUEUE];
    size_t first, n;
    bool gone; /* the loop has ended: nothing is taken */
} test_loop_t;

void test_loop_init(test_loop_t *l);
void test_loop_free(test_loop_t *l);
post_port_t test_loop_port(test_loop_t *l);
/** Waits for one call and runs it. */
void test_loop_step(test_loop_t *l);

/* The answer of one call. */
typedef struct {
    bool done;
    rc_t rc;
    size_t failed;
} test_result_t;

void test_done(void *ctx, rc_t rc, size_t failed);

typedef struct {
    arena_t *a;
    clock_fake_t clock;
    store_t *store;
    store_conn_t *conn;
    test_loop_t loop;
    effects_t effects; /* of the next test_apply, which empties it */
    size_t failed;     /* of the last one, and of play_expire */
    int64_t held_ms;   /* of play_expire */
    char dir[64];
    char path[80];
    const char *driver;
    const char *conninfo; /* of the server; NULL: there is none, or the driver needs none */
    void (*test)(void **state);
} play_t;

/* A test for every driver: a test function that takes the play as *state. PostgreSQL also behind a
 * proxy that pools transactions; where there is no server (script/postgres) these are skipped. */
#define ON_EVERY_STORE(test) ON_EMBEDDED(test), ON_SERVED(test)
#define ON_EMBEDDED(test)                                                                          \
    {#test "_memory", test, play_begin_memory, play_end, NULL},                                    \
    {                                                                                              \
#test "_sqlite", test, play_begin_sqlite, play_end, NULL                                   \
    }
#define ON_SERVED(test)                                                                            \
    {#test "_postgres", play_where_served, play_begin_postgres, play_end, (void *)(test)},         \
    {                                                                                              \
#test "_pgbouncer", play_where_served, play_begin_pgbouncer, play_end, (void *)(test)      \
    }
/* A test for those that several processes, or several stores, may have open. */
#define ON_SHARED_STORES(test) ON_SQLITE(test), ON_SERVED(test)
#define ON_SQLITE(test)                                                                            \
    {                                                                                              \
#test, test, play_begin_sqlite, play_end, NULL                                             \
    }

int play_begin_memory(void **state);
int play_begin_sqlite(void **state);
int play_begin_postgres(void **state);
int play_begin_pgbouncer(void **state);
/** Runs p->test, or skips it where there is no server. */
void play_where_served(void **state);
int play_end(void **state);

/** What opens the store of the play. */
store_config_t play_config(const play_t *p);
/** A play of the same store for another process or thread, not opened; nobody frees it. */
void play_twin(const play_t *p, play_t *twin);
/** Makes the store a new one again; it is closed. */
void play_empty(const play_t *p);
/** Opens the store again, with its connection; asserts. */
void play_open(play_t *p);
void play_close(play_t *p);
/** Opens a second connection, for a loop of its own. */
store_conn_t *play_connect(store_t *store, test_loop_t *loop);

effect_t *play_add(play_t *p, effect_kind_t kind);
/** Applies p->effects and waits. */
rc_t play_apply(play_t *p);
/** Asks one question and waits; asserts that it is answered. */
void play_ask(play_t *p, ask_t *ask);
rc_t play_ask_all(play_t *p, ask_t *asks, size_t n);
rc_t play_expire(play_t *p, int64_t now, uint32_t limit);
/** Forgets and waits; what was forgotten lies in p->a. */
rc_t play_forget(play_t *p, store_forget_t *forget);

/** The last apply failed with `rc` at the effect of that index. */
#define assert_refused(p, want, index)                                                             \
    do {                                                                                           \
        assert_int_equal(play_apply(p), want);                                                     \
        assert_int_equal((p)->failed, index);                                                      \
    } while (0)
#define assert_applied(p)     assert_int_equal(play_apply(p), RC_OK)
#define assert_str(got, want) assert_true(str_eq((got), (want)))

hash_t test_hash(const char *text);

/* Records with every member set, and few bytes in common. */
client_t test_client(str_t id);
user_t test_user(str_t id, str_t name);
session_t test_session(const char *id, str_t user);
interaction_t test_interaction(const char *id);
code_t test_code(const char *id, str_t family);
family_t test_family(str_t id);
refresh_t test_refresh(const char *id, str_t family);
pushed_t test_pushed(const char *id);
device_t test_device(const char *id, str_t user_code); /* pending: nobody has decided yet */
access_token_t test_access_token(const char *id, str_t family);

/* The whole record in the store, or NULL. */
const client_t *get_client(play_t *p, str_t id);
const user_t *get_user(play_t *p, str_t id);
const session_t *get_session(play_t *p, const char *id);
const interaction_t *get_interaction(play_t *p, const char *id);
const code_t *get_code(play_t *p, const char *id);
const family_t *get_family(play_t *p, str_t id);
const refresh_t *get_refresh(play_t *p, const char *id);
const pushed_t *get_pushed(play_t *p, const char *id);
const device_t *get_device(play_t *p, const char *id);
const access_token_t *get_access_token(play_t *p, const char *id);
const consent_t *get_consent(play_t *p, const consent_t *c);

/* One effect applied, which must succeed. */
void put_client(play_t *p, const client_t *c);
void put_user(play_t *p, const user_t *u);
void put_session(play_t *p, const session_t *s);
void put_interaction(play_t *p, const interaction_t *i);
void put_code(play_t *p, const code_t *c);
void put_family(play_t *p, const family_t *f);
void put_refresh(play_t *p, const refresh_t *r);
void put_pushed(play_t *p, const pushed_t *x);
void put_device(play_t *p, const device_t *d);
void put_access_token(play_t *p, const access_token_t *t);

/* Nothing is lost between two records. `offsets` are of `n` slices. */
void assert_strings(const void *got, const void *want, const size_t *offsets, size_t n);
void assert_list(str_list_t got, str_list_t want);
void assert_request(const authz_request_t *got, const authz_request_t *want);

#endif
