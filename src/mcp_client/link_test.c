/* The transport against servers that keep the rules, and servers that break them. */
#include "mcp_client/mcp_client_test_server.h"
#include "mcp_client/mcp_client_test_tokens.h"

#include "core/limits.h"
#include "mcp_client/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, EVENT_BYTES = 512 };

/* What the link told, one line an event: "message 1 {…}", "failed 1 http 404 …", "unheard http
 * 405". */
typedef struct {
    pthread_mutex_t lock;
    char v[EVENTS_MAX][EVENT_BYTES];
    size_t n;
    test_mcp_t *s;
    http_agent_t *agent;
    mcp_link_t *l;
} fixture_t;

static const mcp_version_t *HANDSHAKE, *STATELESS;

static const char *end_name(mcp_link_end_t end)
{
    static const char *const NAMES[] = {"unreachable", "auth",    "http", "broken",
                                        "malformed",   "timeout", "lost", "stopped"};
    return NAMES[end];
}

static void note(fixture_t *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(fixture_t *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&f->lock);
    if (f->n < EVENTS_MAX)
        vsnprintf(f->v[f->n++], EVENT_BYTES, fmt, args);
    pthread_mutex_unlock(&f->lock);
    va_end(args);
}

static void on_message(void *ctx, uint64_t tag, const mcp_message_t *m)
{
    note(ctx, "message %llu %" PRIstr, (unsigned long long)tag, STR_ARG(m->root->raw));
}

static void on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why)
{
    note(ctx, "failed %llu %s %d %s%" PRIstr, (unsigned long long)tag, end_name(why->end),
         why->status, why->refused ? "refused: " : "", STR_ARG(why->detail));
}

static void on_unheard(void *ctx, const mcp_link_failure_t *why)
{
    note(ctx, "unheard %s %d", end_name(why->end), why->status);
}

static mcp_link_config_t config_of(fixture_t *f)
{
    return (mcp_link_config_t){.agent = f->agent,
                               .url = str_c(f->s->url),
                               .reach = HTTP_REACH_LOOPBACK,
                               .events = {on_message, on_failed, on_unheard, f}};
}

static void begin_with(fixture_t *f, test_answer_fn answer, int64_t answer_ms)
{
    const http_agent_config_t agent = {.user_agent = STR("test")};
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    f->s = test_mcp_start(answer, f);
    assert_int_equal(http_agent_new(&agent, &f->agent), RC_OK);
    mcp_link_config_t config = config_of(f);
    config.answer_ms = answer_ms;
    assert_int_equal(mcp_link_new(&config, &f->l), RC_OK);
}

static void begin(fixture_t *f, test_answer_fn answer)
{
    begin_with(f, answer, 0);
}

static void end(fixture_t *f)
{
    mcp_link_free(f->l);
    http_agent_free(f->agent);
    test_mcp_stop(f->s);
    pthread_mutex_destroy(&f->lock);
}

static size_t events(fixture_t *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->n;
    pthread_mutex_unlock(&f->lock);
    return n;
}

static const char *event(fixture_t *f, size_t nth)
{
    int64_t until = clock_micros() / 1000 + TEST_PATIENCE_MS;
    while (events(f) <= nth && clock_micros() / 1000 < until)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (events(f) <= nth)
        fail_msg("no event %zu came", nth);
    return f->v[nth];
}

static void assert_event(fixture_t *f, size_t nth, const char *want)
{
    const char *is = event(f, nth);
    if (strncmp(is, want, strlen(want)) != 0)
        fail_msg("event %zu is '%s', not '%s'", nth, is, want);
}

static void send_with(fixture_t *f, const char *json, uint64_t tag, const mcp_version_t *version)
{
    const mcp_link_message_t m = {.json = str_c(json), .tag = tag, .version = version};
    assert_int_equal(mcp_link_send(f->l, &m), RC_OK);
}

#define REQUEST(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\"}"
#define INITIALIZE          REQUEST(1, "initialize")
#define INITIALIZED         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"

