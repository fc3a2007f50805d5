/* What the tests of this room share: a whole authorization server without a socket. Its clock
 * stands where it is put, its store fails when it is told to, and completions run when the test
 * pumps them. */
#ifndef AS_AS_TEST_WORLD_H
#define AS_AS_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "as/app.h"
#include "http/fetch.h"
#include "http/direct.h"
#include "store/driver.h"

#define W_ISSUER   "https://as.test"
#define W_RESOURCE "https://rs.test/mcp"
#define W_NEXT     "https://next.test/mcp" /* not in the store at first */
#define W_REDIRECT "https://c.test/cb"
#define W_LOOPBACK "http://127.0.0.1/cb"
#define W_USER     "alice"
#define W_USER_ID  "user-alice"
#define W_PASSWORD "a long enough phrase"
#define W_PUBLIC   "client-public"  /* authorization_code and refresh_token, no secret */
#define W_NATIVE   "client-native"  /* the same at W_LOOPBACK */
#define W_BASIC    "client-basic"   /* the same with W_SECRET by Basic */
#define W_POSTED   "client-posted"  /* the same with W_SECRET in the form */
#define W_MACHINE  "client-machine" /* client_credentials with W_SECRET by Basic */
#define W_DEVICE   "client-device"  /* device_code and refresh_token, no secret */
#define W_SERVICE                                                                                  \
    "client-service" /* the server of W_RESOURCE, with W_SECRET by Basic; may call W_NEXT */
#define W_SECRET "wrs_the-secret-of-the-client"

enum { W_START_S = 1700000000, W_HELD_MAX = 64, W_FLIGHTS_MAX = 64, W_POSTS_MAX = 256 };

typedef struct world world_t;

/** How the store fails. */
typedef struct {
    rc_t ask, apply;                /* RC_OK: works */
    unsigned ask_ok, apply_ok;      /* calls that still work before that */
    unsigned times;                 /* failures of apply before it works again; 0: it never does */
    bool hold;                      /* apply waits for world_release */
    _Atomic bool away;              /* what store_health tells; calls fail by the above */
    void (*race)(world_t *w);       /* runs once, right in front of the next apply */
    _Atomic unsigned asks, applies; /* seen */
    _Atomic unsigned expires;       /* likewise, of what has expired */
    _Atomic uint32_t most;          /* rows that one of them asked for */
    int64_t least_pause_us;         /* between two of them; 0: there were no two */
    int64_t held_ms, waits_ms;      /* by each of them; for the disk, before it is answered */
} faults_t;

typedef struct {
    const effects_t *effects;
    store_done_t done;
    void *ctx;
} held_t;

typedef struct {
    void (*fn)(void *arg);
    void *arg;
} posted_t;

/** The store between server and world->store. */
typedef struct {
    store_t base;
    world_t *w;
    int64_t expired_us; /* when the last one was asked for */
    store_expire_t *expire;
    store_done_t expire_done;
    void *expire_ctx;
} faulty_store_t;

struct world {
    arena_t *a;
    char folder[64];
    str_t trail;        /* path of the audit trail */
    str_t driver;       /* "memory" or "sqlite" */
    _Atomic int64_t ms; /* Unix time; the monotonic clock is as far from W_START_S */
    _Atomic uint64_t random;
    _Atomic bool random_fails;
    const conf_t *conf;
    log_t log;
    char logged[65536];
    size_t n_logged;
    pthread_mutex_t lock; /* of the log and the posts */
    pthread_cond_t filled;
    posted_t posts[W_POSTS_MAX];
    size_t n_posts;
    bool posts_full;     /* the loop takes no completion for now */
    store_t *store;      /* the real one */
    store_conn_t *admin; /* to it */
    faulty_store_t faulty;
    faults_t faults;
    held_t held[W_HELD_MAX];
    size_t n_held;
    store_conn_t *behind; /* where held effects go */
    void *watcher;        /* as_test_cost.c; the two below are told of all that reaches the store */
    void (*asked)(world_t *w, const ask_t *asks, size_t n);
    void (*applied)(world_t *w, const effects_t *effects);
    audit_t *audit;
    http_pool_t *pool, *fetchers;
    http_server_t *served;    /* as_test_served.c; NULL: none runs */
    http_fetch_fake_t web;    /* what the server fetches: put rows there */
    pthread_mutex_t web_gate; /* hold it: nothing comes from there */
    arena_t *as_arena;
    as_t *as;
    as_worker_t *worker;
    http_direct_t *flights[W_FLIGHTS_MAX];
    http_addr_t peer;
};

/** A world with keys, W_RESOURCE (files:read by default, files:write), the clients above and
 *  W_USER; in memory, or on a database in its folder for a second process beside it. */
int world_setup(void **state);
int world_setup_on_disk(void **state);
/** The same with nothing in the store. */
int world_setup_empty(void **state);
int world_teardown(void **state);
#define WORLD_TEST(fn)   cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
#define EMPTY_TEST(fn)   cmocka_unit_test_setup_teardown(fn, world_setup_empty, world_teardown)
#define ON_DISK_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup_on_disk, world_teardown)

/** Makes the server and its worker anew, over one setting more (or the settings alone: NULL). */
void world_restart(world_t *w, const char *key, const char *value);
/** Passwords that cost a test nothing. */
extern const identity_password_cost_t WORLD_COST;

/* as_test_records.c */
/** Everything world_setup promises. */
void world_fill(world_t *w);
/** Makes the first keys. */
void world_make_keys(world_t *w);
/** Rotates the signing key at once. */
void world_rotate(world_t *w, store_conn_t *conn);

void world_pass(world_t *w, int64_t seconds);
void world_pass_ms(world_t *w, int64_t ms);
clock_port_t world_clock(world_t *w);
random_port_t world_random(world_t *w);
post_port_t world_post_port(world_t *w);
/** Opens the store again, as another process would. */
void world_open_store(world_t *w, store_t **store, store_conn_t **conn);

/** The double of a store (as_test_store.c). */
extern const store_driver_t WORLD_FAULTY;
/** Applies past the faults and waits. */
rc_t world_apply(world_t *w, store_conn_t *conn, const effects_t *effects);
/** One effect with its record, which must be applied. */
void world_put(world_t *w, effect_kind_t kind, const void *record);
void world_put_key(world_t *w, effect_kind_t kind, str_t key);
/** Asks past the faults. */
ask_t world_look(world_t *w, ask_t question);
/** Lets the held apply number `i` go on, and waits until it is durable. */
void world_release(world_t *w, size_t i);

/** Runs one completion, waiting for it at most `ms`; false: none came. */
bool world_pump(world_t *w, int64_t ms);
bool world_logged(world_t *w, const char *text);

void world_assert_str(str_t left, str_t right, const char *file, int line);
#define assert_str(left, right) world_assert_str((left), (right), __FILE__, __LINE__)
#define assert_text(left, lit)  assert_str((left), STR(lit))
#define assert_ok(call)         assert_int_equal((call), RC_OK)

#endif
