#include "mcp_http/mcp_http.h"

#include "http/direct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* --- doubles --- */

enum { MAX_EVENTS = 64, ARENA_BYTES = 4 << 20 };

typedef struct {
    audit_event_t v[MAX_EVENTS]; /* kind, allowed; the rest as copies below */
    char reason[MAX_EVENTS][64], user[MAX_EVENTS][64], tool[MAX_EVENTS][64];
    size_t n;
    bool broken;
} trail_t;

typedef struct {
    http_direct_t *d;
    mcp_http_t *m;
    void *worker;
    trail_t trail;
    clock_fake_t clock;
    random_fake_t random;
    unsigned runs;
    unsigned checks;
    arena_t *a;
} fixture_t;

static void keep(char out[64], str_t s)
{
    snprintf(out, 64, "%.*s", STR_ARG(str_first(s, 63)));
}

static void record(void *ctx, http_exchange_t *x, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    trail_t *t = ctx;
    (void)x;
    if (!t->broken && t->n < MAX_EVENTS) {
        keep(t->reason[t->n], e->reason);
        keep(t->user[t->n], e->user);
        keep(t->tool[t->n], e->tool);
        t->v[t->n++] = *e;
    }
    done(arg, !t->broken);
}

/* "Bearer NAME/SCOPE": a token of NAME that grants SCOPE. */
static void check(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    fixture_t *f = ctx;
    str_t value = http_header(x, STR("Authorization"));
    mcp_access_t v = {.status = 401, .reason = STR("no_token")};
    f->checks++;
    v.challenge = STR("Bearer resource_metadata=\"https://rs.test/meta\", scope=\"news:read\"");
    if (str_starts(value, STR("Bearer "))) {
        str_t rest = str_skip(value, 7), name;
        v.allowed = str_split(&rest, '/', &name);
        v.issuer = STR("https://as.test");
        v.subject = name;
        v.client = STR("client");
        v.scope = rest.p ? rest : STR("");
        v.expires_at = 1000;
    }
    done(arg, &v);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    (void)ctx;
    return str_contains(granted, needed);
}

static str_t insufficient(void *ctx, arena_t *a, str_t needed)
{
    (void)ctx;
    return arena_printf(a, "Bearer error=\"insufficient_scope\", scope=\"%.*s\"", STR_ARG(needed));
}

static void run_echo(void *ctx, mcp_call_t *call)
{
    fixture_t *f = ctx;
    f->runs++;
    str_t text = json_get_str(call->arguments, STR("text"));
    mcp_tool_result_t r = {.text = text.p ? text : STR("nothing"), .structured = STR("{\"a\":1}")};
    r.is_error = str_eq(text, STR("bad"));
    if (str_eq(text, STR("fail")))
        mcp_call_failed(call, RC_IO);
    else
        mcp_call_done(call, &r);
}

static mcp_http_tool_t TOOL[] = {{
    .tool = {.name = STR_INIT("echo"),
             .title = STR_INIT("Echo"),
             .description = STR_INIT("Echoes."),
             .input_schema = STR_INIT("{\"type\":\"object\"}"),
             .scope = STR_INIT("news:read")},
    .run = run_echo,
}};

static int setup(void **state)
{
    static const str_t ORIGINS[] = {STR_INIT("https://app.test")};
    static const mcp_identity_t ID = {STR_INIT("https://rs.test/mcp"), STR_INIT("rs.test"),
                                      STR_INIT("{\"resource\":\"https://rs.test/mcp\"}")};
    fixture_t *f = calloc(1, sizeof *f);
    mcp_http_config_t c = {.info = {STR("t"), STR("T"), STR("1"), STR_UNSET},
                           .tools = TOOL,
                           .tool_count = 1,
                           .path = STR("/mcp"),
                           .origins = {ORIGINS, 1},
                           .clock = clock_fake(&f->clock),
                           .random = random_fake(&f->random)};
    TOOL[0].ctx = f;
    f->a = arena_new(ARENA_BYTES);
    f->m = mcp_http_new(&c);
    mcp_http_protect(f->m, &ID, (mcp_access_port_t){check, covers, insufficient, f},
                     (mcp_audit_port_t){record, &f->trail});
    assert_int_equal(mcp_http_worker_init(f->m, NULL, &f->worker), RC_OK);
    f->d = http_direct_new(mcp_http_app(f->m), f->worker);
    *state = f;
    return f->d ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    mcp_http_worker_drain(f->m, f->worker);
    http_direct_free(f->d);
    mcp_http_worker_exit(f->m, f->worker);
    mcp_http_free(f->m);
    arena_free(f->a);
    free(f);
    return 0;
}

/* --- requests --- */

