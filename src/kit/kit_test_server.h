/* A server of the kit on loopback, with an authorization server of the test's making beside it. */
#ifndef KIT_KIT_TEST_SERVER_H
#define KIT_KIT_TEST_SERVER_H

#include "http/direct.h"
#include "http/server.h"
#include "kit/options.h"
#include "rs/rs_test_issuer.h"

#include <stdatomic.h>

enum { ANSWER_BYTES = 1 << 20 };

typedef struct {
    world_t *w;
    arena_t *a;
    char dir[64];
    test_issuer_t issuer;
    warder_rs_server_t server;
    warder_rs_config_t protect;
    warder_mcp_http_t http;
    warder_mcp_t *m;
    warder_mcp_server_t *s;
    uint16_t port;
    char ready[128];
} fixture_t;

/** A server with three tools that is not started: add (scope math:add), whoami, and soon (scope
 * math:wait), which says "whole" after 300 ms, or "cut" when it was cancelled, and sets KIT_RUNS.
 */
int kit_test_setup(void **state);
int kit_test_teardown(void **state);
extern atomic_bool KIT_RUNS;
void start(fixture_t *f);
void assert_refused(fixture_t *f, int code, const char *says);
/** A request on a connection of its own, and its answer. */
http_direct_answer_t ask(fixture_t *f, str_t request);
http_direct_answer_t get(fixture_t *f, const char *path);
/** tools/call of 2026-07-28, as bytes and sent. `token` NULL: none. */
str_t call_text(fixture_t *f, const char *token, const char *tool, const char *arguments);
http_direct_answer_t call(fixture_t *f, const char *token, const char *tool, const char *arguments);
/** A good token of alice for this server, or for another resource. */
const char *token(fixture_t *f, const char *scope);
const char *token_for(fixture_t *f, const char *resource, const char *scope);
str_t trail_of(fixture_t *f);
str_t challenge_of(const http_direct_answer_t *r);
/** Whether one line of the trail holds all four. */
bool has_line(str_t trail, const char *a, const char *b, const char *c, const char *d);

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, kit_test_setup, kit_test_teardown)

#endif
