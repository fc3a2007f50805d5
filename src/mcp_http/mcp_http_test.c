#include "mcp_http/mcp_http_test_world.h"

static void no_token(void **state)
{
    mcp_world_t *f = *state;
    static const char *const METHODS[] = {"POST", "GET", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r = mcp_send(f, METHODS[i], "", i == 0 ? CALL("") : "");
        assert_int_equal(r.status, 401);
        str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
        assert_true(str_starts(c, STR("Bearer resource_metadata=")));
        assert_last_event(f, AUDIT_ACCESS, false, "no_token");
    }
    assert_int_equal(atomic_load(&f->runs), 0);
    mcp_control(f);
}

/* RFC 9449 section 9: a client learns the nonce of its next proof from every answer. */
static void every_answer_hands_on_the_nonce(void **state)
{
    mcp_world_t *f = *state;
    static const struct {
        const char *method, *body;
        int status;
    } ROWS[] = {
        {"POST", PING, 200},
        {"POST", INIT, 200},
        {"POST", CALL(""), 200},
        {"POST", "[", 400},
        {"POST", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", 202},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        http_direct_answer_t r =
            mcp_send(f, ROWS[i].method, ALICE "Wants-Nonce: n-1\r\n", ROWS[i].body);
        assert_int_equal(r.status, ROWS[i].status);
        assert_true(str_eq(http_headers_get(r.headers, STR("DPoP-Nonce")), STR("n-1")));
        r = mcp_send(f, ROWS[i].method, ALICE, ROWS[i].body);
        assert_false(str_is_set(http_headers_get(r.headers, STR("DPoP-Nonce"))));
    }
}

/* The token is judged before the body is: a stranger learns nothing but 401. */
static void no_token_with_a_bad_body_is_401(void **state)
{
    mcp_world_t *f = *state;
    assert_int_equal(mcp_send(f, "POST", "", "[").status, 401);
    http_direct_answer_t r =
        mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nContent-Type: text/plain"
                   "\r\nContent-Length: 1\r\n\r\nx");
    assert_int_equal(r.status, 401);
    mcp_control(f);
}

#define LARGE_HEAD(more)                                                                           \
    "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nContent-Type: application/json\r\n" more "\r\n"

/* Nobody keeps a large body for who will be refused: none of it has come here. */
static void no_token_with_a_large_body_is_401_before_it(void **state)
{
    static const char *const HEADS[] = {LARGE_HEAD("Content-Length: 500000\r\n"),
                                        LARGE_HEAD("Transfer-Encoding: chunked\r\n")};
    mcp_world_t *f = *state;
    for (size_t i = 0; i < 2; i++) {
        http_direct_t *d = mcp_open(f, str_c(HEADS[i]), "HTTP/1.1 401");
        assert_true(str_contains(http_direct_output(d), STR("WWW-Authenticate: Bearer ")));
        assert_true(str_contains(http_direct_output(d), STR("Connection: close")));
        http_direct_free(d);
        assert_last_event(f, AUDIT_ACCESS, false, "no_token");
    }
    http_direct_t *d =
        mcp_open(f, STR("POST /mcp HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 500000\r\n\r\n"),
                 "HTTP/1.1 403");
    http_direct_free(d);
    mcp_control(f);
}

static void large_body_with_a_token_is_read(void **state)
{
    mcp_world_t *f = *state;
    unsigned before = atomic_load(&f->checks);
    const char *body = arena_printf(f->a,
                                    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\","
                                    "\"params\":{\"x\":\"%0*d\"}}",
                                    300000, 1)
                           .p;
    assert_int_equal(mcp_send(f, "POST", ALICE, body).status, 200);
    assert_int_equal(atomic_load(&f->checks), before + 1); /* a proof is good for one look */
}

/* Keys that must be fetched first: the verdict comes later. */
typedef struct {
    void (*done)(void *arg, const mcp_access_t *verdict);
    void *arg;
} pending_t;
static pending_t pending;

static void check_later(void *ctx, http_exchange_t *x,
                        void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    (void)ctx;
    (void)x;
    pending = (pending_t){done, arg};
}

static void verdict_that_comes_later_does_not_wait_for_a_large_body(void **state)
{
    mcp_world_t *f = *state;
    void (*check)(void *, http_exchange_t *, void (*)(void *, const mcp_access_t *), void *) =
        f->h->access.check;
    const mcp_access_t good = {.allowed = true,
                               .issuer = STR("https://as.test"),
                               .subject = STR("alice"),
                               .client = STR("client"),
                               .scope = STR("news:read"),
                               .expires_at = TOKEN_ENDS_S};
    const mcp_access_t bad = {
        .status = 401, .reason = STR("bad_token"), .challenge = STR("Bearer")};
    f->h->access.check = check_later;
    http_direct_t *d = mcp_open(f, STR(LARGE_HEAD("Content-Length: 500000\r\n")), NULL);
    pending.done(pending.arg, &bad);
    mcp_pump(f, d, "HTTP/1.1 401");
    http_direct_free(d);
    d = mcp_open(f, STR(LARGE_HEAD("Content-Length: 500000\r\n")), NULL);
    pending.done(pending.arg, &good);
    mcp_pump(f, d, "HTTP/1.1 503");
    assert_true(str_contains(http_direct_output(d), STR("Retry-After: 1")));
    http_direct_free(d);
    f->h->access.check = check;
    mcp_control(f);
}

