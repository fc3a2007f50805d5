/* Streams of the handshake era: events with ids, coming back, and one reader at a time. */
#include "mcp_http/mcp_http_test_world.h"

#include "core/limits.h"
#include "mcp_http/stream.h"
#include "mcp_server/call.h"

static const char *session(mcp_world_t *f)
{
    return mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
}

static str_t get_of(mcp_world_t *f, const char *headers)
{
    return arena_printf(f->a,
                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n"
                        "%s\r\n",
                        headers);
}

static str_t get_after(mcp_world_t *f, const char *headers, const char *event)
{
    return get_of(f, arena_printf(f->a, "%sLast-Event-ID: %s\r\n", headers, event).p);
}

static bool is_over(const http_direct_t *d)
{
    return str_ends(http_direct_output(d), STR("0\r\n\r\n"));
}

/* TL-10, TL-11: the first event is an id without data, and the answer is the last. */
static void stream_of_a_call(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", session(f), TOOL("wait", PROGRESS));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("text/event-stream")));
    assert_true(str_eq(http_headers_get(r.headers, STR("X-Accel-Buffering")), STR("no")));
    assert_true(str_starts(r.body, STR("id: 1-0\nretry: 500\ndata: \n\nid: 1-1\ndata: {")));
    assert_true(str_contains(r.body, STR("\n\nid: 1-3\ndata: {")));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
    assert_true(str_ends(r.body, STR("}\n\n")));
}

/* TL-11 is of 2025-11-25: older clients get ids, and nothing they do not know. */
static void stream_of_an_older_client(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_with(f, ALICE, INIT_OF("2025-06-18")));
    http_direct_answer_t r = mcp_send(f, "POST", h, TOOL("let_go", PROGRESS));
    assert_true(str_starts(r.body, STR(": open\n\nid: 1-1\ndata: {")));
    assert_false(str_contains(r.body, STR("retry: ")));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
}

static void calls_without_a_word_need_no_stream(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", session(f), TOOL("wait", ""));
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("application/json")));
}

/* Proxies and clients take long silence for an end. */
static void long_call_gets_its_stream(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", "")), NULL);
    mcp_pump_count(f, &f->runs, 1);
    mcp_streams_tick(f->worker);
    assert_int_equal(http_direct_output(d).n, 0);
    f->clock.ms += MCP_QUIET_MS;
    mcp_streams_tick(f->worker);
    assert_true(str_contains(http_direct_output(d), STR("id: 1-0\nretry: 500\ndata: \n\n")));
    f->clock.ms += LIMIT_MCP_KEEPALIVE_MS;
    mcp_streams_tick(f->worker);
    assert_int_equal(mcp_times(d, ": keep-alive\n\n"), 1);
    mcp_streams_tick(f->worker);
    assert_int_equal(mcp_times(d, ": keep-alive\n\n"), 1);
    atomic_store(&f->hold, false);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_true(str_contains(http_direct_output(d), STR("id: 1-1\ndata: {")));
    http_direct_free(d);
}

/* TL-9, TL-10: the call goes on, and what was missed comes once. */
static void lost_stream_is_come_back_to(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    http_direct_hang_up(d);
    http_direct_free(d);
    atomic_store(&f->hold, false);
    mcp_pump_some(f);
    assert_int_equal(atomic_load(&f->cancelled), 0);
    d = mcp_open(f, get_after(f, h, "1-0"), "0\r\n\r\n");
    assert_int_equal(mcp_times(d, "\"begun\""), 1);
    assert_int_equal(mcp_times(d, "\"text\":\"waited\""), 1);
    http_direct_free(d);
    d = mcp_open(f, get_after(f, h, "1-1"), "0\r\n\r\n");
    assert_int_equal(mcp_times(d, "\"begun\""), 0);
    assert_int_equal(mcp_times(d, "\"nearly\""), 1);
    assert_int_equal(mcp_times(d, "\"text\":\"waited\""), 1);
    http_direct_free(d);
    /* Who has it all gets an end. */
    d = mcp_open(f, get_after(f, h, "1-3"), "0\r\n\r\n");
    assert_int_equal(mcp_times(d, "data: "), 0);
    http_direct_free(d);
}

/* TL-11 */
static void connection_is_let_go(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_answer_t r = mcp_send(f, "POST", h, TOOL("let_go", PROGRESS));
    assert_true(str_eq(r.body, STR("id: 1-0\nretry: 500\ndata: \n\nretry: 500\n\n")));
    http_direct_t *d = mcp_open(f, get_after(f, h, "1-0"), "\"begun\"");
    assert_false(is_over(d));
    atomic_store(&f->hold, false);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_true(str_contains(http_direct_output(d), STR("\"text\":\"waited\"")));
    assert_int_equal(mcp_times(d, "id: 1-2"), 1);
    http_direct_free(d);
}

