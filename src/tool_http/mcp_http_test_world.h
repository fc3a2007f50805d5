/* An MCP server with one tool, `echo`, without a socket: tokens that say who they are for, an audit
 * trail in memory, and a clock that stands still. */
#ifndef TOOL_HTTP_MCP_HTTP_TEST_WORLD_H
#define TOOL_HTTP_MCP_HTTP_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "http/direct.h"
#include "tool_http/mcp_http.h"

enum { MAX_EVENTS = 64, ARENA_BYTES = 4 << 20, CALLS_PER_MINUTE = 12 };

typedef struct {
    audit_event_t v[MAX_EVENTS]; /* kind, allowed; the rest as copies below */
    char reason[MAX_EVENTS][64], user[MAX_EVENTS][64], tool[MAX_EVENTS][64];
    size_t n;
    bool broken;
} trail_double_t;

typedef struct {
    http_direct_t *d;
    mcp_http_t *m;
    void *worker;
    trail_double_t trail;
    clock_fake_t clock;
    random_fake_t random;
    unsigned runs;
    unsigned checks;
    atomic_bool ended; /* every token was revoked */
    arena_t *a;
} mcp_world_t;

#define ALICE "Authorization: Bearer alice/news:read\r\n"
#define BOB   "Authorization: Bearer bob/news:read\r\n"
#define INIT                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\"}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}"
#define CALL(arg)                                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"" arg "}}"

int mcp_world_setup(void **state);
int mcp_world_teardown(void **state);
#define MCP_TEST(name) cmocka_unit_test_setup_teardown(name, mcp_world_setup, mcp_world_teardown)

/** One request to the endpoint with the usual headers; `headers` are whole lines. */
http_direct_answer_t mcp_send(mcp_world_t *f, const char *method, const char *headers,
                              const char *body);
/** The bytes of one request as they are. */
http_direct_answer_t mcp_raw(mcp_world_t *f, const char *request);
/** Opens a session for `who`, ALICE or BOB; its id, in f->a. */
str_t mcp_session_of(mcp_world_t *f, const char *who);
/** `who` with the header of that session. */
const char *mcp_with_session(mcp_world_t *f, const char *who, str_t session);
/** The code of a JSON-RPC error; 0: none. */
int64_t mcp_error_code(mcp_world_t *f, const http_direct_answer_t *r);
void assert_last_event(mcp_world_t *f, audit_kind_t kind, bool allowed, const char *reason);
/** After every refusal a good call must still be answered. */
void mcp_control(mcp_world_t *f);

#endif
