/* Questions to the client, in both eras and in tasks: one function for all. */
#include "mcp_server/life_test_world.h"

#include <stdio.h>

#define SIZE_FORM                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"string\",\"maxLength\":3}},"        \
    "\"required\":[\"size\"]}"

static warder_mcp_next_t ask_size(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "size", "Which size?", SIZE_FORM))
        return WARDER_MCP_ASK;
    const char *size = warder_mcp_answer_string(call, "size", "content.size");
    warder_mcp_textf(call, "%s %s", warder_mcp_answer_action(call, "size"), size ? size : "-");
    return WARDER_MCP_DONE;
}

/* What the client says to the request of the server that was taken last. */
static void reply(asked_t *q, const char *member)
{
    char line[1024];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,%s}", (int)life_int(q, "id"),
             member);
    life_tell(q->w, line);
}

static void says(asked_t *q, const char *text)
{
    assert_true(life_next(q));
    assert_int_equal(q->out.kind, MCP_OUT_ANSWER);
    assert_str(life_text(q, "result.content.0.text"), str_c(text));
}

static void fails_with(asked_t *q, int code, const char *reason)
{
    assert_true(life_next(q));
    assert_int_equal(q->out.kind, MCP_OUT_ANSWER);
    assert_int_equal(life_int(q, "error.code"), code);
    assert_string_equal(life_reason(q->w, q->w->events), reason);
}

/* The handshake era: requests of the server */

static void test_a_question_goes_out_and_its_answer_comes_in(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_MESSAGE);
    assert_text(life_text(&q, "method"), "elicitation/create");
    assert_text(life_text(&q, "params.message"), "Which size?");
    assert_text(life_text(&q, "params.requestedSchema.type"), "object");
    assert_int_equal(w->events, 0);
    reply(&q, "\"result\":{\"action\":\"accept\",\"content\":{\"size\":\"L\"}}");
    says(&q, "accept L");
    assert_int_equal(atomic_load(&w->runs), 2);
    assert_string_equal(life_reason(w, 1), "ok");
    life_end_ask(&q);
}

static void test_who_declines_has_answered(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    reply(&q, "\"result\":{\"action\":\"decline\"}");
    says(&q, "decline -");
    life_end_ask(&q);
}

static void test_an_error_to_an_elicitation_is_a_cancel(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    reply(&q, "\"error\":{\"code\":-1,\"message\":\"no window\"}");
    says(&q, "cancel -");
    life_end_ask(&q);
}

static void test_an_answer_that_does_not_fit_is_asked_for_anew(void **state)
{
    static const char *const MISFITS[] = {
        "\"result\":{\"action\":\"accept\",\"content\":{\"size\":\"huge\"}}",
        "\"result\":{\"action\":\"accept\",\"content\":{}}",
        "\"result\":{\"action\":\"accept\"}",
        "\"result\":{\"action\":\"maybe\"}",
        "\"result\":{}",
    };
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    int64_t id = 0;
    for (size_t i = 0; i < ROWS(MISFITS); i++) {
        assert_true(life_next(&q));
        assert_text(life_text(&q, "method"), "elicitation/create");
        assert_true(life_int(&q, "id") > id);
        id = life_int(&q, "id");
        reply(&q, MISFITS[i]);
    }
    assert_true(life_next(&q));
    reply(&q, "\"result\":{\"action\":\"accept\",\"content\":{\"size\":\"S\"}}");
    says(&q, "accept S");
    life_end_ask(&q);
}

static void test_too_many_rounds(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    for (int i = 0; i < MCP_ROUNDS; i++) {
        assert_true(life_next(&q));
        assert_int_equal(q.out.kind, MCP_OUT_MESSAGE);
        reply(&q, "\"result\":{\"action\":\"accept\",\"content\":{}}");
    }
    fails_with(&q, -32603, "too_many_rounds");
    life_end_ask(&q);
}

