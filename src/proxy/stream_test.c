#include "proxy/relay_test_world.h"

#include <stdlib.h>

#define EVENTS "Content-Type: text/event-stream\r\n"
#define GET    LEGACY "Accept: text/event-stream\r\n"

static bool heard(const relay_world_t *f, const char *text)
{
    return str_contains(test_wire_heard(&f->wire), str_c(text));
}

/* Between two marks of what the client heard last. */
static str_t between(relay_world_t *f, const char *from, const char *to)
{
    str_t text = test_wire_heard(&f->wire);
    const char *p = memmem(text.p, text.n, from, strlen(from));
    assert_non_null(p);
    p += strlen(from);
    const char *end = memmem(p, (size_t)(text.p + text.n - p), to, strlen(to));
    assert_non_null(end);
    return arena_dup(f->a, str_of(p, (size_t)(end - p)));
}

static void open_get(relay_world_t *f, const char *handle)
{
    str_t headers = arena_printf(f->a, ALICE GET "Mcp-Session-Id: %s\r\n", handle);
    relay_ask(f, "GET", headers.p, NULL);
    relay_head(f, 200, EVENTS);
}

static void events_pass_one_by_one(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS "Cache-Control: no-cache\r\n");
    assert_true(heard(f, "X-Accel-Buffering: no"));
    assert_true(heard(f, "Cache-Control: no-store"));
    relay_data(f, "event: message\ndata: {\"method\":\"notifications/progress\"}\n\nda");
    assert_true(heard(f, "notifications/progress"));
    relay_data(f, "ta: " RESULT("1") "\n");
    assert_false(heard(f, "\"result\""));
    relay_data(f, "\n");
    assert_true(heard(f, RESULT("1")));
    relay_end(f, HTTP_OUT_DONE);
    assert_true(heard(f, "\r\n0\r\n\r\n"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_int_equal(f->n_events, 2);
}

/* What breaks off: the client that waits for its answer is told so, and need not wait on. */
static void assert_told(relay_world_t *f, const char *sentence, const char *reason)
{
    assert_false(f->wire.aborted);
    assert_true(heard(f, "\"id\":1,\"error\":"));
    assert_true(heard(f, sentence));
    assert_true(heard(f, "\r\n0\r\n\r\n"));
    relay_assert_last(f, AUDIT_CALL_END, true, reason);
}

static void begin_events(relay_world_t *f, const char *first)
{
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS);
    relay_data(f, first);
}

static void a_request_whose_stream_breaks_gets_an_error(void **state)
{
    static const struct {
        http_outbound_end_t how;
        const char *sentence, *reason;
    } ROWS[] = {
        {HTTP_OUT_BROKEN, "broke off its answer", "upstream_broken"},
        {HTTP_OUT_LOST, "broke off its answer", "upstream_broken"},
        {HTTP_OUT_TIMEOUT, "did not answer in time", "upstream_timeout"},
        {HTTP_OUT_MALFORMED, "answer cannot be read", "upstream_malformed"},
    };
    relay_world_t *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        begin_events(f, "data: {}\n\nda");
        relay_end(f, ROWS[i].how);
        assert_told(f, ROWS[i].sentence, ROWS[i].reason);
    }
    begin_events(f, "data: {\"a\":1}\n\ndata: \xff\xfe\n\n");
    assert_int_equal(f->cancels, 1);
    assert_true(heard(f, "data: {\"a\":1}"));
    assert_told(f, "answer cannot be read", "upstream_malformed");
    relay_control(f);
}

static void a_stream_that_breaks_after_its_answer_is_cut(void **state)
{
    relay_world_t *f = *state;
    begin_events(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_BROKEN);
    assert_true(f->wire.aborted);
    assert_false(heard(f, "\"error\""));
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_broken");
    relay_control(f);
}

/* Who can take it up again gets the answer so; not where nothing is left to take up. */
static void a_stream_that_can_be_taken_up_again_is_cut(void **state)
{
    relay_world_t *f = *state;
    begin_events(f, "id: e-1\ndata: {}\n\n");
    relay_end(f, HTTP_OUT_BROKEN);
    assert_true(f->wire.aborted);
    assert_false(heard(f, "\"error\""));
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_broken");
    begin_events(f, "id: e-1\ndata: {}\n\n");
    relay_end(f, HTTP_OUT_LOST);
    assert_told(f, "broke off its answer", "upstream_broken");
    open_get(f, relay_session(f, ALICE));
    relay_end(f, HTTP_OUT_BROKEN);
    assert_true(f->wire.aborted);
    relay_control(f);
}

