/* The deprecated transport of 2024-11-05, against servers that speak it, and such that only seem
 * to. */
#include "mcp_client/mcp_client_test_server.h"
#include "mcp_client/mcp_client_test_tokens.h"

#include "core/limits.h"
#include "mcp_client/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVENTS_MAX = 64, EVENT_BYTES = 512 };

/* A server whose stream says what its endpoint was asked. */
typedef struct {
    pthread_mutex_t lock;
    char v[EVENTS_MAX][EVENT_BYTES]; /* what the link told */
    size_t n;
    char out[EVENTS_MAX][EVENT_BYTES]; /* what the stream is to say */
    size_t n_out, n_said;
    const char *endpoint, *refusal;
    int status;
    atomic_int streams;
    atomic_uint needed; /* generation of the token that it takes; 0: any */
    atomic_bool closes;
    atomic_bool chatters; /* comments without an end */
    test_mcp_t *s;
    http_agent_t *agent;
    tokens_source_t tokens;
    mcp_link_t *l;
} fixture_t;

static const mcp_version_t *HANDSHAKE, *BATCHES;

#define REQUEST(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\"}"
#define INITIALIZE          REQUEST(1, "initialize")
#define INITIALIZED         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"

#define BATCH                                                                                      \
    "[{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}},{\"jsonrpc\":\"2.0\",\"method\":\"n\"}]"

static void put(char *line, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
static void put(char *line, const char *fmt, va_list args)
{
    vsnprintf(line, EVENT_BYTES, fmt, args);
}

static void note(fixture_t *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(fixture_t *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&f->lock);
    if (f->n < EVENTS_MAX)
        put(f->v[f->n++], fmt, args);
    pthread_mutex_unlock(&f->lock);
    va_end(args);
}

static void push(fixture_t *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void push(fixture_t *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&f->lock);
    if (f->n_out < EVENTS_MAX)
        put(f->out[f->n_out++], fmt, args);
    pthread_mutex_unlock(&f->lock);
    va_end(args);
}

static void on_message(void *ctx, uint64_t tag, const mcp_message_t *m)
{
    note(ctx, "message %llu %" PRIstr, (unsigned long long)tag, STR_ARG(m->root->raw));
}

static void on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why)
{
    static const char *const NAMES[] = {"unreachable", "auth",    "http", "broken",
                                        "malformed",   "timeout", "lost", "stopped"};
    note(ctx, "failed %llu %s %d %" PRIstr, (unsigned long long)tag, NAMES[why->end], why->status,
         STR_ARG(why->detail));
}

static void on_unheard(void *ctx, const mcp_link_failure_t *why)
{
    note(ctx, "unheard %d", why->status);
}

/* ---- the server ---- */

static bool is_at(const test_asked_t *r, const char *path)
{
    return str_contains(str_first(r->head, str_find(r->head, '\r', 0)), str_c(path));
}

static bool say_next(fixture_t *f, int fd)
{
    char line[EVENT_BYTES] = "";
    pthread_mutex_lock(&f->lock);
    if (f->n_said < f->n_out)
        memcpy(line, f->out[f->n_said++], EVENT_BYTES);
    pthread_mutex_unlock(&f->lock);
    return !line[0] || test_say(fd, "event: message\ndata: %s\n\n", line);
}

static bool chatter(fixture_t *f, int fd)
{
    return !atomic_load(&f->chatters) || test_say(fd, ": still here\n\n");
}

static bool stream(fixture_t *f, int fd)
{
    int64_t until = clock_micros() / 1000 + TEST_PATIENCE_MS;
    atomic_store(&f->closes, false);
    int own = ++f->streams;
    test_stream(fd, "");
    if (f->endpoint)
        test_say(fd, ": hello\n\nevent: endpoint\ndata: %s%d\n\n", f->endpoint, own);
    while (!atomic_load(&f->s->ending) && !atomic_load(&f->closes) && own == f->streams &&
           clock_micros() / 1000 < until && say_next(f, fd) && chatter(f, fd))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return false;
}

