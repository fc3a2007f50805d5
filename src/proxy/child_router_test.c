#include "core/core_test_util.h"

#include "proxy/child_router.h"

enum { MAX = 1 << 20 };

static child_router_t *router;

static int setup(void **state)
{
    router = child_router_new();
    assert_non_null(router);
    return test_arena_setup(state);
}

static int teardown(void **state)
{
    child_router_free(router);
    return test_arena_teardown(state);
}

/* A request of a client, read as the port reads it. */
static child_ask_t ask(arena_t *a, const char *body)
{
    rc_t rc;
    child_ask_t out;
    mcp_operation_t *op = ARENA_NEW(a, mcp_operation_t);
    const gate_principal_t who = {.issuer = STR("i"), .subject = STR("s"), .client = STR("c")};
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    assert_int_equal(mcp_message_parse(a, str_c(body), &op->message, &rc), MCP_NO_ERROR);
    const upstream_request_t request = {
        .method = HTTP_POST, .message = op, .version = v, .body = str_c(body), .who = &who};
    assert_int_equal(child_ask_read(a, &request, &out), RC_OK);
    return out;
}

static child_flight_t *fly(arena_t *a, const child_ask_t *out, const void *session, str_t *line)
{
    child_flight_t *f;
    assert_int_equal(child_router_open(router, out, &f), RC_OK);
    f->session = (void *)(uintptr_t)session;
    assert_int_equal(child_router_line(router, a, out, f, session, line), RC_OK);
    return f;
}

static child_line_t hear(arena_t *a, str_t line)
{
    child_line_t out;
    assert_int_equal(child_router_read(router, a, test_exact(a, line), MAX, &out), RC_OK);
    return out;
}

static void assert_text(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("%" PRIstr "\ninstead of %s", STR_ARG(got), want);
}

static void only_ids_change(void **state)
{
    str_t line;
    const char *body = "{ \"params\":{\"a\":1.50,\"_meta\":{\"progressToken\": \"x\", \"k\":[]}},\n"
                       "\"id\":\"5\",\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"z\":0}";
    child_ask_t a = ask(*state, body);
    fly(*state, &a, NULL, &line);
    assert_text(line, "{ \"params\":{\"a\":1.50,\"_meta\":{\"progressToken\": 1024, \"k\":[]}}, "
                      "\"id\":1024,\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"z\":0}");
    child_line_t x =
        hear(*state, STR("{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1.0e1},\"id\":1024}"));
    assert_int_equal(x.kind, CHILD_LINE_ANSWER);
    assert_text(x.text, "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1.0e1},\"id\":\"5\"}");
    x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                         "\"progressToken\":1024,\"progress\":1}}"));
    assert_int_equal(x.kind, CHILD_LINE_NEWS);
    assert_text(x.text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                        "\"progressToken\":\"x\",\"progress\":1}}");
}

static void ids_are_never_given_twice(void **state)
{
    str_t line;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
    child_flight_t *f = fly(*state, &a, NULL, &line);
    int64_t first = f->id;
    child_router_close(router, f);
    f = fly(*state, &a, NULL, &line);
    assert_true(f->id > first);
    child_line_t x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{}}"));
    assert_int_equal(x.kind, CHILD_LINE_LATE);
    assert_null(x.flight);
    x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"id\":2048,\"result\":{}}"));
    assert_int_equal(x.kind, CHILD_LINE_ANSWER);
}

static void full(void **state)
{
    child_flight_t *f;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
    for (int i = 0; i < CHILD_FLIGHTS_MAX; i++)
        assert_int_equal(child_router_open(router, &a, &f), RC_OK);
    child_flight_t *more;
    assert_int_equal(child_router_open(router, &a, &more), RC_BUSY);
    child_router_close(router, f);
    assert_int_equal(child_router_open(router, &a, &more), RC_OK);
}

static void bad_lines(void **state)
{
    static const char *const BAD[] = {
        "",
        "Listening on port 3000",
        "[]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{}}]",
        "{\"id\":1024,\"result\":{}}",
        "{\"jsonrpc\":\"1.0\",\"id\":1024,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"error\":{\"code\":\"1\",\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"error\":{\"code\":1}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"id\":1024,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1024\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024.0,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":-1024,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":9007199254740991,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
        "\"progressToken\":1024}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"_meta\":{"
        "\"io.modelcontextprotocol/subscriptionId\":1024}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{\"\xff\":1}}",
    };
    str_t line;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
    fly(*state, &a, NULL, &line);
    for (size_t i = 0; i < ROWS(BAD); i++) {
        child_line_t x = hear(*state, str_c(BAD[i]));
        if (x.kind != CHILD_LINE_BAD || !x.why.p)
            fail_msg("%s", BAD[i]);
    }
    child_line_t x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{}}"));
    assert_int_equal(x.kind, CHILD_LINE_ANSWER);
}

/* A request that bears the name of a notification is a request: an id of the client's own that
 * reached the child could be another client's there. */
static void a_request_called_cancelled_gets_an_id_of_ours(void **state)
{
    str_t line;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":2048,\"method\":\"notifications/"
                                "cancelled\",\"params\":{\"requestId\":2048}}");
    child_flight_t *f = fly(*state, &a, &a, &line);
    assert_int_equal(f->id, 1024);
    assert_text(line, "{\"jsonrpc\":\"2.0\",\"id\":1024,\"method\":\"notifications/cancelled\","
                      "\"params\":{\"requestId\":2048}}");
}