static void a_list_that_cannot_be_read_is_an_error(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    relay_head(f, 200, EVENTS);
    relay_data(f, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[7]}}\n\n");
    assert_int_equal(f->cancels, 1);
    assert_told(f, "list cannot be read", "list_malformed");
    relay_control(f);
}

/* The stream of a call whose client takes 100 bytes of what has come, and no more. */
static void begin_for_a_slow_client(relay_world_t *f)
{
    enum { PIECE = 200000 };
    char *event = malloc(PIECE);
    assert_non_null(event);
    memset(event, 'x', PIECE);
    memcpy(event, "data: ", 6);
    memcpy(event + PIECE - 3, "\n\n", 3);
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS);
    f->wire.window = 100;
    relay_data(f, event);
    relay_data(f, event);
    free(event);
}

/* Now it takes all, and what was held comes behind the trail's answer. */
static void take_the_rest(relay_world_t *f)
{
    test_wire_take(&f->wire, SIZE_MAX);
    test_wire_take(&f->wire, SIZE_MAX);
    trail_flush(&f->w->trail);
    test_wire_take(&f->wire, SIZE_MAX);
}

/* Its client takes nothing: the error waits behind the rest, and the upstream is let go. */
static void a_slow_client_gets_the_error_of_a_break(void **state)
{
    relay_world_t *f = *state;
    begin_for_a_slow_client(f);
    relay_data(f, "data: \xff\xfe\n\n");
    assert_int_equal(f->cancels, 1);
    assert_int_equal(f->n_events, 1);
    take_the_rest(f);
    assert_told(f, "answer cannot be read", "upstream_malformed");
}

static void an_error_without_memory_is_a_cut(void **state)
{
    relay_world_t *f = *state;
    begin_events(f, "data: {}\n\n");
    for (size_t size = 1 << 20; size > 0; size /= 2)
        while (arena_alloc(f->w->scratch, size))
            continue;
    relay_end(f, HTTP_OUT_DONE);
    assert_true(f->wire.aborted);
    relay_assert_last(f, AUDIT_CALL_END, true, "out_of_memory");
    assert_string_equal(relay_last(f)->detail, ""); /* nobody was told of an error */
    arena_reset(f->w->scratch);
    relay_control(f);
}

static void ids_of_events_are_their_principals(void **state)
{
    relay_world_t *f = *state;
    const char *mine = relay_session(f, ALICE), *theirs = relay_session(f, BOB);
    open_get(f, mine);
    relay_data(f, "id: e-7\ndata: {}\n\n");
    str_t id = between(f, "id: ", "\n");
    assert_false(str_eq(id, STR("e-7")));
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    str_t again = arena_printf(
        f->a, ALICE GET "Mcp-Session-Id: %s\r\nLast-Event-ID: %" PRIstr "\r\n", mine, STR_ARG(id));
    relay_ask(f, "GET", again.p, NULL);
    assert_string_equal(f->last_event, "e-7");
    assert_string_equal(f->session, "s-1");
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    str_t other = arena_printf(f->a, BOB GET "Mcp-Session-Id: %s\r\nLast-Event-ID: %" PRIstr "\r\n",
                               theirs, STR_ARG(id));
    http_direct_answer_t r = relay_ask(f, "GET", other.p, NULL);
    assert_int_equal(r.status, 403);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "foreign_event");
    other = arena_printf(f->a, ALICE GET "Last-Event-ID: %" PRIstr "\r\n", STR_ARG(id));
    r = relay_ask(f, "GET", other.p, NULL);
    assert_int_equal(r.status, 403);
    relay_control(f);
}

static void a_get_that_the_upstream_does_not_offer(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "GET", ALICE GET, NULL);
    http_direct_answer_t r = relay_answer(f, 405, "Allow: POST\r\n", "");
    assert_int_equal(r.status, 405);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_refused");
    relay_control(f);
}