static bool is_wanted(fixture_t *f, const test_asked_t *r, int fd, bool *out)
{
    char want[32];
    snprintf(want, sizeof want, "Bearer t%u", atomic_load(&f->needed));
    bool good = !atomic_load(&f->needed) || str_eq(test_field(r, "Authorization"), str_c(want));
    if (!good)
        *out = test_status(fd, 401, "WWW-Authenticate: Bearer\r\n");
    return good;
}

static bool take(fixture_t *f, const test_asked_t *r, int fd)
{
    char id[64];
    test_id(r, id);
    if (test_asks(r, "gone"))
        return test_status(fd, 404, "");
    if (test_asks(r, "bad"))
        return test_json(fd, 400, "", "{\"error\":{\"message\":\"not so\"}}");
    if (test_asks(r, "batch"))
        push(f, BATCH, id);
    else if (strcmp(id, "null") != 0 && !test_asks(r, "silent"))
        push(f, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", id);
    return test_say(fd, "HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted");
}

static bool old_server(test_mcp_t *s, const test_asked_t *r, int fd)
{
    fixture_t *f = s->ctx;
    bool out = false;
    if (str_eq(r->method, STR("POST")) && is_at(r, " /sse"))
        return test_json(fd, f->status, "", "%s", f->refusal);
    if (!is_wanted(f, r, fd, &out))
        return out;
    if (str_eq(r->method, STR("GET")))
        return stream(f, fd);
    return is_at(r, " /messages?") ? take(f, r, fd) : test_status(fd, 404, "");
}

/* ---- the play ---- */

static void begin_with(fixture_t *f, test_answer_fn answer, int64_t answer_ms)
{
    static char url[128];
    const http_agent_config_t agent = {.user_agent = STR("test")};
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->tokens.lock, NULL);
    f->tokens.most = 2;
    f->endpoint = "/messages?s=";
    f->status = 405;
    f->refusal = "{\"detail\":\"Method Not Allowed\"}";
    f->s = test_mcp_start(answer, f);
    assert_int_equal(http_agent_new(&agent, &f->agent), RC_OK);
    size_t end = str_find(str_c(f->s->url), '/', 8);
    snprintf(url, sizeof url, "%.*s/sse", (int)end, f->s->url);
    const mcp_link_config_t config = {.agent = f->agent,
                                      .tokens = &f->tokens,
                                      .url = str_c(url),
                                      .reach = HTTP_REACH_LOOPBACK,
                                      .answer_ms = answer_ms,
                                      .events = {on_message, on_failed, on_unheard, f}};
    assert_int_equal(mcp_link_new(&config, &f->l), RC_OK);
}

static void begin(fixture_t *f, test_answer_fn answer)
{
    begin_with(f, answer, 0);
}

static void end(fixture_t *f)
{
    mcp_link_free(f->l);
    http_agent_free(f->agent);
    test_mcp_stop(f->s);
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->tokens.lock);
}

static size_t events(fixture_t *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->n;
    pthread_mutex_unlock(&f->lock);
    return n;
}

static void assert_event(fixture_t *f, size_t nth, const char *want)
{
    int64_t until = clock_micros() / 1000 + TEST_PATIENCE_MS;
    while (events(f) <= nth && clock_micros() / 1000 < until)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (events(f) <= nth)
        fail_msg("no event %zu came", nth);
    if (strncmp(f->v[nth], want, strlen(want)) != 0)
        fail_msg("event %zu is '%s', not '%s'", nth, f->v[nth], want);
}

static void send_with(fixture_t *f, const char *json, uint64_t tag, const mcp_version_t *version)
{
    const mcp_link_message_t m = {.json = str_c(json), .tag = tag, .version = version};
    assert_int_equal(mcp_link_send(f->l, &m), RC_OK);
}

