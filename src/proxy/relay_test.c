#include "proxy/relay_test_world.h"

/* One request, and all that comes of it. */
typedef struct {
    const char *name; /* of the refusal */
    const char *method, *headers, *body;
    int status;
    const char *header, *value; /* of the answer; NULL: not looked at */
    const char *answer;         /* the body; NULL: not looked at */
    const char *reason;         /* in the trail */
} refusal_t;

#define CHALLENGE "Bearer resource_metadata=\"https://mcp.test/meta\", scope=\"mcp:use\""
#define JSON      "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
#define ERROR(id, code, sentence)                                                                  \
    "{\"jsonrpc\":\"2.0\"," id "\"error\":{\"code\":" code ",\"message\":\"" sentence "\"}}"

/* In the order of the checks: each request breaks its check and all that come later. */
static const refusal_t REFUSALS[] = {
    {"foreign_origin", "POST", "Origin: https://evil.test\r\n", "x", 403, "Content-Type",
     "application/json", ERROR("", "-32600", "This Origin is not allowed here."), "foreign_origin"},
    {"null_origin", "POST", ALICE "Origin: null\r\n" POSTED, CALL("1", "echo"), 403, NULL, NULL,
     NULL, "foreign_origin"},
    {"loopback_origin", "POST", ALICE "Origin: http://localhost:6274\r\n" POSTED, CALL("1", "echo"),
     403, NULL, NULL, NULL, "foreign_origin"},
    {"part_of_origin", "POST", ALICE "Origin: https:\r\n" POSTED, CALL("1", "echo"), 403, NULL,
     NULL, NULL, "foreign_origin"},
    {"shorter_origin", "POST", ALICE "Origin: https:/\r\n" POSTED, CALL("1", "echo"), 403, NULL,
     NULL, NULL, "foreign_origin"},
    {"repeated_origin", "POST",
     ALICE "Origin: https://mcp.test\r\nOrigin: https://mcp.test\r\n" POSTED, CALL("1", "echo"),
     403, NULL, NULL, NULL, "foreign_origin"},
    {"no_token", "POST", "Content-Type: text/plain\r\n", "x", 401, "WWW-Authenticate", CHALLENGE,
     "", "no_token"},
    {"no_token_bare", "GET", "", NULL, 401, "WWW-Authenticate", CHALLENGE, "", "no_token"},
    {"keys_away", "POST", "Authorization: Bearer later\r\n" POSTED, CALL("1", "echo"), 503,
     "Retry-After", "7", "", "keys_away"},
    {"stateless_get", "GET",
     ALICE "Accept: text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n", NULL, 405, "Allow",
     "POST", NULL, "method_not_allowed"},
    {"stateless_delete", "DELETE", ALICE "MCP-Protocol-Version: 2026-07-28\r\n", NULL, 405, "Allow",
     "POST", NULL, "method_not_allowed"},
    {"unknown_version_of_get", "GET",
     ALICE "Accept: text/event-stream\r\nMCP-Protocol-Version: 1999-01-01\r\n", NULL, 400, NULL,
     NULL, NULL, "unsupported_protocol_version"},
    {"get_that_takes_no_stream", "GET", ALICE LEGACY "Accept: application/json\r\n", NULL, 406,
     NULL, NULL, NULL, "not_acceptable"},
    {"post_that_takes_neither", "POST", ALICE LEGACY "Accept: text/html\r\n", "x", 406, NULL, NULL,
     NULL, "not_acceptable"},
    {"plain_text", "POST", ALICE LEGACY "Content-Type: text/plain\r\n", CALL("1", "echo"), 415,
     NULL, NULL, NULL, "unsupported_media_type"},
    {"malformed_json", "POST", ALICE POSTED, "{\"jsonrpc\":", 400, NULL, NULL,
     ERROR("", "-32700", "The body is not JSON."), "malformed_json"},
    {"batch", "POST", ALICE POSTED, "[" CALL("1", "echo") "]", 400, NULL, NULL, NULL,
     "batch_refused"},
    {"duplicate_member", "POST", ALICE POSTED,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":\"tools/call\"}", 400, NULL,
     NULL, NULL, "malformed_json"},
    {"method_of_null", "POST", ALICE POSTED, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", 400,
     NULL, NULL, NULL, "malformed_message"},
    {"method_of_a_number", "POST", ALICE POSTED, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", 400,
     NULL, NULL, NULL, "malformed_message"},
    {"empty_method", "POST", ALICE POSTED, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", 400,
     NULL, NULL, NULL, "malformed_message"},
    {"id_of_an_object", "POST", ALICE POSTED, "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
     400, NULL, NULL, NULL, "malformed_message"},
    {"id_of_a_fraction", "POST", ALICE POSTED,
     "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", 400, NULL, NULL, NULL,
     "malformed_message"},
    {"unknown_version", "POST", ALICE JSON "MCP-Protocol-Version: 1999-01-01\r\n",
     CALL("1", "echo"), 400, NULL, NULL, NULL, "unsupported_protocol_version"},
    {"header_mismatch", "POST", ALICE MODERN_HEAD("tools/call") "Mcp-Name: other\r\n",
     MODERN_CALL("5", "echo"), 400, NULL, NULL, NULL, "header_mismatch"},
    {"insufficient_scope", "POST", NOBODY POSTED, CALL("3", "echo"), 403, "WWW-Authenticate",
     "Bearer error=\"insufficient_scope\", scope=\"mcp:use\"",
     ERROR("\"id\":3,", "-32600", "This needs more scope."), "scope_missing"},
    {"insufficient_scope_of_a_rule", "POST", ALICE POSTED, CALL("3", "drop_table"), 403,
     "WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"mcp:admin\"", NULL,
     "scope_missing"},
    {"insufficient_scope_in_the_stateless_era", "POST",
     ALICE MODERN_HEAD("tools/call") "Mcp-Name: drop_table\r\n", MODERN_CALL("3", "drop_table"),
     403, "WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"mcp:admin\"", NULL,
     "scope_missing"},
    {"sign_in_too_old", "POST", ALICE POSTED, CALL("3", "pay"), 401, "WWW-Authenticate",
     "Bearer error=\"insufficient_user_authentication\", max_age=\"300\"", NULL, "sign_in_too_old"},
    {"unknown_method", "POST", NOBODY POSTED,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"TOOLS/CALL\"}", 403, NULL, NULL, NULL,
     "scope_missing"},
    {"unknown_session", "POST", ALICE POSTED "Mcp-Session-Id: guessed\r\n", CALL("1", "echo"), 404,
     NULL, NULL, NULL, "unknown_session"},
    {"delete_without_session", "DELETE", ALICE LEGACY, NULL, 400, NULL, NULL, NULL,
     "session_missing"},
    {"unknown_event", "GET", ALICE LEGACY "Accept: text/event-stream\r\nLast-Event-ID: guessed\r\n",
     NULL, 403, NULL, NULL, NULL, "foreign_event"},
};

