/* A server on a pair of pipes, and a client that writes lines and reads them. */
#ifndef MCP_STDIO_STDIO_TEST_WORLD_H
#define MCP_STDIO_STDIO_TEST_WORLD_H

#include "core/core_test_util.h"

#include "mcp_stdio/stdio.h"

#include <stdatomic.h>

#include <pthread.h>

typedef struct {
    arena_t *a;
    warder_mcp_t *m;
    mcp_stdio_config_t config;
    int to, from; /* the client's ends; -1: closed */
    pthread_t thread;
    bool serving;
    rc_t rc;   /* of the serve that ended */
    char *got; /* what was read and is no whole line yet */
    size_t got_n, got_at;
} stdio_world_t;

/** Serves a table of tools (below) on a thread. */
int stdio_world_setup(void **state);
int stdio_world_teardown(void **state);
/** Writes a line and its end. */
void stdio_say(stdio_world_t *w, const char *line);
/** Bytes as they are; false: the server has ended, or does not take them for a minute. */
bool stdio_write(stdio_world_t *w, str_t bytes);
/** The same; false: it does not take them now. */
bool stdio_write_soon(stdio_world_t *w, str_t bytes);
/** The next line, parsed; fails the test after a minute. */
const json_t *stdio_hear(stdio_world_t *w);
/** The text of it. */
str_t stdio_hear_text(stdio_world_t *w);
/** Whether nothing comes for a tenth of a second. */
bool stdio_is_quiet(stdio_world_t *w);
/** Ends the input and waits for the server; what it answered before it ended can still be heard. */
rc_t stdio_end(stdio_world_t *w);
/** The next of the lines that are left then; lives until the next call. */
bool stdio_left(stdio_world_t *w, str_t *line);
/** No line is left. */
bool stdio_is_at_end(stdio_world_t *w);
/** initialize and notifications/initialized, with elicitation and sampling. */
void stdio_initialize(stdio_world_t *w);
/** Waits until *flag is set; fails the test after a minute. */
void stdio_wait(const atomic_bool *flag);

/** What a request of 2026-07-28 holds; the members of params go before it. */
#define STDIO_META                                                                                 \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},"                         \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"test\",\"version\":\"1\"}"
#define STDIO_CALL(id, name, more)                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" name    \
    "\"" more "}}"
/** The same in 2026-07-28. */
#define STDIO_CALL_NEW(id, name, more) STDIO_CALL(id, name, more "," STDIO_META "}")

/* The tools: hello says so at once; slow sleeps until it is cancelled, then sets SLOW_CANCELLED;
 * soon sleeps a tenth of a second; steps tells three steps and a message; ask asks for a day; big
 * says a text of 128 KiB. */
extern atomic_bool SLOW_RUNS, SLOW_CANCELLED;
void stdio_finish_all(void);
enum { STDIO_BIG_BYTES = 128 << 10 };

#define STDIO_TEST(fn) cmocka_unit_test_setup_teardown(fn, stdio_world_setup, stdio_world_teardown)

#endif