/* After what went wrong a good request is answered. */
static void control(fixture_t *f)
{
    size_t n = events(f);
    send_with(f, REQUEST(99, "control"), 99, HANDSHAKE);
    assert_event(f, n, "message 99 {\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{\"good\":true}}");
}

static bool answer_control(const test_asked_t *r, int fd)
{
    return test_asks(r, "control") && test_result(fd, r, "", "{\"good\":true}");
}

/* ---- good servers ---- */

static bool with_session(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    if (str_eq(r->method, STR("DELETE")))
        return test_status(fd, 200, "");
    if (str_eq(r->method, STR("GET")))
        return test_status(fd, 405, "");
    if (test_asks(r, "initialize"))
        return test_result(fd, r, "Mcp-Session-Id: abc\r\n", "{}");
    if (test_asks(r, "notifications/initialized"))
        return test_status(fd, 202, "");
    return test_result(fd, r, "", "{\"ok\":1}");
}

static void a_session_goes_along_until_it_ends(void **state)
{
    fixture_t f;
    begin(&f, with_session);
    send_with(&f, INITIALIZE, 1, NULL);
    assert_event(&f, 0, "message 1 {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    assert_true(mcp_link_has_session(f.l));
    send_with(&f, INITIALIZED, 0, HANDSHAKE);
    send_with(&f, REQUEST("two", "tools/list"), 2, HANDSHAKE);
    assert_event(&f, 1, "message 2 {\"jsonrpc\":\"2.0\",\"id\":\"two\"");
    mcp_link_end_session(f.l);
    assert_false(mcp_link_has_session(f.l));
    assert_int_equal(test_mcp_count(f.s), 4);
    test_asked_t first = test_mcp_asked(f.s, 0), third = test_mcp_asked(f.s, 2),
                 last = test_mcp_asked(f.s, 3);
    assert_false(str_is_set(test_field(&first, "Mcp-Session-Id")));
    assert_false(str_is_set(test_field(&first, "MCP-Protocol-Version")));
    assert_true(str_eq(test_field(&first, "Accept"), STR("application/json, text/event-stream")));
    assert_true(str_eq(test_field(&first, "Content-Type"), STR("application/json")));
    assert_true(str_eq(test_field(&third, "Mcp-Session-Id"), STR("abc")));
    assert_true(str_eq(test_field(&third, "MCP-Protocol-Version"), STR("2025-11-25")));
    assert_false(str_is_set(test_field(&third, "Mcp-Method")));
    assert_true(str_eq(last.method, STR("DELETE")));
    assert_true(str_eq(test_field(&last, "Mcp-Session-Id"), STR("abc")));
    end(&f);
}

static bool slow_initialized(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (!test_asks(r, "notifications/initialized"))
        return test_result(fd, r, "", "{}");
    test_pause(s, 100);
    return test_status(fd, 202, "");
}

static void nothing_overtakes_initialized(void **state)
{
    fixture_t f;
    begin(&f, slow_initialized);
    send_with(&f, INITIALIZED, 0, HANDSHAKE);
    send_with(&f, REQUEST(2, "tools/list"), 2, HANDSHAKE);
    send_with(&f, REQUEST(3, "tools/list"), 3, HANDSHAKE);
    event(&f, 1);
    test_asked_t first = test_mcp_asked(f.s, 0), second = test_mcp_asked(f.s, 1);
    assert_true(test_asks(&first, "notifications/initialized"));
    assert_true(second.at_ms - first.at_ms >= 90);
    end(&f);
}

static void a_stateless_request_repeats_itself_in_fields(void **state)
{
    static const char CALL[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"t\\u00f8\",\"arguments\":{\"r\":\"us\",\"n\":7}}}";
    static const str_t PATHS[] = {STR_INIT("r"), STR_INIT("n"), STR_INIT("gone")};
    static const mcp_param_t PARAMS[] = {{STR_INIT("Region"), {&PATHS[0], 1}},
                                         {STR_INIT("N"), {&PATHS[1], 1}},
                                         {STR_INIT("Gone"), {&PATHS[2], 1}}};
    fixture_t f;
    begin(&f, with_session);
    const mcp_link_message_t m = {
        .json = str_c(CALL), .tag = 1, .version = STATELESS, .params = {PARAMS, 3}};
    assert_int_equal(mcp_link_send(f.l, &m), RC_OK);
    assert_event(&f, 0, "message 1 ");
    test_asked_t r = test_mcp_asked(f.s, 0);
    assert_true(str_eq(test_field(&r, "MCP-Protocol-Version"), STR("2026-07-28")));
    assert_true(str_eq(test_field(&r, "Mcp-Method"), STR("tools/call")));
    assert_true(str_eq(test_field(&r, "Mcp-Name"), STR("=?base64?dMO4?=")));
    assert_true(str_eq(test_field(&r, "Mcp-Param-Region"), STR("us")));
    assert_true(str_eq(test_field(&r, "Mcp-Param-N"), STR("7")));
    assert_false(str_is_set(test_field(&r, "Mcp-Param-Gone")));
    end(&f);
}

static bool events_before_the_answer(test_mcp_t *s, const test_asked_t *r, int fd)
{
    char id[64];
    (void)s;
    test_stream(fd, "");
    test_say(fd, ": hello\n\nid: 1\ndata:\n\n");
    test_say(fd, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                 "\"params\":{}}\n\n");
    test_say(fd, "event: other\ndata: nonsense\n\n");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}\n\n");
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":%s,\"result\":{}}\n\n", test_id(r, id));
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"again\":1}}\n\n", id);
    return false;
}