static warder_mcp_next_t ask_three(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    const char *page = warder_mcp_elicit_url(call, "page", "Pay", "https://pay.test/1");
    const char *model = warder_mcp_sample(call, "model", "{\"messages\":[],\"maxTokens\":5}");
    const char *roots = warder_mcp_roots(call, "roots");
    if (!page || !model || !roots)
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "%s %s %s", warder_mcp_answer_action(call, "page"),
                     warder_mcp_answer_string(call, "model", "content.text"),
                     warder_mcp_answer_string(call, "roots", "roots.0.uri"));
    return WARDER_MCP_DONE;
}

#define MODEL_SAYS                                                                                 \
    "\"result\":{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"hm\"}}"
#define ROOTS_ARE "\"result\":{\"roots\":[{\"uri\":\"file:///a\"}]}"

static void test_several_questions_come_back_together(void **state)
{
    life_world_t *w = *state;
    w->script = ask_three;
    asked_t q = life_call(w, HAND, "t", "");
    for (int i = 0; i < 3; i++) {
        assert_true(life_next(&q));
        assert_int_equal(atomic_load(&w->runs), 1);
        if (i == 0) {
            assert_text(life_text(&q, "params.mode"), "url");
            assert_text(life_text(&q, "params.url"), "https://pay.test/1");
            assert_int_equal(life_text(&q, "params.elicitationId").n, 24);
            reply(&q, "\"result\":{\"action\":\"accept\"}");
        } else if (i == 1) {
            assert_text(life_text(&q, "method"), "sampling/createMessage");
            assert_int_equal(life_int(&q, "params.maxTokens"), 5);
            reply(&q, MODEL_SAYS);
            reply(&q, MODEL_SAYS); /* once too often */
        } else {
            assert_text(life_text(&q, "method"), "roots/list");
            reply(&q, ROOTS_ARE);
        }
    }
    says(&q, "accept hm file:///a");
    assert_int_equal(atomic_load(&w->runs), 2);
    life_end_ask(&q);
}

static warder_mcp_next_t ask_page(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    const char *schema = "{\"type\":\"object\",\"properties\":{}}";
    warder_mcp_elicit_done(call, "page"); /* nobody has answered in the first run */
    if (!warder_mcp_elicit_url(call, "page", "Pay", "https://pay.test/1"))
        return WARDER_MCP_ASK;
    warder_mcp_elicit_done(call, "another");
    if (!warder_mcp_elicit(call, "form", "And?", schema))
        return WARDER_MCP_ASK;
    warder_mcp_elicit_done(call, "form"); /* is no page */
    warder_mcp_elicit_done(call, "page");
    warder_mcp_text(call, "paid");
    return WARDER_MCP_DONE;
}

static void hears_that_it_is_done(asked_t *q, const char *page)
{
    assert_true(life_next(q));
    assert_text(life_text(q, "method"), "notifications/elicitation/complete");
    assert_str(life_text(q, "params.elicitationId"), str_c(page));
}

static void test_a_page_has_one_id_and_is_done(void **state)
{
    life_world_t *w = *state;
    char page[32];
    w->script = ask_page;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    snprintf(page, sizeof page, "%" PRIstr, STR_ARG(life_text(&q, "params.elicitationId")));
    assert_int_equal(strlen(page), 24);
    reply(&q, "\"result\":{\"action\":\"accept\"}");
    hears_that_it_is_done(&q, page); /* at the beginning of the second run */
    assert_true(life_next(&q));
    assert_text(life_text(&q, "params.message"), "And?");
    reply(&q, "\"result\":{\"action\":\"accept\",\"content\":{}}");
    hears_that_it_is_done(&q, page);
    hears_that_it_is_done(&q, page);
    says(&q, "paid");
    life_end_ask(&q);
}

/* 2026-07-28 took ids and note back. */
static void test_a_page_has_no_id_in_the_stateless_era(void **state)
{
    life_world_t *w = *state;
    w->script = ask_page;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.inputRequests.page.params.mode"), "url");
    assert_false(str_is_set(life_text(&q, "result.inputRequests.page.params.elicitationId")));
    life_end_ask(&q);
}

static warder_mcp_next_t ask_model(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_sample(call, "model", "{\"messages\":[],\"maxTokens\":5}"))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, warder_mcp_answer_string(call, "model", "content.text"));
    return WARDER_MCP_DONE;
}

