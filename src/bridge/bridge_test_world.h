/* A bridge between a host that the test plays, on two pipes, and a server on loopback, of either
 * era. */
#ifndef BRIDGE_BRIDGE_TEST_WORLD_H
#define BRIDGE_BRIDGE_TEST_WORLD_H

#include "mcp_client/mcp_client_test_server.h"

#include "bridge/bridge.h"
#include "core/core_test_util.h"

enum { BIG_TOTAL = 24, BIG_BYTES = 1 << 20 }; /* messages of the tool big, and the size of each */

typedef struct {
    test_mcp_t *server;
    http_agent_t *agent;
    int to, from; /* the host's ends; -1: closed */
    int in, out;  /* the bridge's */
    pthread_t thread;
    bool runs;
    rc_t rc;
    int stop;             /* readable: end */
    atomic_uint session;  /* its number: another one is what a restart makes of it */
    atomic_uint big_sent; /* messages */
    mcp_era_t era;
    arena_t *a;
    char *text; /* what was read of the bridge, and not looked at yet */
    size_t n, at;
} bridge_world_t;

/** A server of that era. The tools: echo says "hello"; step tells of progress first; slow never
 * ends; ask asks for a form first, and says its action; big tells of much progress. */
int bridge_world_setup_handshake(void **state);
int bridge_world_setup_stateless(void **state);
int bridge_world_teardown(void **state);
#define HANDSHAKE_TEST(fn)                                                                         \
    cmocka_unit_test_setup_teardown(fn, bridge_world_setup_handshake, bridge_world_teardown)
#define STATELESS_TEST(fn)                                                                         \
    cmocka_unit_test_setup_teardown(fn, bridge_world_setup_stateless, bridge_world_teardown)

/** One line; an apostrophe stands for a quotation mark. */
void host_says(bridge_world_t *w, const char *line);
/** The next line of the bridge, whole; fails where none comes. Lives as long as the world. */
str_t host_hears(bridge_world_t *w);
#define assert_hears(w, line) assert_str(host_hears(w), test_quoted((w)->a, line))
str_t test_quoted(arena_t *a, const char *line);
void host_closes(bridge_world_t *w);
void bridge_stops(bridge_world_t *w);
/** Waits for the bridge to end. */
rc_t bridge_ends(bridge_world_t *w);
/** Nothing is there but whole lines that were heard, and then the end. */
void assert_silent_end(bridge_world_t *w);
/** Waits until the server was asked something that holds `part` so often. */
void server_was_asked(bridge_world_t *w, const char *part, size_t times);

#define OLD_INITIALIZE                                                                             \
    "{'jsonrpc':'2.0','id':0,'method':'initialize','params':{'protocolVersion':'2025-11-25',"      \
    "'capabilities':{'elicitation':{}},'clientInfo':{'name':'host','version':'1'}}}"
#define OLD_INITIALIZED "{'jsonrpc':'2.0','method':'notifications/initialized'}"
#define OLD_CALL(id, tool)                                                                         \
    "{'jsonrpc':'2.0','id':" id ",'method':'tools/call','params':{'name':'" tool "'}}"
#define NEW_META                                                                                   \
    "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28',"                             \
    "'io.modelcontextprotocol/clientCapabilities':{'elicitation':{}}}"
#define NEW_CALL(id, tool, more)                                                                   \
    "{'jsonrpc':'2.0','id':" id ",'method':'tools/call','params':{'name':'" tool                   \
    "'," more NEW_META "}}"

#endif