static void messages_come_before_the_answer_and_none_after_it(void **state)
{
    fixture_t f;
    begin(&f, events_before_the_answer);
    send_with(&f, REQUEST(1, "tools/call"), 1, HANDSHAKE);
    assert_event(&f, 0, "message 1 {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"");
    assert_event(&f, 1, "message 1 {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}");
    assert_event(&f, 2, "message 1 {\"jsonrpc\":\"2.0\",\n\"id\":1,\"result\":{}}");
    send_with(&f, REQUEST(2, "tools/call"), 2, HANDSHAKE);
    assert_event(&f, 5, "message 2 ");
    assert_int_equal(events(&f), 6);
    end(&f);
}

static bool polled(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    test_stream(fd, "");
    if (str_eq(r->method, STR("POST")))
        test_say(fd, "id: e-1\nretry: 150\ndata:\n\n");
    else
        test_say(fd, "id: e-2\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
    return false;
}

static void a_stream_that_ends_early_is_resumed_after_its_retry(void **state)
{
    fixture_t f;
    begin(&f, polled);
    send_with(&f, REQUEST(1, "tools/call"), 1, HANDSHAKE);
    assert_event(&f, 0, "message 1 ");
    test_asked_t post = test_mcp_asked(f.s, 0), get = test_mcp_asked(f.s, 1);
    assert_true(str_eq(get.method, STR("GET")));
    assert_true(str_eq(test_field(&get, "Last-Event-ID"), STR("e-1")));
    assert_true(str_eq(test_field(&get, "Accept"), STR("text/event-stream")));
    assert_true(get.at_ms - post.at_ms >= 150);
    end(&f);
}

static void a_stateless_stream_is_not_resumed(void **state)
{
    fixture_t f;
    begin(&f, polled);
    send_with(&f, REQUEST(1, "tools/call"), 1, STATELESS);
    assert_event(&f, 0, "failed 1 broken 200 the stream ended before the answer");
    assert_int_equal(test_mcp_count(f.s), 1);
    end(&f);
}

static bool standing(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (!str_eq(r->method, STR("GET")))
        return with_session(s, r, fd);
    test_stream(fd, "");
    test_say(fd, "retry: 100\nid: s-%u\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n/%u\"}\n\n",
             r->nth, r->nth);
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"nobody\":\"asked\"}}\n\n");
    if (r->nth > 1)
        test_pause(s, TEST_PATIENCE_MS);
    return false;
}

static void the_standing_stream_is_opened_again(void **state)
{
    fixture_t f;
    begin(&f, standing);
    send_with(&f, INITIALIZE, 1, NULL);
    assert_event(&f, 0, "message 1 ");
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_OK);
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_CONFLICT);
    assert_event(&f, 1, "message 0 {\"jsonrpc\":\"2.0\",\"method\":\"n/1\"}");
    assert_event(&f, 2, "message 0 {\"jsonrpc\":\"2.0\",\"method\":\"n/2\"}");
    test_asked_t again = test_mcp_asked(f.s, 2);
    assert_true(str_eq(test_field(&again, "Last-Event-ID"), STR("s-1")));
    assert_true(str_eq(test_field(&again, "Mcp-Session-Id"), STR("abc")));
    mcp_link_end_session(f.l);
    assert_int_equal(events(&f), 3);
    end(&f);
}

