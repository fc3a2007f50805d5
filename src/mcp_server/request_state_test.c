#include "mcp_server/request_state.h"

#include "mcp_server/life_test_world.h"

/* A call of alice's with a state, an answer, and two rounds behind it. */
static warder_mcp_call_t *call_of(life_world_t *w, const char *arguments)
{
    warder_mcp_call_t *call = mcp_call_new(w->m);
    call->who = w->who;
    call->op.message.method = STR("tools/call");
    call->op.name = STR("t");
    if (arguments)
        assert_int_equal(json_parse(call->arena, str_c(arguments), NULL, &call->arguments), RC_OK);
    return call;
}

static str_t sealed_by(life_world_t *w, warder_mcp_call_t *call)
{
    mcp_question_t *q = &call->questions.v[0];
    *q = (mcp_question_t){.key = STR("size"), .asked = true};
    assert_int_equal(json_parse(call->arena, STR("{\"action\":\"accept\"}"), NULL, &q->answer),
                     RC_OK);
    call->questions.v[1] = (mcp_question_t){.key = STR("sure"), .asked = true};
    call->questions.n = 2;
    call->questions.round = 2;
    call->questions.state = STR("price 7");
    str_t text = arena_dup(w->a, mcp_state_seal(call));
    assert_true(text.n > 0);
    return text;
}

static mcp_error_t opened(warder_mcp_call_t *call, str_t text)
{
    mcp_error_t e = mcp_state_open(call, text);
    bool good = call->questions.round == 2 && str_eq(call->questions.state, STR("price 7")) &&
                json_is(json_path(call->questions.kept, STR("size.action")), JSON_STRING);
    assert_int_equal(good, e == MCP_NO_ERROR);
    return e;
}

/* Opens it in another request, which `change` makes differ. */
static void opens(life_world_t *w, str_t text, void (*change)(warder_mcp_call_t *call),
                  mcp_error_t wanted)
{
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    if (change)
        change(call);
    assert_int_equal(opened(call, text), wanted);
    mcp_call_drop(call);
}

static void test_it_opens_for_the_same_request(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    opens(w, text, NULL, MCP_NO_ERROR);
    opens(w, text, NULL, MCP_NO_ERROR);
}

static void other_issuer(warder_mcp_call_t *call)
{
    call->who.issuer = STR("https://as.evil");
}

static void other_subject(warder_mcp_call_t *call)
{
    call->who.subject = STR("bob");
}

static void other_client(warder_mcp_call_t *call)
{
    call->who.client = STR("c2");
}

static void no_client(warder_mcp_call_t *call)
{
    call->who.client = STR_UNSET;
}

/* The same bytes, cut elsewhere. */
static void shifted(warder_mcp_call_t *call)
{
    call->who.subject = STR("alicec");
    call->who.client = STR("1");
}

static void other_method(warder_mcp_call_t *call)
{
    call->op.message.method = STR("prompts/get");
}

static void other_name(warder_mcp_call_t *call)
{
    call->op.name = STR("u");
}

static void other_arguments(warder_mcp_call_t *call)
{
    assert_int_equal(json_parse(call->arena, STR("{\"a\":2}"), NULL, &call->arguments), RC_OK);
}

static void no_arguments(warder_mcp_call_t *call)
{
    call->arguments = NULL;
}

/* Servers with one secret whose tools have the same names. */
static void test_bad_request_state_of_another_server(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    const char *name = w->m->config.name;
    mcp_call_drop(call);
    w->m->config.name = "other";
    opens(w, text, NULL, MCP_ERROR_BAD_REQUEST_STATE);
    w->m->config.name = name;
    opens(w, text, NULL, MCP_NO_ERROR);
}

static void test_bad_request_state_of_another_request(void **state)
{
    static void (*const CHANGES[])(warder_mcp_call_t *) = {
        other_issuer, other_subject, other_client,    no_client,    shifted,
        other_method, other_name,    other_arguments, no_arguments,
    };
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    for (size_t i = 0; i < ROWS(CHANGES); i++)
        opens(w, text, CHANGES[i], MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, text, NULL, MCP_NO_ERROR);
}

static void test_bad_request_state_that_was_changed(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    char *bytes = arena_cstr(w->a, text);
    for (size_t i = 0; i < text.n; i++) {
        char was = bytes[i];
        bytes[i] = was == 'A' ? 'B' : 'A';
        opens(w, str_of(bytes, text.n), NULL, MCP_ERROR_BAD_REQUEST_STATE);
        bytes[i] = was;
    }
    opens(w, arena_printf(w->a, "%s-TAMPERED", bytes), NULL, MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, str_first(text, text.n - 4), NULL, MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, str_first(text, 8), NULL, MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, STR(""), NULL, MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, STR("no base64!"), NULL, MCP_ERROR_BAD_REQUEST_STATE);
    opens(w, text, NULL, MCP_NO_ERROR);
}