static void test_question_refused(void **state)
{
    life_world_t *w = *state;
    w->script = ask_model;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    reply(&q, "\"error\":{\"code\":-1,\"message\":\"User rejected sampling request\"}");
    fails_with(&q, -32603, "question_refused");
    assert_text(life_text(&q, "error.message"), "The client refused sampling/createMessage.");
    life_end_ask(&q);
    asked_t again = life_call(w, HAND, "t", "");
    assert_true(life_next(&again));
    reply(&again, MODEL_SAYS);
    says(&again, "hm");
    life_end_ask(&again);
}

static void test_an_answer_of_nobodys_question_is_nothing(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}");
    life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{}}");
    assert_true(life_is_quiet(&q));
    assert_int_equal(atomic_load(&w->runs), 1);
    reply(&q, "\"result\":{\"action\":\"cancel\"}");
    says(&q, "cancel -");
    life_end_ask(&q);
}

static void test_a_waiting_call_is_cancelled_at_once(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    mcp_call_cancel(q.call);
    assert_string_equal(life_reason(w, 1), "cancelled");
    reply(&q, "\"result\":{\"action\":\"cancel\"}"); /* too late */
    assert_false(life_next(&q));
    assert_int_equal(atomic_load(&w->runs), 1);
    life_end_ask(&q);
}

static void test_a_call_that_waits_ends_with_its_session(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    life_until(&q, MCP_CALL_WAITING);
    mcp_session_end(w->session);
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
    asked_t late = life_call(w, HAND, "t", "");
    assert_int_equal(late.verdict.error, MCP_ERROR_BUSY); /* its session has ended */
    life_end_ask(&late);
}

static warder_mcp_next_t ask_when_told(warder_mcp_call_t *call, void *ctx)
{
    const life_world_t *w = ctx;
    while (!atomic_load((atomic_bool *)w->note))
        warder_mcp_sleep(call, 1);
    return ask_size(call, ctx);
}

static void test_a_question_that_cannot_be_sent_ends_the_call(void **state)
{
    life_world_t *w = *state;
    atomic_bool told = false;
    w->note = &told;
    w->script = ask_when_told;
    asked_t q = life_call(w, HAND, "t", "");
    mcp_outbox_end(q.outbox); /* its stream is over */
    atomic_store(&told, true);
    assert_string_equal(life_reason(w, 1), "internal_error");
    life_until(&q, MCP_CALL_ENDED);
    life_end_ask(&q);
    asked_t r = life_call(w, HAND, "t", "");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "method"), "elicitation/create");
    life_end_ask(&r);
}

static warder_mcp_next_t ask_six(warder_mcp_call_t *call, void *ctx)
{
    char key[16];
    bool all = true;
    (void)ctx;
    for (int i = 0; i < 6; i++) {
        snprintf(key, sizeof key, "r%d", i);
        all = warder_mcp_roots(call, key) && all;
    }
    return all ? WARDER_MCP_DONE : WARDER_MCP_ASK;
}

static void test_answers_are_bounded(void **state)
{
    life_world_t *w = *state;
    const json_t *big = NULL;
    char key[16];
    str_t text = arena_printf(w->a, "{\"roots\":[],\"x\":\"%0*d\"}", MCP_MESSAGE_BYTES - 64, 1);
    const json_limits_t limits = {MCP_MESSAGE_BYTES, 8, 100};
    assert_int_equal(json_parse(w->a, text, &limits, &big), RC_OK);
    w->script = ask_six;
    asked_t q = life_call(w, HAND, "t", "");
    life_until(&q, MCP_CALL_WAITING);
    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "r%d", i);
        assert_int_equal(w->events, 0);
        mcp_call_answered(q.call, str_c(key), big);
    }
    assert_string_equal(life_reason(w, 1), "internal_error");
    life_end_ask(&q);
}