static void refusals_are_exact_and_in_the_trail(void **state)
{
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const refusal_t *row = &REFUSALS[i];
        size_t events = f->n_events = 0;
        http_direct_answer_t r = relay_ask(f, row->method, row->headers, row->body);
        if (r.status != row->status)
            fail_msg("%s: %d, '%" PRIstr "' for %s", row->name, r.status, STR_ARG(r.body),
                     f->n_events ? relay_last(f)->reason : "nothing");
        if (row->header)
            assert_str(relay_header(&r, row->header), str_c(row->value));
        if (row->answer)
            assert_str(r.body, str_c(row->answer));
        assert_text(relay_header(&r, "Cache-Control"), "no-store");
        assert_int_equal(f->n_events, events + 1);
        relay_assert_last(f, AUDIT_CALL_BEGIN, false, row->reason);
        assert_int_equal(relay_last(f)->status, row->status);
        assert_false(relay_last(f)->nameless);
        assert_int_equal(f->starts, 0);
    }
    relay_control(f);
}

static void a_foreign_host_is_misdirected(void **state)
{
    static const char *const HOSTS[] = {"evil.test", "internal.svc", "169.254.169.254",
                                        "mcp.test.evil.test"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof HOSTS / sizeof *HOSTS; i++) {
        str_t request = arena_printf(
            f->a, "POST /mcp HTTP/1.1\r\nHost: %s\r\n" ALICE POSTED "Content-Length: 2\r\n\r\n{}",
            HOSTS[i]);
        http_direct_answer_t r = relay_raw(f, request.p);
        assert_int_equal(r.status, 421);
        relay_assert_last(f, AUDIT_CALL_BEGIN, false, "foreign_host");
    }
    relay_control(f);
}

