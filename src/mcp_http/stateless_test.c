/* POSTs of 2026-07-28 (Streamable HTTP): each stands for itself. */
#include "mcp_http/mcp_http_test_world.h"

#define DISCOVER NEW_METHOD("server/discover", "")

/* TR-14, TR-15, TR-16 */
static void request_needs_nothing_before_it(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE NEW_HEADERS("server/discover"), DISCOVER);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"supportedVersions\":")));
    assert_true(str_contains(r.body, STR("\"resultType\":\"complete\"")));
    assert_false(http_headers_get(r.headers, STR("Mcp-Session-Id")).p);
    r = mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("echo"), NEW_TOOL("echo", ""));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"nothing\"")));
    assert_last_event(f, AUDIT_TOOL_CALL, true, "ok");
}

/* TR-1 */
static void get_and_delete_are_405(void **state)
{
    mcp_world_t *f = *state;
    static const char *const METHODS[] = {"GET", "DELETE"};
    for (size_t i = 0; i < 2; i++) {
        http_direct_answer_t r = mcp_send(f, METHODS[i], ALICE NEW, "");
        assert_int_equal(r.status, 405);
        assert_true(str_eq(http_headers_get(r.headers, STR("Allow")), STR("POST, OPTIONS")));
        assert_last_event(f, AUDIT_ACCESS, false, "method_not_allowed");
    }
    request_needs_nothing_before_it(state);
}

/* TR-1: neither is looked at, however it is made. */
static void session_and_event_ids_are_ignored(void **state)
{
    mcp_world_t *f = *state;
    static const char *const IGNORED[] = {
        "Mcp-Session-Id: of-nobody\r\n",
        "Mcp-Session-Id: \r\nMcp-Session-Id: a b\r\n",
        "Last-Event-ID: 0-1\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        str_t h = arena_printf(f->a, "%s%s", ALICE NEW_TOOL_HEADERS("echo"), IGNORED[i]);
        http_direct_answer_t r = mcp_send(f, "POST", h.p, NEW_TOOL("echo", ""));
        assert_int_equal(r.status, 200);
        assert_false(http_headers_get(r.headers, STR("Mcp-Session-Id")).p);
        assert_false(str_contains(http_direct_output(f->d), STR("\nid:")));
    }
}

/* TR-3, TR-6, TR-7, TR-8, TR-11, TR-13 */
static void header_and_meta_rules(void **state)
{
    mcp_world_t *f = *state;
    static const struct {
        const char *headers, *body;
        int status;
        int64_t code;
        const char *reason;
    } ROWS[] = {
        {ALICE NEW "Mcp-Method: tools/list\r\n", DISCOVER, 400, -32020, "header_mismatch"},
        {ALICE NEW, DISCOVER, 400, -32020, "header_mismatch"},
        {ALICE "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: server/discover\r\n", DISCOVER, 400,
         -32020, "header_mismatch"},
        {ALICE NEW_HEADERS("tools/call"), NEW_TOOL("echo", ""), 400, -32020, "header_mismatch"},
        {ALICE NEW_TOOL_HEADERS("other"), NEW_TOOL("echo", ""), 400, -32020, "header_mismatch"},
        {ALICE NEW_HEADERS("server/discover"),
         "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"server/discover\"}", 400, -32602,
         "malformed_meta"},
        {ALICE "MCP-Protocol-Version: 2099-01-01\r\nMcp-Method: server/discover\r\n",
         "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"server/discover\",\"params\":{\"_meta\":{"
         "\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\","
         "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
         400, -32022, "unsupported_protocol_version"},
        {ALICE NEW_HEADERS("ping"), NEW_METHOD("ping", ""), 404, -32601, "removed_method"},
        {ALICE NEW, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}", 400, -32600,
         "response_refused"},
        {ALICE NEW, "[" DISCOVER "]", 400, -32600, "batch_refused"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        http_direct_answer_t r = mcp_send(f, "POST", ROWS[i].headers, ROWS[i].body);
        assert_int_equal(r.status, ROWS[i].status);
        assert_int_equal(mcp_error_code(f, &r), ROWS[i].code);
        assert_string_equal(f->trail.reason[mcp_trail_count(f) - 1], ROWS[i].reason);
    }
    request_needs_nothing_before_it(state);
}

/* TR-13 */
static void unknown_method_is_404(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_HEADERS("no/such"), NEW_METHOD("no/such", ""));
    assert_int_equal(r.status, 404);
    assert_int_equal(mcp_error_code(f, &r), -32601);
    assert_true(str_contains(r.body, STR("\"id\":5")));
    request_needs_nothing_before_it(state);
}

/* TR-5 */
static void notification_is_202(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE NEW "Mcp-Method: notifications/x\r\n",
                                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}");
    assert_int_equal(r.status, 202);
    assert_int_equal(r.body.n, 0);
}

