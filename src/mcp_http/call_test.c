#include "mcp_http/mcp_http_test_world.h"

#include "mcp_server/server_state.h"

static void call_is_answered_and_audited(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"hi\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("application/json")));
    assert_true(str_contains(r.body, STR("\"text\":\"hi\"")));
    assert_int_equal(mcp_trail_count(f), 1);
    assert_last_event(f, AUDIT_TOOL_CALL, true, "ok");
    assert_string_equal(f->trail.user[0], "alice");
    assert_string_equal(f->trail.tool[0], "echo");
}

static void quick_call_is_answered_too(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, TOOL("quick", ""));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"nothing\"")));
}

static void tool_error_is_a_result(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"bad\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"isError\":true")));
    assert_last_event(f, AUDIT_TOOL_CALL, true, "tool_error");
}

static void a_function_that_breaks_is_an_error_of_the_protocol(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"fail\"}"));
    assert_int_equal(r.status, 200); /* clients read errors of no other status */
    assert_true(str_contains(r.body, STR("\"code\":-32603")));
    assert_last_event(f, AUDIT_TOOL_CALL, true, "internal_error");
    mcp_control(f);
}

/* attack case: CHL-002 */
static void insufficient_scope(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", "Authorization: Bearer alice/other\r\n", CALL(""));
    assert_int_equal(r.status, 403);
    str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\", scope=\"news:read\"")));
    assert_true(str_eq(r.body, STR("{\"error\":\"insufficient_scope\"}")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "insufficient_scope");
    assert_string_equal(f->trail.tool[0], "echo");
    assert_int_equal(atomic_load(&f->runs), 0);
    mcp_control(f);
}

/* A function that finds out while it runs is answered as the table would have been. */
static void need_that_a_function_finds(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE "Wants-Nonce: n-1\r\n", TOOL("need", ""));
    assert_int_equal(r.status, 403);
    str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\", scope=\"news:write\"")));
    assert_true(str_eq(r.body, STR("{\"error\":\"insufficient_scope\"}")));
    assert_true(str_eq(http_headers_get(r.headers, STR("DPoP-Nonce")), STR("n-1")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "insufficient_scope");
    mcp_control(f);
}

static void need_that_comes_after_the_first_word(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE, TOOL("need", ",\"arguments\":{\"late\":\"x\"}" PROGRESS));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"error\":{")));
    mcp_control(f);
}

static void too_many_calls(void **state)
{
    mcp_world_t *f = *state;
    for (unsigned i = 0; i < CALLS_PER_MINUTE; i++)
        assert_int_equal(mcp_send(f, "POST", ALICE, CALL("")).status, 200);
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(""));
    assert_int_equal(r.status, 429);
    assert_true(str_eq(http_headers_get(r.headers, STR("Retry-After")), STR("1")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "too_many_calls");
    assert_int_equal(atomic_load(&f->runs), CALLS_PER_MINUTE);
    assert_int_equal(mcp_send(f, "POST", ALICE, PING).status, 200);
    assert_int_equal(mcp_send(f, "POST", BOB, CALL("")).status, 200);
    f->clock.ms += 5000;
    mcp_control(f);
}

static void broken_audit_holds_the_answer_back(void **state)
{
    mcp_world_t *f = *state;
    atomic_store(&f->trail.broken, true);
    assert_int_equal(mcp_send(f, "POST", ALICE, CALL("")).status, 503);
    assert_int_equal(mcp_send(f, "POST", "", CALL("")).status, 503);
    atomic_store(&f->trail.broken, false);
    mcp_control(f);
}

/* TR-4: a client that takes JSON only gets the answer without what came before it. */
static str_t json_only(mcp_world_t *f, const char *body)
{
    return arena_printf(f->a,
                        "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: application/json\r\n%s"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        mcp_with_session(f, ALICE, mcp_session_of(f, ALICE)), strlen(body), body);
}

static void client_that_takes_no_stream(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_raw(f, json_only(f, TOOL("wait", PROGRESS)).p);
    assert_int_equal(r.status, 200);
    assert_true(str_eq(http_headers_get(r.headers, STR("Content-Type")), STR("application/json")));
    assert_true(str_contains(r.body, STR("\"text\":\"waited\"")));
    assert_false(str_contains(r.body, STR("notifications/progress")));
}

static unsigned calls_under_way(mcp_world_t *f)
{
    unsigned n = 0;
    pthread_mutex_lock(&f->mcp->lock);
    for (const warder_mcp_call_t *c = f->mcp->calls; c; c = c->next)
        n++;
    pthread_mutex_unlock(&f->mcp->lock);
    return n;
}

static void question_to_a_client_that_takes_no_stream_is_406(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_raw(f, json_only(f, TOOL("ask", "")).p);
    assert_int_equal(r.status, 406);
    assert_true(str_contains(r.body, STR("\"id\":3")));
    /* Nobody could answer: the call does not wait any more. */
    mcp_pump_some(f);
    assert_int_equal(calls_under_way(f), 0);
    mcp_control(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(call_is_answered_and_audited),
        MCP_TEST(quick_call_is_answered_too),
        MCP_TEST(tool_error_is_a_result),
        MCP_TEST(a_function_that_breaks_is_an_error_of_the_protocol),
        MCP_TEST(insufficient_scope),
        MCP_TEST(need_that_a_function_finds),
        MCP_TEST(need_that_comes_after_the_first_word),
        MCP_TEST(too_many_calls),
        MCP_TEST(broken_audit_holds_the_answer_back),
        MCP_TEST(client_that_takes_no_stream),
        MCP_TEST(question_to_a_client_that_takes_no_stream_is_406),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