static void a_foreign_host_on_loopback_is_forbidden(void **state)
{
    relay_world_t *f = *state;
    f->route.local = true;
    http_direct_answer_t r = relay_raw(f, "GET /mcp HTTP/1.1\r\nHost: evil.test\r\n\r\n");
    assert_int_equal(r.status, 403);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "foreign_host");
    r = relay_ask(f, "GET", "Origin: http://localhost:6274\r\n", NULL);
    assert_int_equal(r.status, 401);
    relay_control(f);
}

/* The upstream is chosen by path alone; what a body says is not even read. */
static void unknown_paths_are_nobodys(void **state)
{
    static const char *const PATHS[] = {"/", "/other", "/mcp/x", "/MCP", "/mcp//", "/mcpx"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        http_direct_answer_t r = relay_ask_at(f, PATHS[i], "POST", ALICE POSTED, CALL("1", "echo"));
        assert_int_equal(r.status, 404);
    }
    assert_int_equal(f->starts, 0);
    relay_ask_at(f, "/mcp/", "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(f->starts, 1);
    http_direct_answer_t r =
        relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
}

static void other_methods_are_not_allowed(void **state)
{
    static const char *const METHODS[] = {"PUT", "PATCH", "HEAD"};
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        http_direct_answer_t r = relay_ask(f, METHODS[i], ALICE, NULL);
        assert_int_equal(r.status, 405);
    }
    http_direct_answer_t r = relay_ask(f, "OPTIONS", "X-Forwarded-User: root\r\n", NULL);
    assert_int_equal(r.status, 204);
    assert_int_equal(f->starts, 0);
    relay_control(f);
}

static void a_longer_body_than_the_upstream_takes(void **state)
{
    relay_world_t *f = *state;
    char body[4096];
    memset(body, ' ', sizeof body);
    body[sizeof body - 1] = '\0';
    memcpy(body, CALL("1", "echo"), sizeof CALL("1", "echo") - 1);
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, body);
    assert_int_equal(r.status, 413);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "message_too_large");
    relay_control(f);
}

/* Attack case GWM-012: what is deep or has a huge id costs no stack, and is refused. */
static void deep_and_huge_messages(void **state)
{
    enum { DEPTH = 100000, HUGE_ID = 300000 };
    static const char HEAD[] = "{\"jsonrpc\":\"2.0\",\"id\":\"", TAIL[] = "\",\"method\":\"ping\"}";
    relay_world_t *f = *state;
    char *deep = arena_alloc(f->a, 2 * DEPTH + 1), *id = arena_alloc(f->a, HUGE_ID);
    assert_true(deep && id);
    f->conf.max_body_bytes = RELAY_BODY_BYTES;
    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, deep);
    assert_int_equal(r.status, 413);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "message_too_large");
    memset(id, 'a', HUGE_ID - 1);
    memcpy(id, HEAD, sizeof HEAD - 1);
    memcpy(id + HUGE_ID - sizeof TAIL, TAIL, sizeof TAIL);
    r = relay_ask(f, "POST", ALICE POSTED, id);
    assert_int_equal(r.status, 400);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "malformed_message");
    f->conf.max_body_bytes = 2000;
    relay_control(f);
}

/* Attack case GWH-011: an upgrade is no way past the checks. */
static void an_upgrade_is_an_ordinary_get(void **state)
{
    relay_world_t *f = *state;
    http_direct_answer_t r = relay_ask(
        f, "GET", "Connection: Upgrade\r\nUpgrade: websocket\r\nX-Auth-User: root\r\n", NULL);
    assert_int_equal(r.status, 401);
    r = relay_ask(f, "GET", ALICE "Connection: Upgrade\r\nUpgrade: websocket\r\nAccept: */*\r\n",
                  NULL);
    assert_int_equal(f->starts, 1);
    assert_null(strcasestr(f->headers, "upgrade"));
    r = relay_answer(f, 405, "", "");
    assert_int_equal(r.status, 405);
    relay_control(f);
}

