/* An upstream that answers what it was not asked. Clients find their request by the id of an answer
 * alone, whichever stream brings it: so what is judged as one thing must not arrive as another. */
#include "proxy/relay_test_world.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS "Content-Type: text/event-stream\r\n"
#define JSON   "Content-Type: application/json\r\n"
#define GET    LEGACY "Accept: text/event-stream\r\n"
#define LIST   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
#define TOOLS(result, tools)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"" result "\":{\"" tools                                       \
    "\":[{\"name\":\"echo\",\"inputSchema\":{}},{\"name\":\"drop_table\",\"inputSchema\":{}}]}}"
#define READ                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/read\",\"params\":{\"uri\":\"a:b\"}}"

static bool heard(const relay_world_t *f, const char *text)
{
    return str_contains(test_wire_heard(&f->wire), str_c(text));
}

/* How many events of the trail say so. */
static size_t dropped(const relay_world_t *f, const char *reason)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_events; i++)
        n += f->events[i].kind == AUDIT_ANSWER && strcmp(f->events[i].reason, reason) == 0;
    return n;
}

static void post(relay_world_t *f, const char *handle, const char *body)
{
    str_t headers = arena_printf(f->a, ALICE POSTED "Mcp-Session-Id: %s\r\n", handle);
    relay_ask(f, "POST", headers.p, body);
    relay_head(f, 200, EVENTS);
}

static void get(relay_world_t *f, const char *handle, const char *last)
{
    str_t headers =
        arena_printf(f->a, ALICE GET "Mcp-Session-Id: %s\r\n%s%s%s", handle,
                     last ? "Last-Event-ID: " : "", last ? last : "", last ? "\r\n" : "");
    relay_ask(f, "GET", headers.p, NULL);
    relay_head(f, 200, EVENTS);
}

/* The last event id that the client has got. */
static const char *last_id(relay_world_t *f)
{
    const char *found = NULL;
    str_t text = test_wire_heard(&f->wire);
    for (const char *p = text.p; p; p = memmem(p, (size_t)(text.p + text.n - p), "id: ", 4)) {
        found = p == text.p ? NULL : p;
        p += 4;
    }
    assert_non_null(found);
    str_t rest = str_of(found + 4, (size_t)(text.p + text.n - found - 4)), id;
    assert_true(str_split(&rest, '\n', &id));
    return arena_cstr(f->a, id);
}

/* Begins the stream of a request, loses it, and takes it up again. */
static void resume(relay_world_t *f, const char *handle, const char *body)
{
    post(f, handle, body);
    relay_data(f, "id: e-7\ndata: \n\n");
    relay_end(f, HTTP_OUT_DONE);
    get(f, handle, last_id(f));
    assert_string_equal(f->last_event, "e-7");
}

static void an_answer_to_another_request_is_dropped(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "event: message\nid: e-1\ndata: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    assert_true(heard(f, "id: ")); /* whoever takes it up again need not hear it once more */
    assert_false(heard(f, "event: message"));
    assert_int_equal(dropped(f, "foreign_answer"), 1);
    assert_string_equal(relay_last(f)->user, "alice");
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":\"3\",\"result\":{\"stringly\":1}}\n\n");
    assert_false(heard(f, "stringly"));
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n");
    assert_true(heard(f, "ping"));
    relay_data(f, "data: " RESULT("2") "\n\n");
    assert_true(heard(f, RESULT("2")));
    relay_end(f, HTTP_OUT_DONE);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_string_equal(relay_last(f)->detail, "answers dropped: 2");
    assert_int_equal(dropped(f, "foreign_answer"), 1); /* an upstream cannot fill the trail */
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

#define MISTYPED "The protected server's answer has the request's id in another type."

