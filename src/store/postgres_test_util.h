/* What the tests of the pool share: a database of their own on the server that WARDER_TEST_POSTGRES
 * names, a store over it, and a word with the server beside it. */
#ifndef STORE_POSTGRES_TEST_UTIL_H
#define STORE_POSTGRES_TEST_UTIL_H

#include "store/store_test_util.h"

#include <libpq-fe.h>

typedef struct {
    play_t play;         /* the store, opened, with one connection */
    char admin[1024];    /* conninfo of the server, another database */
    char conninfo[1024]; /* of the test's own database */
    char name[64];       /* of that database */
    uint32_t connections;
    int64_t wait_ms;
} pg_play_t;

/** Setup and teardown of cmocka; *state is a pg_play_t. Skips where there is no server. */
int pg_play_begin(void **state);
/** The same, through the proxy that WARDER_TEST_PGBOUNCER names, if there is one. */
int pg_play_begin_proxied(void **state);
int pg_play_end(void **state);

/** Opens and closes the store, by the settings in the play. */
void pg_play_open(pg_play_t *p);
void pg_play_close(pg_play_t *p);
/** A store over the same database, for who wants another one. */
rc_t pg_play_open_to(pg_play_t *p, const char *conninfo, store_t **out, str_t *why);

/** Runs a statement beside the store; the first column of the first row as a number, 0 without. */
long pg_say(const char *conninfo, const char *sql);

/** conninfo with another value of a key. */
void pg_with(char *out, size_t size, const char *conninfo, const char *key, const char *value);

/* The play of a test, which is skipped without a server. */
#define PLAY(name)                                                                                 \
    pg_play_t *name = *state;                                                                      \
    if (!name)                                                                                     \
    skip()

/* One call under way. */
typedef struct {
    char name[32];
    family_t family;
    refresh_t refresh;
    spent_t spent;
    effects_t effects;
    test_result_t result;
} pg_call_t;

/** Begins a call: a grant and a token named after `i`, and a name that is counted when spent. */
void pg_issue(store_conn_t *conn, pg_call_t *c, int i);
/** The same of a name alone, which others may spend as well. */
void pg_spend(store_conn_t *conn, pg_call_t *c, int i);
void pg_await(play_t *p, const pg_call_t *c);

store_health_t pg_health(const pg_play_t *p);
void pg_await_up(const pg_play_t *p, uint32_t connections);
/** Kills all connections to the database of the play. */
void pg_kill_connections(const pg_play_t *p);
/** What was counted is what is there: nothing was done twice, nothing in part. */
void pg_check_counts(pg_play_t *p);

int64_t pg_now_ms(void);
void pg_pause_ms(int ms);

#define ON_SERVER(test)                                                                            \
    {                                                                                              \
#test, test, pg_play_begin, pg_play_end, NULL                                              \
    }
#define ON_PROXY(test)                                                                             \
    {                                                                                              \
#test "_proxied", test, pg_play_begin_proxied, pg_play_end, NULL                           \
    }

#endif