static void open_old(fixture_t *f)
{
    size_t n = events(f);
    send_with(f, INITIALIZE, 1, NULL);
    assert_event(f, n, "message 1 {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    send_with(f, INITIALIZED, 0, HANDSHAKE);
    assert_int_equal(mcp_link_listen(f->l, HANDSHAKE), RC_OK);
}

/* ---- good servers ---- */

static void messages_go_to_the_endpoint_and_answers_come_on_the_stream(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST("two", "tools/list"), 2, HANDSHAKE);
    assert_event(&f, 1, "message 2 {\"jsonrpc\":\"2.0\",\"id\":\"two\",\"result\":{}}");
    push(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/changed\"}");
    push(&f, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}");
    assert_event(&f, 2, "message 0 {\"jsonrpc\":\"2.0\",\"method\":\"notifications/changed\"}");
    assert_event(&f, 3, "message 0 {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}");
    assert_false(mcp_link_has_session(f.l));
    assert_int_equal(test_mcp_count(f.s), 5);
    test_asked_t post = test_mcp_asked(f.s, 0), get = test_mcp_asked(f.s, 1);
    assert_true(str_eq(post.method, STR("POST")) && is_at(&post, " /sse "));
    assert_true(str_eq(get.method, STR("GET")) && is_at(&get, " /sse "));
    assert_true(str_eq(test_field(&get, "Accept"), STR("text/event-stream")));
    for (size_t i = 2; i < 5; i++) {
        test_asked_t r = test_mcp_asked(f.s, i);
        assert_true(str_eq(r.method, STR("POST")) && is_at(&r, " /messages?s=1 "));
    }
    end(&f);
}

static void the_token_goes_to_the_stream_and_to_the_endpoint(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    atomic_store(&f.needed, 1);
    open_old(&f);
    atomic_store(&f.needed, 2);
    send_with(&f, REQUEST(2, "tools/list"), 2, HANDSHAKE);
    assert_event(&f, 1, "message 2 ");
    assert_int_equal(test_mcp_holding(f.s, "GET /sse"), 2);
    assert_int_equal(f.tokens.refusals, 2);
    end(&f);
}

static void a_batch_on_the_stream_is_taken(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST(2, "batch"), 2, HANDSHAKE);
    assert_event(&f, 1, "message 0 {\"jsonrpc\":\"2.0\",\"method\":\"n\"}");
    assert_event(&f, 2, "message 2 {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    end(&f);
}

/* ---- when it ends ---- */

static void a_stream_that_ends_breaks_what_waits_and_loses_the_session(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST(2, "silent"), 2, HANDSHAKE);
    assert_true(test_mcp_wait(f.s, 5));
    atomic_store(&f.closes, true);
    assert_event(&f, 1, "failed 2 broken 0 the stream has ended that answers come on");
    send_with(&f, REQUEST(3, "tools/list"), 3, HANDSHAKE);
    assert_event(&f, 2, "failed 3 lost 0");
    open_old(&f);
    send_with(&f, REQUEST(4, "tools/list"), 4, HANDSHAKE);
    assert_event(&f, 4, "message 4 ");
    assert_int_equal(test_mcp_holding(f.s, "/messages?s=2 "), 3);
    end(&f);
}

static void a_session_that_the_endpoint_forgot_is_lost(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST(2, "gone"), 2, HANDSHAKE);
    assert_event(&f, 1, "failed 2 lost 404");
    send_with(&f, REQUEST(3, "tools/list"), 3, HANDSHAKE);
    assert_event(&f, 2, "failed 3 lost");
    open_old(&f);
    end(&f);
}

static void a_new_initialize_leaves_the_old_stream(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST(2, "silent"), 2, HANDSHAKE);
    assert_true(test_mcp_wait(f.s, 5));
    send_with(&f, REQUEST(3, "initialize"), 3, NULL);
    assert_event(&f, 1, "failed 2 broken");
    assert_event(&f, 2, "message 3 ");
    end(&f);
}

static void a_refused_message_is_told(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    open_old(&f);
    send_with(&f, REQUEST(2, "bad"), 2, HANDSHAKE);
    assert_event(&f, 1, "failed 2 http 400 not so");
    send_with(&f, REQUEST(3, "tools/list"), 3, HANDSHAKE);
    assert_event(&f, 2, "message 3 ");
    end(&f);
}

enum { SHORT_MS = 1500, PROGRESS_MS = 100, PROGRESSES = 20 };

