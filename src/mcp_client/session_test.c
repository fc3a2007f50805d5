/* A client against servers of both eras, and against servers that are neither. */
#include "mcp_client/mcp_client_test_server.h"
#include "mcp_client/mcp_client_test_tokens.h"

#include "core/limits.h"
#include "mcp_client/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ARENA_BYTES = 256 << 20 };

typedef struct {
    test_mcp_t *s;
    http_agent_t *agent;
    arena_t *a;
    mcp_client_t *c;
    mcp_client_failure_t why;
    atomic_uint asked, heard;
    atomic_bool refuses, stop;
    atomic_uint round; /* of the server */
    char last_heard[128];
    const char *row; /* of a table: what the server says to the probe */
} fixture_t;

static bool ask(void *ctx, arena_t *a, str_t method, const json_t *params, str_t *result)
{
    fixture_t *f = ctx;
    atomic_fetch_add(&f->asked, 1);
    *result = str_eq(method, STR("roots/list")) ? STR("{\"roots\":[]}")
                                                : STR("{\"action\":\"accept\",\"content\":{"
                                                      "\"name\":\"me\"}}");
    return !atomic_load(&f->refuses);
}

static void hears(void *ctx, str_t method, const json_t *params)
{
    fixture_t *f = ctx;
    snprintf(f->last_heard, sizeof f->last_heard, "%" PRIstr, STR_ARG(method));
    atomic_fetch_add(&f->heard, 1);
}

static mcp_client_config_t config_of(fixture_t *f, mcp_client_era_t era)
{
    return (mcp_client_config_t){
        .link = {.agent = f->agent, .url = str_c(f->s->url), .reach = HTTP_REACH_LOOPBACK},
        .name = STR("tester"),
        .version = STR("1"),
        .era = era,
        .handlers = {ask, true, false, false, true, hears, f},
        .stop = &f->stop,
    };
}

static void begin(fixture_t *f, test_answer_fn answer)
{
    const http_agent_config_t agent = {.user_agent = STR("test")};
    memset(f, 0, sizeof *f);
    f->a = arena_new(ARENA_BYTES);
    f->s = test_mcp_start(answer, f);
    assert_int_equal(http_agent_new(&agent, &f->agent), RC_OK);
}

/* False: it does not open. */
static bool opens(fixture_t *f, mcp_client_era_t era)
{
    const mcp_client_config_t config = config_of(f, era);
    assert_int_equal(mcp_client_open(&config, f->a, &f->c, &f->why), RC_OK);
    return f->c != NULL;
}

static void end(fixture_t *f)
{
    mcp_client_close(f->c);
    http_agent_free(f->agent);
    test_mcp_stop(f->s);
    arena_free(f->a);
}

static rc_t request_with(fixture_t *f, const char *method, const char *params,
                         const mcp_client_options_t *options, str_t *result)
{
    return mcp_client_request(f->c, f->a, str_c(method), str_c(params), options, result, &f->why);
}

static void assert_result(fixture_t *f, const char *method, const char *params, const char *want)
{
    str_t result;
    assert_int_equal(request_with(f, method, params, NULL, &result), RC_OK);
    if (!str_eq(result, str_c(want)))
        fail_msg("%s: %" PRIstr, method, STR_ARG(result));
}

static void assert_version(fixture_t *f, const char *want)
{
    assert_non_null(f->c);
    assert_true(str_eq(mcp_client_version(f->c)->name, str_c(want)));
}

/* The last request with this method. */
static test_asked_t last(fixture_t *f, const char *method)
{
    for (size_t n = test_mcp_count(f->s); n > 0; n--) {
        test_asked_t r = test_mcp_asked(f->s, n - 1);
        if (test_asks(&r, method))
            return r;
    }
    fail_msg("%s was not asked", method);
    abort();
}

static void assert_holds(str_t text, const char *part)
{
    if (!str_contains(text, str_c(part)))
        fail_msg("no %s in %" PRIstr, part, STR_ARG(text));
}

