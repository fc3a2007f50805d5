#include "mcp/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 16 << 20, FIELDS_MAX = 8 };

#define VERSION "MCP-Protocol-Version"
#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_FIELDS   ((const char *const[]){NULL})

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static mcp_fields_t fields_of(arena_t *a, const char *const *pairs)
{
    mcp_field_t *v = ARENA_ARRAY(a, FIELDS_MAX, mcp_field_t);
    size_t n = 0;
    for (; pairs[2 * n]; n++)
        v[n] = (mcp_field_t){str_c(pairs[2 * n]), str_c(pairs[2 * n + 1])};
    return (mcp_fields_t){v, n};
}

static mcp_error_t read_body(void **state, const char *const *fields, str_t body,
                             mcp_operation_t *out)
{
    rc_t rc;
    mcp_error_t e = mcp_operation_read(*state, fields_of(*state, fields), body, out, &rc);
    assert_int_equal(rc, RC_OK);
    return e;
}

static mcp_error_t read_request(void **state, const char *const *fields, const char *method,
                                const char *params, mcp_operation_t *out)
{
    str_t body = arena_printf(
        *state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    return read_body(state, fields, body, out);
}

static void refused(void **state, const char *const *fields, const char *method, const char *params,
                    mcp_error_t want)
{
    mcp_operation_t o;
    mcp_error_t e = read_request(state, fields, method, params, &o);
    if (e != want)
        fail_msg("%s %s: %d instead of %d", method, params, e, want);
    assert_true(str_eq(o.message.id, STR("1")));
}

static void taken(void **state, const char *const *fields, const char *method, const char *params)
{
    refused(state, fields, method, params, MCP_NO_ERROR);
}

#define CALL_FIELDS FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "echo")
#define CALL_PARAMS "{\"name\":\"echo\",\"arguments\":{\"a\":1}," META "}"

static void control(void **state)
{
    taken(state, CALL_FIELDS, "tools/call", CALL_PARAMS);
    taken(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\"}");
}

static void stateless_call_is_read(void **state)
{
    mcp_operation_t o;
    assert_int_equal(read_request(state, CALL_FIELDS, "tools/call", CALL_PARAMS, &o), MCP_NO_ERROR);
    assert_int_equal(o.era, MCP_ERA_STATELESS);
    assert_true(str_eq(o.version->name, STR("2026-07-28")));
    assert_int_equal(o.object, MCP_ON_TOOL);
    assert_true(str_eq(o.name, STR("echo")));
    assert_int_equal(o.arguments->count, 1);
}

static void handshake_call_is_read(void **state)
{
    mcp_operation_t o;
    const char *const *fields = FIELDS("mcp-protocol-version", "2025-06-18");
    assert_int_equal(read_request(state, fields, "tools/call", "{\"name\":\"echo\"}", &o),
                     MCP_NO_ERROR);
    assert_int_equal(o.era, MCP_ERA_HANDSHAKE);
    assert_true(str_eq(o.version->name, STR("2025-06-18")));
    assert_null(o.arguments);
    assert_int_equal(read_request(state, NO_FIELDS, "ping", "{}", &o), MCP_NO_ERROR);
    assert_true(str_eq(o.version->name, STR("2025-03-26")));
    assert_int_equal(o.object, MCP_ON_METHOD);
    assert_false(str_is_set(o.name));
}

static void initialize_negotiates_whatever_its_header(void **state)
{
    mcp_operation_t o;
    const char *params = "{\"protocolVersion\":\"2025-06-18\"}";
    assert_int_equal(read_request(state, FIELDS(VERSION, "2024-11-05"), "initialize", params, &o),
                     MCP_NO_ERROR);
    assert_true(str_eq(o.version->name, STR("2025-06-18")));
    assert_int_equal(
        read_request(state, NO_FIELDS, "initialize", "{\"protocolVersion\":\"2026-07-28\"}", &o),
        MCP_NO_ERROR);
    assert_true(str_eq(o.version->name, STR("2025-11-25")));
    assert_int_equal(o.era, MCP_ERA_HANDSHAKE);
    refused(state, NO_FIELDS, "initialize", "{}", MCP_ERROR_BAD_INITIALIZE);
    control(state);
}

static void objects_have_names(void **state)
{
    static const struct {
        const char *method, *params;
        mcp_object_t object;
        const char *name;
    } ROWS[] = {
        {"tools/call", "{\"name\":\"a\"}", MCP_ON_TOOL, "a"},
        {"prompts/get", "{\"name\":\"b\",\"arguments\":{}}", MCP_ON_PROMPT, "b"},
        {"resources/read", "{\"uri\":\"file:///c\"}", MCP_ON_RESOURCE, "file:///c"},
        {"resources/subscribe", "{\"uri\":\"d:1\"}", MCP_ON_RESOURCE, "d:1"},
        {"resources/unsubscribe", "{\"uri\":\"d:1\"}", MCP_ON_RESOURCE, "d:1"},
        {"completion/complete", "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"e\"}}", MCP_ON_PROMPT,
         "e"},
        {"completion/complete", "{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"f://{x}\"}}",
         MCP_ON_RESOURCE, "f://{x}"},
        {"tools/list", "{\"name\":\"g\"}", MCP_ON_METHOD, NULL},
        {"tasks/get", "{\"taskId\":\"h\"}", MCP_ON_METHOD, NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        mcp_operation_t o;
        assert_int_equal(read_request(state, NO_FIELDS, ROWS[i].method, ROWS[i].params, &o),
                         MCP_NO_ERROR);
        assert_int_equal(o.object, ROWS[i].object);
        assert_true(str_eq(o.name, str_c(ROWS[i].name)));
    }
}

static void listen_names_resources(void **state)
{
    mcp_operation_t o;
    const char *const *fields = FIELDS(VERSION, "2026-07-28", "Mcp-Method", "subscriptions/listen");
    assert_int_equal(
        read_request(state, fields, "subscriptions/listen",
                     "{\"notifications\":{\"resourceSubscriptions\":[\"a:1\",\"a:2\"]}," META "}",
                     &o),
        MCP_NO_ERROR);
    assert_int_equal(o.resources.n, 2);
    assert_true(str_list_has(o.resources, STR("a:2")));
    static const char *const BAD[] = {
        "[]", "{\"resourceSubscriptions\":\"a:1\"}", "{\"resourceSubscriptions\":[1]}",
        "{\"resourceSubscriptions\":[\"a:1\",\"\"]}", "{\"resourceSubscriptions\":{\"a\":\"b\"}}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        str_t params = arena_printf(*state, "{\"notifications\":%s," META "}", BAD[i]);
        refused(state, fields, "subscriptions/listen", params.p, MCP_ERROR_BAD_FILTER);
    }
}

/* attack case: GWM-004 */
static void a_name_is_its_decoded_string(void **state)
{
    static const struct {
        const char *written;
        str_t name;
    } ROWS[] = {
        {"secret\\u0054ool", STR_INIT("secretTool")},
        {"secretTool ", STR_INIT("secretTool ")},
        {"SecretTool", STR_INIT("SecretTool")},
        {" secretTool", STR_INIT(" secretTool")},
        {"\\uff53ecret", STR_INIT("\xef\xbd\x93"
                                  "ecret")},
        {"secre\\u0301t", STR_INIT("secre\xcc\x81t")},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        mcp_operation_t o;
        str_t params = arena_printf(*state, "{\"name\":\"%s\"}", ROWS[i].written);
        assert_int_equal(read_request(state, NO_FIELDS, "tools/call", params.p, &o), MCP_NO_ERROR);
        assert_true(str_eq(o.name, ROWS[i].name));
    }
}

/* attack case: GWM-004 */
static void malformed_params(void **state)
{
    static const char *const BAD[] = {
        "null",           "1", "true", "[\"echo\"]", "{}", "\"\"", "\"echo\\u0000\"", "\"ec\\nho\"",
        "\"echo\\u007f\""};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const char *name = arena_printf(*state, "{\"name\":%s}", BAD[i]).p;
        const char *uri = arena_printf(*state, "{\"uri\":%s}", BAD[i]).p;
        refused(state, NO_FIELDS, "tools/call", name, MCP_ERROR_BAD_NAME);
        refused(state, NO_FIELDS, "prompts/get", name, MCP_ERROR_BAD_NAME);
        refused(state, NO_FIELDS, "resources/read", uri, MCP_ERROR_BAD_URI);
        refused(state, NO_FIELDS, "resources/subscribe", uri, MCP_ERROR_BAD_URI);
    }
    refused(state, NO_FIELDS, "tools/call", "{}", MCP_ERROR_BAD_NAME);
    refused(state, NO_FIELDS, "completion/complete", "{}", MCP_ERROR_BAD_REFERENCE);
    refused(state, NO_FIELDS, "completion/complete",
            "{\"ref\":{\"type\":\"ref/tool\",\"name\":\"x\"}}", MCP_ERROR_BAD_REFERENCE);
    refused(state, NO_FIELDS, "completion/complete",
            "{\"ref\":{\"type\":\"ref/prompt\",\"uri\":\"x\"}}", MCP_ERROR_BAD_REFERENCE);
    control(state);
}

static void arguments_are_an_object(void **state)
{
    refused(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"arguments\":[]}",
            MCP_ERROR_BAD_ARGUMENTS);
    refused(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"arguments\":null}",
            MCP_ERROR_BAD_ARGUMENTS);
    control(state);
}

/* attack case: GWM-004 */
static void ambiguous_message(void **state)
{
    refused(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"Name\":\"evil\"}",
            MCP_ERROR_AMBIGUOUS);
    refused(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"Arguments\":{}}",
            MCP_ERROR_AMBIGUOUS);
    refused(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"argument\\u017f\":{}}",
            MCP_ERROR_AMBIGUOUS);
    refused(state, NO_FIELDS, "tasks/get", "{\"ta\\u017f\\u212aId\":\"x\"}", MCP_ERROR_AMBIGUOUS);
    refused(state, NO_FIELDS, "completion/complete",
            "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"a\",\"NAME\":\"b\"}}",
            MCP_ERROR_AMBIGUOUS);
    static const char *const ROOT[] = {"\"Method\":\"tools/call\"",
                                       "\"PARAMS\":{}",
                                       "\"Id\":2",
                                       "\"result\":{}",
                                       "\"error\":{}",
                                       "\"Result\":{}"};
    for (size_t i = 0; i < sizeof ROOT / sizeof *ROOT; i++) {
        mcp_operation_t o;
        str_t body =
            arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",%s}", ROOT[i]);
        assert_int_equal(read_body(state, NO_FIELDS, body, &o), MCP_ERROR_AMBIGUOUS);
    }
    taken(state, NO_FIELDS, "tools/call", "{\"name\":\"echo\",\"names\":1,\"nam\":2}");
    control(state);
}