static void test_missing_capability_in_the_handshake_era(void **state)
{
    life_world_t *w = *state;
    mcp_session_t *able = w->session;
    w->session = mcp_session_local(clock_fake(&w->clock));
    assert_int_equal(mcp_session_begin(w->session, mcp_session_version(able),
                                       STR("{\"elicitation\":{\"url\":{}}}")),
                     RC_OK);
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    says(&q, "This needs the client's capability elicitation.form, which it has not declared.");
    assert_true(json_is(json_path(q.json, STR("result.isError")), JSON_TRUE));
    assert_string_equal(life_reason(w, 1), "missing_capability");
    life_end_ask(&q);
    asked_t p = life_ask(w, HAND, "prompts/get", "\"name\":\"p\"");
    fails_with(&p, -32021, "missing_capability");
    assert_int_equal(p.out.status, 200);
    life_end_ask(&p);
    mcp_session_drop(w->session);
    w->session = able;
    asked_t r = life_call(w, HAND, "t", "");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "method"), "elicitation/create");
    life_end_ask(&r);
}

static void test_what_waits_ends_with_the_server(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, HAND, "t", "");
    life_until(&q, MCP_CALL_WAITING);
    assert_true(mcp_calls_stop(w->m));
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
}

/* Functions that misuse it */

static warder_mcp_next_t ask_nothing(warder_mcp_call_t *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return WARDER_MCP_ASK;
}

static warder_mcp_next_t ask_wrong_schema(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_elicit(call, "size", "?",
                      "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"
                      "\"object\"}}}");
    return WARDER_MCP_ASK;
}

static warder_mcp_next_t ask_no_json(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_sample(call, "model", "[]");
    return WARDER_MCP_ASK;
}

static warder_mcp_next_t ask_too_much(warder_mcp_call_t *call, void *ctx)
{
    char key[16];
    (void)ctx;
    for (int i = 0; i <= MCP_QUESTIONS; i++) {
        snprintf(key, sizeof key, "%d", i);
        warder_mcp_roots(call, key);
    }
    return WARDER_MCP_ASK;
}

static warder_mcp_next_t keep_too_much(warder_mcp_call_t *call, void *ctx)
{
    static char big[MCP_STATE_BYTES + 2];
    (void)ctx;
    memset(big, 'x', sizeof big - 1);
    warder_mcp_set_state(call, big);
    warder_mcp_roots(call, "roots");
    return WARDER_MCP_ASK;
}

static void test_misuse_is_an_internal_error(void **state)
{
    static const warder_mcp_run_t SCRIPTS[] = {ask_nothing, ask_wrong_schema, ask_no_json,
                                               ask_too_much, keep_too_much};
    life_world_t *w = *state;
    for (size_t i = 0; i < ROWS(SCRIPTS); i++) {
        w->script = SCRIPTS[i];
        asked_t q = life_call(w, i % 2 ? HAND : LESS, "t", "");
        fails_with(&q, -32603, "internal_error");
        life_end_ask(&q);
    }
    w->script = ask_size;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.resultType"), "input_required");
    life_end_ask(&q);
}

/* The stateless era: results that ask */

static warder_mcp_next_t ask_two_rounds(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "size", "Which size?", SIZE_FORM))
        return WARDER_MCP_ASK;
    const char *size = warder_mcp_answer_string(call, "size", "content.size");
    if (!warder_mcp_state(call))
        warder_mcp_set_state(call, "price 7");
    if (!warder_mcp_elicit(call, "sure", "Sure?", "{\"type\":\"object\",\"properties\":{}}"))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "%s, %s", size, warder_mcp_state(call));
    return WARDER_MCP_DONE;
}

#define SIZE_IS(size) "\"size\":{\"action\":\"accept\",\"content\":{\"size\":\"" size "\"}}"
#define IS_SURE       "\"sure\":{\"action\":\"accept\",\"content\":{}}"

/* The same request again with these answers, and the state that came with the last result. */
static asked_t retry(asked_t *q, const char *responses)
{
    life_world_t *w = q->w;
    str_t state = life_text(q, "result.requestState");
    str_t more = arena_printf(w->a, ",\"inputResponses\":{%s},\"requestState\":\"%" PRIstr "\"",
                              responses, STR_ARG(state));
    life_end_ask(q);
    return life_call(w, LESS, "t", more.p);
}

