/* 401 and 403: tokens come on a thread of their own, and what was refused is sent again. */
#include "mcp_client/mcp_client_test_server.h"
#include "mcp_client/mcp_client_test_tokens.h"

#include "core/limits.h"
#include "mcp_client/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    test_mcp_t *s;
    http_agent_t *agent;
    tokens_source_t tokens;
    mcp_link_t *l;
    atomic_uint answers, failures;
    mcp_link_failure_t why; /* its detail is not kept */
    char detail[128];
    unsigned needed; /* generation of the token that the server takes */
    int status;      /* of its refusal */
} fixture_t;

static const mcp_version_t *HANDSHAKE, *STATELESS;

static void on_message(void *ctx, uint64_t tag, const mcp_message_t *m)
{
    fixture_t *f = ctx;
    atomic_fetch_add(&f->answers, 1);
}

static void on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why)
{
    fixture_t *f = ctx;
    f->why = *why;
    snprintf(f->detail, sizeof f->detail, "%" PRIstr, STR_ARG(why->detail));
    atomic_fetch_add(&f->failures, 1);
}

static void on_unheard(void *ctx, const mcp_link_failure_t *why)
{
    on_failed(ctx, 0, why);
}

/* Takes the token of one generation alone, and wants a nonce in the proof where it has one. */
static bool guarded(test_mcp_t *s, const test_asked_t *r, int fd)
{
    fixture_t *f = s->ctx;
    char want[32];
    snprintf(want, sizeof want, "Bearer t%u", f->needed);
    if (!str_eq(test_field(r, "Authorization"), str_c(want)))
        return test_json(fd, f->status,
                         "WWW-Authenticate: Bearer error=\"x\"\r\nDPoP-Nonce: n1\r\n", "{}");
    if (str_eq(r->method, STR("GET")))
        return test_stream(fd, "") &&
               test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n") &&
               (test_pause(s, TEST_PATIENCE_MS), false);
    return test_result(fd, r, "DPoP-Nonce: n2\r\n", "{}");
}

static void begin(fixture_t *f, unsigned needed, uint64_t most, int status)
{
    const http_agent_config_t agent = {.user_agent = STR("test")};
    memset(f, 0, sizeof *f);
    f->needed = needed;
    f->status = status;
    pthread_mutex_init(&f->tokens.lock, NULL);
    f->tokens.most = most;
    f->s = test_mcp_start(guarded, f);
    assert_int_equal(http_agent_new(&agent, &f->agent), RC_OK);
    const mcp_link_config_t config = {.agent = f->agent,
                                      .tokens = &f->tokens,
                                      .url = str_c(f->s->url),
                                      .reach = HTTP_REACH_LOOPBACK,
                                      .events = {on_message, on_failed, on_unheard, f}};
    assert_int_equal(mcp_link_new(&config, &f->l), RC_OK);
}

static void end(fixture_t *f)
{
    mcp_link_free(f->l);
    http_agent_free(f->agent);
    test_mcp_stop(f->s);
    pthread_mutex_destroy(&f->tokens.lock);
}

static void wait_for(const atomic_uint *what, unsigned n)
{
    int64_t until = clock_micros() / 1000 + TEST_PATIENCE_MS;
    while (atomic_load(what) < n && clock_micros() / 1000 < until)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    assert_int_equal(atomic_load(what), n);
}

#define CALL                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"weather\"}}"

static void call(fixture_t *f, uint64_t tag)
{
    const mcp_link_message_t m = {.json = STR(CALL), .tag = tag, .version = STATELESS};
    assert_int_equal(mcp_link_send(f->l, &m), RC_OK);
}

static void what_is_refused_is_sent_again_with_a_token(void **state)
{
    fixture_t f;
    begin(&f, 2, 2, 401);
    call(&f, 1);
    wait_for(&f.answers, 1);
    assert_int_equal(test_mcp_count(f.s), 3);
    assert_int_equal(f.tokens.status, 401);
    assert_string_equal(f.tokens.operation, "tools/call weather");
    assert_string_equal(f.tokens.challenge, "Bearer error=\"x\"");
    test_asked_t first = test_mcp_asked(f.s, 0), second = test_mcp_asked(f.s, 1);
    assert_false(str_is_set(test_field(&first, "Authorization")));
    assert_true(str_eq(test_field(&second, "Authorization"), STR("Bearer t1")));
    end(&f);
}