static void version_must_be_said_alike_twice(void **state)
{
    const char *other = "{\"name\":\"echo\",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
                        "\"1900-01-01\",\"io.modelcontextprotocol/clientCapabilities\":{}}}";
    refused(state, NO_FIELDS, "tools/call", CALL_PARAMS, MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2025-11-25"), "tools/call", CALL_PARAMS,
            MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2026-07-28", VERSION, "2026-07-28"), "tools/call", CALL_PARAMS,
            MCP_ERROR_HEADER_MISMATCH);
    refused(state, CALL_FIELDS, "tools/call", other, MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2025-06-18", VERSION, "2025-06-18"), "ping", "{}",
            MCP_ERROR_REPEATED_HEADER);
    control(state);
}

static void unsupported_protocol_version(void **state)
{
    mcp_operation_t o;
    const char *params = "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}";
    assert_int_equal(read_request(state, FIELDS(VERSION, "1900-01-01"), "ping", params, &o),
                     MCP_ERROR_UNSUPPORTED_VERSION);
    assert_true(str_eq(o.asked, STR("1900-01-01")));
    /* Whoever states a revision of itself can only retry with one of that era. */
    assert_true(
        str_contains(mcp_unsupported_data(*state, o.offered, o.asked), STR("[\"2026-07-28\"]")));
    assert_int_equal(read_request(state, FIELDS(VERSION, "2024-11-05"), "ping", "{}", &o),
                     MCP_ERROR_UNSUPPORTED_VERSION);
    assert_true(str_contains(mcp_unsupported_data(*state, o.offered, o.asked),
                             STR("[\"2026-07-28\",\"2025-11-25\"")));
    refused(state, FIELDS(VERSION, ""), "ping", "{}", MCP_ERROR_UNSUPPORTED_VERSION);
    control(state);
}