static void a_mistyped_answer_is_an_error_at_once(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "id: e-1\ndata: {\"id\":\"2\",\"result\":{\"stringly\":1}}\n\n");
    assert_false(heard(f, "stringly"));
    assert_true(heard(f, "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                         "\"message\":\"" MISTYPED "\"}}\n\n"));
    assert_int_equal(dropped(f, "mistyped_answer"), 1);
    relay_data(f, "data: {\"id\":\"2\",\"result\":{}}\n\ndata: " RESULT("2") "\n\n");
    assert_false(heard(f, RESULT("2")));
    relay_end(f, HTTP_OUT_DONE);
    relay_assert_last(f, AUDIT_CALL_END, true, "mistyped_answer");
    assert_string_equal(relay_last(f)->detail, "JSON-RPC error -32603; answers dropped: 3");
    relay_ask(f, "POST", ALICE POSTED, CALL("\"7\"", "echo"));
    http_direct_answer_t r = relay_answer(f, 200, JSON, RESULT("7"));
    assert_int_equal(r.status, 502);
    assert_true(str_contains(r.body, STR("\"id\":\"7\"")));
    assert_true(str_contains(r.body, STR(MISTYPED)));
    relay_assert_last(f, AUDIT_CALL_END, true, "mistyped_answer");
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

#define NEWS       "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}"
#define UNANSWERED "The protected server ended the stream without an answer."