/* TR-17: only what belongs to the request, no ids, no way back. */
static void stream_of_a_call(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("wait"), NEW_TOOL("wait", NEW_PROGRESS));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("text/event-stream")));
    assert_true(str_eq(http_headers_get(r.headers, STR("X-Accel-Buffering")), STR("no")));
    assert_true(str_eq(http_headers_get(r.headers, STR("Cache-Control")), STR("no-store")));
    assert_true(str_contains(r.body, STR("notifications/progress")));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
    assert_false(str_contains(r.body, STR("id: ")));
    assert_false(str_contains(r.body, STR("retry: ")));
    assert_int_equal(mcp_times(f->d, "data: "), 3);
}

static void call_that_lets_go_keeps_its_stream(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("let_go"), NEW_TOOL("let_go", NEW_PROGRESS));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
    assert_false(str_contains(r.body, STR("retry: ")));
}

/* TR-18 */
static void closed_stream_cancels(void **state)
{
    mcp_world_t *f = *state;
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(
        f, mcp_bytes(f, "POST", ALICE NEW_TOOL_HEADERS("wait"), NEW_TOOL("wait", NEW_PROGRESS)),
        "\"begun\"");
    http_direct_hang_up(d);
    mcp_pump_count(f, &f->cancelled, 1);
    http_direct_free(d);
    request_needs_nothing_before_it(state);
}

/* TR-18: also before anything was said. */
static void closed_connection_cancels(void **state)
{
    mcp_world_t *f = *state;
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(
        f, mcp_bytes(f, "POST", ALICE NEW_TOOL_HEADERS("wait"), NEW_TOOL("wait", "")), NULL);
    mcp_pump_count(f, &f->runs, 1);
    http_direct_hang_up(d);
    mcp_pump_count(f, &f->cancelled, 1);
    http_direct_free(d);
    request_needs_nothing_before_it(state);
}

#define LISTEN         NEW_METHOD("subscriptions/listen", "\"notifications\":{\"toolsListChanged\":true},")
#define LISTEN_HEADERS ALICE NEW_HEADERS("subscriptions/listen")

/* TR-19 */
static void subscription_idles_and_tells(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", LISTEN_HEADERS, LISTEN),
                                "notifications/subscriptions/acknowledged");
    assert_int_equal(mcp_times(d, "data: "), 1);
    warder_mcp_tools_changed(f->mcp);
    mcp_pump(f, d, "notifications/tools/list_changed");
    assert_int_equal(mcp_times(d, "subscriptionId\":5"), 2);
    warder_mcp_prompts_changed(f->mcp);
    mcp_pump_some(f);
    assert_int_equal(mcp_times(d, "data: "), 2);
    http_direct_free(d);
}

static void subscription_ends_with_its_completion(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", LISTEN_HEADERS, LISTEN), "acknowledged");
    mcp_http_worker_drain(f->h, f->worker);
    mcp_server_stop(f->mcp);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_true(str_contains(http_direct_output(d), STR("\"resultType\":\"complete\"")));
    http_direct_free(d);
}

/* Where no completion comes, the stream does not hold up the end of the server. */
static void subscription_without_last_words_ends_too(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", LISTEN_HEADERS, LISTEN), "acknowledged");
    mcp_http_worker_drain(f->h, f->worker);
    mcp_streams_tick(f->worker);
    assert_false(str_ends(http_direct_output(d), STR("0\r\n\r\n")));
    f->clock.ms += MCP_LAST_WORDS_MS;
    mcp_streams_tick(f->worker);
    assert_true(str_ends(http_direct_output(d), STR("0\r\n\r\n")));
    http_direct_free(d);
}

/* TR-4 */
static void subscription_of_a_client_without_streams_is_406(void **state)
{
    mcp_world_t *f = *state;
    str_t request = arena_printf(f->a,
                                 "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: application/json"
                                 "\r\nContent-Type: application/json\r\n%sContent-Length: %zu"
                                 "\r\n\r\n%s",
                                 LISTEN_HEADERS, strlen(LISTEN), LISTEN);
    http_direct_answer_t r = mcp_raw(f, request.p);
    assert_int_equal(r.status, 406);
    assert_true(str_contains(r.body, STR("\"id\":5")));
    subscription_idles_and_tells(state);
}

#define CITY(more)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\",\"params\":{\"name\":\"city\"," more  \
        META("") "}}"

/* TR-9 */
static void argument_that_a_field_repeats(void **state)
{
    mcp_world_t *f = *state;
    static const struct {
        const char *headers, *body;
        int status;
    } ROWS[] = {
        {"Mcp-Param-City: Rome\r\n", CITY("\"arguments\":{\"city\":\"Rome\"},"), 200},
        {"Mcp-Param-City: =?base64?Um9tZQ==?=\r\n", CITY("\"arguments\":{\"city\":\"Rome\"},"),
         200},
        {"", CITY("\"arguments\":{},"), 200},
        {"Mcp-Param-City: Oslo\r\n", CITY("\"arguments\":{\"city\":\"Rome\"},"), 400},
        {"", CITY("\"arguments\":{\"city\":\"Rome\"},"), 400},
        {"Mcp-Param-City: Rome\r\n", CITY("\"arguments\":{},"), 400},
        {"Mcp-Param-City: Rome\r\nmcp-param-city: Rome\r\n",
         CITY("\"arguments\":{\"city\":\"Rome\"},"), 400},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t h = arena_printf(f->a, "%s%s", ALICE NEW_TOOL_HEADERS("city"), ROWS[i].headers);
        http_direct_answer_t r = mcp_send(f, "POST", h.p, ROWS[i].body);
        assert_int_equal(r.status, ROWS[i].status);
        assert_int_equal(mcp_error_code(f, &r), ROWS[i].status == 200 ? 0 : -32020);
    }
}