static void removed_method(void **state)
{
    static const char *const REMOVED[] = {"initialize", "ping", "logging/setLevel",
                                          "resources/subscribe", "resources/unsubscribe"};
    for (size_t i = 0; i < sizeof REMOVED / sizeof *REMOVED; i++)
        refused(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", REMOVED[i]), REMOVED[i],
                "{\"uri\":\"d:1\"," META "}", MCP_ERROR_REMOVED_METHOD);
    assert_int_equal(mcp_error_row(MCP_ERROR_REMOVED_METHOD)->code, -32601);
    assert_int_equal(mcp_error_row(MCP_ERROR_REMOVED_METHOD)->status, 404);
    taken(state, NO_FIELDS, "resources/subscribe", "{\"uri\":\"d:1\"}");
}

static void malformed_meta(void **state)
{
    static const char *const BAD[] = {
        "{}",
        "{\"_meta\":{}}",
        "{\"_meta\":[]}",
        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":1}}",
        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":null}}",
        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}",
        "{\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{}}}",
        ("{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
         "\"io.modelcontextprotocol/clientCapabilities\":[]}}")};
    const char *const *fields = FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/list");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(state, fields, "tools/list", BAD[i], MCP_ERROR_BAD_META);
    refused(state, FIELDS(VERSION, "2026-07-28"), "initialize",
            "{\"protocolVersion\":\"2025-11-25\"}", MCP_ERROR_BAD_META);
    assert_int_equal(mcp_error_row(MCP_ERROR_BAD_META)->code, -32602);
    taken(state, fields, "tools/list", "{" META "}");
    control(state);
}