/* ---- a server of each era ---- */

#define DISCOVERED                                                                                 \
    "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{}}"
#define TOOL(name, schema)                                                                         \
    "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"region\":{"     \
    "\"type\":\"string\"" schema "}}}}"
#define TOOLS_1                                                                                    \
    "{\"tools\":[" TOOL("plain", "") "," TOOL("region", ",\"x-mcp-header\":\"Region\"") "," TOOL(  \
        "broken", ",\"x-mcp-header\":\"a b\"") "],\"nextCursor\":\"n\\u0065xt\"}"
#define TOOLS_2 "{\"tools\":[" TOOL("other", "") "]}"

static bool list_tools(const test_asked_t *r, int fd)
{
    return test_result(fd, r, "", str_contains(r->body, STR("cursor")) ? TOOLS_2 : TOOLS_1);
}

static bool stateless(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    if (test_asks(r, "server/discover"))
        return test_result(fd, r, "", DISCOVERED);
    if (test_asks(r, "tools/list"))
        return list_tools(r, fd);
    if (test_asks(r, "strange"))
        return test_result(fd, r, "", "{\"resultType\":\"odd\"}");
    if (test_asks(r, "fails"))
        return test_json(fd, 200, "",
                         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32602,\"message\":"
                         "\"no\",\"data\":{\"a\":1}}}",
                         test_id(r, (char[64]){0}));
    return test_result(fd, r, "", "{\"ok\":true}");
}

static bool initialize(const test_asked_t *r, int fd, unsigned nth)
{
    char fields[64];
    snprintf(fields, sizeof fields, "Mcp-Session-Id: s%u\r\n", nth);
    return test_result(
        fd, r, fields,
        "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"serverInfo\":{}}");
}

static bool handshake(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "initialize"))
        return initialize(r, fd, 1);
    if (!str_is_set(test_field(r, "Mcp-Session-Id")))
        return test_status(fd, 400, "");
    if (str_eq(r->method, STR("GET")))
        return test_status(fd, 405, "");
    if (test_asks(r, "notifications/initialized") || !str_contains(r->body, STR("\"method\"")))
        return test_status(fd, 202, "");
    return stateless(s, r, fd);
}

static void a_stateless_server_is_discovered_and_told_all_in_each_request(void **state)
{
    fixture_t f;
    begin(&f, stateless);
    assert_true(opens(&f, MCP_CLIENT_AUTO));
    assert_version(&f, "2026-07-28");
    assert_true(str_eq(mcp_client_server(f.c), STR(DISCOVERED)));
    assert_result(&f, "x/y", "{\"a\":[1, 2],\"_meta\":{\"mine\":1}}", "{\"ok\":true}");
    test_asked_t r = last(&f, "x/y");
    assert_holds(r.body, "\"params\":{\"a\":[1, 2],\"_meta\":{"
                         "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                         "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"tester\",\"version\":"
                         "\"1\"},\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{"
                         "\"form\":{}},\"roots\":{}},\"mine\":1}}");
    assert_true(str_eq(test_field(&r, "Mcp-Method"), STR("x/y")));
    end(&f);
}

static void extensions_are_declared_in_either_era(void **state)
{
    static const struct {
        test_answer_fn answer;
        const char *asked;
    } ERAS[] = {{stateless, "server/discover"}, {handshake, "initialize"}};
    for (size_t i = 0; i < sizeof ERAS / sizeof *ERAS; i++) {
        fixture_t f;
        begin(&f, ERAS[i].answer);
        mcp_client_config_t config = config_of(&f, MCP_CLIENT_AUTO);
        config.extensions = STR("{\"a/b\":{\"c\":1}}");
        assert_int_equal(mcp_client_open(&config, f.a, &f.c, &f.why), RC_OK);
        assert_non_null(f.c);
        assert_holds(last(&f, ERAS[i].asked).body, "\"extensions\":{\"a/b\":{\"c\":1}}");
        end(&f);
    }
}