static void a_stream_that_is_not_offered_is_unheard(void **state)
{
    fixture_t f;
    begin(&f, with_session);
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_OK);
    assert_event(&f, 0, "unheard http 405");
    end(&f);
}

/* ---- the end of things ---- */

static bool silent(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (answer_control(r, fd))
        return true;
    test_stream(fd, "");
    test_say(fd, ": open\n\n");
    test_pause(s, TEST_PATIENCE_MS);
    return false;
}

static void what_is_cancelled_says_nothing_more(void **state)
{
    fixture_t f;
    begin(&f, silent);
    send_with(&f, REQUEST(1, "tools/call"), 1, STATELESS);
    assert_true(test_mcp_wait(f.s, 1));
    mcp_link_cancel(f.l, 1);
    mcp_link_cancel(f.l, 1);
    control(&f);
    assert_int_equal(events(&f), 1);
    end(&f);
}

static void a_server_that_is_silent_for_too_long_times_out(void **state)
{
    fixture_t f;
    begin_with(&f, silent, 1000);
    send_with(&f, REQUEST(1, "tools/call"), 1, STATELESS);
    assert_event(&f, 0, "failed 1 timeout");
    control(&f);
    end(&f);
}

static void a_link_ends_with_requests_under_way(void **state)
{
    fixture_t f;
    begin(&f, silent);
    for (uint64_t i = 1; i <= 5; i++)
        send_with(&f, REQUEST(1, "tools/call"), i, STATELESS);
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_OK);
    assert_true(test_mcp_wait(f.s, 3));
    end(&f);
    assert_int_equal(f.n, 0);
}

static bool forgetful(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "initialize"))
        return test_result(fd, r, "Mcp-Session-Id: abc\r\n", "{}");
    if (!str_eq(r->method, STR("GET")))
        return test_status(fd, 404, "");
    test_stream(fd, "");
    test_say(fd, ": open\n\n");
    test_pause(s, TEST_PATIENCE_MS);
    return false;
}

static void a_session_that_the_server_forgot_is_lost_for_all(void **state)
{
    fixture_t f;
    begin(&f, forgetful);
    send_with(&f, INITIALIZE, 1, NULL);
    event(&f, 0);
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_OK);
    assert_true(test_mcp_wait(f.s, 2));
    send_with(&f, REQUEST(2, "tools/list"), 2, HANDSHAKE);
    assert_event(&f, 1, "unheard lost 404");
    assert_event(&f, 2, "failed 2 lost 404");
    assert_false(mcp_link_has_session(f.l));
    send_with(&f, REQUEST(4, "tools/list"), 4, HANDSHAKE);
    assert_event(&f, 3, "failed 4 lost 0");
    assert_int_equal(test_mcp_count(f.s), 3);
    send_with(&f, INITIALIZE, 3, NULL);
    assert_event(&f, 4, "message 3 ");
    assert_true(mcp_link_has_session(f.l));
    end(&f);
}

static void nobody_listens_is_unreachable(void **state)
{
    fixture_t f;
    begin(&f, silent);
    mcp_link_config_t config = config_of(&f);
    config.url = STR("http://127.0.0.1:1/mcp");
    mcp_link_free(f.l);
    assert_int_equal(mcp_link_new(&config, &f.l), RC_OK);
    send_with(&f, REQUEST(1, "tools/list"), 1, STATELESS);
    assert_event(&f, 0, "failed 1 unreachable 0 refused: ");
    config.url = STR("https://127.0.0.1:1/mcp");
    config.reach = HTTP_REACH_PUBLIC;
    mcp_link_free(f.l);
    assert_int_equal(mcp_link_new(&config, &f.l), RC_OK);
    send_with(&f, REQUEST(1, "tools/list"), 1, STATELESS);
    assert_event(&f, 1, "failed 1 unreachable 0");
    assert_null(strstr(event(&f, 1), "refused: "));
    end(&f);
}

