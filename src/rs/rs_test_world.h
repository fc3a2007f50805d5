/* A resource server in a world of the test's making: its clocks, its network, and an authorization
 * server with keys. */
#ifndef RS_RS_TEST_WORLD_H
#define RS_RS_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jose/jws.h"
#include "rs/check.h"

#define W_ISSUER   "https://as.test"
#define W_RESOURCE "https://rs.test/mcp"
#define W_METADATA "https://as.test/.well-known/oauth-authorization-server"
#define W_JWKS     "https://as.test/jwks"

enum { W_NOW_S = 1700000000, W_PAGES = 8 };

typedef struct {
    const char *url;
    str_t body; /* unset: the place is away */
} page_t;

typedef struct world {
    arena_t *a;
    int64_t wall_ms, mono_ms;
    page_t pages[W_PAGES];
    unsigned fetches; /* of anything */
    char last_url[512];
    void (*during_fetch)(struct world *w); /* may be NULL */
    warder_rs_ports_t ports;
    warder_rs_config_t config;
    warder_rs_server_t servers[2];
    warder_rs_t *rs;
    jwk_t key; /* "k1", published */
} world_t;

/** Setup and teardown: clocks at W_NOW_S, an authorization server with one ES256 key, and
 *  settings that fit; the test calls world_open. */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

/** Makes (anew) w->rs from w->config. */
void world_open(world_t *w);
void world_page(world_t *w, const char *url, str_t body);
/** Lets both clocks run on. */
void world_pass(world_t *w, int64_t seconds);
/** A new private key with a kid; lives as long as the world. */
jwk_t world_key(world_t *w, alg_t alg, const char *kid);
/** Publishes exactly these keys. */
void world_publish(world_t *w, const jwk_t *keys, size_t n);
/** A token by `key` over `claims` with typ at+jwt. */
const char *world_sign(world_t *w, const jwk_t *key, const char *claims);
/** The same with the whole header given. */
const char *world_sign_as(world_t *w, const jwk_t *key, const char *header, const char *claims);
/** Good claims, with more members or others. */
#define W_WHO  "\"iss\":\"" W_ISSUER "\",\"sub\":\"alice\",\"client_id\":\"c1\",\"jti\":\"j1\""
#define W_AUD  ",\"aud\":\"" W_RESOURCE "\""
#define W_TIME ",\"iat\":1700000000,\"exp\":1700000600"
#define W_GOOD "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\"}"

/** The verdict on "Bearer <token>" for `scope`; freed with the world. */
const warder_rs_verdict_t *world_ask(world_t *w, const char *token, const char *scope);
const warder_rs_verdict_t *world_ask_now(world_t *w, const char *token, const char *scope);
/** The verdict on these header values. */
const warder_rs_verdict_t *world_ask_headers(world_t *w, const char *const *values, size_t n);

/** Threads that ask for `token` at once, while each fetch takes 30 ms. */
enum { W_CALLERS = 24 };
typedef struct {
    world_t *w;
    const char *value;
    char reason[64];
} caller_t;
void world_ask_at_once(world_t *w, const char *token, caller_t callers[W_CALLERS]);
/** How many of them got this reason. */
unsigned callers_with(const caller_t callers[W_CALLERS], const char *reason);

void assert_allowed(const warder_rs_verdict_t *v);
/** Denied with this status and reason. */
void assert_denied(const warder_rs_verdict_t *v, int status, const char *reason);

#endif