static void a_slow_client_slows_the_upstream(void **state)
{
    enum { PIECES = 12, PIECE = 40000 };
    relay_world_t *f = *state;
    char event[PIECE];
    memset(event, 'x', sizeof event);
    memcpy(event, "data: ", 6);
    memcpy(event + PIECE - 3, "\n\n", 3);
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS);
    f->wire.window = 100;
    for (int i = 0; i < PIECES && f->pauses == 0; i++)
        relay_data(f, event);
    assert_int_equal(f->pauses, 1);
    assert_int_equal(f->resumes, 0);
    test_wire_take(&f->wire, SIZE_MAX);
    test_wire_take(&f->wire, SIZE_MAX);
    assert_int_equal(f->resumes, 1);
    relay_data(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    test_wire_take(&f->wire, SIZE_MAX);
    assert_true(heard(f, RESULT("1")));
    assert_true(heard(f, "\r\n0\r\n\r\n"));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
}

static void an_upstream_that_ends_first_waits_for_the_client(void **state)
{
    relay_world_t *f = *state;
    begin_for_a_slow_client(f);
    relay_data(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_int_equal(f->n_events, 1);
    take_the_rest(f);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_true(heard(f, "\r\n0\r\n\r\n"));
}

static void a_slow_client_gets_the_error_behind_what_waits(void **state)
{
    relay_world_t *f = *state;
    begin_for_a_slow_client(f);
    relay_end(f, HTTP_OUT_DONE);
    assert_int_equal(f->n_events, 1);
    take_the_rest(f);
    relay_assert_last(f, AUDIT_CALL_END, true, "upstream_unanswered");
    assert_true(heard(f, "ended the stream without an answer"));
    assert_true(heard(f, "\r\n0\r\n\r\n"));
}

static void a_slow_client_that_goes_lets_the_call_run_on(void **state)
{
    relay_world_t *f = *state;
    begin_for_a_slow_client(f);
    assert_int_equal(f->pauses, 1);
    test_wire_break(&f->wire);
    assert_int_equal(f->resumes, 1);
    assert_int_equal(f->w->detached, 1);
    relay_data(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
}

static void silence_is_filled_with_comments(void **state)
{
    relay_world_t *f = *state;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, RELAY_COMMENT_MS - 1);
    assert_false(heard(f, "\n:"));
    relay_pass(f, RELAY_COMMENT_SPREAD);
    assert_true(heard(f, "\n:"));
}

static void an_idle_stream_is_slim_and_goes_on(void **state)
{
    relay_world_t *f = *state;
    open_get(f, relay_session(f, ALICE));
    assert_null(f->w->calls->r);
    assert_non_null(f->w->calls->kept);
    relay_data(f, "id: e-1\ndata: {\"method\":\"notifications/message\"}\n\n");
    assert_true(heard(f, "notifications/message"));
    relay_end(f, HTTP_OUT_DONE);
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_string_equal(relay_last(f)->user, "alice");
    assert_string_equal(relay_last(f)->method, "GET");
}

static void the_stream_of_a_long_call_becomes_slim(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS);
    assert_non_null(f->w->calls->r);
    relay_pass(f, RELAY_SLIM_MS);
    assert_null(f->w->calls->r);
    relay_data(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_true(heard(f, RESULT("1")));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_string_equal(relay_last(f)->object, "echo");
}

static void one_of_many_streams_is_slim_at_once(void **state)
{
    relay_world_t *f = *state;
    f->w->streams = RELAY_FAT_STREAMS;
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    relay_head(f, 200, EVENTS);
    assert_null(f->w->calls->r);
    relay_data(f, "data: " RESULT("1") "\n\n");
    relay_end(f, HTTP_OUT_DONE);
    assert_true(heard(f, RESULT("1")));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
    assert_int_equal(f->w->streams, RELAY_FAT_STREAMS);
}

static void a_stream_ends_with_its_token(void **state)
{
    relay_world_t *f = *state;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, 1029999);
    assert_true(f->open);
    relay_pass(f, 1);
    assert_false(f->open);
    assert_true(heard(f, "\r\n0\r\n\r\n"));
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

static void a_stream_ends_when_its_token_is_revoked(void **state)
{
    relay_world_t *f = *state;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, 5000);
    assert_true(f->open);
    f->revoked = true;
    relay_pass(f, 1000);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
    f->revoked = false;
    relay_control(f);
}