/* attack case: CHL-006 (TL-10): ids of others' streams, and made up ones. */
static void event_ids_of_others_and_made_up(void **state)
{
    mcp_world_t *f = *state;
    static const char *const BAD[] = {"1-9",  "2-0",
                                      "1",    "1-",
                                      "-1",   "x-y",
                                      "0-99", "1--1",

                                      "1-0x", "99999999999999999999-0"};
    const char *h = session(f);
    assert_int_equal(mcp_send(f, "POST", h, TOOL("wait", PROGRESS)).status, 200);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        http_direct_answer_t r = mcp_raw(f, get_after(f, h, BAD[i]).p);
        assert_int_equal(r.status, 400);
    }
    const char *bob = mcp_with_session(f, BOB, mcp_session_of(f, BOB));
    assert_int_equal(mcp_raw(f, get_after(f, bob, "1-0").p).status, 400);
    assert_last_event(f, AUDIT_ACCESS, false, "unknown_event_id");
    http_direct_answer_t r = mcp_raw(f, get_after(f, h, "1-0").p);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
}

static void need_scope_for_wait(mcp_world_t *f)
{
    size_t n, i = 0;
    char why[256] = "";
    static warder_mcp_tool_t guarded;
    const warder_mcp_tool_t *tools = mcp_world_tools(&n);
    while (i < n && strcmp(tools[i].name, "wait") != 0)
        i++;
    assert_true(i < n);
    guarded = tools[i];
    guarded.scope = "news:read";
    if (!warder_mcp_set_tools(f->mcp, &guarded, 1, why, sizeof why))
        fail_msg("%s", why);
}

/* A token that came later may cover less. */
static void who_comes_back_needs_the_scope_of_the_call(void **state)
{
    mcp_world_t *f = *state;
    str_t id = mcp_session_of(f, ALICE);
    const char *h = mcp_with_session(f, ALICE, id);
    const char *weak = mcp_with_session(f, "Authorization: Bearer alice/other\r\n", id);
    need_scope_for_wait(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    http_direct_free(d);
    atomic_store(&f->hold, false);
    mcp_pump_some(f);
    http_direct_answer_t r = mcp_raw(f, get_after(f, weak, "1-0").p);
    assert_int_equal(r.status, 403);
    str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\", scope=\"news:read\"")));
    assert_false(str_contains(r.body, STR("waited")));
    assert_last_event(f, AUDIT_ACCESS, false, "insufficient_scope");
    r = mcp_raw(f, get_after(f, h, "1-0").p);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
}

/* The old connection may be dead without anybody having noticed. */
static void client_that_comes_back_takes_its_own_place(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *old = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    http_direct_t *d = mcp_open(f, get_after(f, h, "1-0"), "\"begun\"");
    mcp_pump(f, old, "0\r\n\r\n");
    atomic_store(&f->hold, false);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_int_equal(mcp_times(d, "\"text\":\"waited\""), 1);
    assert_int_equal(mcp_times(old, "\"text\":\"waited\""), 0);
    assert_int_equal(atomic_load(&f->cancelled), 0);
    http_direct_free(old);
    http_direct_free(d);
}

/* TL-12 */
static void second_stream_of_what_may_come_ends_the_first(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    http_direct_t *old = mcp_open(f, get_of(f, h), ": open\n\n");
    http_direct_t *d = mcp_open(f, get_of(f, h), ": open\n\n");
    mcp_pump(f, old, "0\r\n\r\n");
    warder_mcp_tools_changed(f->mcp);
    mcp_pump(f, d, "notifications/tools/list_changed");
    assert_true(str_contains(http_direct_output(d), STR("id: 0-1\n")));
    assert_int_equal(mcp_times(old, "list_changed"), 0);
    http_direct_free(old);
    /* What was said is not said again to who comes anew, but to who says what it has. */
    http_direct_free(d);
    d = mcp_open(f, get_of(f, h), ": open\n\n");
    mcp_pump_some(f);
    assert_int_equal(mcp_times(d, "list_changed"), 0);
    http_direct_free(d);
    d = mcp_open(f, get_after(f, h, "0-0"), "list_changed");
    assert_false(is_over(d));
    http_direct_free(d);
}