/* Authorization is judged on every request, whatever session it names. */
static void session_is_no_credential(void **state)
{
    mcp_world_t *f = *state;
    str_t s = mcp_session_of(f, ALICE);
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, "", s), PING).status, 401);
    unsigned before = f->checks;
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, ALICE, s), PING).status, 200);
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, ALICE, s), PING).status, 200);
    assert_int_equal(f->checks, before + 2);
}

/* attack case: CHL-006, GWM-008, GWM-009 */
static void session_of_another_principal_is_404(void **state)
{
    mcp_world_t *f = *state;
    str_t s = mcp_session_of(f, ALICE);
    static const char *const METHODS[] = {"POST", "GET", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r =
            mcp_send(f, METHODS[i], mcp_with_session(f, BOB, s), i == 0 ? PING : "");
        assert_int_equal(r.status, 404);
        assert_last_event(f, AUDIT_ACCESS, false, "unknown_session");
    }
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, ALICE, s), PING).status, 200);
}

static void deleted_session_is_404(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    assert_int_equal(mcp_send(f, "DELETE", h, "").status, 204);
    assert_int_equal(mcp_send(f, "POST", h, PING).status, 404);
    assert_int_equal(mcp_send(f, "DELETE", ALICE, "").status, 400);
    mcp_control(f);
}

static void malformed_session_id(void **state)
{
    mcp_world_t *f = *state;
    assert_int_equal(mcp_send(f, "POST", ALICE "Mcp-Session-Id: a b\r\n", PING).status, 400);
    assert_last_event(f, AUDIT_ACCESS, false, "malformed_session_id");
    mcp_control(f);
}

static void foreign_origin(void **state)
{
    mcp_world_t *f = *state;
    assert_int_equal(mcp_send(f, "POST", ALICE "Origin: https://evil.test\r\n", CALL("")).status,
                     403);
    assert_last_event(f, AUDIT_ACCESS, false, "foreign_origin");
    assert_int_equal(mcp_send(f, "POST", ALICE "Origin: null\r\n", CALL("")).status, 403);
    assert_int_equal(mcp_send(f, "POST", ALICE "Origin: https://app.test\r\n", CALL("")).status,
                     200);
    assert_int_equal(mcp_send(f, "POST", ALICE "Origin: http://localhost:6274\r\n", PING).status,
                     200);
    const char *both = ALICE "Origin: https://app.test\r\norigin: https://evil.test\r\n";
    assert_int_equal(mcp_send(f, "POST", both, CALL("")).status, 403);
    assert_last_event(f, AUDIT_ACCESS, false, "foreign_origin");
}

static void repeated_header(void **state)
{
    mcp_world_t *f = *state;
    str_t id = mcp_session_of(f, ALICE);
    const char *twice[] = {
        arena_printf(f->a, "%sMcp-Session-Id: other\r\n", mcp_with_session(f, ALICE, id)).p,
        ALICE "MCP-Protocol-Version: 2025-11-25\r\nmcp-protocol-version: 1999-01-01\r\n",
    };
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        assert_int_equal(mcp_send(f, "POST", twice[i], PING).status, 400);
        assert_last_event(f, AUDIT_ACCESS, false, "repeated_header");
        assert_int_equal(mcp_send(f, "DELETE", twice[i], "").status, 400);
    }
    mcp_control(f);
}

static void foreign_host(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: evil.test:80\r\n" ALICE
                   "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 403);
    assert_last_event(f, AUDIT_ACCESS, false, "foreign_host");
    mcp_control(f);
}

/* attack case: CHL-004 */
static void metadata_is_found_at_both_places(void **state)
{
    mcp_world_t *f = *state;
    static const char *const PATHS[] = {"", "/mcp", "/mcp/"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r =
            mcp_raw(f, arena_printf(f->a,
                                    "GET /.well-known/oauth-protected-resource%s HTTP/1.1\r\nHost: "
                                    "evil.test\r\nOrigin: https://any.test\r\n\r\n",
                                    PATHS[i])
                           .p);
        assert_int_equal(r.status, 200);
        assert_true(str_eq(r.body, STR("{\"resource\":\"https://rs.test/mcp\"}")));
        assert_true(
            str_eq(http_headers_get(r.headers, STR("Access-Control-Allow-Origin")), STR("*")));
    }
    http_direct_answer_t r = mcp_raw(
        f, "GET /.well-known/oauth-protected-resource/other HTTP/1.1\r\nHost: rs.test\r\n\r\n");
    assert_int_equal(r.status, 404);
}

