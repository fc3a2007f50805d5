#include "proxy/relay_test_world.h"

#define JSON "Content-Type: application/json\r\n"

static const char *sent_header(const relay_world_t *f, const char *name)
{
    return strcasestr(f->headers, name);
}

/* What goes upstream. */

static void the_callers_token_never_goes_upstream(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST",
              ALICE POSTED "DPoP: proof\r\nCookie: a=b\r\nX-Forwarded-User: root\r\n"
                           "X_Forwarded_User: root\r\nX-Warder-Identity: forged\r\n"
                           "Forwarded: for=1.2.3.4\r\nOrigin: https://mcp.test\r\n"
                           "Accept-Encoding: gzip\r\nX-Other: stays\r\n",
              CALL("1", "echo"));
    assert_null(strstr(f->headers, "alice"));
    assert_null(sent_header(f, "proof"));
    assert_null(sent_header(f, "cookie"));
    assert_null(sent_header(f, "root"));
    assert_null(sent_header(f, "forged"));
    assert_null(sent_header(f, "forwarded"));
    assert_null(sent_header(f, "origin"));
    assert_null(sent_header(f, "gzip"));
    assert_null(sent_header(f, "host:"));
    assert_non_null(strstr(f->headers, "Authorization: Bearer upstream\n"));
    assert_non_null(strstr(f->headers, "X-Warder-Identity: signed\n"));
    assert_non_null(strstr(f->headers, "X-Other: stays\n"));
    assert_non_null(strstr(f->headers, "MCP-Protocol-Version: 2025-11-25\n"));
    assert_string_equal(f->body, CALL("1", "echo"));
    relay_answer(f, 200, JSON, RESULT("1"));
    relay_control(f);
}

/* RFC 9110 section 7.6.1: what Connection names belongs to the connection. */
static void what_the_connection_names_stays_here(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST",
              ALICE POSTED "Connection: keep-alive, X-Hop , x-next\r\nX-Hop: 1\r\n"
                           "X-Next: 2\r\nX-Other: stays\r\nConnection: X-Last\r\nX-Last: 3\r\n",
              CALL("1", "echo"));
    assert_null(sent_header(f, "hop"));
    assert_null(sent_header(f, "next"));
    assert_null(sent_header(f, "last"));
    assert_non_null(strstr(f->headers, "X-Other: stays\n"));
    relay_answer(f, 200, JSON, RESULT("1"));
    relay_control(f);
}

/* However many it names: what decides must not be behind the last that is looked at. */
static void a_long_list_of_the_connection_is_read_to_its_end(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST",
              ALICE POSTED
              "Connection: a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, X-Hop\r\n"
              "X-Hop: 1\r\n",
              CALL("1", "echo"));
    assert_null(sent_header(f, "X-Hop"));
    relay_answer(f, 200, JSON, RESULT("1"));
    relay_control(f);
}

/* The server behind would read the message in another era than it was judged in, or as another
 * type. */
static void a_field_that_the_message_needs_is_for_no_hop(void **state)
{
    static const char *const OPTIONS[] = {
        "MCP-Protocol-Version", "keep-alive, mcp-protocol-version", "content-type", "x,accept"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        str_t headers = arena_printf(f->a, ALICE POSTED "Connection: %s\r\n", OPTIONS[i]);
        http_direct_answer_t r = relay_ask(f, "POST", headers.p, CALL("1", "echo"));
        assert_int_equal(r.status, 400);
        relay_assert_last(f, AUDIT_CALL_BEGIN, false, "hop_field");
    }
    assert_int_equal(f->starts, 0);
    relay_ask(f, "POST", ALICE POSTED "Connection: Mcp-Name, close\r\n", CALL("1", "echo"));
    relay_answer(f, 200, JSON, RESULT("1"));
    relay_control(f);
}

/* RFC 9110 section 5.5: such bytes are opaque, and no reason to take a server for unreachable or an
 * answer for none. */