/* ---- refusals ---- */

typedef struct {
    const char *method; /* of the request that meets it */
    int status;
    const char *fields, *body;
    const char *want; /* behind "failed 1 " or, with '+', the whole event */
} refusal_t;

static const refusal_t REFUSALS[] = {
    {"moved", 302, "Location: http://elsewhere.test/\r\n", "", "http 302 http://elsewhere.test/"},
    {"unauthorized", 401, "WWW-Authenticate: Bearer\r\n", "", "auth 401"},
    {"html", 200, "Content-Type: text/html\r\n", "<p>", "malformed 200 text/html"},
    {"untyped", 200, "", "{}", "http 200"},
    {"accepted", 202, "", "", "http 202"},
    {"server_error", 500, "Content-Type: text/plain\r\n", "went wrong", "http 500 went wrong"},
    {"error_without_id", 400, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"No session\"}}",
     "http 400 No session"},
    {"error_with_id", 400, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Bad\"}}",
     "+message 1 {\"jsonrpc\":\"2.0\",\"id\":1,\"error\""},
    {"not_json", 200, "Content-Type: application/json\r\n", "{", "malformed 200 the body is no"},
    {"batch", 200, "Content-Type: application/json\r\n", "[]", "malformed 200 the body is no"},
    {"bad_utf8", 200, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"\xff\"}}", "malformed 200 the body is no"},
    {"answers_another", 200, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}", "malformed 200 the body answers another"},
    {"answers_a_string", 200, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}", "malformed 200 the body answers another"},
    {"result_and_error", 200, "Content-Type: application/json\r\n",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}", "malformed 200"},
    {"event_not_json", 200, "Content-Type: text/event-stream\r\n", "data: {\n\n",
     "malformed 200 an event holds no message"},
    {"event_bad_utf8", 200, "Content-Type: text/event-stream\r\n", "data: \"\xff\"\n\n",
     "malformed 200"},
    {"stream_without_answer", 200, "Content-Type: text/event-stream\r\n",
     "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n",
     "broken 200 the stream ended before the answer"},
    {"answer_cut_short", 200, "Content-Type: application/json; charset=utf-8\r\n", NULL,
     "broken 200"},
};

static bool refuse(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    if (answer_control(r, fd))
        return true;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const refusal_t *row = &REFUSALS[i];
        size_t n = row->body ? strlen(row->body) : 100;
        if (test_asks(r, row->method))
            return test_say(fd, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", row->status,
                            row->fields, n, row->body ? row->body : "{") &&
                   row->body != NULL;
    }
    return false;
}

static void each_refusal_is_told_as_what_it_is(void **state)
{
    fixture_t f;
    begin(&f, refuse);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        char json[256], want[256];
        size_t n = events(&f);
        snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
                 REFUSALS[i].method);
        send_with(&f, json, 1, STATELESS);
        bool whole = REFUSALS[i].want[0] == '+';
        snprintf(want, sizeof want, "%s%s", whole ? "" : "failed 1 ", REFUSALS[i].want + whole);
        assert_event(&f, n, want);
    }
    control(&f);
    end(&f);
}

static bool unsupported(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    return answer_control(r, fd) ||
           test_json(fd, 400, "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022}}");
}

static void a_probe_learns_from_the_body_of_a_refusal(void **state)
{
    fixture_t f;
    begin(&f, unsupported);
    const mcp_link_message_t m = {
        .json = STR(REQUEST(1, "server/discover")), .tag = 1, .version = STATELESS, .probe = true};
    assert_int_equal(mcp_link_send(f.l, &m), RC_OK);
    assert_event(&f, 0,
                 "failed 1 http 400 {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022}}");
    control(&f);
    end(&f);
}

