#include "mcp_server/mcp_server_test_world.h"
#include "mcp_server/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ADD "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}"

static void control(server_world_t *w)
{
    test_answer_t a = S(w, "tools/call", ADD);
    assert_str(test_text(&a, "result.content.0.text"), "3");
    a = H(w, "tools/call", ADD);
    assert_str(test_text(&a, "result.content.0.text"), "3");
}

static void assert_refused(const test_answer_t *a, mcp_error_t e)
{
    assert_int_equal(a->verdict.error, e);
    assert_int_equal(test_code(a), mcp_error_row(e)->code);
    assert_int_equal(a->status, mcp_error_row(e)->status);
}

static void unknown_tool(void **state)
{
    server_world_t *w = *state;
    for (mcp_era_t era = 0; era <= MCP_ERA_STATELESS; era++) {
        test_answer_t a = test_ask(w, era, "tools/call", "{\"name\":\"lost\"}");
        assert_refused(&a, MCP_ERROR_UNKNOWN_TOOL);
        assert_str(a.verdict.tool, "lost");
    }
    control(w);
}

/* attack case: GWM-004 */
static void names_are_compared_as_they_are(void **state)
{
    server_world_t *w = *state;
    static const char *const NAMES[] = {"Add", "add ", "ad", "add\\u200b", "\\uff41dd"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char params[64];
        snprintf(params, sizeof params, "{\"name\":\"%s\"}", NAMES[i]);
        test_answer_t a = test_ask(w, MCP_ERA_HANDSHAKE, "tools/call", params);
        assert_refused(&a, MCP_ERROR_UNKNOWN_TOOL);
    }
    /* An escape is the same string, and the same tool. */
    test_answer_t a = test_ask(w, MCP_ERA_HANDSHAKE, "tools/call",
                               "{\"name\":\"\\u0061dd\",\"arguments\":{\"a\":1,\"b\":2}}");
    assert_int_equal(a.verdict.error, MCP_NO_ERROR);
    control(w);
}

static void insufficient_scope(void **state)
{
    server_world_t *w = *state;
    w->who.scope = STR("other");
    for (mcp_era_t era = 0; era <= MCP_ERA_STATELESS; era++) {
        test_answer_t a = test_ask(w, era, "tools/call", "{\"name\":\"secret\"}");
        assert_int_equal(a.verdict.kind, MCP_SCOPE);
        assert_refused(&a, MCP_ERROR_INSUFFICIENT_SCOPE);
        assert_str(a.verdict.needed, "news:read");
        a = test_ask(w, era, "resources/read", "{\"uri\":\"test://hidden\"}");
        assert_int_equal(a.verdict.kind, MCP_SCOPE);
        assert_str(a.verdict.needed, "admin");
    }
    w->who.scope = STR("news:read");
    test_answer_t a = S(w, "tools/call", "{\"name\":\"secret\"}");
    assert_str(test_text(&a, "result.content.0.text"), "secret");
}

/* Who may not call learns nothing about arguments. */
static void scope_comes_before_arguments(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "tools/call", "{\"name\":\"hidden\",\"arguments\":{}}");
    assert_int_equal(a.verdict.kind, MCP_SCOPE);
    w->who.scope = STR("admin");
    a = S(w, "tools/call", "{\"name\":\"hidden\",\"arguments\":{}}");
    assert_int_equal(a.verdict.error, MCP_ERROR_INVALID_ARGUMENTS);
    control(w);
}

static void nothing_covers_without_a_port(void **state)
{
    server_world_t *w = *state;
    w->m->world.scopes.covers = NULL;
    test_answer_t a = S(w, "tools/call", "{\"name\":\"secret\"}");
    assert_int_equal(a.verdict.kind, MCP_SCOPE);
    w->who.everything = true;
    a = S(w, "tools/call", "{\"name\":\"secret\"}");
    assert_str(test_text(&a, "result.content.0.text"), "secret");
}

/* A result that says so, which models can mend (SEP-1303). */
static void invalid_arguments_are_a_result(void **state)
{
    server_world_t *w = *state;
    static const char *const PARAMS[] = {"{\"name\":\"add\"}",
                                         "{\"name\":\"add\",\"arguments\":{\"a\":1}}",
                                         "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":\"2\"}}"};
    for (size_t i = 0; i < 3; i++) {
        test_answer_t a = S(w, "tools/call", PARAMS[i]);
        assert_int_equal(a.status, 200);
        assert_int_equal(test_at(&a, "result.isError")->type, JSON_TRUE);
        assert_str(test_text(&a, "result.resultType"), "complete");
        assert_true(test_text(&a, "result.content.0.text").n > 10);
        assert_int_equal(a.verdict.error, MCP_ERROR_INVALID_ARGUMENTS);
        assert_str(a.verdict.tool, "add");
    }
    test_answer_t a = S(w, "tools/call", "{\"name\":\"secret\",\"arguments\":{\"x\":1}}");
    assert_int_equal(a.verdict.error, MCP_ERROR_INVALID_ARGUMENTS); /* takes none */
    control(w);
}