/* Talk about other things postpones the end of a call, and not for ever. */
static void talk_on_the_stream_keeps_no_call_for_ever(void **state)
{
    fixture_t f;
    (void)state;
    begin_with(&f, old_server, SHORT_MS);
    open_old(&f);
    size_t n = events(&f);
    atomic_store(&f.chatters, true);
    send_with(&f, REQUEST(2, "silent"), 2, HANDSHAKE);
    assert_event(&f, n, "failed 2 timeout");
    end(&f);
}

/* What names the call does: it may last as long as it says how far it is. */
static void progress_on_the_stream_keeps_its_call(void **state)
{
    fixture_t f;
    (void)state;
    begin_with(&f, old_server, SHORT_MS);
    open_old(&f);
    size_t n = events(&f);
    atomic_store(&f.chatters, true);
    send_with(&f,
              "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"silent\",\"params\":{\"_meta\":{"
              "\"progressToken\":\"p\"}}}",
              2, HANDSHAKE);
    for (int i = 0; i < PROGRESSES; i++) {
        nanosleep(&(struct timespec){0, PROGRESS_MS * 1000000}, NULL);
        push(&f,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
             "\"progressToken\":\"p\",\"progress\":%d}}",
             i);
    }
    push(&f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    assert_event(&f, n + PROGRESSES, "message 2 ");
    end(&f);
}

static void a_link_ends_while_it_seeks(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    f.endpoint = NULL;
    send_with(&f, INITIALIZE, 1, NULL);
    assert_true(test_mcp_wait(f.s, 2));
    end(&f);
}

/* ---- what is no such server ---- */

static void assert_refused(fixture_t *f, const char *want, size_t asked)
{
    send_with(f, INITIALIZE, 1, NULL);
    assert_event(f, 0, want);
    assert_int_equal(test_mcp_count(f->s), asked);
    end(f);
}

static void an_endpoint_of_another_origin(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    f.endpoint = "http://127.0.0.1:1/messages?s=";
    atomic_store(&f.needed, 1);
    assert_refused(&f, "failed 1 malformed 0 its stream names an endpoint of another origin", 3);
}

static void an_endpoint_that_is_no_url(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    f.endpoint = "javascript:alert(1)//";
    assert_refused(&f, "failed 1 malformed 0 the endpoint that its stream names is no URL", 2);
}

static void a_stream_that_names_no_endpoint(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    f.endpoint = NULL;
    send_with(&f, INITIALIZE, 1, NULL);
    assert_true(test_mcp_wait(f.s, 2));
    atomic_store(&f.closes, true);
    assert_event(&f, 0, "failed 1 http 405");
    end(&f);
}

static void a_stream_that_names_no_endpoint_in_time(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    f.endpoint = NULL;
    assert_refused(&f, "failed 1 http 405", 2);
}

static void a_sign_in_that_fails_is_told(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    atomic_store(&f.needed, 9);
    assert_refused(&f, "failed 1 auth 401 nobody is there", 4);
}

/* Nothing but these three statuses leads to the old transport, and no error that a newer server
 * says. */
static void a_refusal_of_a_newer_server_is_no_reason(void **state)
{
    static const struct {
        int status;
        const char *body, *want;
    } CASES[] = {
        {500, "{}", "failed 1 http 500"},
        {410, "{}", "failed 1 http 410"},
        {400, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32022,\"message\":\"m\"}}",
         "failed 1 http 400 m"},
        {404, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"m\"}}",
         "failed 1 http 404 m"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        fixture_t f;
        begin(&f, old_server);
        f.status = CASES[i].status;
        f.refusal = CASES[i].body;
        assert_refused(&f, CASES[i].want, 1);
    }
}

static void other_requests_look_for_no_stream(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, old_server);
    send_with(&f, REQUEST(1, "tools/list"), 1, HANDSHAKE);
    assert_event(&f, 0, "failed 1 http 405");
    assert_int_equal(test_mcp_count(f.s), 1);
    end(&f);
}

/* ---- batches over Streamable HTTP ---- */

static bool in_batches(test_mcp_t *s, const test_asked_t *r, int fd)
{
    char id[64];
    (void)s;
    test_id(r, id);
    if (test_asks(r, "empty"))
        return test_json(fd, 200, "", "[]");
    if (test_asks(r, "wrong"))
        return test_json(fd, 200, "", "[{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}},7]", id);
    if (test_asks(r, "others"))
        return test_json(fd, 200, "", "[{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}]");
    if (!test_asks(r, "stream"))
        return test_json(fd, 200, "", BATCH, id);
    test_stream(fd, "");
    test_say(fd, "data: ");
    test_say(fd, BATCH, id);
    test_say(fd, "\n\n");
    return false;
}

static void a_batch_of_2025_03_26_is_taken(void **state)
{
    static const char *const SENT[] = {REQUEST(1, "plain"), REQUEST(2, "stream")};
    fixture_t f;
    (void)state;
    begin(&f, in_batches);
    for (size_t i = 0; i < 2; i++) {
        send_with(&f, SENT[i], i + 1, BATCHES);
        assert_event(&f, 2 * i,
                     i ? "message 2 {\"jsonrpc\":\"2.0\",\"method\":\"n\"}"
                       : "message 1 {\"jsonrpc\":\"2.0\",\"method\":\"n\"}");
        assert_event(&f, 2 * i + 1,
                     i ? "message 2 {\"jsonrpc\":\"2.0\",\"id\":2"
                       : "message 1 {\"jsonrpc\":\"2.0\",\"id\":1");
    }
    end(&f);
}

static void a_batch_that_is_none(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, in_batches);
    send_with(&f, REQUEST(1, "empty"), 1, BATCHES);
    assert_event(&f, 0, "failed 1 malformed 200");
    send_with(&f, REQUEST(2, "wrong"), 2, BATCHES);
    assert_event(&f, 1, "failed 2 malformed 200 the body is no JSON-RPC");
    send_with(&f, REQUEST(3, "others"), 3, BATCHES);
    assert_event(&f, 2, "failed 3 malformed 200 the body answers another request");
    end(&f);
}