static void method_header_must_equal(void **state)
{
    const char *params = "{" META "}";
    static const char *const BAD[] = {"tools/call", "Tools/List", "",
                                      "=?base64?dG9vbHMvbGlzdA==?="};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", BAD[i]), "tools/list", params,
                MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2026-07-28"), "tools/list", params, MCP_ERROR_HEADER_MISMATCH);
    refused(state,
            FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/list", "MCP-METHOD", "tools/list"),
            "tools/list", params, MCP_ERROR_HEADER_MISMATCH);
    assert_int_equal(mcp_error_row(MCP_ERROR_HEADER_MISMATCH)->code, -32020);
    assert_int_equal(mcp_error_row(MCP_ERROR_HEADER_MISMATCH)->status, 400);
    control(state);
}

static void name_header_must_equal(void **state)
{
    static const char *const BAD[] = {"Echo",
                                      "",
                                      "echo2",
                                      "=?base64?ZWNobw?=",
                                      "=?base64?ZWNobx==?=",
                                      "=?base64?ZWN obw==?=",
                                      "=?BASE64?ZWNobw==?=",
                                      "=?base64?ZWNobw==",
                                      "ech\xc3\xb6",
                                      "ec\x01ho"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(state,
                FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", BAD[i]),
                "tools/call", CALL_PARAMS, MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call"), "tools/call",
            CALL_PARAMS, MCP_ERROR_HEADER_MISMATCH);
    refused(state,
            FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "echo",
                   "mcp-name", "echo"),
            "tools/call", CALL_PARAMS, MCP_ERROR_HEADER_MISMATCH);
    taken(state,
          FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name",
                 "=?base64?ZWNobw==?="),
          "tools/call", CALL_PARAMS);
    taken(state,
          FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name",
                 "=?base64?ZcOpIA==?="),
          "tools/call", "{\"name\":\"e\xc3\xa9 \"," META "}");
    taken(state,
          FIELDS(VERSION, "2026-07-28", "Mcp-Method", "resources/read", "Mcp-Name", "file:///a"),
          "resources/read", "{\"uri\":\"file:///a\"," META "}");
    refused(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tasks/get", "Mcp-Name", "b"),
            "tasks/get", "{\"taskId\":\"a\"," META "}", MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tasks/get"), "tasks/get",
            "{\"taskId\":\"a\"," META "}", MCP_ERROR_HEADER_MISMATCH);
    taken(state, FIELDS(VERSION, "2026-07-28", "Mcp-Method", "tasks/get", "Mcp-Name", "a"),
          "tasks/get", "{\"taskId\":\"a\"," META "}");
    control(state);
}