/* The question goes out on the stream of the call, and the answer comes in by a POST. */
static void question_on_the_stream_of_its_call(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("ask", "")), "elicitation/create");
    str_t out = http_direct_output(d);
    size_t at = 0;
    while (at < out.n && !str_starts(str_skip(out, at), STR("\"id\":")))
        at++;
    str_t id = str_skip(out, at + 5);
    id = str_first(id, str_find(id, ',', 0));
    str_t answer = arena_printf(f->a,
                                "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"action\":"
                                "\"accept\",\"content\":{\"size\":\"L\"}}}",
                                STR_ARG(id));
    assert_int_equal(mcp_send(f, "POST", h, answer.p).status, 202);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_true(str_contains(http_direct_output(d), STR("size L")));
    http_direct_free(d);
}

static void question_that_nobody_answers_ends_its_call(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *d =
        mcp_open(f, mcp_bytes(f, "POST", session(f), TOOL("ask", "")), "elicitation/create");
    f->clock.ms += MCP_WAIT_MS - 1;
    mcp_streams_tick(f->worker);
    mcp_pump_some(f);
    assert_false(is_over(d));
    f->clock.ms += 1;
    mcp_streams_tick(f->worker);
    mcp_pump(f, d, "0\r\n\r\n");
    assert_true(str_contains(http_direct_output(d), STR("did not answer")));
    assert_last_event(f, AUDIT_TOOL_CALL, true, "unanswered");
    http_direct_free(d);
    mcp_control(f);
}

/* TL-9: this is how a call of the handshake era is cancelled; its stream ends without an answer. */
static void cancelled_call_ends_its_stream(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    mcp_send(f, "POST", h,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
             "\"requestId\":3}}");
    mcp_pump(f, d, "0\r\n\r\n");
    mcp_pump_count(f, &f->cancelled, 1);
    assert_false(str_contains(http_direct_output(d), STR("\"id\":3")));
    http_direct_free(d);
}

/* TL-5 */
static void deleted_session_ends_its_calls_and_streams(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    http_direct_t *get = mcp_open(f, get_of(f, h), ": open\n\n");
    assert_int_equal(mcp_send(f, "DELETE", h, "").status, 204);
    mcp_pump_some(f);
    mcp_streams_tick(f->worker);
    assert_true(is_over(d));
    assert_true(is_over(get));
    mcp_pump_count(f, &f->cancelled, 1);
    http_direct_free(d);
    http_direct_free(get);
    mcp_control(f);
}

static void stream_of_an_ended_token_ends(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    atomic_store(&f->hold, true);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    mcp_streams_tick(f->worker);
    assert_false(is_over(d));
    f->clock.ms = TOKEN_ENDS_S * 1000;
    mcp_streams_tick(f->worker);
    assert_true(is_over(d));
    assert_int_equal(atomic_load(&f->cancelled), 0);
    http_direct_free(d);
}

static void stream_idles_until_it_is_drained(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *d = mcp_open(f, get_of(f, session(f)), ": open\n\n");
    assert_true(str_starts(http_direct_output(d), STR("HTTP/1.1 200")));
    assert_true(str_contains(http_direct_output(d), STR("text/event-stream")));
    mcp_http_worker_drain(f->h, f->worker);
    assert_true(is_over(d));
    http_direct_free(d);
}

/* A session is in use while one of its streams is open, however long nothing comes. */
static void session_of_an_open_stream_stays(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f), *left = session(f);
    http_direct_t *d = mcp_open(f, get_of(f, h), ": open\n\n");
    for (int i = 0; i < 4; i++) {
        f->clock.ms += SESSION_IDLE_MS / 2 + 1;
        mcp_streams_tick(f->worker);
    }
    assert_false(is_over(d));
    assert_int_equal(mcp_send(f, "POST", h, PING).status, 200);
    assert_int_equal(mcp_send(f, "POST", left, PING).status, 404);
    http_direct_free(d);
}

/* It may idle for hours: what the request needed is given back. */
static void idle_stream_holds_little(void **state)
{
    mcp_world_t *f = *state;
    const mcp_worker_t *w = f->worker;
    const char *h = session(f);
    http_direct_t *d = mcp_open(f, get_of(f, h), ": open\n\n");
    assert_null(w->streams->x->arena);
    mcp_streams_tick(f->worker);
    assert_false(is_over(d));
    http_direct_free(d);
    /* The stream of a call does so after its first silence. */
    atomic_store(&f->hold, true);
    d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("wait", PROGRESS)), "\"begun\"");
    assert_non_null(w->streams->x->arena);
    f->clock.ms += LIMIT_MCP_KEEPALIVE_MS;
    mcp_streams_tick(f->worker);
    assert_null(w->streams->x->arena);
    atomic_store(&f->hold, false);
    mcp_pump(f, d, "0\r\n\r\n");
    http_direct_free(d);
}