static void bytes_beyond_ascii_harm_no_message(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED "X-Title: caf\xc3\xa9\r\n", CALL("1", "echo"));
    assert_non_null(strstr(f->headers, "X-Title: caf\xc3\xa9\n"));
    http_direct_answer_t r = relay_answer(f, 200,
                                          JSON "Content-Language: \xc3\xa9\r\nRetry-After: 5\r\n"
                                               "Cache-Control: no-store, x=\xc3\xa9\r\n",
                                          RESULT("1"));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, STR(RESULT("1"))));
    assert_true(str_eq(relay_header(&r, "Retry-After"), STR("5")));
    assert_true(str_eq(relay_header(&r, "Cache-Control"), STR("no-store")));
    assert_null(relay_header(&r, "Content-Language").p);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    relay_control(f);
}

/* Each name is looked for among all fields. */
static void more_names_than_a_message_has_fields_are_refused(void **state)
{
    static const char OPTIONS[] =
        "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
        "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
        "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,,close";
    relay_world_t *f = *state;
    str_t headers = arena_printf(f->a, ALICE POSTED "Connection: %s\r\n", OPTIONS);
    relay_ask(f, "POST", headers.p, CALL("1", "echo"));
    relay_answer(f, 200, JSON, RESULT("1"));
    assert_int_equal(f->starts, 1);
    headers = arena_printf(f->a, ALICE POSTED "Connection: %s,\r\n", OPTIONS);
    assert_int_equal(relay_ask(f, "POST", headers.p, CALL("1", "echo")).status, 400);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "hop_field");
    assert_int_equal(f->starts, 1);
    relay_control(f);
}

static void two_types_of_a_body_are_none(void **state)
{
    relay_world_t *f = *state;
    http_direct_answer_t r =
        relay_ask(f, "POST", ALICE POSTED "Content-Type: application/json; charset=utf-7\r\n",
                  CALL("1", "echo"));
    assert_int_equal(r.status, 400);
    assert_int_equal(f->starts, 0);
    relay_control(f);
}