static void test_rounds_of_the_stateless_era(void **state)
{
    life_world_t *w = *state;
    w->script = ask_two_rounds;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.status, 200);
    assert_text(life_text(&q, "result.resultType"), "input_required");
    assert_text(life_text(&q, "result.inputRequests.size.method"), "elicitation/create");
    assert_string_equal(life_reason(w, 1), "input_required");
    q = retry(&q, SIZE_IS("M"));
    assert_true(life_next(&q));
    assert_null(json_path(q.json, STR("result.inputRequests.size")));
    assert_text(life_text(&q, "result.inputRequests.sure.params.message"), "Sure?");
    q = retry(&q, IS_SURE); /* the first answer comes back sealed */
    says(&q, "M, price 7");
    assert_text(life_text(&q, "result.resultType"), "complete");
    life_end_ask(&q);
}

static void test_answers_that_are_missing_are_asked_for_again(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    q = retry(&q, "\"other\":{\"action\":\"accept\"}");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.inputRequests.size.method"), "elicitation/create");
    q = retry(&q, SIZE_IS("huge")); /* or do not fit */
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.inputRequests.size.method"), "elicitation/create");
    q = retry(&q, SIZE_IS("L") ",\"other\":{\"x\":1}");
    says(&q, "accept L");
    life_end_ask(&q);
}

static void test_answers_may_come_without_a_state(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, LESS, "t", ",\"inputResponses\":{" SIZE_IS("L") "}");
    says(&q, "accept L");
    life_end_ask(&q);
}

static void test_rounds_are_counted_in_the_state(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t q = life_call(w, LESS, "t", "");
    for (int i = 0; i < MCP_ROUNDS; i++) {
        assert_true(life_next(&q));
        assert_text(life_text(&q, "result.resultType"), "input_required");
        q = retry(&q, "");
    }
    fails_with(&q, -32603, "too_many_rounds");
    life_end_ask(&q);
}

static void test_malformed_responses(void **state)
{
    static const char *const BAD[] = {
        ",\"inputResponses\":null",
        ",\"inputResponses\":[]",
        ",\"inputResponses\":{\"size\":12345}",
        ",\"inputResponses\":{\"size\":null}",
    };
    life_world_t *w = *state;
    w->script = ask_size;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        asked_t q = life_call(w, LESS, "t", BAD[i]);
        assert_int_equal(q.verdict.error, MCP_ERROR_BAD_INPUT_RESPONSES);
        life_end_ask(&q);
    }
    asked_t q = life_call(w, LESS, "t", ",\"inputResponses\":{}");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.resultType"), "input_required");
    life_end_ask(&q);
    assert_int_equal(atomic_load(&w->runs), 1);
}

static void test_prompts_and_resources_ask_too(void **state)
{
    life_world_t *w = *state;
    w->script = ask_size;
    asked_t p = life_ask(w, LESS, "prompts/get", "\"name\":\"p\"");
    assert_true(life_next(&p));
    assert_text(life_text(&p, "result.resultType"), "input_required");
    life_end_ask(&p);
    asked_t r = life_ask(w, LESS, "resources/read", "\"uri\":\"test://r\"");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "result.resultType"), "input_required");
    life_end_ask(&r);
}

static void test_missing_capability(void **state)
{
    static const struct {
        const char *declared;
        warder_mcp_run_t script;
        const char *wanted;
    } CASES[] = {
        {"{}", ask_size, "{\"requiredCapabilities\":{\"elicitation\":{\"form\":{}}}}"},
        {"{\"elicitation\":{\"url\":{}}}", ask_size,
         "{\"requiredCapabilities\":{\"elicitation\":{\"form\":{}}}}"},
        {"{\"elicitation\":{}}", ask_model, "{\"requiredCapabilities\":{\"sampling\":{}}}"},
        {"{\"elicitation\":{},\"sampling\":{},\"roots\":{}}", ask_three,
         "{\"requiredCapabilities\":{\"elicitation\":{\"url\":{}}}}"},
    };
    life_world_t *w = *state;
    str_t all = w->declared;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        w->declared = str_c(CASES[i].declared);
        w->script = CASES[i].script;
        asked_t q = life_call(w, LESS, "t", "");
        fails_with(&q, -32021, "missing_capability");
        assert_int_equal(q.out.status, 400);
        assert_str(json_path(q.json, STR("error.data"))->raw, str_c(CASES[i].wanted));
        life_end_ask(&q);
    }
    w->declared = STR("{\"elicitation\":{}}"); /* stands for forms */
    w->script = ask_size;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.resultType"), "input_required");
    life_end_ask(&q);
    w->declared = all;
}