static bool bad_session(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    return answer_control(r, fd) || test_result(fd, r, "Mcp-Session-Id: a b\r\n", "{}");
}

static void a_session_id_with_a_blank_is_none(void **state)
{
    fixture_t f;
    begin(&f, bad_session);
    send_with(&f, INITIALIZE, 1, NULL);
    assert_event(&f, 0, "failed 1 malformed 200 the session id");
    assert_false(mcp_link_has_session(f.l));
    control(&f);
    end(&f);
}

static bool huge(test_mcp_t *s, const test_asked_t *r, int fd)
{
    static const char BLANKS[65537] = {[0 ... 65535] = ' '};
    bool events_too = test_asks(r, "events");
    if (answer_control(r, fd))
        return true;
    test_say(fd, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n%s",
             events_too ? "text/event-stream" : "application/json", events_too ? "data: " : "");
    /* More than any message may have: the link cuts the connection. */
    for (size_t i = 0; i < 400 && !atomic_load(&s->ending); i++) {
        if (!test_say(fd, "%s", BLANKS))
            return false;
    }
    test_pause(s, TEST_PATIENCE_MS);
    return false;
}

static void messages_without_end_are_cut(void **state)
{
    fixture_t f;
    begin(&f, huge);
    send_with(&f, REQUEST(1, "json"), 1, STATELESS);
    assert_event(&f, 0, "failed 1 malformed 200 the answer is too long");
    send_with(&f, REQUEST(2, "events"), 2, STATELESS);
    assert_event(&f, 1, "failed 2 malformed 200 the event stream cannot be read");
    control(&f);
    end(&f);
}

static bool dead_stream(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    if (answer_control(r, fd))
        return true;
    if (str_eq(r->method, STR("GET")))
        return test_status(fd, 400, "");
    test_stream(fd, "");
    test_say(fd, "id: 1\nretry: 1\ndata:\n\n");
    return false;
}

static void a_stream_that_cannot_be_resumed_is_broken(void **state)
{
    fixture_t f;
    begin(&f, dead_stream);
    send_with(&f, REQUEST(1, "tools/call"), 1, HANDSHAKE);
    assert_event(&f, 0, "failed 1 broken 400");
    control(&f);
    end(&f);
}

static void what_is_no_message_is_not_sent(void **state)
{
    static const struct {
        const char *json;
        uint64_t tag;
        rc_t want;
    } ROWS[] = {
        {"{", 1, RC_MALFORMED},
        {"[]", 1, RC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}", 0, RC_MALFORMED},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\\r\\ny: z\"}", 1, RC_MALFORMED},
    };
    fixture_t f;
    begin(&f, silent);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const mcp_link_message_t m = {
            .json = str_c(ROWS[i].json), .tag = ROWS[i].tag, .version = STATELESS};
        assert_int_equal(mcp_link_send(f.l, &m), ROWS[i].want);
    }
    control(&f);
    assert_int_equal(test_mcp_count(f.s), 1);
    end(&f);
}

/* ---- slow programs ---- */

enum { FLOOD = 120, FLOOD_BYTES = 60000, HELD_MS = 100 };

static atomic_uint said; /* events of the flood that the server got rid of */

/* More than sockets and inboxes hold. */
static bool flood(test_mcp_t *s, const test_asked_t *r, int fd)
{
    static const char BLANKS[FLOOD_BYTES] = {[0 ... FLOOD_BYTES - 2] = ' '};
    (void)s;
    test_stream(fd, "");
    for (unsigned i = 0; i < FLOOD; i++) {
        test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"n/%u\"%s}\n\n", i, BLANKS);
        atomic_fetch_add(&said, 1);
    }
    test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
    return false;
}

typedef struct {
    fixture_t f;
    atomic_bool hold;
    atomic_uint seen, wrong;
} slow_t;

static void on_flood(void *ctx, uint64_t tag, const mcp_message_t *m)
{
    slow_t *s = ctx;
    char want[32];
    unsigned n = atomic_load(&s->seen);
    snprintf(want, sizeof want, "n/%u", n);
    while (atomic_load(&s->hold))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    bool right = n < FLOOD ? str_eq(m->method, str_c(want)) : m->kind == MCP_RESPONSE;
    atomic_fetch_add(&s->wrong, right ? 0 : 1);
    atomic_fetch_add(&s->seen, 1);
}

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