#define ALICE "Authorization: Bearer alice/news:read\r\n"
#define BOB   "Authorization: Bearer bob/news:read\r\n"
#define INIT                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\"}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}"
#define CALL(arg)                                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"" arg "}}"

static http_direct_answer_t send(fixture_t *f, const char *method, const char *headers,
                                 const char *body)
{
    str_t request = arena_printf(
        f->a,
        "%s /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: application/json, text/event-stream\r\n"
        "%s%sContent-Length: %zu\r\n\r\n%s",
        method, headers, *body ? "Content-Type: application/json\r\n" : "", strlen(body), body);
    return http_direct_run(f->d, f->a, request);
}

static http_direct_answer_t raw(fixture_t *f, const char *request)
{
    return http_direct_run(f->d, f->a, str_c(request));
}

static str_t session_of(fixture_t *f, const char *who)
{
    http_direct_answer_t r = send(f, "POST", who, INIT);
    assert_int_equal(r.status, 200);
    str_t id = http_headers_get(r.headers, STR("Mcp-Session-Id"));
    assert_true(id.n >= 27);
    return arena_dup(f->a, id);
}

static const char *with_session(fixture_t *f, const char *who, str_t session)
{
    return arena_printf(f->a, "%sMcp-Session-Id: %.*s\r\n", who, STR_ARG(session)).p;
}

static int64_t error_code(fixture_t *f, const http_direct_answer_t *r)
{
    const json_t *root;
    int64_t code = 0;
    assert_int_equal(json_parse(f->a, r->body, NULL, &root), RC_OK);
    json_get_i64(json_get(root, STR("error")), STR("code"), &code);
    return code;
}

static void last_event(fixture_t *f, audit_kind_t kind, bool allowed, const char *reason)
{
    assert_true(f->trail.n > 0);
    size_t i = f->trail.n - 1;
    assert_int_equal(f->trail.v[i].kind, kind);
    assert_int_equal(f->trail.v[i].allowed, allowed);
    assert_string_equal(f->trail.reason[i], reason);
}

/* After every refusal a good call must still be answered. */
static void control(fixture_t *f)
{
    http_direct_answer_t r = send(f, "POST", ALICE, CALL(""));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("structuredContent")));
}

/* --- tests --- */

static void handshake_gives_a_session(void **state)
{
    fixture_t *f = *state;
    const char *h = with_session(f, ALICE, session_of(f, ALICE));
    http_direct_answer_t r =
        send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_int_equal(r.status, 202);
    assert_int_equal(r.body.n, 0);
    r = send(f, "POST", h, PING);
    assert_true(str_eq(r.body, STR("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}")));
    r = send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\"}");
    assert_true(str_contains(r.body, STR("\"name\":\"echo\"")));
    assert_int_equal(f->trail.n, 0);
}

static void call_is_answered_and_audited(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"hi\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"hi\"")));
    assert_int_equal(f->trail.n, 1);
    last_event(f, AUDIT_TOOL_CALL, true, "ok");
    assert_string_equal(f->trail.user[0], "alice");
    assert_string_equal(f->trail.tool[0], "echo");
}

static void tool_error_is_a_result(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"bad\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"isError\":true")));
    last_event(f, AUDIT_TOOL_CALL, true, "tool_error");
}

static void machine_failure_is_500(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"fail\"}"));
    assert_int_equal(r.status, 500);
    last_event(f, AUDIT_TOOL_CALL, false, "internal_error");
    control(f);
}

static void no_token(void **state)
{
    fixture_t *f = *state;
    static const char *const METHODS[] = {"POST", "GET", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r = send(f, METHODS[i], "", i == 0 ? CALL("") : "");
        assert_int_equal(r.status, 401);
        str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
        assert_true(str_starts(c, STR("Bearer resource_metadata=")));
        last_event(f, AUDIT_ACCESS, false, "no_token");
    }
    assert_int_equal(f->runs, 0);
    control(f);
}

/* The token is judged before the body is: a stranger learns nothing but 401. */
static void no_token_with_a_bad_body_is_401(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(send(f, "POST", "", "[").status, 401);
    http_direct_answer_t r =
        raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nContent-Type: text/plain"
               "\r\nContent-Length: 1\r\n\r\nx");
    assert_int_equal(r.status, 401);
    control(f);
}

/* attack case: CHL-002 */
static void insufficient_scope(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", "Authorization: Bearer alice/other\r\n", CALL(""));
    assert_int_equal(r.status, 403);
    str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\", scope=\"news:read\"")));
    last_event(f, AUDIT_TOOL_CALL, false, "insufficient_scope");
    assert_string_equal(f->trail.tool[0], "echo");
    assert_int_equal(f->runs, 0);
    control(f);
}