static void a_trace_goes_on(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST",
              ALICE POSTED
              "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
              "tracestate: a=b\r\n",
              CALL("1", "echo"));
    assert_string_equal(relay_last(f)->trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_non_null(strstr(f->headers, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert_null(strstr(f->headers, "00f067aa0ba902b7"));
    assert_non_null(strstr(f->headers, "tracestate: a=b\n"));
    relay_answer(f, 200, JSON, RESULT("1"));
    relay_ask(f, "POST", ALICE POSTED "traceparent: 00-bad\r\ntracestate: a=b\r\n",
              CALL("1", "echo"));
    assert_null(strstr(f->headers, "tracestate"));
    assert_int_equal(strlen(relay_last(f)->trace), 32);
    relay_answer(f, 200, JSON, RESULT("1"));
}

/* What comes back. */

static void headers_of_an_answer_are_few(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE "Wants-Nonce: n-1\r\n" POSTED, CALL("1", "echo"));
    http_direct_answer_t r = relay_answer(
        f, 200,
        JSON
        "Set-Cookie: a=b; Domain=test\r\nWWW-Authenticate: Bearer\r\nLocation: https://e.test\r\n"
        "Server: x\r\nX-Powered-By: y\r\nMCP-Protocol-Version: 2025-11-25\r\n"
        "Cache-Control: public, max-age=60\r\nAccess-Control-Allow-Origin: https://e.test\r\n"
        "Strict-Transport-Security: max-age=1\r\n",
        RESULT("1"));
    static const char *const NEVER[] = {"Set-Cookie",   "WWW-Authenticate",
                                        "Location",     "Server",
                                        "X-Powered-By", "Strict-Transport-Security"};
    assert_int_equal(r.status, 200);
    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
        assert_unset(relay_header(&r, NEVER[i]));
    assert_text(relay_header(&r, "Cache-Control"), "no-store");
    assert_text(relay_header(&r, "MCP-Protocol-Version"), "2025-11-25");
    assert_text(relay_header(&r, "DPoP-Nonce"), "n-1");
    assert_text(relay_header(&r, "Access-Control-Allow-Origin"), "*");
}

typedef struct {
    const char *name;
    int status;
    const char *headers, *body;
    int answered;
    const char *reason;
    bool passes; /* the body */
} answer_t;

#define REFUSED "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,\"message\":\"no\"}}"

static const answer_t ANSWERS[] = {
    {"challenge", 401, "WWW-Authenticate: Bearer resource_metadata=\"https://other.test/\"\r\n",
     "{\"token\":\"secret\"}", 502, "upstream_denied", false},
    {"forbidden", 403, JSON, "{\"token\":\"secret\"}", 502, "upstream_denied", false},
    {"proxy_challenge", 407, JSON, "{}", 502, "upstream_denied", false},
    {"redirect", 302, "Location: https://evil.test/\r\n", "", 502, "upstream_status", false},
    {"not_modified", 304, "", "", 502, "upstream_status", false},
    {"failure", 500, JSON, "{\"trace\":\"secret\"}", 502, "upstream_status", false},
    {"unavailable", 503, "Retry-After: 9\r\n", "secret", 502, "upstream_status", false},
    {"gateway_timeout", 504, "", "secret", 504, "upstream_timeout", false},
    {"page", 200, "Content-Type: text/html\r\n", "secret", 502, "upstream_malformed", false},
    {"typeless", 200, "", "secret", 502, "upstream_malformed", false},
    {"compressed", 200, JSON "Content-Encoding: gzip\r\n", "secret", 502, "upstream_malformed",
     false},
    {"page_of_404", 404, "Content-Type: text/html\r\n", "secret", 404, "upstream_refused", false},
    {"json_that_is_no_message", 400, JSON, "{\"error\":\"secret\"}", 400, "upstream_refused",
     false},
    {"unsupported_version", 400, JSON, REFUSED, 400, "rpc_error", true},
    {"unknown_method", 404, JSON, REFUSED, 404, "rpc_error", true},
    {"teapot", 418, "Content-Type: application/json; charset=utf-8\r\n", REFUSED, 418, "rpc_error",
     true},
    {"tool_error", 200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"isError\":true}}", 200,
     "tool_error", true},
    {"rpc_error", 200, JSON, REFUSED, 200, "rpc_error", true},
};

static void answers_pass_or_become_ours(void **state)
{
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        const answer_t *row = &ANSWERS[i];
        relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
        http_direct_answer_t r = {0};
        relay_head(f, row->status, row->headers);
        if (f->open)
            relay_data(f, row->body);
        relay_end(f, HTTP_OUT_DONE);
        r = relay_heard(f);
        if (r.status != row->answered)
            fail_msg("%s: %d", row->name, r.status);
        assert_false(str_contains(test_wire_heard(&f->wire), STR("secret")));
        assert_false(str_contains(test_wire_heard(&f->wire), STR("other.test")));
        assert_false(str_contains(test_wire_heard(&f->wire), STR("evil.test")));
        assert_true(str_contains(r.body, STR("\"id\":1,")));
        assert_int_equal(str_eq(r.body, str_c(row->body)), row->passes);
        relay_assert_last(f, AUDIT_CALL_END, true, row->reason);
        assert_int_equal(relay_last(f)->status, row->answered);
    }
    assert_int_equal(f->drops, 1);
    assert_string_equal(relay_last(f)->detail, "JSON-RPC error -32022");
    relay_control(f);
}