static mcp_error_t read_line(void **state, const char *line, mcp_operation_t *o)
{
    rc_t rc;
    return mcp_operation_read_line(*state, str_c(line), o, &rc);
}

#define LINE(method, params)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":" params "}"

static void line_needs_no_fields(void **state)
{
    mcp_operation_t o;
    const char *call = LINE("tools/call", "{\"name\":\"a\"," META "}");
    assert_int_equal(read_line(state, call, &o), MCP_NO_ERROR);
    assert_int_equal(o.era, MCP_ERA_STATELESS);
    assert_true(str_eq(o.name, STR("a")));
    call = LINE("tools/call", "{\"name\":\"a\"}");
    assert_int_equal(read_line(state, call, &o), MCP_NO_ERROR);
    assert_int_equal(o.era, MCP_ERA_HANDSHAKE);
    call = LINE("initialize", "{\"protocolVersion\":\"2025-06-18\"}");
    assert_int_equal(read_line(state, call, &o), MCP_NO_ERROR);
    assert_true(str_eq(o.version->name, STR("2025-06-18")));
}

static void line_is_checked_as_a_body_is(void **state)
{
    mcp_operation_t o;
    static const struct {
        const char *line;
        mcp_error_t e;
    } ROWS[] = {
        {"{", MCP_ERROR_PARSE},
        {LINE("ping", "{" META "}"), MCP_ERROR_REMOVED_METHOD},
        {LINE("a", "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}"),
         MCP_ERROR_BAD_META},
        {LINE("a", "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":1}}"),
         MCP_ERROR_BAD_META},
        {LINE("a", "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}"),
         MCP_ERROR_UNSUPPORTED_VERSION},
        {LINE("tools/call", "{\"name\":1," META "}"), MCP_ERROR_BAD_NAME},
        {LINE("tools/call", "{\"Name\":\"a\",\"name\":\"a\"}"), MCP_ERROR_AMBIGUOUS},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(read_line(state, ROWS[i].line, &o), ROWS[i].e);
    line_needs_no_fields(state);
}