static void test_what_is_missing_is_named_as_capabilities_are(void **state)
{
    static const struct {
        const char *path, *wanted;
    } CASES[] = {
        {"roots", "{\"requiredCapabilities\":{\"roots\":{}}}"},
        {"sampling.tools", "{\"requiredCapabilities\":{\"sampling\":{\"tools\":{}}}}"},
        {MCP_TASKS_CAPABILITY, "{\"requiredCapabilities\":{\"extensions\":{"
                               "\"io.modelcontextprotocol/tasks\":{}}}}"},
    };
    life_world_t *w = *state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        const json_t *v = NULL;
        str_t text = mcp_capability_needed(w->a, CASES[i].path);
        assert_str(text, str_c(CASES[i].wanted));
        assert_int_equal(json_parse(w->a, text, NULL, &v), RC_OK);
        assert_true(mcp_capability_has(json_get(v, STR("requiredCapabilities")), CASES[i].path));
    }
    assert_false(mcp_capability_has(NULL, "roots"));
    assert_false(mcp_capability_has(NULL, NULL));
}

static warder_mcp_next_t ask_with_tools(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_sample(call, "m", "{\"messages\":[],\"maxTokens\":5,\"tools\":[]}");
    return WARDER_MCP_ASK;
}

static void test_tools_in_sampling_need_their_capability(void **state)
{
    life_world_t *w = *state;
    w->script = ask_with_tools;
    asked_t q = life_call(w, LESS, "t", "");
    fails_with(&q, -32021, "missing_capability");
    life_end_ask(&q);
    w->declared = STR("{\"sampling\":{\"tools\":{}}}");
    asked_t r = life_call(w, LESS, "t", "");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "result.inputRequests.m.method"), "sampling/createMessage");
    life_end_ask(&r);
}

static warder_mcp_next_t ask_what_can_be(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (warder_mcp_client_can(call, "elicitation.form"))
        warder_mcp_elicit(call, "size", "?", SIZE_FORM);
    if (warder_mcp_client_can(call, "sampling"))
        warder_mcp_sample(call, "model", "{}");
    if (warder_mcp_client_can(call, "extensions.io.modelcontextprotocol/tasks") ||
        warder_mcp_client_can(call, "extensions") || warder_mcp_client_can(call, "") ||
        warder_mcp_client_can(call, "sampling.tools"))
        warder_mcp_error(call, "?");
    return WARDER_MCP_ASK;
}

static void test_functions_can_ask_what_the_client_can(void **state)
{
    life_world_t *w = *state;
    w->script = ask_what_can_be;
    w->declared = STR("{\"sampling\":{\"tools\":null}}");
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_null(json_path(q.json, STR("result.inputRequests.size")));
    assert_non_null(json_path(q.json, STR("result.inputRequests.model")));
    life_end_ask(&q);
}

/* Tasks */

/* tasks/get, or whatever: the answer of a message that is answered at once. */
static const json_t *task(life_world_t *w, const char *method, str_t id, const char *more)
{
    const json_t *root = NULL;
    str_t params = arena_printf(w->a, "\"taskId\":\"%" PRIstr "\"%s", STR_ARG(id), more);
    asked_t q = life_ask(w, LESS, method, params.p);
    str_t body = arena_dup(w->a, q.verdict.body);
    assert_int_equal(json_parse(w->a, body, NULL, &root), RC_OK);
    life_end_ask(&q);
    return json_get(root, STR("result"));
}

/* Waits for a status of it. */
static const json_t *task_until(life_world_t *w, str_t id, str_t status)
{
    for (int i = 0; i < 20000; i++) {
        const json_t *t = task(w, "tasks/get", id, "");
        if (str_eq(json_get_str(t, STR("status")), status))
            return t;
    }
    fail_msg("never %" PRIstr, STR_ARG(status));
    return NULL;
}

