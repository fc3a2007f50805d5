/* A server on loopback that answers as a test says, well or badly: each connection has a thread,
 * which reads whole requests and gives them to a function of the test's. */
#ifndef MCP_CLIENT_MCP_CLIENT_TEST_SERVER_H
#define MCP_CLIENT_MCP_CLIENT_TEST_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "core/arena.h"

enum { TEST_ASKED = 1024, TEST_CONNECTIONS = 64, TEST_PATIENCE_MS = 60000 };

typedef struct test_mcp test_mcp_t;

/** One request, as it came; lives with the server. */
typedef struct {
    str_t text; /* all of it */
    str_t method, head, body;
    int64_t at_ms;
    unsigned nth; /* of all, from 0 */
} test_asked_t;

/** Answers on `fd`. False: the connection closes. Several threads at once. */
typedef bool (*test_answer_fn)(test_mcp_t *s, const test_asked_t *r, int fd);

struct test_mcp {
    test_answer_fn answer;
    void *ctx;
    char url[64];
    int listener;
    pthread_t thread;
    pthread_t connections[TEST_CONNECTIONS];
    int fds[TEST_CONNECTIONS];
    size_t n_connections;
    pthread_mutex_t lock; /* guards what follows */
    test_asked_t asked[TEST_ASKED];
    size_t n_asked;
    atomic_bool ending;
};

test_mcp_t *test_mcp_start(test_answer_fn answer, void *ctx);
/** Closes all connections, and waits for their threads. */
void test_mcp_stop(test_mcp_t *s);
/** Waits until it was asked so often; false: it was not, for a minute. */
bool test_mcp_wait(test_mcp_t *s, size_t n);
size_t test_mcp_count(test_mcp_t *s);
/** The nth request; its slices stay. */
test_asked_t test_mcp_asked(test_mcp_t *s, size_t nth);
/** How many requests hold `part`. */
size_t test_mcp_holding(test_mcp_t *s, const char *part);
/** The value of a header field of it, in any case; unset: none. */
str_t test_field(const test_asked_t *r, const char *name);
/** The raw id of a JSON-RPC body, into a buffer. */
const char *test_id(const test_asked_t *r, char out[64]);
bool test_asks(const test_asked_t *r, const char *method);

/** Waits a moment, or until the server ends. */
void test_pause(test_mcp_t *s, int64_t ms);

/* Answers. `fields`: whole lines, or "". */
bool test_say(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool test_json(int fd, int status, const char *fields, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** {"jsonrpc":"2.0","id":…,"result":…} */
bool test_result(int fd, const test_asked_t *r, const char *fields, const char *result);
bool test_status(int fd, int status, const char *fields);
/** The head of an event stream that ends with its connection. Returns true; the caller then says
 * events and returns false. */
bool test_stream(int fd, const char *fields);

#endif
