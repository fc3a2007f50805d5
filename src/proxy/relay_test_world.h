/* A gateway without sockets: one upstream at /mcp that a test plays itself, tokens that say who
 * they are for, a trail in memory, and a clock that a test moves. The policy, the messages, the
 * handles and the streams are the real ones. */
#ifndef PROXY_RELAY_TEST_WORLD_H
#define PROXY_RELAY_TEST_WORLD_H

#include "http/direct.h"
#include "http/http_test_wire.h"
#include "proxy/relay.h"

enum { RELAY_TEST_EVENTS = 64, RELAY_TEST_TEXT = 4096 };

/** What of an event tests look at. */
typedef struct {
    audit_kind_t kind;
    bool allowed, nameless; /* it says an empty name where there is none */
    char reason[48], user[48], client[48], method[48], object[64], rule[48], shadow[64], trace[33];
    char detail[64], hash[65], request_id[33], address[48];
    int64_t status, bytes_in, bytes_out;
} relay_test_event_t;

typedef struct {
    test_wire_t wire;
    arena_t *a;
    gateway_t *g;
    relay_worker_t *w;
    clock_fake_t clock;
    random_fake_t random;
    conf_gate_rule_t rules[4];
    conf_policy_t policy, shadow;
    conf_upstream_t conf;
    route_t route;
    route_state_t state;
    route_set_t set;
    bool set_ended;
    /* the trail */
    relay_test_event_t events[RELAY_TEST_EVENTS];
    size_t n_events, writes;
    rc_t trail_rc;
    /* access and credential */
    bool revoked;
    bool opaque;          /* tokens are asked about again, */
    access_still_t still; /* and this is said of them, */
    unsigned asked;       /* so often */
    bool slow;            /* verdicts and credentials come when relay_let_go is called */
    void (*waiting)(void *arg);
    void *waiting_arg;
    rc_t credential_rc;
    unsigned drops;
    /* the upstream; what it saw last */
    rc_t start_rc;
    unsigned starts, cancels, pauses, resumes;
    char method[16], headers[RELAY_TEST_TEXT], body[RELAY_TEST_TEXT], session[300], last_event[300];
    http_outbound_events_t up; /* of the last request */
    bool open;                 /* it has not ended */
} relay_world_t;

int relay_world_setup(void **state);
int relay_world_teardown(void **state);
#define RELAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, relay_world_setup, relay_world_teardown)

#define ALICE  "Authorization: Bearer alice/mcp:use\r\n"
#define BOB    "Authorization: Bearer bob/mcp:use\r\n"
#define NOBODY "Authorization: Bearer carol/other\r\n"
#define LEGACY "MCP-Protocol-Version: 2025-11-25\r\n"
#define POSTED                                                                                     \
    "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" LEGACY
#define CALL(id, tool)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" tool    \
    "\",\"arguments\":{\"a\":1}}}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"content\":[]}}"
#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
/* 2026-07-28 */
#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define MODERN_HEAD(method)                                                                        \
    "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"            \
    "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " method "\r\n"
#define MODERN_CALL(id, tool)                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" tool    \
    "\",\"arguments\":{}," META "}}"
#define LISTEN(id)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"subscriptions/listen\",\"params\":{"          \
    "\"notifications\":{\"toolsListChanged\":true}," META "}}"

/** One request on a fresh connection, with Host; `headers` are whole lines. Status 0: there is no
 *  answer yet. */
http_direct_answer_t relay_ask(relay_world_t *f, const char *method, const char *headers,
                               const char *body);
http_direct_answer_t relay_ask_at(relay_world_t *f, const char *target, const char *method,
                                  const char *headers, const char *body);
/** The same as the bytes are. */
http_direct_answer_t relay_raw(relay_world_t *f, const char *request);
/** What was answered since. */
http_direct_answer_t relay_heard(relay_world_t *f);
/** The upstream answers; `headers` are whole lines. */
void relay_head(relay_world_t *f, int status, const char *headers);
void relay_data(relay_world_t *f, const char *bytes);
void relay_end(relay_world_t *f, http_outbound_end_t how);
/** All three, and what the client got of it. */
http_direct_answer_t relay_answer(relay_world_t *f, int status, const char *headers,
                                  const char *body);
/** What is slow comes now, one after the other. */
void relay_let_go(relay_world_t *f);
/** Time passes, and the worker looks at what is open. */
void relay_pass(relay_world_t *f, int64_t ms);
/** The first header of that name. */
str_t relay_header(const http_direct_answer_t *r, const char *name);
/** Opens a session of that principal at the upstream's session "s-1"; the handle. */
const char *relay_session(relay_world_t *f, const char *who);

const relay_test_event_t *relay_last(const relay_world_t *f);
void relay_assert_last(const relay_world_t *f, audit_kind_t kind, bool allowed, const char *reason);
/** After every refusal a good call must still be answered. */
void relay_control(relay_world_t *f);

#endif