static str_t begin_task(life_world_t *w, asked_t *q, const char *name)
{
    *q = life_call(w, LESS, name, "");
    assert_true(life_next(q));
    assert_int_equal(q->out.kind, MCP_OUT_ANSWER);
    assert_text(life_text(q, "result.resultType"), "task");
    return life_text(q, "result.taskId");
}

static void test_a_task_asks_one_by_one(void **state)
{
    life_world_t *w = *state;
    asked_t q;
    w->script = ask_three;
    str_t id = begin_task(w, &q, "job");
    const json_t *t = task_until(w, id, STR("input_required"));
    assert_int_equal(json_get(t, STR("inputRequests"))->count, 3);
    assert_null(json_get(t, STR("requestState")));
    task(w, "tasks/update", id, ",\"inputResponses\":{\"page\":{\"action\":\"accept\"}}");
    t = task_until(w, id, STR("input_required"));
    assert_int_equal(json_get(t, STR("inputRequests"))->count, 2);
    assert_null(json_path(t, STR("inputRequests.page")));
    task(w, "tasks/update", id,
         ",\"inputResponses\":{\"model\":{\"role\":\"assistant\",\"content\":{\"text\":\"hm\"}},"
         "\"unknown\":{},\"roots\":{\"roots\":[{\"uri\":\"file:///a\"}]}}");
    t = task_until(w, id, STR("completed"));
    assert_text(json_path(t, STR("result.content.0.text"))->str, "accept hm file:///a");
    assert_string_equal(life_reason(w, 1), "ok");
    life_end_ask(&q);
}

static warder_mcp_next_t ask_then_task(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "size", "?", SIZE_FORM))
        return WARDER_MCP_ASK;
    if (!warder_mcp_become_task(call) || !warder_mcp_become_task(call))
        return WARDER_MCP_FAIL;
    warder_mcp_task_status(call, "at it");
    warder_mcp_progress(call, 1, 2, NULL); /* goes nowhere */
    warder_mcp_text(call, warder_mcp_answer_string(call, "size", "content.size"));
    return WARDER_MCP_DONE;
}

static void test_a_call_asks_and_then_becomes_a_task(void **state)
{
    life_world_t *w = *state;
    w->script = ask_then_task;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.resultType"), "input_required");
    q = retry(&q, SIZE_IS("L"));
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.resultType"), "task");
    assert_null(json_path(q.json, STR("result.requestState")));
    str_t id = life_text(&q, "result.taskId");
    const json_t *t = task_until(w, id, STR("completed"));
    assert_text(json_path(t, STR("result.content.0.text"))->str, "L");
    assert_text(json_get_str(t, STR("statusMessage")), "at it");
    life_end_ask(&q);
}

static warder_mcp_next_t become_if_can(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_become_task(call) ? "task" : "no task");
    return WARDER_MCP_DONE;
}

static void test_who_can_have_no_task_has_none(void **state)
{
    life_world_t *w = *state;
    w->script = become_if_can;
    asked_t q = life_call(w, HAND, "job", "");
    says(&q, "no task");
    life_end_ask(&q);
    w->declared = STR("{\"extensions\":{}}");
    asked_t r = life_call(w, LESS, "job", "");
    says(&r, "no task");
    life_end_ask(&r);
    asked_t p = life_ask(w, LESS, "resources/read", "\"uri\":\"test://r\"");
    assert_true(life_next(&p));
    assert_text(life_text(&p, "result.contents.0.text"), "no task");
    life_end_ask(&p);
}

static warder_mcp_next_t sleep_long(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_sleep(call, 60000) ? "slept" : "woken");
    return WARDER_MCP_DONE;
}

static void test_a_task_outlives_its_connection_and_ends_when_told(void **state)
{
    life_world_t *w = *state;
    asked_t q;
    w->script = sleep_long;
    str_t id = begin_task(w, &q, "job");
    mcp_call_cancel(q.call);
    assert_false(warder_mcp_cancelled(q.call));
    task_until(w, id, STR("working"));
    task(w, "tasks/cancel", id, "");
    task_until(w, id, STR("cancelled"));
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
}