static void a_handshake_server_is_initialized_and_told_its_session(void **state)
{
    fixture_t f;
    begin(&f, handshake);
    assert_true(opens(&f, MCP_CLIENT_AUTO));
    assert_version(&f, "2025-06-18");
    assert_holds(mcp_client_server(f.c), "serverInfo");
    assert_result(&f, "x/y", NULL, "{\"ok\":true}");
    test_asked_t r = last(&f, "x/y"), first = last(&f, "initialize");
    assert_holds(first.body, "\"protocolVersion\":\"2025-11-25\"");
    assert_true(str_eq(test_field(&r, "Mcp-Session-Id"), STR("s1")));
    assert_true(str_eq(test_field(&r, "MCP-Protocol-Version"), STR("2025-06-18")));
    assert_false(str_contains(r.body, STR("params")));
    mcp_client_close(f.c);
    f.c = NULL;
    assert_int_equal(test_mcp_holding(f.s, "DELETE /mcp"), 1);
    end(&f);
}

/* ---- which era ---- */

typedef struct {
    const char *name;
    int status;
    const char *type, *body;
    const char *want; /* the revision that is spoken; NULL: none */
} probe_t;

#define ERROR(code, more)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" code ",\"message\":\"m\"" more "}}"
#define SUPPORTED(list) ERROR("-32022", ",\"data\":{\"supported\":[" list "]}")

static const probe_t PROBES[] = {
    {"empty_400", 400, "text/plain", "", "2025-06-18"},
    {"html_404", 404, "text/html", "<p>", "2025-06-18"},
    {"empty_405", 405, "text/plain", "", "2025-06-18"},
    {"no_session", 400, "application/json", ERROR("-32000", ""), "2025-06-18"},
    {"unknown_method", 200, "application/json", ERROR("-32601", ""), "2025-06-18"},
    {"unknown_method_404", 404, "application/json", ERROR("-32601", ""), "2025-06-18"},
    {"invalid_request", 200, "application/json", ERROR("-32600", ""), "2025-06-18"},
    {"invalid_params", 200, "application/json", ERROR("-32602", ""), "2025-06-18"},
    {"old_ones_supported", 400, "application/json", SUPPORTED("\"2025-11-25\""), "2025-06-18"},
    {"crashes", 500, "text/plain", "oops", "2025-06-18"},
    {"mismatch", 400, "application/json", ERROR("-32020", ""), "2026-07-28"},
    {"capability", 400, "application/json", ERROR("-32021", ""), "2026-07-28"},
    {"this_one_supported", 400, "application/json", SUPPORTED("\"2026-07-28\",\"2027-01-01\""),
     "2026-07-28"},
    {"answers_anything", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
     "2025-06-18"},
    {"none_is_known", 400, "application/json", SUPPORTED("\"2027-01-01\""), NULL},
    {"unauthorized", 401, "text/plain", "", NULL},
    {"forbidden", 403, "text/plain", "", NULL},
    {"too_many", 429, "text/plain", "", NULL},
    {"unavailable", 503, "text/plain", "", NULL},
    {"moved", 307, "text/plain", "", NULL},
};

static bool probed(test_mcp_t *s, const test_asked_t *r, int fd)
{
    const fixture_t *f = s->ctx;
    if (!test_asks(r, "server/discover"))
        return handshake(s, r, fd);
    for (size_t i = 0; i < sizeof PROBES / sizeof *PROBES; i++) {
        const probe_t *p = &PROBES[i];
        if (f->row == p->name)
            return test_say(fd,
                            "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                            p->status, p->type, strlen(p->body), p->body);
    }
    return false;
}

static void the_probe_tells_the_era(void **state)
{
    fixture_t f;
    begin(&f, probed);
    for (size_t i = 0; i < sizeof PROBES / sizeof *PROBES; i++) {
        f.row = PROBES[i].name;
        bool open = opens(&f, MCP_CLIENT_AUTO);
        bool right =
            open ? PROBES[i].want && str_eq(mcp_client_version(f.c)->name, str_c(PROBES[i].want))
                 : !PROBES[i].want;
        if (!right)
            fail_msg("%s", PROBES[i].name);
        mcp_client_close(f.c);
        f.c = NULL;
    }
    end(&f);
}

static bool bare(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "server/discover") || test_asks(r, "initialize"))
        return test_json(fd, 404, "",
                         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":"
                         "\"m\"}}",
                         test_id(r, (char[64]){0}));
    return stateless(s, r, fd);
}