static void streams_of_clients_that_go_away_end(void **state)
{
    mcp_world_t *f = *state;
    str_t get = get_of(f, session(f));
    for (int i = 0; i < 10; i++) {
        http_direct_t *d = mcp_open(f, get, ": open\n\n");
        http_direct_hang_up(d);
        http_direct_free(d);
    }
    assert_null(((mcp_worker_t *)f->worker)->streams);
}

static void stream_rules(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    assert_int_equal(mcp_send(f, "GET", ALICE, "").status, 400);
    assert_last_event(f, AUDIT_ACCESS, false, "session_missing");
    http_direct_answer_t r = mcp_raw(
        f,
        arena_printf(f->a, "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/html\r\n%s\r\n", h)
            .p);
    assert_int_equal(r.status, 406);
    http_direct_free(mcp_open(f, get_of(f, h), "HTTP/1.1 200"));
}

/* What is under way may end, with answers of its client; nothing begins. */
static void nothing_begins_while_the_server_drains(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    http_direct_t *d = mcp_open(f, mcp_bytes(f, "POST", h, TOOL("ask", "")), "elicitation/create");
    mcp_http_worker_drain(f->h, f->worker);
    assert_int_equal(mcp_send(f, "POST", h, CALL("")).status, 503);
    assert_last_event(f, AUDIT_TOOL_CALL, false, "busy");
    assert_int_equal(mcp_raw(f, get_of(f, h).p).status, 503);
    assert_last_event(f, AUDIT_ACCESS, false, "busy");
    http_direct_answer_t r =
        mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"cancel\"}}");
    assert_int_equal(r.status, 202);
    assert_false(is_over(d));
    http_direct_free(d);
}

static void set_full(mcp_world_t *f, bool full)
{
    pthread_mutex_lock(&f->posts.lock);
    f->posts.full = full;
    pthread_mutex_unlock(&f->posts.lock);
}

/* The loop's queue may be full just when there is something to send. */
static void lost_wake_is_made_up_for(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    http_direct_t *d = mcp_open(f, get_of(f, h), ": open\n\n");
    set_full(f, true);
    warder_mcp_tools_changed(f->mcp);
    set_full(f, false);
    mcp_pump_some(f);
    assert_int_equal(mcp_times(d, "list_changed"), 0);
    mcp_streams_tick(f->worker);
    assert_int_equal(mcp_times(d, "list_changed"), 1);
    http_direct_free(d);
}

/* Streams that can be come back to are few; a call beyond is served without ids. */
static void stream_beyond_the_kept_ones(void **state)
{
    mcp_world_t *f = *state;
    const char *h = session(f);
    http_direct_t *open[MCP_STREAMS_PER_SESSION];
    atomic_store(&f->hold, true);
    for (size_t i = 0; i < MCP_STREAMS_PER_SESSION; i++) {
        str_t body = arena_printf(f->a,
                                  "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/call\","
                                  "\"params\":{\"name\":\"ask\"}}",
                                  100 + i);
        open[i] = mcp_open(f, mcp_bytes(f, "POST", h, body.p), "elicitation/create");
    }
    atomic_store(&f->hold, false);
    http_direct_answer_t r = mcp_send(f, "POST", h, TOOL("let_go", PROGRESS));
    assert_true(str_starts(r.body, STR(": open\n\ndata: {")));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
    for (size_t i = 0; i < MCP_STREAMS_PER_SESSION; i++)
        http_direct_free(open[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(stream_of_a_call),
        MCP_TEST(stream_of_an_older_client),
        MCP_TEST(calls_without_a_word_need_no_stream),
        MCP_TEST(long_call_gets_its_stream),
        MCP_TEST(lost_stream_is_come_back_to),
        MCP_TEST(connection_is_let_go),
        MCP_TEST(event_ids_of_others_and_made_up),
        MCP_TEST(who_comes_back_needs_the_scope_of_the_call),
        MCP_TEST(client_that_comes_back_takes_its_own_place),
        MCP_TEST(second_stream_of_what_may_come_ends_the_first),
        MCP_TEST(question_on_the_stream_of_its_call),
        MCP_TEST(question_that_nobody_answers_ends_its_call),
        MCP_TEST(cancelled_call_ends_its_stream),
        MCP_TEST(deleted_session_ends_its_calls_and_streams),
        MCP_TEST(stream_of_an_ended_token_ends),
        MCP_TEST(stream_idles_until_it_is_drained),
        MCP_TEST(session_of_an_open_stream_stays),
        MCP_TEST(idle_stream_holds_little),
        MCP_TEST(streams_of_clients_that_go_away_end),
        MCP_TEST(stream_rules),
        MCP_TEST(nothing_begins_while_the_server_drains),
        MCP_TEST(lost_wake_is_made_up_for),
        MCP_TEST(stream_beyond_the_kept_ones),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