static void test_a_waiting_task_ends_when_told(void **state)
{
    life_world_t *w = *state;
    asked_t q;
    w->script = ask_size;
    str_t id = begin_task(w, &q, "job");
    task_until(w, id, STR("input_required"));
    task(w, "tasks/cancel", id, "");
    task_until(w, id, STR("cancelled"));
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
}

/* The task is there before it is known that nobody has time for it. */
static void test_a_task_that_finds_no_thread_has_failed(void **state)
{
    life_world_t *w = *state;
    asked_t q[8], t;
    size_t n = 0;
    w->script = sleep_long;
    do
        q[n] = life_call(w, HAND, "t", "");
    while (q[n++].verdict.kind == MCP_RUNNING);
    str_t id = begin_task(w, &t, "job");
    task_until(w, id, STR("failed"));
    assert_string_equal(life_reason(w, 1), "busy");
    life_end_ask(&t);
    while (n > 0) {
        mcp_call_cancel(q[--n].call);
        life_end_ask(&q[n]);
    }
}

static warder_mcp_next_t break_down(warder_mcp_call_t *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return WARDER_MCP_FAIL;
}

static void test_a_task_that_fails_shows_the_error(void **state)
{
    life_world_t *w = *state;
    asked_t q;
    w->script = break_down;
    str_t id = begin_task(w, &q, "job");
    const json_t *t = task_until(w, id, STR("failed"));
    int64_t code;
    assert_true(json_get_i64(json_get(t, STR("error")), STR("code"), &code));
    assert_int_equal(code, -32603);
    assert_null(json_get(t, STR("result")));
    life_end_ask(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_a_question_goes_out_and_its_answer_comes_in),
        LIFE_TEST(test_who_declines_has_answered),
        LIFE_TEST(test_an_error_to_an_elicitation_is_a_cancel),
        LIFE_TEST(test_an_answer_that_does_not_fit_is_asked_for_anew),
        LIFE_TEST(test_too_many_rounds),
        LIFE_TEST(test_several_questions_come_back_together),
        LIFE_TEST(test_a_page_has_one_id_and_is_done),
        LIFE_TEST(test_a_page_has_no_id_in_the_stateless_era),
        LIFE_TEST(test_question_refused),
        LIFE_TEST(test_an_answer_of_nobodys_question_is_nothing),
        LIFE_TEST(test_a_waiting_call_is_cancelled_at_once),
        LIFE_TEST(test_a_call_that_waits_ends_with_its_session),
        LIFE_TEST(test_a_question_that_cannot_be_sent_ends_the_call),
        LIFE_TEST(test_answers_are_bounded),
        LIFE_TEST(test_what_waits_ends_with_the_server),
        LIFE_TEST(test_missing_capability_in_the_handshake_era),
        LIFE_TEST(test_misuse_is_an_internal_error),
        LIFE_TEST(test_rounds_of_the_stateless_era),
        LIFE_TEST(test_answers_that_are_missing_are_asked_for_again),
        LIFE_TEST(test_answers_may_come_without_a_state),
        LIFE_TEST(test_rounds_are_counted_in_the_state),
        LIFE_TEST(test_malformed_responses),
        LIFE_TEST(test_prompts_and_resources_ask_too),
        LIFE_TEST(test_missing_capability),
        LIFE_TEST(test_what_is_missing_is_named_as_capabilities_are),
        LIFE_TEST(test_tools_in_sampling_need_their_capability),
        LIFE_TEST(test_functions_can_ask_what_the_client_can),
        LIFE_TEST(test_a_task_asks_one_by_one),
        LIFE_TEST(test_a_call_asks_and_then_becomes_a_task),
        LIFE_TEST(test_who_can_have_no_task_has_none),
        LIFE_TEST(test_a_task_outlives_its_connection_and_ends_when_told),
        LIFE_TEST(test_a_waiting_task_ends_when_told),
        LIFE_TEST(test_a_task_that_finds_no_thread_has_failed),
        LIFE_TEST(test_a_task_that_fails_shows_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