static void stray_headers_of_the_other_era_may_not_differ(void **state)
{
    const char *params = "{\"name\":\"echo\"}";
    taken(state, FIELDS("Mcp-Method", "tools/call", "Mcp-Name", "echo"), "tools/call", params);
    refused(state, FIELDS("Mcp-Method", "tools/list"), "tools/call", params,
            MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS("Mcp-Name", "safe"), "tools/call", params, MCP_ERROR_HEADER_MISMATCH);
    refused(state, FIELDS("Mcp-Name", "echo", "Mcp-Name", "echo"), "tools/call", params,
            MCP_ERROR_HEADER_MISMATCH);
    control(state);
}

static void notifications_and_responses_are_read(void **state)
{
    mcp_operation_t o;
    str_t note = STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    str_t response = STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    assert_int_equal(read_body(state, NO_FIELDS, note, &o), MCP_NO_ERROR);
    assert_int_equal(o.message.kind, MCP_NOTIFICATION);
    assert_int_equal(read_body(state, FIELDS(VERSION, "2026-07-28"), note, &o), MCP_NO_ERROR);
    assert_int_equal(o.era, MCP_ERA_STATELESS);
    assert_int_equal(read_body(state, NO_FIELDS, response, &o), MCP_NO_ERROR);
    assert_int_equal(o.message.kind, MCP_RESPONSE);
    assert_int_equal(read_body(state, FIELDS("Mcp-Method", "tools/call"), response, &o),
                     MCP_ERROR_HEADER_MISMATCH);
    assert_int_equal(read_body(state, FIELDS(VERSION, "2026-07-28"), response, &o),
                     MCP_ERROR_CLIENT_RESPONSE);
    control(state);
}

/* attack case: GWM-011 */
static void a_request_without_id_is_no_notification(void **state)
{
    static const char *const METHODS[] = {"tools/call", "ping", "notification/x",
                                          "NOTIFICATIONS/x"};
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        mcp_operation_t o;
        str_t body = arena_printf(*state,
                                  "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":"
                                  "{\"name\":\"echo\"}}",
                                  METHODS[i]);
        assert_int_equal(read_body(state, NO_FIELDS, body, &o), MCP_ERROR_BAD_NOTIFICATION);
    }
    control(state);
}

/* attack case: GWM-011 */
static void unknown_methods_are_methods(void **state)
{
    static const char *const GOOD[] = {"tools/callx", "TOOLS/CALL",        "x",
                                       "tools/call ", "tools\\u002fcall2", "server/discover"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        mcp_operation_t o;
        assert_int_equal(read_request(state, NO_FIELDS, GOOD[i], "{\"name\":\"echo\"}", &o),
                         MCP_NO_ERROR);
        assert_int_equal(o.object, MCP_ON_METHOD);
    }
    static const char *const BAD[] = {"\"\"", "1", "null", "{}", "[]"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        mcp_operation_t o;
        str_t body = arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}", BAD[i]);
        assert_int_equal(read_body(state, NO_FIELDS, body, &o), MCP_ERROR_BAD_METHOD);
    }
    /* An escape is the same method, and the same tool. */
    mcp_operation_t o;
    assert_int_equal(read_request(state, NO_FIELDS, "tools\\u002fcall", "{\"name\":\"echo\"}", &o),
                     MCP_NO_ERROR);
    assert_int_equal(o.object, MCP_ON_TOOL);
    control(state);
}

/* attack case: GWM-012 */
static void message_too_large(void **state)
{
    enum { DEEP = 100000, LARGE = MCP_MESSAGE_BYTES + 1 };
    mcp_operation_t o;
    char *p = arena_alloc(*state, LARGE);
    memset(p, '[', DEEP);
    assert_int_equal(read_body(state, NO_FIELDS, str_of(p, DEEP), &o), MCP_ERROR_TOO_LARGE);
    memset(p, ' ', LARGE);
    assert_int_equal(read_body(state, NO_FIELDS, str_of(p, LARGE), &o), MCP_ERROR_TOO_LARGE);
    memset(p, 'a', LARGE);
    str_t id = arena_printf(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"%.*s\",\"method\":\"ping\"}",
                            MCP_ID_BYTES, p);
    assert_int_equal(read_body(state, NO_FIELDS, id, &o), MCP_ERROR_BAD_ID);
    str_t name = arena_printf(*state, "{\"name\":\"%.*s\"}", MCP_NAME_BYTES + 1, p);
    refused(state, NO_FIELDS, "tools/call", name.p, MCP_ERROR_BAD_NAME);
    control(state);
}