static void an_upstream_that_fails(void **state)
{
    static const struct {
        http_outbound_end_t how;
        int status;
        const char *reason;
    } ROWS[] = {{HTTP_OUT_BUSY, 503, "upstream_busy"},
                {HTTP_OUT_UNREACHABLE, 502, "upstream_unreachable"},
                {HTTP_OUT_TIMEOUT, 504, "upstream_timeout"},
                {HTTP_OUT_MALFORMED, 502, "upstream_malformed"},
                {HTTP_OUT_BROKEN, 502, "upstream_broken"},
                {HTTP_OUT_ENDED, 503, "upstream_ended"},
                {HTTP_OUT_DONE, 502, "upstream_malformed"}};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
        relay_end(f, ROWS[i].how);
        http_direct_answer_t r = relay_heard(f);
        assert_int_equal(r.status, ROWS[i].status);
        assert_true(str_contains(r.body, STR("\"id\":1,\"error\"")));
        relay_assert_last(f, AUDIT_CALL_END, true, ROWS[i].reason);
    }
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, JSON);
    relay_data(f, "{\"jsonrpc\":");
    relay_end(f, HTTP_OUT_BROKEN);
    assert_int_equal(relay_heard(f).status, 502);
    f->start_rc = RC_BUSY;
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 503);
    f->start_rc = RC_OK;
    relay_control(f);
}

static void readiness_follows_what_happens(void **state)
{
    relay_world_t *f = *state;
    assert_true(gateway_ready(f->g));
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_end(f, HTTP_OUT_UNREACHABLE);
    assert_false(gateway_ready(f->g));
    f->clock.ms += 11000;
    assert_true(gateway_ready(f->g));
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_end(f, HTTP_OUT_UNREACHABLE);
    relay_control(f);
    assert_true(gateway_ready(f->g));
}

static void take_line(void *ctx, str_t line)
{
    buf_put(ctx, line);
}

static void an_outage_is_told_once(void **state)
{
    relay_world_t *f = *state;
    buf_t lines = buf_new(f->a, 4096);
    log_t log = {.write = take_line, .ctx = &lines, .min = LOG_INFO};
    f->g->config.log = &log;
    for (int i = 0; i < 3; i++) {
        relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
        relay_end(f, HTTP_OUT_UNREACHABLE);
    }
    assert_str(buf_str(&lines),
               STR("{\"level\":\"warn\",\"msg\":\"a protected server cannot be reached\","
                   "\"upstream\":\"/mcp\"}\n"));
    lines.n = 0;
    relay_control(f);
    relay_control(f);
    assert_str(buf_str(&lines),
               STR("{\"level\":\"info\",\"msg\":\"a protected server answers again\","
                   "\"upstream\":\"/mcp\"}\n"));
    f->g->config.log = NULL;
}

static void metrics_name_the_path(void **state)
{
    relay_world_t *f = *state;
    buf_t b = buf_new(f->a, 4096);
    gateway_metrics(f->g, &b);
    assert_true(str_contains(buf_str(&b), STR("warder_upstream_ready{path=\"/mcp\"} 1\n")));
}

static void notifications_are_one_line_of_the_trail(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED,
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    http_direct_answer_t r = relay_answer(f, 202, "", "");
    assert_int_equal(r.status, 202);
    assert_int_equal(f->n_events, 1);
    relay_assert_last(f, AUDIT_CALL_BEGIN, true, "protocol");
    relay_ask(f, "POST", ALICE POSTED,
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    r = relay_answer(f, 500, "", "");
    assert_int_equal(r.status, 502);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_status");
    relay_control(f);
}

static void a_long_answer_passes_in_pieces(void **state)
{
    relay_world_t *f = *state;
    char piece[8192];
    memset(piece, ' ', sizeof piece);
    piece[sizeof piece - 1] = '\0';
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, JSON);
    relay_data(f, RESULT("1"));
    for (int i = 0; i < 20; i++)
        relay_data(f, piece);
    assert_true(str_contains(test_wire_heard(&f->wire), STR("Transfer-Encoding: chunked")));
    assert_int_equal(f->n_events, 1);
    relay_end(f, HTTP_OUT_DONE);
    http_direct_answer_t r = relay_heard(f);
    assert_int_equal(r.body.n, strlen(RESULT("1")) + 20 * (sizeof piece - 1));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_int_equal(relay_last(f)->bytes_out, r.body.n);
    relay_control(f);
}