static void too_many_calls(void **state)
{
    server_world_t *w = *state;
    for (int i = 0; i < 6000; i++) {
        mcp_principal_t who = mcp_caller_principal(&w->who);
        uint32_t retry;
        arena_t *a = arena_new(1024);
        assert_true(mcp_calls_take(w->m->rates, a, &who, &retry));
        arena_free(a);
    }
    static const struct {
        const char *method, *params;
    } ROWS[] = {
        {"tools/call", ADD},
        {"resources/read", "{\"uri\":\"test://static\"}"},
        {"prompts/get", "{\"name\":\"plain\"}"},
        {"completion/complete", "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet\"},"
                                "\"argument\":{\"name\":\"name\",\"value\":\"\"}}"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        test_answer_t a = S(w, ROWS[i].method, ROWS[i].params);
        assert_refused(&a, MCP_ERROR_TOO_MANY_CALLS);
        assert_int_equal(a.verdict.retry_after_s, 1);
    }
    test_answer_t a = S(w, "tools/list", "{}");
    assert_non_null(test_at(&a, "result.tools"));
    w->who.subject = STR("bob");
    control(w);
}

/* 2026-07-28, Streamable HTTP, "Server Validation of Custom Headers". */
static void header_mismatch(void **state)
{
    server_world_t *w = *state;
    const char *params = "{\"name\":\"repeats\",\"arguments\":{\"region\":\"us\"}}";
    mcp_field_t field = {STR("Mcp-Param-Region"), STR("eu")};
    w->has_fields = true;
    test_answer_t a = S(w, "tools/call", params);
    assert_refused(&a, MCP_ERROR_HEADER_MISMATCH);
    w->fields = (mcp_fields_t){&field, 1};
    a = S(w, "tools/call", params);
    assert_refused(&a, MCP_ERROR_HEADER_MISMATCH);
    field.value = STR("us");
    a = S(w, "tools/call", params);
    assert_str(test_text(&a, "result.content.0.text"), "repeats");
    w->has_fields = false; /* a standard stream has none */
    w->fields = (mcp_fields_t){NULL, 0};
    a = S(w, "tools/call", params);
    assert_str(test_text(&a, "result.content.0.text"), "repeats");
}

static void resources_are_read(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "resources/read", "{\"uri\":\"test://static\"}");
    assert_str(test_text(&a, "result.contents.0.text"), "test://static");
    assert_str(test_text(&a, "result.contents.0.mimeType"), "text/plain");
    assert_str(test_text(&a, "result.cacheScope"), "private");
    a = H(w, "resources/read", "{\"uri\":\"test://items/a%20b\"}");
    assert_str(test_text(&a, "result.contents.0.uri"), "test://items/a%20b");
}

static void unknown_resource(void **state)
{
    server_world_t *w = *state;
    static const char *const URIS[] = {"test://lost", "test://items/", "test://items/%ff",
                                       "test://static/x"};
    for (size_t i = 0; i < sizeof URIS / sizeof *URIS; i++) {
        const char *params = arena_printf(w->a, "{\"uri\":\"%s\"}", URIS[i]).p;
        test_answer_t a = S(w, "resources/read", params);
        assert_refused(&a, MCP_ERROR_UNKNOWN_RESOURCE);
        assert_int_equal(test_code(&a), -32602);
        assert_true(str_eq(test_text(&a, "error.data.uri"), str_c(URIS[i])));
        a = H(w, "resources/read", params);
        assert_refused(&a, MCP_ERROR_RESOURCE_NOT_FOUND);
        assert_int_equal(test_code(&a), -32002);
        assert_true(str_eq(test_text(&a, "error.data.uri"), str_c(URIS[i])));
    }
    resources_are_read(state);
}

static void prompts_are_got(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "prompts/get", "{\"name\":\"greet\",\"arguments\":{\"name\":\"x\"}}");
    assert_str(test_text(&a, "result.messages.0.content.text"), "greet");
    a = H(w, "prompts/get", "{\"name\":\"plain\"}");
    assert_str(test_text(&a, "result.messages.0.content.text"), "plain");
}