static void a_stateless_server_without_discovery_is_taken(void **state)
{
    static const mcp_client_era_t ERAS[] = {MCP_CLIENT_AUTO, MCP_CLIENT_STATELESS};
    for (size_t i = 0; i < 2; i++) {
        fixture_t f;
        begin(&f, bare);
        assert_true(opens(&f, ERAS[i]));
        assert_version(&f, "2026-07-28");
        assert_false(str_is_set(mcp_client_server(f.c)));
        assert_result(&f, "x/y", NULL, "{\"ok\":true}");
        end(&f);
    }
}

static bool unknown_revision(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    return test_result(fd, r, "", "{\"protocolVersion\":\"2031-01-01\"}");
}

static void a_revision_that_is_not_known_is_refused(void **state)
{
    fixture_t f;
    begin(&f, unknown_revision);
    assert_false(opens(&f, MCP_CLIENT_HANDSHAKE));
    assert_int_equal(f.why.link.end, MCP_LINK_MALFORMED);
    assert_holds(f.why.link.detail, "2031-01-01");
    end(&f);
}

/* ---- calls ---- */

static void errors_of_the_server_are_told_whole(void **state)
{
    fixture_t f;
    str_t result;
    begin(&f, stateless);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_int_equal(request_with(&f, "fails", NULL, NULL, &result), RC_NOT_FOUND);
    assert_true(f.why.is_rpc_error);
    assert_int_equal(f.why.code, -32602);
    assert_true(str_eq(f.why.message, STR("no")));
    assert_true(str_eq(f.why.data, STR("{\"a\":1}")));
    assert_int_equal(request_with(&f, "strange", NULL, NULL, &result), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_MALFORMED);
    assert_int_equal(request_with(&f, "x/y", "[1]", NULL, &result), RC_MALFORMED);
    assert_int_equal(request_with(&f, "x/y", "{", NULL, &result), RC_MALFORMED);
    assert_result(&f, "x/y", NULL, "{\"ok\":true}");
    end(&f);
}

static void tools_of_all_pages_are_listed_and_wrong_ones_left_out(void **state)
{
    fixture_t f;
    const json_t *tools;
    begin(&f, stateless);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_int_equal(mcp_client_tools(f.c, f.a, &tools, &f.why), RC_OK);
    assert_int_equal(tools->count, 3);
    assert_true(str_eq(tools->child->raw, STR(TOOL("plain", ""))));
    assert_holds(last(&f, "tools/list").body, "\"cursor\":\"next\"");
    assert_result(&f, "tools/call", "{\"name\":\"region\",\"arguments\":{\"region\":\"us\"}}",
                  "{\"ok\":true}");
    test_asked_t r = last(&f, "tools/call");
    assert_true(str_eq(test_field(&r, "Mcp-Param-Region"), STR("us")));
    assert_true(str_eq(test_field(&r, "Mcp-Name"), STR("region")));
    end(&f);
}

static bool endless(test_mcp_t *s, const test_asked_t *r, int fd)
{
    return test_asks(r, "tools/list") ? test_result(fd, r, "", TOOLS_1) : stateless(s, r, fd);
}

static void a_list_without_end_ends(void **state)
{
    fixture_t f;
    const json_t *tools;
    begin(&f, endless);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_int_equal(mcp_client_tools(f.c, f.a, &tools, &f.why), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_MALFORMED);
    end(&f);
}

