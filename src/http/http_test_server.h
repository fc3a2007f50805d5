/* Real servers in this process, spoken to over loopback with plain sockets. */
#ifndef HTTP_HTTP_TEST_SERVER_H
#define HTTP_HTTP_TEST_SERVER_H

#include <stdatomic.h>

#include "http/http_test_wire.h"
#include "http/pool.h"
#include "http/server.h"

#define HOST "Host: a.test\r\n"

/** What the handlers share with the tests; cleared by every start. */
typedef struct {
    http_pool_t *pool;
    atomic_int workers, exits, drains, holding, gone, streamed, timer_runs, posted;
    atomic_bool hold; /* /hold answers once it is false; `holding` counts its requests */
} test_seen_t;

extern test_seen_t test_seen;

/** Two workers on the routes /hello, /echo (POST of a form, 100000 bytes), /large (3 MiB), /slow
 *  (20 ms in a pool), /hold, /stream (4 MiB), /events and /splitting. */
http_server_config_t test_server_config(void);
http_server_t *test_server_start(const http_server_config_t *c);
/** Drains, joins and frees. */
void test_server_stop(http_server_t *s);
/** A connected socket; room: its receive buffer, 0 for the system's own. */
int test_dial_with(const http_server_t *s, int room);
int test_dial(const http_server_t *s);
void test_say(int fd, const char *text);
/** Reads until `want` appears, or to the end; borrowed until the next call. */
str_t test_hear(int fd, const char *want);
/** One request on a connection of its own, read to the end of the connection. */
str_t test_ask(const http_server_t *s, const char *text);
/** Fails unless the server answers. */
void test_assert_alive(const http_server_t *s);
/** Waits for a counter; false: it did not come so far, for a minute. */
bool test_wait_for(atomic_int *what, int value);

#endif