/* Authorization is judged on every request, whatever session it names. */
static void session_is_no_credential(void **state)
{
    fixture_t *f = *state;
    str_t s = session_of(f, ALICE);
    assert_int_equal(send(f, "POST", with_session(f, "", s), PING).status, 401);
    unsigned before = f->checks;
    assert_int_equal(send(f, "POST", with_session(f, ALICE, s), PING).status, 200);
    assert_int_equal(send(f, "POST", with_session(f, ALICE, s), PING).status, 200);
    assert_int_equal(f->checks, before + 2);
}

/* attack case: CHL-006, GWM-008, GWM-009 */
static void session_of_another_principal_is_404(void **state)
{
    fixture_t *f = *state;
    str_t s = session_of(f, ALICE);
    static const char *const METHODS[] = {"POST", "GET", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r = send(f, METHODS[i], with_session(f, BOB, s), i == 0 ? PING : "");
        assert_int_equal(r.status, 404);
        last_event(f, AUDIT_ACCESS, false, "unknown_session");
    }
    assert_int_equal(send(f, "POST", with_session(f, ALICE, s), PING).status, 200);
}

static void deleted_session_is_404(void **state)
{
    fixture_t *f = *state;
    const char *h = with_session(f, ALICE, session_of(f, ALICE));
    assert_int_equal(send(f, "DELETE", h, "").status, 204);
    assert_int_equal(send(f, "POST", h, PING).status, 404);
    assert_int_equal(send(f, "DELETE", ALICE, "").status, 400);
    control(f);
}

static void malformed_session_id(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(send(f, "POST", ALICE "Mcp-Session-Id: a b\r\n", PING).status, 400);
    last_event(f, AUDIT_ACCESS, false, "malformed_session_id");
    control(f);
}

static void foreign_origin(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(send(f, "POST", ALICE "Origin: https://evil.test\r\n", CALL("")).status, 403);
    last_event(f, AUDIT_ACCESS, false, "foreign_origin");
    assert_int_equal(send(f, "POST", ALICE "Origin: null\r\n", CALL("")).status, 403);
    assert_int_equal(send(f, "POST", ALICE "Origin: https://app.test\r\n", CALL("")).status, 200);
    assert_int_equal(send(f, "POST", ALICE "Origin: http://localhost:6274\r\n", PING).status, 200);
    const char *both = ALICE "Origin: https://app.test\r\norigin: https://evil.test\r\n";
    assert_int_equal(send(f, "POST", both, CALL("")).status, 403);
    last_event(f, AUDIT_ACCESS, false, "foreign_origin");
}

static void repeated_header(void **state)
{
    fixture_t *f = *state;
    str_t id = session_of(f, ALICE);
    const char *twice[] = {
        arena_printf(f->a, "%sMcp-Session-Id: other\r\n", with_session(f, ALICE, id)).p,
        ALICE "MCP-Protocol-Version: 2025-11-25\r\nmcp-protocol-version: 1999-01-01\r\n",
    };
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        assert_int_equal(send(f, "POST", twice[i], PING).status, 400);
        last_event(f, AUDIT_ACCESS, false, "repeated_header");
        assert_int_equal(send(f, "DELETE", twice[i], "").status, 400);
    }
    control(f);
}

static void foreign_host(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r =
        raw(f, "POST /mcp HTTP/1.1\r\nHost: evil.test:80\r\n" ALICE
               "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 403);
    last_event(f, AUDIT_ACCESS, false, "foreign_host");
    control(f);
}

static void unsupported_protocol_version(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", ALICE "MCP-Protocol-Version: 2026-07-28\r\n",
                                  "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"server/discover\"}");
    assert_int_equal(r.status, 400);
    assert_int_equal(error_code(f, &r), -32022);
    assert_true(str_contains(r.body, STR("\"supported\":[\"2025-11-25\"")));
    assert_true(str_contains(r.body, STR("\"id\":9")));
    control(f);
}

static void transport_rules(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = send(f, "POST", ALICE, "[" PING "]");
    assert_int_equal(r.status, 400);
    last_event(f, AUDIT_ACCESS, false, "batch_refused");
    r = raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE
               "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 415);
    r = raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE "Accept: text/html\r\n"
               "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 406);
    assert_int_equal(send(f, "PUT", ALICE, "").status, 405);
    control(f);
}

static void unknown_method_and_tool_are_rpc_errors(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r =
        send(f, "POST", ALICE, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}");
    assert_int_equal(r.status, 200);
    assert_int_equal(error_code(f, &r), -32601);
    r = send(
        f, "POST", ALICE,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}");
    assert_int_equal(r.status, 200);
    assert_int_equal(error_code(f, &r), -32602);
    last_event(f, AUDIT_TOOL_CALL, false, "unknown_tool");
}

