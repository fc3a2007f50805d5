/* A server of MCP with a few tools, without a socket: tokens that say who they are for, an audit
 * trail in memory, and a clock that stands still. Functions run on threads of the server; what they
 * post back runs when a test pumps. */
#ifndef MCP_HTTP_MCP_HTTP_TEST_WORLD_H
#define MCP_HTTP_MCP_HTTP_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "http/direct.h"
#include "mcp_http/request.h"

enum {
    MAX_EVENTS = 64,
    MAX_POSTS = 1024,
    ARENA_BYTES = 64 << 20,
    CALLS_PER_MINUTE = 60,
    TOKEN_ENDS_S = 1000,
    FLOOD_MESSAGES = 100,
    FLOOD_BLOCKS = 250,  /* of the answer: with all before it more than sockets hold */
    FLOOD_BYTES = 20000, /* of each */
};

/** What was written down. Any thread. */
typedef struct {
    pthread_mutex_t lock;
    audit_event_t v[MAX_EVENTS]; /* kind, allowed; the rest as copies below */
    char reason[MAX_EVENTS][64], user[MAX_EVENTS][64], tool[MAX_EVENTS][64];
    size_t n;
    atomic_bool broken;
} trail_double_t;

/** What waits for the test's thread, as the posts of a worker. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } v[MAX_POSTS];
    size_t n;
    bool full; /* refuses; under the lock */
} posts_double_t;

typedef struct {
    http_direct_t *d;
    warder_mcp_t *mcp;
    mcp_http_t *h;
    void *worker;
    trail_double_t trail;
    posts_double_t posts;
    clock_fake_t clock;
    random_fake_t random;
    atomic_uint runs;      /* of functions */
    atomic_uint cancelled; /* functions that saw it */
    atomic_bool hold;      /* "wait" goes on once it is false */
    atomic_uint checks;    /* of tokens */
    atomic_bool ended;     /* every token was revoked */
    arena_t *a;
} mcp_world_t;

#define ALICE "Authorization: Bearer alice/news:read\r\n"
#define BOB   "Authorization: Bearer bob/news:read\r\n"
#define NEW   "MCP-Protocol-Version: 2026-07-28\r\n"
#define INIT_OF(version)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"" version "\",\"capabilities\":{\"elicitation\":{}},\"clientInfo\":{\"name\":\"c\","        \
    "\"version\":\"1\"}}}"
#define INIT INIT_OF("2025-11-25")
#define PING "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}"
/* `arg` goes behind the name, with a comma in front. */
#define TOOL(name, arg)                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"" name         \
    "\"" arg "}}"
#define CALL(arg) TOOL("echo", arg)
/* Of progress, with which functions say something before the end. */
#define PROGRESS ",\"_meta\":{\"progressToken\":7}"

#define META(more)                                                                                 \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}" more "}"
#define NEW_METHOD(method, params)                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"" method "\",\"params\":{" params META("") "}}"
#define NEW_TOOL(name, more)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\",\"params\":{\"name\":\"" name         \
    "\"," META(more) "}}"
#define NEW_HEADERS(method)    NEW "Mcp-Method: " method "\r\n"
#define NEW_TOOL_HEADERS(name) NEW_HEADERS("tools/call") "Mcp-Name: " name "\r\n"
#define NEW_PROGRESS           ",\"progressToken\":7"

int mcp_world_setup(void **state);
/** Nothing is protected. */
int mcp_world_setup_open(void **state);
int mcp_world_teardown(void **state);
#define MCP_TEST(name) cmocka_unit_test_setup_teardown(name, mcp_world_setup, mcp_world_teardown)

/** Runs what was posted, until `output` of the connection holds `want` (NULL: a whole answer).
 * Fails after some seconds. */
void mcp_pump(mcp_world_t *f, const http_direct_t *d, const char *want);
/** Runs what is posted within a moment. */
void mcp_pump_some(mcp_world_t *f);
/** Until *what is at least `value`. */
void mcp_pump_count(mcp_world_t *f, const atomic_uint *what, unsigned value);

/** One request to the endpoint with the usual headers, and its whole answer; `headers` are whole
 *  lines. */
http_direct_answer_t mcp_send(mcp_world_t *f, const char *method, const char *headers,
                              const char *body);
/** The bytes of it. */
str_t mcp_bytes(mcp_world_t *f, const char *method, const char *headers, const char *body);
/** The bytes of one request as they are, and its whole answer. */
http_direct_answer_t mcp_raw(mcp_world_t *f, const char *request);
/** A connection of its own that has sent a request; `want` has come. NULL: whatever. Freed by the
 *  caller. */
http_direct_t *mcp_open(mcp_world_t *f, str_t request, const char *want);
/** Opens a session for `who`, ALICE or BOB; its id, in f->a. */
str_t mcp_session_of(mcp_world_t *f, const char *who);
str_t mcp_session_with(mcp_world_t *f, const char *who, const char *initialize);
/** `who` with the header of that session. */
const char *mcp_with_session(mcp_world_t *f, const char *who, str_t session);
/** The code of a JSON-RPC error; 0: none. */
int64_t mcp_error_code(mcp_world_t *f, const http_direct_answer_t *r);
/** How often `part` stands in the output. */
unsigned mcp_times(const http_direct_t *d, const char *part);
size_t mcp_trail_count(mcp_world_t *f);
void assert_last_event(mcp_world_t *f, audit_kind_t kind, bool allowed, const char *reason);
/** After every refusal a good call must still be answered. */
void mcp_control(mcp_world_t *f);

#endif