static void strangers_do_not_fill_the_trail(void **state)
{
    relay_world_t *f = *state;
    for (int i = 0; i < RELAY_STRANGERS; i++) {
        f->n_events = 0;
        http_direct_answer_t r = relay_ask(f, "GET", "", NULL);
        assert_int_equal(r.status, 401);
        assert_int_equal(f->n_events, 1);
    }
    f->n_events = 0;
    http_direct_answer_t r = relay_ask(f, "GET", "", NULL);
    assert_int_equal(r.status, 429);
    assert_text(relay_header(&r, "Retry-After"), "1");
    assert_int_equal(f->n_events, 0);
    r = relay_ask(f, "POST", NOBODY POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 403);
    f->n_events = 0;
    relay_ask(f, "GET", "", NULL);
    relay_tell_turned(f->w, false);
    assert_int_equal(f->n_events, 0);
    relay_tell_turned(f->w, true);
    assert_int_equal(f->n_events, 1);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "strangers_limited");
    assert_string_equal(relay_last(f)->detail,
                        "requests without a good token, beyond those written down: 2");
    assert_true(relay_last(f)->address[0]);
    f->clock.ms += RELAY_STRANGERS_MS;
    r = relay_ask(f, "GET", "", NULL);
    assert_int_equal(r.status, 401);
    relay_control(f);
}

static void who_was_turned_away_is_counted_in_one_line(void **state)
{
    relay_world_t *f = *state;
    for (int i = 0; i < RELAY_STRANGERS + 7; i++) {
        f->n_events = 0;
        relay_ask(f, "GET", "", NULL);
    }
    assert_int_equal(f->n_events, 0);
    f->trail_rc = RC_IO;
    relay_pass(f, RELAY_TURNED_MS);
    f->trail_rc = RC_OK;
    assert_int_equal(f->n_events, 0);
    relay_pass(f, 0); /* what could not be written stays counted */
    assert_int_equal(f->n_events, 1);
    assert_int_equal(relay_last(f)->status, 429);
    assert_string_equal(relay_last(f)->detail,
                        "requests without a good token, beyond those written down: 7");
    relay_pass(f, RELAY_TURNED_MS);
    assert_int_equal(f->n_events, 1);
    relay_control(f);
}

static void who_calls_too_often_waits(void **state)
{
    relay_world_t *f = *state;
    for (int i = 0; i < 2; i++) {
        relay_ask(f, "POST", ALICE POSTED, CALL("1", "slow"));
        relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    }
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "slow"));
    assert_int_equal(r.status, 429);
    assert_text(relay_header(&r, "Retry-After"), "30");
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "rate_exceeded");
    relay_ask(f, "POST", BOB POSTED, CALL("1", "slow"));
    r = relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
    f->clock.ms += 30000;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "slow"));
    r = relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
}

static void what_the_trail_cannot_take_is_not_answered(void **state)
{
    relay_world_t *f = *state;
    f->trail_rc = RC_IO;
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 503);
    assert_int_equal(f->starts, 0);
    r = relay_ask(f, "POST", POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 503);
    f->trail_rc = RC_OK;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    f->trail_rc = RC_IO;
    r = relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    assert_int_equal(r.status, 503);
    f->trail_rc = RC_OK;
    relay_control(f);
}

static void a_credential_that_cannot_be_had(void **state)
{
    static const struct {
        rc_t rc;
        int status;
    } ROWS[] = {{RC_BUSY, 503}, {RC_IO, 502}, {RC_MEMORY, 503}};
    relay_world_t *f = *state;
    for (size_t i = 0; i < 3; i++) {
        f->credential_rc = ROWS[i].rc;
        http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
        assert_int_equal(r.status, ROWS[i].status);
        relay_assert_last(f, AUDIT_CALL_BEGIN, false, "exchange_refused");
    }
    assert_int_equal(f->starts, 0);
    f->credential_rc = RC_OK;
    relay_control(f);
}

static void verdicts_and_credentials_may_come_later(void **state)
{
    relay_world_t *f = *state;
    f->slow = true;
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(f->n_events, 0);
    relay_let_go(f);
    assert_int_equal(f->starts, 1);
    r = relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
    relay_ask(f, "POST", POSTED, CALL("1", "echo"));
    relay_let_go(f);
    r = relay_heard(f);
    assert_int_equal(r.status, 401);
    f->slow = false;
    relay_control(f);
}

/* Who leaves while a check runs is answered into the void; the upstream never hears of it. */
static void a_client_that_leaves_during_a_check(void **state)
{
    relay_world_t *f = *state;
    f->slow = true;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    test_wire_break(&f->wire);
    relay_let_go(f);
    assert_int_equal(f->starts, 0);
    relay_assert_last(f, AUDIT_CALL_END, true, "client_gone");
    assert_int_equal(f->wire.hub.conn_count, 0);
    relay_ask(f, "GET", ALICE LEGACY "Accept: text/event-stream\r\n", NULL);
    test_wire_break(&f->wire);
    relay_let_go(f);
    relay_assert_last(f, AUDIT_CALL_END, true, "client_gone");
    f->slow = false;
    relay_control(f);
}