static void unknown_prompt(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "prompts/get", "{\"name\":\"lost\"}");
    assert_refused(&a, MCP_ERROR_UNKNOWN_PROMPT);
    prompts_are_got(state);
}

static void missing_argument(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "prompts/get", "{\"name\":\"greet\"}");
    assert_refused(&a, MCP_ERROR_MISSING_ARGUMENT);
    assert_str(test_text(&a, "error.message"), "The argument \"name\" is required, and missing.");
    a = S(w, "prompts/get", "{\"name\":\"greet\",\"arguments\":{\"style\":\"x\"}}");
    assert_refused(&a, MCP_ERROR_MISSING_ARGUMENT);
    a = S(w, "prompts/get", "{\"name\":\"greet\",\"arguments\":{\"name\":1}}");
    assert_refused(&a, MCP_ERROR_BAD_ARGUMENTS);
    prompts_are_got(state);
}

#define COMPLETE(ref, argument) "{\"ref\":{" ref "},\"argument\":{" argument "}}"
#define GREET                   "\"type\":\"ref/prompt\",\"name\":\"greet\""
#define ITEMS                   "\"type\":\"ref/resource\",\"uri\":\"test://items/{id}\""

static void arguments_are_completed(void **state)
{
    server_world_t *w = *state;
    test_answer_t a =
        S(w, "completion/complete", COMPLETE(GREET, "\"name\":\"name\",\"value\":\"pa\""));
    assert_str(test_text(&a, "result.completion.values.0"), "name");
    assert_str(test_text(&a, "result.completion.values.1"), "pa");
    assert_int_equal(test_at(&a, "result.completion.values")->count, 2);
    a = H(w, "completion/complete",
          "{\"ref\":{" GREET "},\"argument\":{\"name\":\"name\",\"value\":\"\"},"
          "\"context\":{\"arguments\":{\"style\":\"kind\"}}}");
    assert_str(test_text(&a, "result.completion.values.2"), "kind");
    a = S(w, "completion/complete", COMPLETE(ITEMS, "\"name\":\"id\",\"value\":\"1\""));
    assert_str(test_text(&a, "result.completion.values.0"), "id");
    a = S(w, "completion/complete",
          COMPLETE("\"type\":\"ref/resource\",\"uri\":\"test://items/5\"",
                   "\"name\":\"id\",\"value\":\"1\""));
    assert_str(test_text(&a, "result.completion.values.0"), "id");
}

static void what_suggests_nothing_completes_to_nothing(void **state)
{
    server_world_t *w = *state;
    static const char *const REFS[] = {"\"type\":\"ref/prompt\",\"name\":\"plain\"",
                                       "\"type\":\"ref/resource\",\"uri\":\"test://static\""};
    for (size_t i = 0; i < 2; i++) {
        test_answer_t a =
            S(w, "completion/complete",
              arena_printf(w->a, COMPLETE("%s", "\"name\":\"x\",\"value\":\"\""), REFS[i]).p);
        assert_int_equal(test_at(&a, "result.completion.values")->count, 0);
    }
    arguments_are_completed(state);
}

static void bad_completion(void **state)
{
    server_world_t *w = *state;
    static const char *const PARAMS[] = {
        COMPLETE(GREET, ""),
        COMPLETE(GREET, "\"name\":\"name\""),
        COMPLETE(GREET, "\"name\":1,\"value\":\"\""),
        COMPLETE(GREET, "\"name\":\"name\",\"value\":1"),
        COMPLETE(GREET, "\"name\":\"lost\",\"value\":\"\""),
        COMPLETE(ITEMS, "\"name\":\"lost\",\"value\":\"\""),
        "{\"ref\":{" GREET "},\"argument\":{\"name\":\"name\",\"value\":\"\"},"
        "\"context\":{\"arguments\":{\"style\":1}}}",
        "{\"ref\":{" GREET "},\"argument\":{\"name\":\"name\",\"value\":\"\"},"
        "\"context\":{\"arguments\":[]}}",
    };
    for (size_t i = 0; i < sizeof PARAMS / sizeof *PARAMS; i++) {
        test_answer_t a = S(w, "completion/complete", PARAMS[i]);
        assert_refused(&a, MCP_ERROR_BAD_COMPLETION);
    }
    test_answer_t a =
        S(w, "completion/complete", COMPLETE("\"type\":\"ref/prompt\",\"name\":\"lost\"", ""));
    assert_refused(&a, MCP_ERROR_UNKNOWN_PROMPT);
    a = S(w, "completion/complete", COMPLETE("\"type\":\"ref/resource\",\"uri\":\"x:y\"", ""));
    assert_refused(&a, MCP_ERROR_UNKNOWN_RESOURCE);
    arguments_are_completed(state);
}

