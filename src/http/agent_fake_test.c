/* The double of an agent: a script, and the judgement of the real one. */
#include "core/core_test_util.h"
#include "http/agent.h"

static const http_ask_row_t ROWS_OF_IT[] = {
    {"GET", "https://a.test/once", 200, "X-A: 1\nX-B: two words\n", "first", HTTP_AGENT_DONE, 1},
    {"GET", "https://a.test/once", 404, NULL, NULL, HTTP_AGENT_DONE, 0},
    {"POST", "https://a.test/once", 201, NULL, "posted", HTTP_AGENT_DONE, 0},
    {"GET", "https://a.test/tls", 0, NULL, NULL, HTTP_AGENT_TLS, 0},
    {"GET", "http://127.0.0.1:1/", 200, NULL, "here", HTTP_AGENT_DONE, 0},
};

static http_answer_t ask(arena_t *a, http_ask_fake_t *fake, http_agent_request_t r)
{
    http_answer_t out;
    http_ask_port_t port = http_ask_fake(fake);
    assert_int_equal(port.ask(port.ctx, a, &r, &out), RC_OK);
    return out;
}

#define SCRIPT                                                                                     \
    {                                                                                              \
        .rows = ROWS_OF_IT, .n = ROWS(ROWS_OF_IT)                                                  \
    }
#define GET(where, ...)                                                                            \
    ((http_agent_request_t){.method = STR("GET"), .url = STR(where), __VA_ARGS__})

static void rows_answer_in_order(void **state)
{
    http_ask_fake_t fake = SCRIPT;
    http_answer_t first = ask(*state, &fake, GET("https://a.test/once"));
    assert_int_equal(first.end, HTTP_AGENT_DONE);
    assert_int_equal(first.status, 200);
    assert_str(first.body, STR("first"));
    assert_int_equal(first.headers.n, 2);
    assert_str(http_headers_get(first.headers, STR("x-b")), STR("two words"));
    for (int i = 0; i < 2; i++) {
        http_answer_t later = ask(*state, &fake, GET("https://a.test/once"));
        assert_int_equal(later.status, 404);
        assert_str(later.body, STR(""));
    }
    http_ask_fake_clear(&fake);
    assert_int_equal(ask(*state, &fake, GET("https://a.test/once")).status, 200);
    http_ask_fake_clear(&fake);
}

static void what_is_in_no_row_is_refused(void **state)
{
    http_ask_fake_t fake = SCRIPT;
    assert_int_equal(ask(*state, &fake, GET("https://b.test/")).end, HTTP_AGENT_REFUSED);
    assert_int_equal(ask(*state, &fake, GET("https://a.test/tls")).end, HTTP_AGENT_TLS);
    http_answer_t cut = ask(*state, &fake, GET("https://a.test/once", .max_body = 4));
    assert_int_equal(cut.end, HTTP_AGENT_TOO_LONG);
    assert_int_equal(cut.status, 200);
    assert_int_equal(cut.headers.n, 2);
    assert_null(cut.body.p);
    http_ask_fake_clear(&fake);
}

static void what_was_asked_is_kept(void **state)
{
    http_ask_fake_t fake = SCRIPT;
    ask(*state, &fake,
        (http_agent_request_t){
            .method = STR("POST"),
            .url = STR("https://a.test/once"),
            .headers = HTTP_HEADERS({STR("A"), STR("1")}, {STR("B"), STR_UNSET}),
            .body = STR("a=b"),
        });
    assert_int_equal(fake.n_asked, 1);
    assert_string_equal(fake.asked[0], "POST https://a.test/once\nA: 1\n\na=b");
    http_ask_fake_clear(&fake);
}

static void it_judges_as_the_real_one(void **state)
{
    http_ask_fake_t fake = SCRIPT;
    http_ask_port_t port = http_ask_fake(&fake);
    http_answer_t out;
    http_agent_request_t split =
        GET("https://a.test/once", .headers = HTTP_HEADERS({STR("A"), STR("1\r\nB: 2")}));
    assert_int_equal(port.ask(port.ctx, *state, &split, &out), RC_MALFORMED);
    assert_int_equal(ask(*state, &fake, GET("http://127.0.0.1:1/")).end, HTTP_AGENT_OUT_OF_REACH);
    assert_int_equal(ask(*state, &fake, GET("file:///etc/passwd")).end, HTTP_AGENT_BAD_URL);
    assert_int_equal(
        ask(*state, &fake, GET("http://127.0.0.1:1/", .reach = HTTP_REACH_LOOPBACK)).status, 200);
    http_ask_fake_clear(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(rows_answer_in_order),
        ARENA_TEST(what_is_in_no_row_is_refused),
        ARENA_TEST(what_was_asked_is_kept),
        ARENA_TEST(it_judges_as_the_real_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