static void preflight_needs_no_token(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_raw(f, "OPTIONS /mcp HTTP/1.1\r\nHost: rs.test\r\nOrigin: http://localhost:6274\r\n"
                   "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
                   "authorization,mcp-session-id\r\n\r\n");
    assert_int_equal(r.status, 204);
    /* TL-14: clients send the revision with the look for the metadata, too. */
    r = mcp_raw(f, "OPTIONS /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\nHost: rs.test\r\n"
                   "Origin: http://localhost:6274\r\nAccess-Control-Request-Method: GET\r\n"
                   "Access-Control-Request-Headers: mcp-protocol-version\r\n\r\n");
    assert_int_equal(r.status, 204);
    str_t allowed = http_headers_get(r.headers, STR("Access-Control-Allow-Headers"));
    assert_true(str_contains(allowed, STR("MCP-Protocol-Version")));
    assert_int_equal(f->checks, 0);
}

/* TR-2: attack pages and strange hosts are turned away before the token is looked at. */
static void place_is_judged_before_the_token(void **state)
{
    mcp_world_t *f = *state;
    assert_int_equal(mcp_send(f, "POST", "Origin: https://evil.test\r\n", PING).status, 403);
    assert_int_equal(f->checks, 0);
    mcp_control(f);
}

static void other_methods_are_405_with_allow(void **state)
{
    mcp_world_t *f = *state;
    static const char *const METHODS[] = {"PUT", "PATCH"};
    for (size_t i = 0; i < 2; i++) {
        http_direct_answer_t r = mcp_send(f, METHODS[i], ALICE, "");
        assert_int_equal(r.status, 405);
        str_t allow = http_headers_get(r.headers, STR("Allow"));
        assert_true(str_contains(allow, STR("POST")) && str_contains(allow, STR("DELETE")));
        assert_false(str_contains(allow, STR("HEAD")));
    }
    /* A stream has no head of its own. */
    http_direct_free(mcp_open(f, mcp_bytes(f, "HEAD", ALICE, ""), "HTTP/1.1 405"));
    mcp_control(f);
}

static void health(void **state)
{
    mcp_world_t *f = *state;
    const char *get = "GET /healthz HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n";
    assert_int_equal(mcp_raw(f, get).status, 200);
    mcp_http_worker_drain(f->h, f->worker);
    assert_int_equal(mcp_raw(f, get).status, 503);
    assert_int_equal(f->checks, 0);
}

static void open_server_lets_everybody_use_everything(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", "Host-Is: x\r\n", CALL(""));
    assert_int_equal(r.status, 403); /* its own host is loopback's */
    r = mcp_raw(f, arena_printf(f->a,
                                "POST /mcp HTTP/1.1\r\nHost: localhost:8081\r\nContent-Type: "
                                "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                strlen(CALL("")), CALL(""))
                       .p);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("nothing")));
    r = mcp_raw(f, "GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.status, 404);
}

static void keys_away(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", "Authorization: Bearer later\r\n", CALL(""));
    assert_int_equal(r.status, 503);
    assert_true(str_eq(http_headers_get(r.headers, STR("Retry-After")), STR("7")));
    assert_false(http_headers_get(r.headers, STR("WWW-Authenticate")).p);
    assert_last_event(f, AUDIT_ACCESS, false, "keys_away");
    r = mcp_send(f, "POST", "", CALL(""));
    assert_false(http_headers_get(r.headers, STR("Retry-After")).p);
    mcp_control(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(no_token),
        MCP_TEST(every_answer_hands_on_the_nonce),
        MCP_TEST(no_token_with_a_bad_body_is_401),
        MCP_TEST(no_token_with_a_large_body_is_401_before_it),
        MCP_TEST(large_body_with_a_token_is_read),
        MCP_TEST(verdict_that_comes_later_does_not_wait_for_a_large_body),
        MCP_TEST(session_is_no_credential),
        MCP_TEST(session_of_another_principal_is_404),
        MCP_TEST(deleted_session_is_404),
        MCP_TEST(malformed_session_id),
        MCP_TEST(foreign_origin),
        MCP_TEST(repeated_header),
        MCP_TEST(foreign_host),
        MCP_TEST(metadata_is_found_at_both_places),
        MCP_TEST(preflight_needs_no_token),
        MCP_TEST(keys_away),
        MCP_TEST(place_is_judged_before_the_token),
        MCP_TEST(other_methods_are_405_with_allow),
        MCP_TEST(health),
        cmocka_unit_test_setup_teardown(open_server_lets_everybody_use_everything,
                                        mcp_world_setup_open, mcp_world_teardown),
    };
    return cmocka_run_group_tests_name("mcp_http", tests, NULL, NULL);
}