static void a_long_refusal_is_not_passed_on(void **state)
{
    relay_world_t *f = *state;
    char piece[8192];
    memset(piece, ' ', sizeof piece);
    piece[sizeof piece - 1] = '\0';
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 422, JSON);
    for (int i = 0; i < 20; i++)
        relay_data(f, piece);
    assert_int_equal(relay_heard(f).status, 422);
    assert_int_equal(f->cancels, 1);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_refused");
    relay_control(f);
}

static void a_long_answer_that_breaks_is_cut(void **state)
{
    relay_world_t *f = *state;
    char piece[8192];
    memset(piece, ' ', sizeof piece);
    piece[sizeof piece - 1] = '\0';
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, JSON);
    for (int i = 0; i < 20; i++)
        relay_data(f, piece);
    relay_end(f, HTTP_OUT_BROKEN);
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_broken");
    relay_control(f);
}

static rc_t no_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return RC_IO;
}

static void what_was_begun_and_cannot_be_sent_has_an_end(void **state)
{
    relay_world_t *f = *state;
    random_port_t random = f->g->config.random;
    f->slow = true;
    relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    f->w->random_left = 0;
    f->g->config.random.fill = no_bytes;
    relay_let_go(f);
    assert_int_equal(relay_heard(f).status, 503);
    assert_int_equal(f->n_events, 2);
    assert_int_equal(f->events[0].kind, AUDIT_CALL_BEGIN);
    relay_assert_last(f, AUDIT_CALL_END, true, "out_of_memory");
    assert_int_equal(relay_last(f)->status, 503);
    f->g->config.random = random;
    f->slow = false;
    relay_control(f);
}

/* Lists. */

#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
#define TOOLS                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{}}," \
    "{\"name\":\"drop_table\",\"inputSchema\":{}}],\"cacheScope\":\"public\"}}"

static void lists_show_what_may_be_used(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, LIST);
    http_direct_answer_t r = relay_answer(f, 200, JSON, TOOLS);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"echo\"")));
    assert_false(str_contains(r.body, STR("drop_table")));
    assert_true(str_contains(r.body, STR("\"private\"")));
    f->conf.lists = CONF_LISTS_MARK;
    relay_ask(f, "POST", ALICE POSTED, LIST);
    r = relay_answer(f, 200, JSON, TOOLS);
    assert_true(str_contains(r.body, STR("drop_table")));
    assert_true(str_contains(r.body, STR("warder/denied")));
    f->conf.lists = CONF_LISTS_PASS;
    relay_ask(f, "POST", ALICE POSTED, LIST);
    r = relay_answer(f, 200, JSON, TOOLS);
    assert_text(r.body, TOOLS);
}

static void lists_in_a_stream_are_filtered_too(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, LIST);
    relay_head(f, 200, "Content-Type: text/event-stream\r\n");
    relay_data(f, "data: " TOOLS "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    http_direct_answer_t r = relay_heard(f);
    assert_true(str_contains(r.body, STR("\"echo\"")));
    assert_false(str_contains(r.body, STR("drop_table")));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
}

static void a_list_that_cannot_be_judged_is_not_shown(void **state)
{
    static const char *const BODIES[] = {
        "{", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":7}}", "[]"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < 3; i++) {
        relay_ask(f, "POST", ALICE POSTED, LIST);
        http_direct_answer_t r = relay_answer(f, 200, JSON, BODIES[i]);
        assert_int_equal(r.status, 502);
        relay_assert_last(f, AUDIT_CALL_END, true, "list_malformed");
    }
    f->conf.max_answer_bytes = 20;
    relay_ask(f, "POST", ALICE POSTED, LIST);
    relay_head(f, 200, JSON);
    relay_data(f, TOOLS);
    assert_int_equal(relay_heard(f).status, 502);
    relay_assert_last(f, AUDIT_CALL_END, true, "answer_too_large");
    relay_control(f);
}