static void a_batch_of_a_later_revision(void **state)
{
    fixture_t f;
    (void)state;
    begin(&f, in_batches);
    send_with(&f, REQUEST(1, "plain"), 1, HANDSHAKE);
    assert_event(&f, 0, "failed 1 malformed 200 the body is no JSON-RPC");
    send_with(&f, REQUEST(2, "stream"), 2, HANDSHAKE);
    assert_event(&f, 1, "failed 2 malformed 200 an event holds no message of JSON-RPC");
    end(&f);
}

int main(void)
{
    HANDSHAKE = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    BATCHES = mcp_version_find(mcp_versions(), STR("2025-03-26"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_to_the_endpoint_and_answers_come_on_the_stream),
        cmocka_unit_test(the_token_goes_to_the_stream_and_to_the_endpoint),
        cmocka_unit_test(a_batch_on_the_stream_is_taken),
        cmocka_unit_test(a_stream_that_ends_breaks_what_waits_and_loses_the_session),
        cmocka_unit_test(a_session_that_the_endpoint_forgot_is_lost),
        cmocka_unit_test(a_new_initialize_leaves_the_old_stream),
        cmocka_unit_test(a_refused_message_is_told),
        cmocka_unit_test(talk_on_the_stream_keeps_no_call_for_ever),
        cmocka_unit_test(progress_on_the_stream_keeps_its_call),
        cmocka_unit_test(a_link_ends_while_it_seeks),
        cmocka_unit_test(an_endpoint_of_another_origin),
        cmocka_unit_test(an_endpoint_that_is_no_url),
        cmocka_unit_test(a_stream_that_names_no_endpoint),
        cmocka_unit_test(a_stream_that_names_no_endpoint_in_time),
        cmocka_unit_test(a_sign_in_that_fails_is_told),
        cmocka_unit_test(a_refusal_of_a_newer_server_is_no_reason),
        cmocka_unit_test(other_requests_look_for_no_stream),
        cmocka_unit_test(a_batch_of_2025_03_26_is_taken),
        cmocka_unit_test(a_batch_that_is_none),
        cmocka_unit_test(a_batch_of_a_later_revision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