static bool strict_fields(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "tools/call") && !str_is_set(test_field(r, "Mcp-Param-Region")))
        return test_json(fd, 400, "",
                         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32020,\"message\":"
                         "\"m\"}}",
                         test_id(r, (char[64]){0}));
    return stateless(s, r, fd);
}

static void tools_are_listed_where_a_call_lacks_a_field(void **state)
{
    fixture_t f;
    begin(&f, strict_fields);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_result(&f, "tools/call", "{\"name\":\"region\",\"arguments\":{\"region\":\"us\"}}",
                  "{\"ok\":true}");
    assert_int_equal(test_mcp_holding(f.s, "\"method\":\"tools/call\""), 2);
    str_t result;
    assert_int_equal(request_with(&f, "tools/call", "{\"name\":\"plain\"}", NULL, &result),
                     RC_NOT_FOUND);
    assert_int_equal(f.why.code, -32020);
    end(&f);
}

/* ---- sessions that get lost ---- */

/* The first session is gone; the next one is good. */
static bool forgets(test_mcp_t *s, const test_asked_t *r, int fd)
{
    fixture_t *f = s->ctx;
    if (test_asks(r, "initialize"))
        return initialize(r, fd, atomic_fetch_add(&f->round, 1) + 1);
    if (str_eq(test_field(r, "Mcp-Session-Id"), STR("s1")) && test_asks(r, "x/y"))
        return test_status(fd, 404, "");
    return handshake(s, r, fd);
}

static void a_lost_session_is_made_anew(void **state)
{
    fixture_t f;
    begin(&f, forgets);
    assert_true(opens(&f, MCP_CLIENT_HANDSHAKE));
    assert_result(&f, "x/y", "{\"a\":1}", "{\"ok\":true}");
    test_asked_t r = last(&f, "x/y");
    assert_true(str_eq(test_field(&r, "Mcp-Session-Id"), STR("s2")));
    assert_int_equal(atomic_load(&f.round), 2);
    end(&f);
}

static bool always_lost(test_mcp_t *s, const test_asked_t *r, int fd)
{
    return test_asks(r, "x/y") ? test_status(fd, 404, "") : handshake(s, r, fd);
}

static void a_session_that_is_lost_again_is_given_up(void **state)
{
    fixture_t f;
    str_t result;
    begin(&f, always_lost);
    assert_true(opens(&f, MCP_CLIENT_HANDSHAKE));
    assert_int_equal(request_with(&f, "x/y", NULL, NULL, &result), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_LOST);
    assert_int_equal(test_mcp_holding(f.s, "\"method\":\"initialize\""), 2);
    end(&f);
}

static void *call_xy(void *arg)
{
    fixture_t *f = arg;
    str_t result;
    mcp_client_failure_t why;
    arena_t *a = arena_new(ARENA_BYTES);
    rc_t rc = mcp_client_request(f->c, a, STR("x/y"), STR_UNSET, NULL, &result, &why);
    if (rc != RC_OK)
        fprintf(stderr, "%s: %d %d %" PRIstr "\n", rc_name(rc), why.link.end, why.link.status,
                STR_ARG(why.link.detail));
    arena_free(a);
    return rc == RC_OK ? f : NULL;
}

static void threads_that_lose_a_session_share_the_next_one(void **state)
{
    fixture_t f;
    pthread_t t[6];
    begin(&f, forgets);
    assert_true(opens(&f, MCP_CLIENT_HANDSHAKE));
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&t[i], NULL, call_xy, &f), 0);
    for (size_t i = 0; i < 6; i++) {
        void *good;
        pthread_join(t[i], &good);
        assert_ptr_equal(good, &f);
    }
    assert_int_equal(atomic_load(&f.round), 2);
    end(&f);
}

/* ---- what servers ask ---- */

#define FORM                                                                                       \
    "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{"       \
    "\"type\":\"string\",\"default\":\"x\"},\"age\":{\"type\":\"integer\",\"default\":7},"         \
    "\"note\":{\"type\":\"string\"}}}}"