static void test_bad_request_state_of_another_key(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    w->m->seal[31] ^= 1;
    opens(w, text, NULL, MCP_ERROR_BAD_REQUEST_STATE);
    w->m->seal[31] ^= 1;
    opens(w, text, NULL, MCP_NO_ERROR);
}

static void test_bad_request_state_that_is_too_long(void **state)
{
    life_world_t *w = *state;
    size_t n = MCP_SEALED_BYTES * 2;
    char *bytes = arena_alloc(w->a, n);
    memset(bytes, 'A', n);
    opens(w, str_of(bytes, n), NULL, MCP_ERROR_BAD_REQUEST_STATE);
}

static void test_expired_request_state(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{\"a\":1}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    w->clock.ms += (MCP_STATE_LIFE_S - 1) * 1000;
    opens(w, text, NULL, MCP_NO_ERROR);
    w->clock.ms += 1000;
    opens(w, text, NULL, MCP_ERROR_EXPIRED_REQUEST_STATE);
    w->clock.ms -= (MCP_STATE_LIFE_S + 1) * 1000; /* of a time to come */
    opens(w, text, NULL, MCP_ERROR_EXPIRED_REQUEST_STATE);
    w->clock.ms += 1000;
    opens(w, text, NULL, MCP_NO_ERROR);
}

/* Ours alone make these, and only where something is wrong with us. */
static void test_a_payload_that_is_none(void **state)
{
    static const char *const PAYLOADS[] = {
        "", "[]", "{}", "{\"expires\":1}", "{\"expires\":\"x\"", "{\"expires\":9,\"round\":1.5}"};
    life_world_t *w = *state;
    for (size_t i = 0; i < ROWS(PAYLOADS); i++) {
        warder_mcp_call_t *call = call_of(w, NULL);
        str_t text = mcp_state_wrap(call, str_c(PAYLOADS[i]));
        assert_int_equal(opened(call, text), MCP_ERROR_BAD_REQUEST_STATE);
        mcp_call_drop(call);
    }
}

static void test_no_arguments_and_none_given_are_the_same(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, "{}");
    str_t text = sealed_by(w, call);
    mcp_call_drop(call);
    call = call_of(w, NULL);
    assert_int_equal(opened(call, text), MCP_NO_ERROR);
    mcp_call_drop(call);
}

static void test_too_much_is_not_sealed(void **state)
{
    life_world_t *w = *state;
    warder_mcp_call_t *call = call_of(w, NULL);
    char *big = arena_alloc(call->arena, MCP_SEALED_BYTES);
    memset(big, 'x', MCP_SEALED_BYTES);
    call->questions.state = str_of(big, MCP_SEALED_BYTES);
    assert_false(str_is_set(mcp_state_seal(call)));
    call->questions.state.n -= 1024;
    assert_true(str_is_set(mcp_state_seal(call)));
    mcp_call_drop(call);
}

/* The whole way: the refusal reaches the client with its code. */
static void test_the_refusal_is_an_error_of_parameters(void **state)
{
    life_world_t *w = *state;
    asked_t q = life_call(w, LESS, "t", ",\"requestState\":\"AAAA\"");
    assert_int_equal(q.verdict.error, MCP_ERROR_BAD_REQUEST_STATE);
    assert_true(str_contains(q.verdict.body, STR("-32602")));
    life_end_ask(&q);
    asked_t n = life_call(w, LESS, "t", ",\"requestState\":7");
    assert_int_equal(n.verdict.error, MCP_ERROR_BAD_REQUEST_STATE);
    life_end_ask(&n);
    asked_t h = life_call(w, HAND, "t", ",\"requestState\":\"AAAA\""); /* means nothing there */
    assert_true(life_next(&h));
    assert_text(life_text(&h, "result.content.0.text"), "ok");
    life_end_ask(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_it_opens_for_the_same_request),
        LIFE_TEST(test_bad_request_state_of_another_server),
        LIFE_TEST(test_bad_request_state_of_another_request),
        LIFE_TEST(test_bad_request_state_that_was_changed),
        LIFE_TEST(test_bad_request_state_of_another_key),
        LIFE_TEST(test_bad_request_state_that_is_too_long),
        LIFE_TEST(test_expired_request_state),
        LIFE_TEST(test_a_payload_that_is_none),
        LIFE_TEST(test_no_arguments_and_none_given_are_the_same),
        LIFE_TEST(test_too_much_is_not_sealed),
        LIFE_TEST(test_the_refusal_is_an_error_of_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