/* How much the server has said when it comes no further; FLOOD: all. */
static unsigned wait_until_held_back(void)
{
    int64_t until = now_ms() + TEST_PATIENCE_MS, since = now_ms();
    unsigned n = 0;
    while (n < FLOOD && now_ms() < until && (n == 0 || now_ms() - since < HELD_MS)) {
        unsigned now = atomic_load(&said);
        if (now != n)
            since = now_ms();
        n = now;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return n;
}

static void a_slow_program_holds_the_server_back_and_loses_nothing(void **state)
{
    slow_t s = {.hold = true};
    begin(&s.f, flood);
    mcp_link_free(s.f.l);
    mcp_link_config_t config = config_of(&s.f);
    config.events = (mcp_link_events_t){on_flood, on_failed, on_unheard, &s};
    assert_int_equal(mcp_link_new(&config, &s.f.l), RC_OK);
    send_with(&s.f, REQUEST(1, "tools/call"), 1, STATELESS);
    assert_in_range(wait_until_held_back(), 1, FLOOD - 1);
    atomic_store(&s.hold, false);
    int64_t until = now_ms() + TEST_PATIENCE_MS;
    while (atomic_load(&s.seen) <= FLOOD && now_ms() < until)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    assert_int_equal(atomic_load(&s.seen), FLOOD + 1);
    assert_int_equal(atomic_load(&s.wrong), 0);
    end(&s.f);
}

/* ---- many at once ---- */

static bool quick(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    return test_result(fd, r, "", "{}");
}

static void *send_some(void *arg)
{
    fixture_t *f = arg;
    for (uint64_t i = 1; i <= 10; i++) {
        char json[128];
        uint64_t tag = i * 1000 + (uint64_t)(uintptr_t)pthread_self() % 1000;
        snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"m\"}",
                 (unsigned long long)tag);
        send_with(f, json, tag, STATELESS);
        if (i % 3 == 0)
            mcp_link_cancel(f->l, tag);
    }
    return NULL;
}

static void threads_send_and_cancel_at_once(void **state)
{
    fixture_t f;
    pthread_t t[4];
    begin(&f, quick);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, send_some, &f), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    event(&f, 27);
    end(&f);
}

int main(void)
{
    HANDSHAKE = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    STATELESS = mcp_version_find(mcp_versions(), STR("2026-07-28"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_goes_along_until_it_ends),
        cmocka_unit_test(nothing_overtakes_initialized),
        cmocka_unit_test(a_stateless_request_repeats_itself_in_fields),
        cmocka_unit_test(messages_come_before_the_answer_and_none_after_it),
        cmocka_unit_test(a_stream_that_ends_early_is_resumed_after_its_retry),
        cmocka_unit_test(a_stateless_stream_is_not_resumed),
        cmocka_unit_test(the_standing_stream_is_opened_again),
        cmocka_unit_test(a_stream_that_is_not_offered_is_unheard),
        cmocka_unit_test(what_is_cancelled_says_nothing_more),
        cmocka_unit_test(a_server_that_is_silent_for_too_long_times_out),
        cmocka_unit_test(a_link_ends_with_requests_under_way),
        cmocka_unit_test(a_session_that_the_server_forgot_is_lost_for_all),
        cmocka_unit_test(nobody_listens_is_unreachable),
        cmocka_unit_test(each_refusal_is_told_as_what_it_is),
        cmocka_unit_test(a_probe_learns_from_the_body_of_a_refusal),
        cmocka_unit_test(a_session_id_with_a_blank_is_none),
        cmocka_unit_test(messages_without_end_are_cut),
        cmocka_unit_test(a_stream_that_cannot_be_resumed_is_broken),
        cmocka_unit_test(what_is_no_message_is_not_sent),
        cmocka_unit_test(a_slow_program_holds_the_server_back_and_loses_nothing),
        cmocka_unit_test(threads_send_and_cancel_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