static void every_nonce_is_told_and_the_next_proof_bears_it(void **state)
{
    fixture_t f;
    begin(&f, 1, 1, 401);
    call(&f, 1);
    wait_for(&f.answers, 1);
    test_asked_t second = test_mcp_asked(f.s, 1);
    assert_true(str_eq(test_field(&second, "DPoP"), STR("POST n1")));
    assert_string_equal(f.tokens.nonce, "n2");
    assert_string_equal(f.tokens.well, "tools/call weather");
    end(&f);
}

static void what_no_token_helps_ends_with_the_reason(void **state)
{
    fixture_t f;
    begin(&f, 9, 2, 403);
    call(&f, 1);
    wait_for(&f.failures, 1);
    assert_int_equal(f.why.end, MCP_LINK_AUTH);
    assert_int_equal(f.why.status, 403);
    assert_int_equal(f.why.failure.reason, CLIENT_SIGN_IN_NEEDED);
    assert_string_equal(f.detail, "nobody is there");
    end(&f);
}

static void a_server_that_refuses_for_ever_is_asked_a_bounded_number_of_times(void **state)
{
    fixture_t f;
    begin(&f, 1000, 2000, 401);
    call(&f, 1);
    wait_for(&f.failures, 1);
    assert_int_equal(f.why.failure.reason, CLIENT_TOKEN_NOT_TAKEN);
    assert_int_equal(test_mcp_count(f.s), LIMIT_MCP_CLIENT_AUTH_TRIES + 1);
    end(&f);
}

static void requests_that_are_refused_together_share_one_sign_in(void **state)
{
    fixture_t f;
    begin(&f, 1, 5, 401);
    atomic_store(&f.tokens.hold, true);
    for (uint64_t tag = 1; tag <= 8; tag++)
        call(&f, tag);
    assert_true(test_mcp_wait(f.s, 8));
    atomic_store(&f.tokens.hold, false);
    wait_for(&f.answers, 8);
    assert_int_equal(f.tokens.signed_in, 1);
    assert_int_equal(atomic_load(&f.failures), 0);
    end(&f);
}

static void a_request_cancelled_during_a_sign_in_is_not_sent_again(void **state)
{
    fixture_t f;
    begin(&f, 1, 1, 401);
    atomic_store(&f.tokens.hold, true);
    call(&f, 1);
    assert_true(test_mcp_wait(f.s, 1));
    mcp_link_cancel(f.l, 1);
    atomic_store(&f.tokens.hold, false);
    call(&f, 2);
    wait_for(&f.answers, 1);
    assert_int_equal(atomic_load(&f.failures), 0);
    end(&f);
}

static void the_standing_stream_bears_a_token_too(void **state)
{
    fixture_t f;
    begin(&f, 1, 1, 401);
    assert_int_equal(mcp_link_listen(f.l, HANDSHAKE), RC_OK);
    wait_for(&f.answers, 1);
    test_asked_t second = test_mcp_asked(f.s, 1);
    assert_true(str_eq(second.method, STR("GET")));
    assert_true(str_eq(test_field(&second, "DPoP"), STR("GET n1")));
    end(&f);
}

/* Whether the header of a call came on the thread that sent it. */
static bool is_asked_here(bool waits)
{
    fixture_t f;
    begin(&f, 0, 0, 401);
    atomic_store(&f.tokens.waits, waits);
    f.tokens.generation = 3;
    f.needed = 3;
    call(&f, 1);
    wait_for(&f.answers, 1);
    bool here = pthread_equal(f.tokens.asker, pthread_self());
    assert_int_equal(test_mcp_count(f.s), 1);
    end(&f);
    return here;
}

static void a_token_that_is_at_hand_goes_along_at_once(void **state)
{
    assert_true(is_asked_here(false));
}

static void a_token_that_is_waited_for_holds_up_nobody_who_sends(void **state)
{
    assert_false(is_asked_here(true));
}

int main(void)
{
    HANDSHAKE = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    STATELESS = mcp_version_find(mcp_versions(), STR("2026-07-28"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_sent_again_with_a_token),
        cmocka_unit_test(every_nonce_is_told_and_the_next_proof_bears_it),
        cmocka_unit_test(what_no_token_helps_ends_with_the_reason),
        cmocka_unit_test(a_server_that_refuses_for_ever_is_asked_a_bounded_number_of_times),
        cmocka_unit_test(requests_that_are_refused_together_share_one_sign_in),
        cmocka_unit_test(a_request_cancelled_during_a_sign_in_is_not_sent_again),
        cmocka_unit_test(the_standing_stream_bears_a_token_too),
        cmocka_unit_test(a_token_that_is_at_hand_goes_along_at_once),
        cmocka_unit_test(a_token_that_is_waited_for_holds_up_nobody_who_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