#define FILLED "{\"action\":\"accept\",\"content\":{\"name\":\"me\",\"age\":7}}"

/* Asks on the stream of a call, and answers once it was answered. */
static bool asks_on_stream(test_mcp_t *s, const test_asked_t *r, int fd)
{
    char id[64];
    if (!test_asks(r, "x/y"))
        return handshake(s, r, fd);
    test_stream(fd, "");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":\"e\",\"method\":\"elicitation/create\","
                 "\"params\":" FORM "}\n\n");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"sampling/createMessage\","
                 "\"params\":{}}\n\n");
    while (test_mcp_holding(s, "\"id\":\"e\"") == 0 || test_mcp_holding(s, "\"id\":\"p\"") == 0 ||
           test_mcp_holding(s, "\"id\":\"s\"") == 0) {
        if (atomic_load(&s->ending))
            return false;
        test_pause(s, 2);
    }
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"ok\":true}}\n\n",
             test_id(r, id));
    return false;
}

static void what_a_server_asks_on_a_stream_is_answered(void **state)
{
    fixture_t f;
    begin(&f, asks_on_stream);
    assert_true(opens(&f, MCP_CLIENT_HANDSHAKE));
    assert_result(&f, "x/y", NULL, "{\"ok\":true}");
    assert_int_equal(test_mcp_holding(f.s, "\"id\":\"p\",\"result\":{}}"), 1);
    assert_int_equal(test_mcp_holding(f.s, "\"id\":\"e\",\"result\":" FILLED "}"), 1);
    assert_int_equal(test_mcp_holding(f.s, "\"id\":\"s\",\"error\":{\"code\":-32601"), 1);
    assert_int_equal(atomic_load(&f.heard), 1);
    assert_string_equal(f.last_heard, "notifications/progress");
    end(&f);
}

static void what_the_program_refuses_goes_back_as_an_error(void **state)
{
    fixture_t f;
    begin(&f, asks_on_stream);
    atomic_store(&f.refuses, true);
    assert_true(opens(&f, MCP_CLIENT_HANDSHAKE));
    assert_result(&f, "x/y", NULL, "{\"ok\":true}");
    assert_int_equal(test_mcp_holding(f.s, "\"id\":\"e\",\"error\":{\"code\":-32603"), 1);
    end(&f);
}

#define QUESTIONS                                                                                  \
    "\"inputRequests\":{\"q1\":{\"method\":\"elicitation/create\",\"params\":" FORM                \
    "},\"q2\":{\"method\":\"roots/list\"}}"

/* First asks with a state, then without one, then with a state alone; then it is content. */
static bool asks_in_rounds(test_mcp_t *s, const test_asked_t *r, int fd)
{
    static const char *const ROUNDS[] = {
        "{\"resultType\":\"input_required\"," QUESTIONS ",\"requestState\":\"a\\u0041\\n\"}",
        "{\"resultType\":\"input_required\"," QUESTIONS "}",
        "{\"resultType\":\"input_required\",\"requestState\":\"only\"}",
        "{\"ok\":true}",
    };
    fixture_t *f = s->ctx;
    if (!test_asks(r, "tools/call"))
        return stateless(s, r, fd);
    return test_result(fd, r, "", ROUNDS[atomic_fetch_add(&f->round, 1) % 4]);
}