static void a_stream_that_ends_without_an_answer_has_an_error(void **state)
{
    static const char *const BROUGHT[] = {
        NEWS, RESULT("3"), "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1}}"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof BROUGHT / sizeof *BROUGHT; i++) {
        post(f, relay_session(f, ALICE), CALL("2", "echo"));
        relay_data(f, arena_printf(f->a, "data: %s\n\n", BROUGHT[i]).p);
        assert_false(heard(f, UNANSWERED));
        relay_end(f, HTTP_OUT_DONE);
        assert_true(heard(f, "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                             "\"message\":\"" UNANSWERED "\"}}\n\n"));
        assert_true(heard(f, "\r\n0\r\n\r\n"));
        relay_assert_last(f, AUDIT_CALL_END, true, "upstream_unanswered");
    }
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* The client does not see it, so it waits on. */
static void an_answer_of_a_type_that_is_none_is_no_answer(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "event: \xc3\xa9\ndata: " RESULT("2") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_false(heard(f, "result"));
    assert_true(heard(f, UNANSWERED));
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_unanswered");
    relay_control(f);
}

static void a_stream_that_can_be_taken_up_again_ends_without_an_error(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "id: e-7\ndata: \n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_false(heard(f, "error"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "data: " RESULT("2") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_false(heard(f, "error"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void an_answer_comes_once(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "data: " RESULT("2") "\n\n");
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"again\":1}}\n\n");
    assert_false(heard(f, "again"));
    assert_int_equal(dropped(f, "repeated_answer"), 1);
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void an_answer_within_another_kind_of_answer_is_dropped(void **state)
{
    static const char *const BODIES[] = {
        "[" TOOLS("result", "tools") "]",
        "[{\"method\":\"notifications/x\"}," TOOLS("result", "tools") "]",
        TOOLS("re\\u0073ult", "tools"),
        TOOLS("Result", "tools"),
        "{\"id\":2,\"method\":\"ping\",\"result\":{\"tools\":[{\"name\":\"drop_table\"}]}}",
        "{\"id\":2,\"ID\":1,\"result\":{\"tools\":[{\"name\":\"drop_table\"}]}}",
        "{\"id\":2,\"result\":1}{\"id\":1,\"result\":{\"tools\":[{\"name\":\"drop_table\"}]}}",
    };
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        f->n_events = 0;
        relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
        relay_head(f, 200, EVENTS);
        relay_data(f, arena_printf(f->a, "data: %s\n\n", BODIES[i]).p);
        assert_false(heard(f, "drop_table"));
        assert_int_equal(dropped(f, "unclear_answer"), 1);
        relay_end(f, HTTP_OUT_DONE);
        relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
        http_direct_answer_t r = relay_answer(f, 200, JSON, BODIES[i]);
        assert_int_equal(r.status, 502);
        assert_false(heard(f, "drop_table"));
        relay_assert_last(f, AUDIT_CALL_END, true, "upstream_malformed");
    }
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_json_answer_to_another_request_is_refused(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
    http_direct_answer_t r = relay_answer(f, 200, JSON, TOOLS("result", "tools"));
    assert_int_equal(r.status, 502);
    assert_true(str_contains(r.body, STR("\"id\":2")));
    relay_assert_last(f, AUDIT_CALL_END, true, "foreign_answer");
    relay_ask(f, "POST", ALICE POSTED, LIST);
    r = relay_answer(f, 200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"result\":{\"tools\":[]}}");
    assert_int_equal(r.status, 502);
    relay_assert_last(f, AUDIT_CALL_END, true, "foreign_answer");
    relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
    r = relay_answer(f, 200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":2.0,\"result\":{}}");
    assert_int_equal(r.status, 200);
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* Python's SDK calls it "server-error" where it did not come to read the id. */
static void who_refuses_need_not_know_the_request(void **state)
{
    static const char *const IDS[] = {"\"server-error\"", "null", "2"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < 3; i++) {
        str_t body = arena_printf(
            f->a, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32600,\"message\":\"m\"}}",
            IDS[i]);
        relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
        http_direct_answer_t r = relay_answer(f, 400, JSON, body.p);
        assert_int_equal(r.status, 400);
        assert_true(str_eq(r.body, body));
    }
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

enum { LONG = 100000 };

/* Longer than what is kept whole; *text goes on with `end` behind it. */
static void pass_long(relay_world_t *f, const char *begin, const char *end)
{
    char *piece = malloc(LONG + 1);
    assert_non_null(piece);
    memset(piece, 'x', LONG);
    piece[LONG] = '\0';
    relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
    relay_head(f, 200, JSON);
    relay_data(f, begin);
    relay_data(f, piece);
    relay_data(f, end);
    relay_end(f, HTTP_OUT_DONE);
    test_wire_take(&f->wire, SIZE_MAX);
    free(piece);
}

static void a_long_answer_to_another_request_never_ends(void **state)
{
    relay_world_t *f = *state;
    pass_long(f, "{\"result\":{\"a\":\"", "\"},\"id\":2}");
    assert_true(heard(f, "\"id\":2}"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    pass_long(f, "{\"result\":{\"tools\":[],\"a\":\"", "\"},\"id\":1}");
    assert_false(heard(f, "\"id\":1}"));
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "foreign_answer");
    pass_long(f, "{\"id\":1,\"result\":{\"a\":\"", "\"}}");
    assert_false(heard(f, "xxx"));
    relay_assert_last(f, AUDIT_CALL_END, true, "foreign_answer");
    pass_long(f, "{\"id\":2,\"result\":{\"a\":\"", "\"},\"id\":1}");
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_malformed");
    pass_long(f, "{\"id\":2,\"result\":{\"a\":\"", "\"}");
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_malformed");
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* Some clients read text by its charset, and end lines where the standard does not. */
static void an_answer_has_one_reading(void **state)
{
    static const char *const TYPES[] = {
        "Content-Type: application/json; charset=utf-7\r\n",
        "Content-Type: text/event-stream; charset=\"UTF-16\"\r\n",
        "Content-Type: text/event-stream;charset=utf-8; charset=latin1\r\n",
        "Content-Type: application/json; charset\r\n",
    };
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
        assert_int_equal(relay_answer(f, 200, TYPES[i], RESULT("2")).status, 502);
        relay_assert_last(f, AUDIT_CALL_END, true, "upstream_malformed");
    }
    relay_ask(f, "POST", ALICE POSTED, CALL("2", "echo"));
    http_direct_answer_t r = relay_answer(
        f, 200, "Content-Type: application/JSON ; charset=UTF-8; x=\"y\"\r\n", RESULT("2"));
    assert_true(str_eq(relay_header(&r, "Content-Type"), STR("application/json")));
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    relay_data(f, "event: message\xe2\x80\xa8"
                  "data: 7\ndata: {\"a\":1}\n\n"
                  "data: {\"method\":\"\xe2\x80\xa9\xe2\x80\xa9"
                  "data: {}\"}\n\n");
    assert_false(heard(f, "\xe2\x80"));
    assert_false(heard(f, "\"a\":1"));
    assert_true(heard(f, "\\u2029\\u2029data: {}"));
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* GET streams. */

static void a_get_stream_answers_nothing(void **state)
{
    relay_world_t *f = *state;
    get(f, relay_session(f, ALICE), NULL);
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n");
    assert_true(heard(f, "notifications/x"));
    relay_data(f, "data: " TOOLS("result", "tools") "\n\ndata: " RESULT("3") "\n\n");
    assert_false(heard(f, "result"));
    assert_int_equal(dropped(f, "foreign_answer"), 1);
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"sampling/createMessage\"}\n\n");
    assert_true(heard(f, "sampling/createMessage"));
    relay_end(f, HTTP_OUT_DONE);
    assert_string_equal(relay_last(f)->detail, "answers dropped: 2");
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_stream_taken_up_again_brings_its_own_answer(void **state)
{
    relay_world_t *f = *state;
    const char *handle = relay_session(f, ALICE);
    resume(f, handle, CALL("3", "echo"));
    assert_null(f->w->calls->r); /* nothing of it is a list: it is slim */
    relay_data(f, "id: e-8\ndata: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    assert_int_equal(dropped(f, "foreign_answer"), 1);
    relay_end(f, HTTP_OUT_DONE);
    get(f, handle, last_id(f));
    assert_string_equal(f->last_event, "e-8");
    relay_data(f, "data: " RESULT("3") "\n\n");
    assert_true(heard(f, RESULT("3")));
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"again\":1}}\n\n");
    assert_false(heard(f, "again"));
    assert_int_equal(dropped(f, "repeated_answer"), 1);
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* Some clients give every request the same id. */
static void a_list_that_was_not_asked_for_stays_hidden(void **state)
{
    relay_world_t *f = *state;
    resume(f, relay_session(f, ALICE), CALL("1", "echo"));
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    assert_int_equal(dropped(f, "unclear_answer"), 1);
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_list_on_a_stream_taken_up_again_is_filtered(void **state)
{
    relay_world_t *f = *state;
    const char *handle = relay_session(f, ALICE);
    resume(f, handle, LIST);
    relay_data(f, "id: e-8\ndata: \n\ndata: " RESULT("3") "\n\n");
    assert_false(heard(f, RESULT("3")));
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    assert_true(heard(f, "\"echo\""));
    assert_false(heard(f, "drop_table"));
    relay_pass(f, RELAY_SLIM_MS);
    assert_null(f->w->calls->r);
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    relay_end(f, HTTP_OUT_DONE);
    resume(f, handle, LIST);
    relay_pass(f, RELAY_REPLAY_MS - 1);
    assert_non_null(f->w->calls->r);
    relay_pass(f, 1);
    assert_null(f->w->calls->r);
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "list_malformed");
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_list_is_no_other_by_its_spelling(void **state)
{
    static const char *const EVENTS_OF[] = {
        "data: " TOOLS("re\\u0073ult", "tools") "\n\n",
        "data: " TOOLS("Result", "tools") "\n\n",
        "data: " TOOLS("result", "tool\\u0073") "\n\n",
        "data: " TOOLS("result", "Tools") "\n\n",
        "data: [" TOOLS("result", "tools") "]\n\n",
        ("data: \ndata: {\"result\":1,\ndata: "
         "\"result\":{\"tools\":[{\"name\":\"drop_table\"}]}}\n\n"),
    };
    relay_world_t *f = *state;
    const char *handle = relay_session(f, ALICE);
    for (size_t i = 0; i < 3 * sizeof EVENTS_OF / sizeof *EVENTS_OF; i++) {
        f->n_events = 0;
        if (i % 3 == 0)
            post(f, handle, LIST);
        if (i % 3 == 1)
            get(f, handle, NULL);
        if (i % 3 == 2)
            resume(f, handle, LIST);
        relay_data(f, EVENTS_OF[i / 3]);
        assert_false(heard(f, "drop_table"));
        relay_end(f, HTTP_OUT_DONE);
    }
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void the_stateless_era_answers_on_its_own_stream(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    relay_head(f, 200, EVENTS);
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    assert_false(heard(f, "drop_table"));
    assert_int_equal(dropped(f, "foreign_answer"), 1);
    relay_data(f,
               "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n");
    assert_true(heard(f, "list_changed"));
    relay_data(f, "data: " RESULT("9") "\n\n");
    assert_true(heard(f, RESULT("9")));
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_drop_that_cannot_be_written_down_ends_the_stream(void **state)
{
    relay_world_t *f = *state;
    post(f, relay_session(f, ALICE), CALL("2", "echo"));
    f->trail_rc = RC_IO;
    relay_data(f, "data: " TOOLS("result", "tools") "\n\n");
    f->trail_rc = RC_OK;
    assert_true(f->wire.aborted);
    assert_false(heard(f, "drop_table"));
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* What one may read is not every cache's to tell. */

#define CONTENTS(scope)                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"contents\":[{\"uri\":\"a:b\",\"text\":\"t\"}],"   \
    "\"cacheScope\":" scope ",\"ttlMs\":1}}"

static void what_one_may_read_is_private(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, READ);
    http_direct_answer_t r = relay_answer(f, 200, JSON, CONTENTS("\"public\""));
    assert_true(str_eq(r.body, STR(CONTENTS("\"private\""))));
    relay_ask(f, "POST", ALICE POSTED, READ);
    relay_head(f, 200, EVENTS);
    relay_data(f, "data: " CONTENTS("\"public\"") "\n\n");
    assert_true(heard(f, CONTENTS("\"private\"")));
    relay_end(f, HTTP_OUT_DONE);
    relay_ask(f, "POST", ALICE POSTED, READ);
    relay_head(f, 200, JSON "Content-Length: 1000000\r\n");
    relay_data(f, "{\"id\":5,\"result\":{\"cacheScope\":\"pub");
    relay_data(f, "lic\",\"text\":\"t\"}}");
    relay_end(f, HTTP_OUT_DONE);
    relay_heard(f);
    assert_true(heard(f, "{\"cacheScope\":\"private\",\"text\""));
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

/* What says nothing of it may be kept for all by whoever takes that for leave. */
static void what_one_may_read_says_that_it_is_private(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, READ);
    http_direct_answer_t r = relay_answer(f, 200, JSON, "{\"id\":5,\"result\":{\"ttlMs\":1}}");
    assert_true(
        str_eq(r.body, STR("{\"id\":5,\"result\":{\"ttlMs\":1,\"cacheScope\":\"private\"}}")));
    relay_ask(f, "POST", ALICE POSTED, READ);
    relay_head(f, 200, EVENTS);
    relay_data(f, "data: {\"id\":5,\"result\":{\"ttlMs\":1}}\n\n");
    assert_true(heard(f, "{\"id\":5,\"result\":{\"ttlMs\":1,\"cacheScope\":\"private\"}}"));
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

static void a_scope_is_no_other_by_its_spelling(void **state)
{
    static const char *const KEYS[] = {"cachescope", "CacheScope", "cache\\u0053cope"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < 3; i++) {
        str_t body = arena_printf(f->a, "{\"id\":5,\"result\":{\"%s\":\"public\"}}", KEYS[i]);
        relay_ask(f, "POST", ALICE POSTED, READ);
        assert_int_equal(relay_answer(f, 200, JSON, body.p).status, 502);
        relay_assert_last(f, AUDIT_CALL_END, true, "upstream_malformed");
        relay_ask(f, "POST", ALICE POSTED, READ);
        relay_head(f, 200, EVENTS);
        relay_data(f, arena_printf(f->a, "data: %s\n\n", body.p).p);
        assert_false(heard(f, "public"));
        relay_end(f, HTTP_OUT_DONE);
    }
    assert_int_equal(dropped(f, "unclear_answer"), 3);
    relay_end(f, HTTP_OUT_DONE);
    relay_control(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(an_answer_to_another_request_is_dropped),
        RELAY_TEST(a_mistyped_answer_is_an_error_at_once),
        RELAY_TEST(a_stream_that_ends_without_an_answer_has_an_error),
        RELAY_TEST(an_answer_of_a_type_that_is_none_is_no_answer),
        RELAY_TEST(a_stream_that_can_be_taken_up_again_ends_without_an_error),
        RELAY_TEST(an_answer_comes_once),
        RELAY_TEST(an_answer_within_another_kind_of_answer_is_dropped),
        RELAY_TEST(a_json_answer_to_another_request_is_refused),
        RELAY_TEST(who_refuses_need_not_know_the_request),
        RELAY_TEST(a_long_answer_to_another_request_never_ends),
        RELAY_TEST(an_answer_has_one_reading),
        RELAY_TEST(a_get_stream_answers_nothing),
        RELAY_TEST(a_stream_taken_up_again_brings_its_own_answer),
        RELAY_TEST(a_list_that_was_not_asked_for_stays_hidden),
        RELAY_TEST(a_list_on_a_stream_taken_up_again_is_filtered),
        RELAY_TEST(a_list_is_no_other_by_its_spelling),
        RELAY_TEST(the_stateless_era_answers_on_its_own_stream),
        RELAY_TEST(a_drop_that_cannot_be_written_down_ends_the_stream),
        RELAY_TEST(what_one_may_read_is_private),
        RELAY_TEST(what_one_may_read_says_that_it_is_private),
        RELAY_TEST(a_scope_is_no_other_by_its_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