/* TR-9: fields that no schema names are not looked at. */
static void param_field_that_no_schema_names(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(
        f, "POST", ALICE NEW_TOOL_HEADERS("echo") "Mcp-Param-City: x\r\n", NEW_TOOL("echo", ""));
    assert_int_equal(r.status, 200);
}

/* TR-12 */
static void capability_that_the_client_has_not(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(
        f, "POST", ALICE NEW_TOOL_HEADERS("ask"),
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\",\"params\":{\"name\":\"ask\","
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}");
    assert_int_equal(r.status, 400);
    assert_int_equal(mcp_error_code(f, &r), -32021);
    assert_true(str_contains(r.body, STR("\"requiredCapabilities\":{\"elicitation\"")));
    request_needs_nothing_before_it(state);
}

/* TR-20 */
static void log_messages_are_for_those_who_want_them(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("log"), NEW_TOOL("log", NEW_PROGRESS));
    assert_false(str_contains(r.body, STR("notifications/message")));
    r = mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("log"),
                 NEW_TOOL("log", ",\"io.modelcontextprotocol/logLevel\":\"info\""));
    assert_true(str_contains(r.body, STR("notifications/message")));
}

/* A reader that splits lines wherever Unicode ends one (Python's splitlines, as older httpx-sse)
 * finds the whole message in one, on a stream as the standard has it. */
static void line_ends_of_unicode_are_escaped(void **state)
{
    static const char *const ENDS[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xc2\x85"};
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("log"),
                 NEW_TOOL("log", ",\"io.modelcontextprotocol/logLevel\":\"info\"},"
                                 "\"arguments\":{\"text\":\"a\xe2\x80\xa8"
                                 "b\xe2\x80\xa9"
                                 "c\xc2\x85z\""));
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("text/event-stream")));
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        assert_false(str_contains(r.body, str_c(ENDS[i])));
    assert_true(str_contains(r.body, STR("\"a\\u2028b\\u2029c\\u0085z\"")));
    assert_true(str_ends(r.body, STR("}\n\n")));
}

/* The text of a string member of an answer, as it stands there. */
static str_t member_of(const http_direct_answer_t *r, const char *key)
{
    str_t name = str_c(key), rest = r->body;
    while (rest.n > 0 && !str_starts(rest, name))
        rest = str_skip(rest, 1);
    rest = str_skip(rest, name.n);
    return str_first(rest, str_find(rest, '"', 0));
}

/* TR-17, TR-25: a question is a result, and the answer comes with the same request again. */
static void question_and_retry(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("ask"), NEW_TOOL("ask", ""));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("application/json")));
    assert_true(str_contains(r.body, STR("\"resultType\":\"input_required\"")));
    str_t sealed = member_of(&r, "\"requestState\":\"");
    str_t again = arena_printf(
        f->a,
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"ask\",\"requestState\":\"%.*s\",\"inputResponses\":{"
        "\"size\":{\"action\":\"accept\",\"content\":{\"size\":\"L\"}}}," META("") "}}",
        STR_ARG(sealed));
    r = mcp_send(f, "POST", ALICE NEW_TOOL_HEADERS("ask"), again.p);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("size L")));
    /* What was sealed for one is nothing for another. */
    r = mcp_send(f, "POST", BOB NEW_TOOL_HEADERS("ask"), again.p);
    assert_int_equal(mcp_error_code(f, &r), -32602);
    assert_true(sealed.n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(request_needs_nothing_before_it),
        MCP_TEST(get_and_delete_are_405),
        MCP_TEST(session_and_event_ids_are_ignored),
        MCP_TEST(header_and_meta_rules),
        MCP_TEST(unknown_method_is_404),
        MCP_TEST(notification_is_202),
        MCP_TEST(stream_of_a_call),
        MCP_TEST(call_that_lets_go_keeps_its_stream),
        MCP_TEST(closed_stream_cancels),
        MCP_TEST(closed_connection_cancels),
        MCP_TEST(subscription_idles_and_tells),
        MCP_TEST(subscription_ends_with_its_completion),
        MCP_TEST(subscription_without_last_words_ends_too),
        MCP_TEST(subscription_of_a_client_without_streams_is_406),
        MCP_TEST(argument_that_a_field_repeats),
        MCP_TEST(param_field_that_no_schema_names),
        MCP_TEST(capability_that_the_client_has_not),
        MCP_TEST(log_messages_are_for_those_who_want_them),
        MCP_TEST(line_ends_of_unicode_are_escaped),
        MCP_TEST(question_and_retry),
    };
    return cmocka_run_group_tests_name("stateless", tests, NULL, NULL);
}