static void an_opaque_token_is_asked_about_again(void **state)
{
    relay_world_t *f = *state;
    f->opaque = true;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, 60000);
    assert_int_equal(f->asked, 1);
    relay_pass(f, 53000);
    assert_int_equal(f->asked, 1);
    relay_pass(f, 7000);
    assert_int_equal(f->asked, 2);
    relay_pass(f, 50000);
    assert_int_equal(f->asked, 2);
    f->still = ACCESS_UNSURE;
    relay_pass(f, 10000);
    relay_pass(f, 1000);
    assert_int_equal(f->asked, 4);
    assert_true(f->open);
    f->still = ACCESS_ENDED;
    relay_pass(f, 1000);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
    f->still = ACCESS_STILL;
    relay_control(f);
}

static void a_stream_does_not_stay_open_unsure(void **state)
{
    relay_world_t *f = *state;
    f->opaque = true;
    f->still = ACCESS_UNSURE;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, 60000);
    relay_pass(f, RELAY_UNSURE_MS - 1);
    assert_true(f->open);
    relay_pass(f, 1);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

/* Streams that open together are looked at over the whole interval. */
static void a_first_look_comes_at_any_time(void **state)
{
    relay_world_t *f = *state;
    size_t early = 0;
    const char *session = relay_session(f, ALICE);
    f->opaque = true;
    for (int i = 0; i < 32; i++) {
        size_t asked = f->asked;
        f->n_events = 0;
        open_get(f, session);
        relay_pass(f, 30000);
        early += f->asked > asked;
        relay_end(f, HTTP_OUT_DONE);
        relay_control(f);
    }
    assert_in_range(early, 8, 24);
}

/* Where so many are asked about that one is not, its server is not to blame. */
static void a_stream_that_nobody_asks_about_stays_open(void **state)
{
    relay_world_t *f = *state;
    f->opaque = true;
    f->still = ACCESS_LATER;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, RELAY_UNSURE_MS);
    relay_pass(f, 60000);
    assert_true(f->open);
    f->still = ACCESS_UNSURE;
    relay_pass(f, 1000);
    f->still = ACCESS_LATER;
    relay_pass(f, RELAY_UNSURE_MS - 1000);
    assert_true(f->open);
    relay_pass(f, 1000);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

static void a_stream_that_nobody_asks_about_ends(void **state)
{
    relay_world_t *f = *state;
    f->opaque = true;
    f->still = ACCESS_LATER;
    open_get(f, relay_session(f, ALICE));
    relay_pass(f, RELAY_UNASKED_MS);
    assert_true(f->open);
    relay_pass(f, 60000);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

static void open_listen(relay_world_t *f)
{
    relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    relay_head(f, 200, EVENTS);
}

static void a_subscription_ends_with_its_completion(void **state)
{
    relay_world_t *f = *state;
    open_listen(f);
    relay_pass(f, RELAY_SLIM_MS);
    f->revoked = true;
    relay_pass(f, 1000);
    assert_int_equal(f->cancels, 1);
    assert_true(heard(f,
                      "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"resultType\":\"complete\","
                      "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":9}}}\n"));
    assert_true(heard(f, "\r\n0\r\n\r\n"));
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

static void the_stream_of_a_call_ends_with_an_error(void **state)
{
    relay_world_t *f = *state;
    relay_ask(f, "POST", ALICE POSTED, CALL("4", "echo"));
    relay_head(f, 200, EVENTS);
    f->revoked = true;
    relay_pass(f, 1000);
    assert_true(heard(f, "\"id\":4,\"error\":"));
    relay_assert_last(f, AUDIT_CALL_END, true, "token_ended");
}

static void draining_ends_what_stays_open(void **state)
{
    relay_world_t *f = *state;
    open_listen(f);
    relay_worker_drain(f->g, f->w);
    trail_flush(&f->w->trail);
    assert_true(heard(f, "\"complete\""));
    relay_assert_last(f, AUDIT_CALL_END, true, "draining");
    http_direct_answer_t r =
        relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    assert_int_equal(r.status, 503);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "draining");
    relay_control(f);
}