/* Sessions. */

static void a_session_is_its_openers(void **state)
{
    relay_world_t *f = *state;
    const char *handle = relay_session(f, ALICE);
    str_t alice = arena_printf(f->a, ALICE POSTED "Mcp-Session-Id: %s\r\n", handle);
    str_t bob = arena_printf(f->a, BOB POSTED "Mcp-Session-Id: %s\r\n", handle);
    relay_ask(f, "POST", alice.p, CALL("2", "echo"));
    assert_string_equal(f->session, "s-1");
    http_direct_answer_t r = relay_answer(f, 200, JSON "Mcp-Session-Id: s-1\r\n", RESULT("2"));
    assert_str(relay_header(&r, "Mcp-Session-Id"), str_c(handle));
    r = relay_ask(f, "POST", bob.p, CALL("2", "echo"));
    assert_int_equal(r.status, 404);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "unknown_session");
    r = relay_ask(f, "POST", ALICE POSTED "Mcp-Session-Id: s-1\r\n", CALL("2", "echo"));
    assert_int_equal(r.status, 404);
    relay_ask(f, "POST", alice.p, CALL("2", "echo"));
    r = relay_answer(f, 200, JSON, RESULT("2"));
    assert_int_equal(r.status, 200);
}

static void a_session_ends_at_the_upstream(void **state)
{
    relay_world_t *f = *state;
    const char *handle = relay_session(f, ALICE);
    str_t headers = arena_printf(f->a, ALICE LEGACY "Mcp-Session-Id: %s\r\n", handle);
    relay_ask(f, "DELETE", headers.p, NULL);
    assert_string_equal(f->method, "DELETE");
    assert_string_equal(f->session, "s-1");
    assert_string_equal(f->body, "");
    http_direct_answer_t r = relay_answer(f, 204, "", "");
    assert_int_equal(r.status, 204);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    headers = arena_printf(f->a, ALICE POSTED "Mcp-Session-Id: %s\r\n", handle);
    relay_ask(f, "POST", headers.p, CALL("2", "echo"));
    r = relay_answer(f, 404, JSON, REFUSED);
    assert_int_equal(r.status, 404);
}

static void the_stateless_era_has_no_sessions(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE MODERN_HEAD("tools/call") "Mcp-Name: echo\r\nMcp-Session-Id: x\r\n",
              MODERN_CALL("1", "echo"));
    assert_string_equal(f->session, "");
    assert_null(sent_header(f, "mcp-session-id"));
    http_direct_answer_t r = relay_answer(f, 200, JSON "Mcp-Session-Id: s-9\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
    assert_unset(relay_header(&r, "Mcp-Session-Id"));
}

/* Clients that go. */

static void a_call_of_the_handshake_era_runs_on(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    test_wire_break(&f->wire);
    assert_int_equal(f->cancels, 0);
    relay_head(f, 200, JSON);
    assert_int_equal(f->w->detached, 1);
    assert_int_equal(f->wire.hub.conn_count, 0);
    relay_data(f, RESULT("1"));
    relay_end(f, HTTP_OUT_DONE);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_string_equal(relay_last(f)->user, "alice");
    assert_int_equal(f->w->detached, 0);
    relay_control(f);
}

static void a_call_without_a_client_does_not_hold_up_the_end(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    test_wire_break(&f->wire);
    assert_int_equal(f->wire.hub.conn_count, 1);
    relay_worker_drain(f->g, f->w);
    trail_flush(&f->w->trail);
    assert_int_equal(f->wire.hub.conn_count, 0);
    relay_assert_last(f, AUDIT_CALL_END, true, "server_ended");
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    assert_int_equal(f->wire.hub.conn_count, 0);
    relay_assert_last(f, AUDIT_CALL_END, true, "client_gone");
}