static void metadata_needs_no_token(void **state)
{
    relay_world_t *f = *state;
    http_direct_answer_t r =
        relay_ask_at(f, "/.well-known/oauth-protected-resource/mcp", "GET", "", NULL);
    assert_int_equal(r.status, 200);
    assert_text(r.body, "{\"resource\":\"https://mcp.test/mcp\"}");
    r = relay_ask_at(f, "/.well-known/oauth-protected-resource", "GET", "", NULL);
    assert_int_equal(r.status, 200);
    r = relay_ask_at(f, "/.well-known/oauth-protected-resource/other", "GET", "", NULL);
    assert_int_equal(r.status, 404);
}

static void the_trail_tells_begin_and_end(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    const relay_test_event_t *e = relay_last(f);
    relay_assert_last(f, AUDIT_CALL_BEGIN, true, "default_allows");
    assert_string_equal(e->user, "alice");
    assert_string_equal(e->client, "client");
    assert_string_equal(e->method, "tools/call");
    assert_string_equal(e->object, "echo");
    assert_string_equal(e->rule, "default");
    assert_string_equal(e->address, "192.0.2.1");
    assert_int_equal(strlen(e->hash), 64);
    assert_int_equal(strlen(e->trace), 32);
    assert_int_equal(e->bytes_in, strlen(CALL("1", "echo")));
    relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_int_equal(f->n_events, 2);
    assert_string_equal(relay_last(f)->request_id, f->events[0].request_id);
    assert_int_equal(relay_last(f)->bytes_out, strlen(RESULT("1")));
    assert_int_equal(relay_last(f)->status, 200);
}

static void the_trail_tells_what_was_refused(void **state)
{
    static const char BODY[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                               "{\"name\":\"drop_table\",\"arguments\":{}}}";
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, BODY);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "scope_missing");
    assert_string_equal(relay_last(f)->hash,
                        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_int_equal(relay_last(f)->bytes_in, sizeof BODY - 1);
    relay_ask(f, "POST", POSTED, BODY);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "no_token");
    assert_string_equal(relay_last(f)->hash, "");
}

static void the_trail_tells_what_a_shadow_would_say(void **state)
{
    relay_world_t *f = *state;
    gate_policy_t *shadow;
    assert_int_equal(gate_policy_new(f->a, &f->shadow, &shadow), RC_OK);
    f->route.shadow = shadow;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_string_equal(relay_last(f)->shadow, "allow");
    relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
    relay_ask(f, "POST", "Authorization: Bearer dan/mcp:admin\r\n" POSTED, CALL("1", "drop_table"));
    relay_assert_last(f, AUDIT_CALL_BEGIN, true, "rule_allows");
    assert_string_equal(relay_last(f)->shadow, "rule_denies never");
    relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(refusals_are_exact_and_in_the_trail),
        RELAY_TEST(a_foreign_host_is_misdirected),
        RELAY_TEST(a_foreign_host_on_loopback_is_forbidden),
        RELAY_TEST(unknown_paths_are_nobodys),
        RELAY_TEST(other_methods_are_not_allowed),
        RELAY_TEST(a_longer_body_than_the_upstream_takes),
        RELAY_TEST(deep_and_huge_messages),
        RELAY_TEST(an_upgrade_is_an_ordinary_get),
        RELAY_TEST(strangers_do_not_fill_the_trail),
        RELAY_TEST(who_was_turned_away_is_counted_in_one_line),
        RELAY_TEST(who_calls_too_often_waits),
        RELAY_TEST(what_the_trail_cannot_take_is_not_answered),
        RELAY_TEST(a_credential_that_cannot_be_had),
        RELAY_TEST(verdicts_and_credentials_may_come_later),
        RELAY_TEST(a_client_that_leaves_during_a_check),
        RELAY_TEST(metadata_needs_no_token),
        RELAY_TEST(the_trail_tells_begin_and_end),
        RELAY_TEST(the_trail_tells_what_was_refused),
        RELAY_TEST(the_trail_tells_what_a_shadow_would_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