static void input_that_is_required_goes_along_with_the_next_try(void **state)
{
    static const char ANSWERS[] = "\"inputResponses\":{\"q1\":" FILLED ",\"q2\":{\"roots\":[]}}";
    fixture_t f;
    char id[4][64];
    begin(&f, asks_in_rounds);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_result(&f, "tools/call", "{\"name\":\"t\",\"arguments\":{}}", "{\"ok\":true}");
    assert_int_equal(test_mcp_count(f.s), 5);
    test_asked_t r[4];
    for (size_t i = 0; i < 4; i++) {
        r[i] = test_mcp_asked(f.s, i + 1);
        test_id(&r[i], id[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(id[i], id[k]);
        assert_holds(r[i].body, "\"name\":\"t\",\"arguments\":{}");
    }
    assert_false(str_contains(r[0].body, STR("requestState")));
    assert_holds(r[1].body, ANSWERS);
    assert_holds(r[1].body, "\"requestState\":\"a\\u0041\\n\"");
    assert_holds(r[2].body, ANSWERS);
    assert_false(str_contains(r[2].body, STR("requestState")));
    assert_holds(r[3].body, "\"requestState\":\"only\"");
    assert_false(str_contains(r[3].body, STR("inputResponses")));
    end(&f);
}

static void input_that_the_program_refuses_ends_the_call(void **state)
{
    fixture_t f;
    str_t result;
    begin(&f, asks_in_rounds);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    atomic_store(&f.refuses, true);
    assert_int_equal(request_with(&f, "tools/call", "{\"name\":\"t\"}", NULL, &result),
                     RC_NOT_FOUND);
    assert_true(f.why.is_rpc_error);
    assert_int_equal(f.why.code, -1);
    assert_int_equal(test_mcp_count(f.s), 2);
    end(&f);
}

static bool asks_for_ever(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "nothing"))
        return test_result(fd, r, "", "{\"resultType\":\"input_required\"}");
    if (!test_asks(r, "tools/call"))
        return stateless(s, r, fd);
    return test_result(fd, r, "", "{\"resultType\":\"input_required\",\"requestState\":\"s\"}");
}

static void a_server_that_asks_for_ever_is_left(void **state)
{
    fixture_t f;
    str_t result;
    begin(&f, asks_for_ever);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_int_equal(request_with(&f, "tools/call", "{\"name\":\"t\"}", NULL, &result),
                     RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_MALFORMED);
    assert_int_equal(test_mcp_count(f.s), LIMIT_MCP_CLIENT_ROUNDS + 1);
    assert_int_equal(request_with(&f, "nothing", NULL, NULL, &result), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_MALFORMED);
    assert_result(&f, "x/y", NULL, "{\"ok\":true}");
    end(&f);
}

/* ---- calls that end early ---- */

static bool slow(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (!test_asks(r, "x/y"))
        return str_eq(test_field(r, "MCP-Protocol-Version"), STR("2026-07-28"))
                   ? stateless(s, r, fd)
                   : handshake(s, r, fd);
    test_stream(fd, "");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n");
    test_pause(s, TEST_PATIENCE_MS);
    return false;
}

typedef struct {
    fixture_t *f;
    atomic_bool flag;
} canceller_t;

