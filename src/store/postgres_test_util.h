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

#define ON_SERVER(test)                                                                            \
    {                                                                                              \
#test, test, pg_play_begin, pg_play_end, NULL                                              \
    }
#define ON_PROXY(test)                                                                             \
    {                                                                                              \
#test "_proxied", test, pg_play_begin_proxied, pg_play_end, NULL                           \
    }

#endif