static void cancelled_is_found_by_session_and_id(void **state)
{
    str_t line;
    int alice, bob;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
    fly(*state, &a, &alice, &line);
    fly(*state, &a, &bob, &line);
    child_ask_t c = ask(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                                "\"params\":{\"reason\":\"r\",\"requestId\":1}}");
    assert_int_equal(child_router_line(router, *state, &c, NULL, &bob, &line), RC_OK);
    assert_text(line, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                      "\"params\":{\"reason\":\"r\",\"requestId\":2049}}");
    int carol;
    assert_int_equal(child_router_line(router, *state, &c, NULL, &carol, &line), RC_NOT_FOUND);
    assert_int_equal(child_router_line(router, *state, &c, NULL, NULL, &line), RC_NOT_FOUND);
    c = ask(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{}}");
    assert_int_equal(child_router_line(router, *state, &c, NULL, &bob, &line), RC_NOT_FOUND);
}

static void subscriptions(void **state)
{
    str_t line;
    child_ask_t a = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":"
                                "\"subscriptions/listen\",\"params\":{}}");
    child_flight_t *f = fly(*state, &a, NULL, &line);
    child_line_t x =
        hear(*state, STR("{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"_meta\":{"
                         "\"io.modelcontextprotocol/subscriptionId\":1024}}}"));
    assert_int_equal(x.kind, CHILD_LINE_NEWS);
    assert_ptr_equal(x.flight, f);
    assert_text(x.text, "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"_meta\":{"
                        "\"io.modelcontextprotocol/subscriptionId\":\"s\"}}}");
    x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"id\":1024,\"result\":{\"_meta\":{"
                         "\"io.modelcontextprotocol/subscriptionId\":1024}}}"));
    assert_text(x.text, "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"result\":{\"_meta\":{"
                        "\"io.modelcontextprotocol/subscriptionId\":\"s\"}}}");
    x = hear(*state, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                         "\"requestId\":1024}}"));
    assert_int_equal(x.kind, CHILD_LINE_STOP);
}

static void questions_belong_to_a_session(void **state)
{
    int alice, bob;
    child_line_t x =
        hear(*state, STR("{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"method\":\"roots/list\"}"));
    assert_int_equal(x.kind, CHILD_LINE_QUESTION);
    assert_text(x.key, "sab");
    assert_int_equal(child_router_asked(router, x.key, &alice), RC_OK);
    assert_int_equal(child_router_asked(router, x.key, &alice), RC_CONFLICT);
    assert_ptr_equal(child_router_whom(router, STR("sab")), &alice);
    child_ask_t r = ask(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"ab\",\"result\":{}}");
    assert_false(child_router_answered(router, r.key, &bob));
    assert_true(child_router_answered(router, r.key, &alice));
    assert_false(child_router_answered(router, r.key, &alice));
    for (int i = 0; i < CHILD_QUESTIONS_MAX; i++)
        assert_int_equal(child_router_asked(router, arena_printf(*state, "i%d", i), &bob), RC_OK);
    assert_int_equal(child_router_asked(router, STR("s"), &bob), RC_LIMIT);
}

static void long_ids_and_tokens(void **state)
{
    char token[MCP_ID_BYTES + 2];
    child_ask_t out;
    rc_t rc;
    mcp_operation_t op = {.era = MCP_ERA_HANDSHAKE};
    const gate_principal_t who = {.issuer = STR("i"), .subject = STR("s"), .client = STR("c")};
    memset(token, 'x', sizeof token);
    str_t body = arena_printf(*state,
                              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{"
                              "\"_meta\":{\"progressToken\":\"%.*s\"}}}",
                              (int)sizeof token, token);
    assert_int_equal(mcp_message_parse(*state, body, &op.message, &rc), MCP_NO_ERROR);
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    upstream_request_t request = {
        .method = HTTP_POST, .message = &op, .version = v, .body = body, .who = &who};
    assert_int_equal(child_ask_read(*state, &request, &out), RC_LIMIT);
    request.body = STR("{}"); /* not what was read */
    assert_int_equal(child_ask_read(*state, &request, &out), RC_MALFORMED);
}

static void three_names_are_no_other_three(void **state)
{
    child_ask_t a, b;
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    gate_principal_t who = {.issuer = STR("i"), .subject = STR("1:2"), .client = STR("c")};
    upstream_request_t request = {.method = HTTP_GET, .version = v, .who = &who};
    assert_int_equal(child_ask_read(*state, &request, &a), RC_OK);
    who = (gate_principal_t){.issuer = STR("i3:1"), .subject = STR(":2"), .client = STR("c")};
    assert_int_equal(child_ask_read(*state, &request, &b), RC_OK);
    assert_false(str_eq(a.who, b.who));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_ids_change),
        TEST(ids_are_never_given_twice),
        TEST(full),
        TEST(bad_lines),
        TEST(a_request_called_cancelled_gets_an_id_of_ours),
        TEST(cancelled_is_found_by_session_and_id),
        TEST(subscriptions),
        TEST(questions_belong_to_a_session),
        TEST(long_ids_and_tokens),
        TEST(three_names_are_no_other_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