/* Without a session calls are served as each bears its token, but nobody can be asked. */
static void calls_need_no_session(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *kept = w->session;
    w->session = NULL;
    test_answer_t a = H(w, "tools/call", ADD);
    assert_str(test_text(&a, "result.content.0.text"), "3");
    static const char *const METHODS[] = {"logging/setLevel", "resources/subscribe",
                                          "resources/unsubscribe"};
    for (size_t i = 0; i < 3; i++) {
        a = H(w, METHODS[i], "{\"uri\":\"test://static\",\"level\":\"info\"}");
        assert_refused(&a, MCP_ERROR_SESSION_NEEDED);
    }
    w->session = kept;
    a = H(w, "logging/setLevel", "{\"level\":\"info\"}");
    assert_int_equal(test_at(&a, "result")->count, 0);
}

/* A client of the handshake era is asked on the call's stream, and its answer runs the call again.
 */
static void answers_of_the_client_reach_their_call(void **state)
{
    server_world_t *w = *state;
    test_running_t r = test_begin(w, MCP_ERA_HANDSHAKE, "tools/call", "{\"name\":\"asks\"}");
    const json_t *question = test_next(w, &r);
    assert_str(json_get_str(question, STR("method")), "elicitation/create");
    test_line(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":%" PRIstr ",\"result\":{\"action\":"
                              "\"accept\",\"content\":{\"size\":\"large\"}}}",
                              STR_ARG(json_get(question, STR("id"))->raw)));
    test_answer_t a = {.root = test_next(w, &r)};
    assert_str(test_text(&a, "result.content.0.text"), "large");
    test_end(&r);
}

static void clients_that_can_do_nothing_are_told(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "tools/call", "{\"name\":\"asks\"}");
    assert_int_equal(test_code(&a), -32021);
    assert_int_equal(a.status, 400);
    assert_non_null(test_at(&a, "error.data.requiredCapabilities.elicitation"));
    w->declared = STR("{\"elicitation\":{}}");
    a = S(w, "tools/call", "{\"name\":\"asks\"}");
    assert_str(test_text(&a, "result.resultType"), "input_required");
    assert_str(test_text(&a, "result.inputRequests.size.method"), "elicitation/create");
}

static void duplicate_id(void **state)
{
    server_world_t *w = *state;
    test_running_t r = test_begin(w, MCP_ERA_HANDSHAKE, "tools/call", "{\"name\":\"waits\"}");
    w->id--;
    test_answer_t a = H(w, "tools/call", ADD);
    assert_refused(&a, MCP_ERROR_DUPLICATE_ID);
    atomic_store(&w->go_on, true);
    assert_non_null(test_next(w, &r));
    test_end(&r);
    control(w);
}

static void stopped_server_is_busy(void **state)
{
    server_world_t *w = *state;
    mcp_server_stop(w->m);
    test_answer_t a = S(w, "tools/call", ADD);
    assert_refused(&a, MCP_ERROR_BUSY);
    assert_int_equal(mcp_server_start(w->m), RC_OK);
    control(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(unknown_tool),
        SERVER_TEST(names_are_compared_as_they_are),
        SERVER_TEST(insufficient_scope),
        SERVER_TEST(scope_comes_before_arguments),
        SERVER_TEST(nothing_covers_without_a_port),
        SERVER_TEST(invalid_arguments_are_a_result),
        SERVER_TEST(too_many_calls),
        SERVER_TEST(header_mismatch),
        SERVER_TEST(resources_are_read),
        SERVER_TEST(unknown_resource),
        SERVER_TEST(prompts_are_got),
        SERVER_TEST(unknown_prompt),
        SERVER_TEST(missing_argument),
        SERVER_TEST(arguments_are_completed),
        SERVER_TEST(what_suggests_nothing_completes_to_nothing),
        SERVER_TEST(bad_completion),
        SERVER_TEST(calls_need_no_session),
        SERVER_TEST(answers_of_the_client_reach_their_call),
        SERVER_TEST(clients_that_can_do_nothing_are_told),
        SERVER_TEST(duplicate_id),
        SERVER_TEST(stopped_server_is_busy),
    };
    return cmocka_run_group_tests_name("calling", tests, NULL, NULL);
}