static void *cancel_soon(void *arg)
{
    canceller_t *k = arg;
    while (test_mcp_holding(k->f->s, "x/y") == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    atomic_store(&k->flag, true);
    return NULL;
}

static void assert_cancelled(mcp_client_era_t era, size_t told)
{
    fixture_t f;
    str_t result;
    pthread_t t;
    begin(&f, slow);
    canceller_t k = {.f = &f};
    const mcp_client_options_t options = {.progress = true, .cancel = &k.flag};
    assert_true(opens(&f, era));
    assert_int_equal(pthread_create(&t, NULL, cancel_soon, &k), 0);
    assert_int_equal(request_with(&f, "x/y", NULL, &options, &result), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_STOPPED);
    pthread_join(t, NULL);
    assert_holds(last(&f, "x/y").body, "\"progressToken\":2");
    if (told > 0) {
        while (test_mcp_holding(f.s, "notifications/cancelled") < told)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        assert_holds(last(&f, "notifications/cancelled").body, "{\"requestId\":2}");
    }
    assert_result(&f, "z", NULL, "{\"ok\":true}");
    assert_int_equal(test_mcp_holding(f.s, "notifications/cancelled"), told);
    end(&f);
}

static void a_cancelled_call_is_told_to_a_handshake_server(void **state)
{
    assert_cancelled(MCP_CLIENT_HANDSHAKE, 1);
}

static void a_cancelled_call_closes_its_stream_to_a_stateless_server(void **state)
{
    assert_cancelled(MCP_CLIENT_STATELESS, 0);
}

/* False: what is answered took too long as well. */
static bool times_out_alone(fixture_t *f, int64_t call_ms)
{
    str_t result;
    mcp_client_config_t config = config_of(f, MCP_CLIENT_STATELESS);
    config.call_ms = call_ms;
    assert_int_equal(mcp_client_open(&config, f->a, &f->c, &f->why), RC_OK);
    if (!f->c)
        return false;
    assert_int_equal(request_with(f, "x/y", NULL, NULL, &result), RC_NOT_FOUND);
    assert_int_equal(f->why.link.end, MCP_LINK_TIMEOUT);
    bool answered = request_with(f, "z", NULL, NULL, &result) == RC_OK;
    if (answered)
        assert_true(str_eq(result, STR("{\"ok\":true}")));
    mcp_client_close(f->c);
    f->c = NULL;
    return answered;
}

/* A slow machine is given more time, not a pass. */
static void a_call_that_takes_too_long_times_out(void **state)
{
    fixture_t f;
    bool done = false;
    begin(&f, slow);
    for (int64_t call_ms = 1000; call_ms < TEST_PATIENCE_MS && !done; call_ms *= 2)
        done = times_out_alone(&f, call_ms);
    assert_true(done);
    end(&f);
}

static void *stop_soon(void *arg)
{
    fixture_t *f = arg;
    while (test_mcp_holding(f->s, "x/y") == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    atomic_store(&f->stop, true);
    return NULL;
}

static void what_waits_ends_when_the_client_is_stopped(void **state)
{
    fixture_t f;
    str_t result;
    pthread_t t;
    begin(&f, slow);
    assert_true(opens(&f, MCP_CLIENT_STATELESS));
    assert_int_equal(pthread_create(&t, NULL, stop_soon, &f), 0);
    assert_int_equal(request_with(&f, "x/y", NULL, NULL, &result), RC_NOT_FOUND);
    assert_int_equal(f.why.link.end, MCP_LINK_STOPPED);
    pthread_join(t, NULL);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stateless_server_is_discovered_and_told_all_in_each_request),
        cmocka_unit_test(extensions_are_declared_in_either_era),
        cmocka_unit_test(a_handshake_server_is_initialized_and_told_its_session),
        cmocka_unit_test(the_probe_tells_the_era),
        cmocka_unit_test(a_stateless_server_without_discovery_is_taken),
        cmocka_unit_test(a_revision_that_is_not_known_is_refused),
        cmocka_unit_test(errors_of_the_server_are_told_whole),
        cmocka_unit_test(tools_of_all_pages_are_listed_and_wrong_ones_left_out),
        cmocka_unit_test(a_list_without_end_ends),
        cmocka_unit_test(tools_are_listed_where_a_call_lacks_a_field),
        cmocka_unit_test(a_lost_session_is_made_anew),
        cmocka_unit_test(a_session_that_is_lost_again_is_given_up),
        cmocka_unit_test(threads_that_lose_a_session_share_the_next_one),
        cmocka_unit_test(what_a_server_asks_on_a_stream_is_answered),
        cmocka_unit_test(what_the_program_refuses_goes_back_as_an_error),
        cmocka_unit_test(input_that_is_required_goes_along_with_the_next_try),
        cmocka_unit_test(input_that_the_program_refuses_ends_the_call),
        cmocka_unit_test(a_server_that_asks_for_ever_is_left),
        cmocka_unit_test(a_cancelled_call_is_told_to_a_handshake_server),
        cmocka_unit_test(a_cancelled_call_closes_its_stream_to_a_stateless_server),
        cmocka_unit_test(a_call_that_takes_too_long_times_out),
        cmocka_unit_test(what_waits_ends_when_the_client_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