static void a_subject_has_so_many_streams(void **state)
{
    relay_world_t *f = *state;
    assert_int_equal(
        seats_take(f->g->seats, STR("/mcp"),
                   &(gate_principal_t){.issuer = STR("https://as.test"), .subject = STR("alice")},
                   2),
        RC_OK);
    open_listen(f);
    http_direct_answer_t r =
        relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    assert_int_equal(f->cancels, 1); /* the first client is gone */
    assert_int_equal(r.status, 0);
    relay_head(f, 200, EVENTS);
    assert_int_equal(
        seats_take(f->g->seats, STR("/mcp"),
                   &(gate_principal_t){.issuer = STR("https://as.test"), .subject = STR("alice")},
                   0),
        RC_OK);
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    r = relay_ask(f, "POST", ALICE MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    assert_int_equal(r.status, 429);
    assert_text(relay_header(&r, "Retry-After"), "1");
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "too_many_streams");
    relay_ask(f, "POST", BOB MODERN_HEAD("subscriptions/listen"), LISTEN("9"));
    assert_true(f->open);
}

static void a_stream_without_events_may_have_an_end(void **state)
{
    relay_world_t *f = *state;
    f->conf.stream_idle_s = 100;
    open_listen(f);
    relay_pass(f, 90000);
    relay_data(f, ":\n\n");
    relay_pass(f, 90000);
    assert_true(f->open);
    relay_pass(f, 10000);
    assert_false(f->open);
    relay_assert_last(f, AUDIT_CALL_END, true, "stream_idle");
}

static void the_stateless_era_has_no_event_ids(void **state)
{
    relay_world_t *f = *state;
    open_listen(f);
    relay_data(f, "id: e-1\ndata: {\"a\":1}\n\n");
    assert_true(heard(f, "data: {\"a\":1}"));
    assert_false(heard(f, "id: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(events_pass_one_by_one),
        RELAY_TEST(a_request_whose_stream_breaks_gets_an_error),
        RELAY_TEST(a_stream_that_breaks_after_its_answer_is_cut),
        RELAY_TEST(a_stream_that_can_be_taken_up_again_is_cut),
        RELAY_TEST(a_list_that_cannot_be_read_is_an_error),
        RELAY_TEST(a_slow_client_gets_the_error_of_a_break),
        RELAY_TEST(an_error_without_memory_is_a_cut),
        RELAY_TEST(ids_of_events_are_their_principals),
        RELAY_TEST(a_get_that_the_upstream_does_not_offer),
        RELAY_TEST(a_slow_client_slows_the_upstream),
        RELAY_TEST(an_upstream_that_ends_first_waits_for_the_client),
        RELAY_TEST(a_slow_client_gets_the_error_behind_what_waits),
        RELAY_TEST(a_slow_client_that_goes_lets_the_call_run_on),
        RELAY_TEST(silence_is_filled_with_comments),
        RELAY_TEST(an_idle_stream_is_slim_and_goes_on),
        RELAY_TEST(the_stream_of_a_long_call_becomes_slim),
        RELAY_TEST(one_of_many_streams_is_slim_at_once),
        RELAY_TEST(a_stream_ends_with_its_token),
        RELAY_TEST(a_stream_ends_when_its_token_is_revoked),
        RELAY_TEST(an_opaque_token_is_asked_about_again),
        RELAY_TEST(a_stream_does_not_stay_open_unsure),
        RELAY_TEST(a_stream_that_nobody_asks_about_ends),
        RELAY_TEST(a_first_look_comes_at_any_time),
        RELAY_TEST(a_stream_that_nobody_asks_about_stays_open),
        RELAY_TEST(a_subscription_ends_with_its_completion),
        RELAY_TEST(the_stream_of_a_call_ends_with_an_error),
        RELAY_TEST(draining_ends_what_stays_open),
        RELAY_TEST(a_subject_has_so_many_streams),
        RELAY_TEST(a_stream_without_events_may_have_an_end),
        RELAY_TEST(the_stateless_era_has_no_event_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