static void a_call_does_not_run_on_for_ever(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, "Content-Type: text/event-stream\r\n");
    test_wire_break(&f->wire);
    relay_pass(f, RELAY_DETACHED_MS - 1);
    assert_int_equal(f->cancels, 0);
    relay_pass(f, 1);
    assert_int_equal(f->cancels, 1);
    relay_assert_last(f, AUDIT_CALL_END, true, "abandoned");
    relay_control(f);
}

static void a_call_of_the_stateless_era_is_cancelled(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE MODERN_HEAD("tools/call") "Mcp-Name: echo\r\n",
              MODERN_CALL("1", "echo"));
    test_wire_break(&f->wire);
    assert_int_equal(f->cancels, 1);
    trail_flush(&f->w->trail);
    relay_assert_last(f, AUDIT_CALL_END, true, "client_gone");
    relay_control(f);
}

static void end_nothing(route_set_t *set)
{
    (void)set;
}

static void a_snapshot_stays_until_its_requests_end(void **state)
{
    relay_world_t *f = *state;
    route_t *other = ARENA_NEW(f->a, route_t);
    conf_upstream_t *conf = ARENA_NEW(f->a, conf_upstream_t);
    route_set_t *set = ARENA_NEW(f->a, route_set_t);
    assert_true(other && conf && set);
    *other = f->route;
    *conf = f->conf;
    conf->path = STR("/new");
    other->conf = conf;
    *set = (route_set_t){.v = other, .n = 1, .end = end_nothing};
    atomic_init(&set->refs, 1);
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    gateway_install(f->g, set);
    relay_worker_tick(f->w);
    assert_false(f->set_ended);
    http_direct_answer_t r = relay_answer(f, 200, JSON, RESULT("1"));
    assert_int_equal(r.status, 200);
    assert_true(f->set_ended);
    r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 404);
    relay_ask_at(f, "/new", "POST", ALICE POSTED, CALL("1", "echo"));
    r = relay_answer(f, 200, JSON, RESULT("1"));
    assert_int_equal(r.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(the_callers_token_never_goes_upstream),
        RELAY_TEST(what_the_connection_names_stays_here),
        RELAY_TEST(a_long_list_of_the_connection_is_read_to_its_end),
        RELAY_TEST(a_field_that_the_message_needs_is_for_no_hop),
        RELAY_TEST(bytes_beyond_ascii_harm_no_message),
        RELAY_TEST(more_names_than_a_message_has_fields_are_refused),
        RELAY_TEST(two_types_of_a_body_are_none),
        RELAY_TEST(a_trace_goes_on),
        RELAY_TEST(headers_of_an_answer_are_few),
        RELAY_TEST(answers_pass_or_become_ours),
        RELAY_TEST(an_upstream_that_fails),
        RELAY_TEST(readiness_follows_what_happens),
        RELAY_TEST(an_outage_is_told_once),
        RELAY_TEST(metrics_name_the_path),
        RELAY_TEST(notifications_are_one_line_of_the_trail),
        RELAY_TEST(a_long_answer_passes_in_pieces),
        RELAY_TEST(a_long_refusal_is_not_passed_on),
        RELAY_TEST(a_long_answer_that_breaks_is_cut),
        RELAY_TEST(what_was_begun_and_cannot_be_sent_has_an_end),
        RELAY_TEST(lists_show_what_may_be_used),
        RELAY_TEST(lists_in_a_stream_are_filtered_too),
        RELAY_TEST(a_list_that_cannot_be_judged_is_not_shown),
        RELAY_TEST(a_session_is_its_openers),
        RELAY_TEST(a_session_ends_at_the_upstream),
        RELAY_TEST(the_stateless_era_has_no_sessions),
        RELAY_TEST(a_call_of_the_handshake_era_runs_on),
        RELAY_TEST(a_call_without_a_client_does_not_hold_up_the_end),
        RELAY_TEST(a_call_does_not_run_on_for_ever),
        RELAY_TEST(a_call_of_the_stateless_era_is_cancelled),
        RELAY_TEST(a_snapshot_stays_until_its_requests_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