/* attack case: CHL-004 */
static void metadata_is_found_at_both_places(void **state)
{
    fixture_t *f = *state;
    static const char *const PATHS[] = {"", "/mcp", "/mcp/"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t r =
            raw(f, arena_printf(f->a,
                                "GET /.well-known/oauth-protected-resource%s HTTP/1.1\r\nHost: "
                                "evil.test\r\nOrigin: https://any.test\r\n\r\n",
                                PATHS[i])
                       .p);
        assert_int_equal(r.status, 200);
        assert_true(str_eq(r.body, STR("{\"resource\":\"https://rs.test/mcp\"}")));
        assert_true(
            str_eq(http_headers_get(r.headers, STR("Access-Control-Allow-Origin")), STR("*")));
    }
    http_direct_answer_t r =
        raw(f, "GET /.well-known/oauth-protected-resource/other HTTP/1.1\r\nHost: rs.test\r\n\r\n");
    assert_int_equal(r.status, 404);
}

static void preflight_needs_no_token(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r =
        raw(f, "OPTIONS /mcp HTTP/1.1\r\nHost: rs.test\r\nOrigin: http://localhost:6274\r\n"
               "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
               "authorization,mcp-session-id\r\n\r\n");
    assert_int_equal(r.status, 204);
    assert_int_equal(f->checks, 0);
}

static void broken_audit_holds_the_answer_back(void **state)
{
    fixture_t *f = *state;
    f->trail.broken = true;
    assert_int_equal(send(f, "POST", ALICE, CALL("")).status, 503);
    assert_int_equal(send(f, "POST", "", CALL("")).status, 503);
    f->trail.broken = false;
    control(f);
}

static void stream_idles_until_it_is_drained(void **state)
{
    fixture_t *f = *state;
    const char *h = with_session(f, ALICE, session_of(f, ALICE));
    http_direct_reset(f->d);
    http_direct_send(f->d, arena_printf(f->a,
                                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: "
                                        "text/event-stream\r\n%s\r\n",
                                        h));
    str_t out = http_direct_output(f->d);
    assert_true(str_starts(out, STR("HTTP/1.1 200")));
    assert_true(str_contains(out, STR("text/event-stream")));
    assert_true(str_contains(out, STR(": open")));
    mcp_http_worker_drain(f->m, f->worker);
    assert_true(str_ends(http_direct_output(f->d), STR("0\r\n\r\n")));
}

static void stream_of_a_client_that_goes_away_ends(void **state)
{
    fixture_t *f = *state;
    const char *h = with_session(f, ALICE, session_of(f, ALICE));
    str_t get = arena_printf(f->a,
                             "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n"
                             "%s\r\n",
                             h);
    for (int i = 0; i < 10; i++) { /* more than one session may hold at a time */
        http_direct_reset(f->d);
        http_direct_send(f->d, get);
        assert_true(str_starts(http_direct_output(f->d), STR("HTTP/1.1 200")));
        http_direct_hang_up(f->d);
    }
}

static void stream_rules(void **state)
{
    fixture_t *f = *state;
    const char *h = with_session(f, ALICE, session_of(f, ALICE));
    assert_int_equal(send(f, "GET", ALICE, "").status, 400);
    last_event(f, AUDIT_ACCESS, false, "session_missing");
    http_direct_answer_t r =
        raw(f, arena_printf(f->a,
                            "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/html\r\n%s\r\n", h)
                   .p);
    assert_int_equal(r.status, 406);
}

#define MCP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(handshake_gives_a_session),
        MCP_TEST(call_is_answered_and_audited),
        MCP_TEST(tool_error_is_a_result),
        MCP_TEST(machine_failure_is_500),
        MCP_TEST(no_token),
        MCP_TEST(no_token_with_a_bad_body_is_401),
        MCP_TEST(insufficient_scope),
        MCP_TEST(session_is_no_credential),
        MCP_TEST(session_of_another_principal_is_404),
        MCP_TEST(deleted_session_is_404),
        MCP_TEST(malformed_session_id),
        MCP_TEST(foreign_origin),
        MCP_TEST(repeated_header),
        MCP_TEST(foreign_host),
        MCP_TEST(unsupported_protocol_version),
        MCP_TEST(transport_rules),
        MCP_TEST(unknown_method_and_tool_are_rpc_errors),
        MCP_TEST(metadata_is_found_at_both_places),
        MCP_TEST(preflight_needs_no_token),
        MCP_TEST(broken_audit_holds_the_answer_back),
        MCP_TEST(stream_idles_until_it_is_drained),
        MCP_TEST(stream_of_a_client_that_goes_away_ends),
        MCP_TEST(stream_rules),
    };
    return cmocka_run_group_tests_name("mcp_http", tests, NULL, NULL);
}