static void batches_are_refused_in_every_era(void **state)
{
    mcp_operation_t o;
    str_t body = STR("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]");
    assert_int_equal(read_body(state, NO_FIELDS, body, &o), MCP_ERROR_BATCH);
    assert_int_equal(read_body(state, FIELDS(VERSION, "2026-07-28"), body, &o), MCP_ERROR_BATCH);
    control(state);
}

static mcp_error_t bare(void **state, const char *const *fields, const mcp_version_t **v)
{
    return mcp_operation_read_bare(fields_of(*state, fields), v);
}

static void method_not_allowed(void **state)
{
    const mcp_version_t *v;
    assert_int_equal(bare(state, NO_FIELDS, &v), MCP_NO_ERROR);
    assert_true(str_eq(v->name, STR("2025-03-26")));
    assert_int_equal(bare(state, FIELDS(VERSION, "2025-11-25"), &v), MCP_NO_ERROR);
    assert_int_equal(bare(state, FIELDS(VERSION, "2026-07-28"), &v), MCP_ERROR_STATELESS_METHOD);
    assert_int_equal(mcp_error_row(MCP_ERROR_STATELESS_METHOD)->status, 405);
    assert_int_equal(bare(state, FIELDS(VERSION, "1"), &v), MCP_ERROR_UNSUPPORTED_VERSION);
    assert_int_equal(bare(state, FIELDS(VERSION, "2025-11-25", VERSION, "2025-11-25"), &v),
                     MCP_ERROR_REPEATED_HEADER);
}

static void little_memory_is_an_error(void **state)
{
    (void)state;
    str_t body = STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
    for (size_t budget = 1; budget < 300; budget += 7) {
        mcp_operation_t o;
        rc_t rc;
        arena_t *a = arena_new(budget);
        mcp_error_t e = mcp_operation_read(a, (mcp_fields_t){NULL, 0}, body, &o, &rc);
        assert_true(rc == RC_OK ? e == MCP_NO_ERROR : e == MCP_ERROR_INTERNAL);
        arena_free(a);
    }
}

#define OPERATION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPERATION_TEST(stateless_call_is_read),
        OPERATION_TEST(handshake_call_is_read),
        OPERATION_TEST(initialize_negotiates_whatever_its_header),
        OPERATION_TEST(objects_have_names),
        OPERATION_TEST(listen_names_resources),
        OPERATION_TEST(a_name_is_its_decoded_string),
        OPERATION_TEST(malformed_params),
        OPERATION_TEST(arguments_are_an_object),
        OPERATION_TEST(ambiguous_message),
        OPERATION_TEST(version_must_be_said_alike_twice),
        OPERATION_TEST(unsupported_protocol_version),
        OPERATION_TEST(removed_method),
        OPERATION_TEST(malformed_meta),
        OPERATION_TEST(method_header_must_equal),
        OPERATION_TEST(name_header_must_equal),
        OPERATION_TEST(stray_headers_of_the_other_era_may_not_differ),
        OPERATION_TEST(notifications_and_responses_are_read),
        OPERATION_TEST(a_request_without_id_is_no_notification),
        OPERATION_TEST(unknown_methods_are_methods),
        OPERATION_TEST(message_too_large),
        OPERATION_TEST(batches_are_refused_in_every_era),
        OPERATION_TEST(method_not_allowed),
        OPERATION_TEST(line_needs_no_fields),
        OPERATION_TEST(line_is_checked_as_a_body_is),
        OPERATION_TEST(little_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
