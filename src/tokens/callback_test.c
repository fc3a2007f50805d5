#include "core/core_test_util.h"
#include "tokens/callback.h"

#include "core/buf.h"
#include "core/ports.h"
#include "tokens/callback_conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20000, ANSWER_BYTES = 8192, MANY = 40 };

/* A listener that waits on a thread of its own. */
typedef struct {
    tokens_callback_t *callback;
    pthread_t thread;
    _Atomic(bool) stop;
    _Atomic(int) judged;
    str_t takes; /* the query that the judge takes */
    bool ill;    /* and that the sign-in did not go well */
    int64_t wait_ms;
    rc_t rc;
} world_t;

static bool judge_takes(void *ctx, str_t query, bool *well)
{
    world_t *w = ctx;
    atomic_fetch_add(&w->judged, 1);
    *well = !w->ill;
    return str_eq(query, w->takes);
}

static void *wait_for_it(void *arg)
{
    world_t *w = arg;
    w->rc = tokens_callback_wait(w->callback, (tokens_callback_judge_t){judge_takes, w}, w->wait_ms,
                                 &w->stop);
    return NULL;
}

static void begin(world_t *w)
{
    w->takes = str_is_set(w->takes) ? w->takes : STR("code=c&state=s");
    w->wait_ms = w->wait_ms ? w->wait_ms : WAIT_MS;
    w->rc = RC_CONFLICT;
    assert_int_equal(tokens_callback_open(0, "/callback", &w->callback), RC_OK);
    assert_int_equal(pthread_create(&w->thread, NULL, wait_for_it, w), 0);
}

static void assert_ends(world_t *w, rc_t want)
{
    pthread_join(w->thread, NULL);
    assert_int_equal(w->rc, want);
    tokens_callback_close(w->callback);
}

static int dial_at(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static int dial(const world_t *w)
{
    int fd = dial_at(tokens_callback_port(w->callback));
    assert_true(fd >= 0);
    return fd;
}

/* All of it, as far as the listener takes it. */
static void say(int fd, str_t bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes = str_skip(bytes, (size_t)n);
    }
}

/* What comes until the end of the connection, which is waited for. */
static str_t hear(int fd, char answer[ANSWER_BYTES])
{
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n < ANSWER_BYTES - 1) {
        assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        ssize_t got = recv(fd, answer + n, ANSWER_BYTES - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    answer[n] = '\0';
    return str_of(answer, n);
}

static str_t ask(const world_t *w, str_t request, char answer[ANSWER_BYTES])
{
    int fd = dial(w);
    say(fd, request);
    return hear(fd, answer);
}

/* A request of the browser's kind, with "@" for the port that the listener has. */
static str_t with_port(arena_t *a, const world_t *w, str_t form)
{
    str_t part, rest = form;
    buf_t b = buf_new(a, 2 << 20);
    for (bool first = true; str_split(&rest, '@', &part); first = false) {
        if (!first)
            buf_u64(&b, tokens_callback_port(w->callback));
        buf_put(&b, part);
    }
    str_t request;
    assert_int_equal(buf_done(&b, &request), RC_OK);
    return request;
}

#define TAIL                 " HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\n"
#define THE_ONE              "GET /callback?code=c&state=s" TAIL
#define SAYS(answer, status) assert_true(str_starts(answer, STR("HTTP/1.1 " status " ")))

static void the_answer_that_is_taken_ends_the_wait(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    str_t answer = ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes);
    SAYS(answer, "200");
    assert_true(str_contains(answer, STR("You are signed in")));
    assert_int_equal(w.judged, 1);
    assert_ends(&w, RC_OK);
}

static void an_answer_that_did_not_go_well_says_so(void **state)
{
    world_t w = {.ill = true};
    char bytes[ANSWER_BYTES];
    begin(&w);
    str_t answer = ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes);
    SAYS(answer, "200");
    assert_true(str_contains(answer, STR("did not succeed")));
    assert_ends(&w, RC_OK);
}

/* attack case: CLI-009 */
static void what_is_not_the_answer_is_refused_and_ends_nothing(void **state)
{
    static const struct {
        const char *what;
        str_t request;
        int status;
    } CASES[] = {
        {"another path", STR_INIT("GET /?code=c&state=s" TAIL), 404},
        {"a longer path", STR_INIT("GET /callback/?code=c&state=s" TAIL), 404},
        {"an escaped path", STR_INIT("GET /%63allback?code=c&state=s" TAIL), 404},
        {"an icon", STR_INIT("GET /favicon.ico" TAIL), 404},
        {"POST", STR_INIT("POST /callback?code=c&state=s" TAIL), 400},
        {"HEAD", STR_INIT("HEAD /callback?code=c&state=s" TAIL), 400},
        {"OPTIONS", STR_INIT("OPTIONS /callback?code=c&state=s" TAIL), 400},
        {"unknown method", STR_INIT("BREW /callback?code=c&state=s" TAIL), 400},
        {"a body",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:@\r\n"
                  "Content-Length: 1\r\n\r\nx"),
         400},
        {"a chunked body",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:@\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         400},
        {"a stranger's Host",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\n"
                  "Host: evil.test\r\n\r\n"),
         400},
        {"a stranger's Host with the port",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\n"
                  "Host: evil.test:@\r\n\r\n"),
         400},
        {"a Host without port",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\n"
                  "Host: 127.0.0.1\r\n\r\n"),
         400},
        {"a Host with another port",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\n"
                  "Host: 127.0.0.1:1\r\n\r\n"),
         400},
        {"no Host", STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\n\r\n"), 400},
        {"no Host in HTTP/1.0", STR_INIT("GET /callback?code=c&state=s HTTP/1.0\r\n\r\n"), 400},
        {"two Hosts",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:@\r\n"
                  "Host: 127.0.0.1:@\r\n\r\n"),
         400},
        {"another version", STR_INIT("GET /callback?code=c&state=s HTTP/2.0\r\n\r\n"), 400},
        {"no HTTP", STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n"), 400},
        {"a folded field",
         STR_INIT("GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:@\r\n"
                  "A: b\r\n c\r\n\r\n"),
         400},
        {"no query", STR_INIT("GET /callback" TAIL), 400},
        {"a query that the judge leaves", STR_INIT("GET /callback?code=c&state=t" TAIL), 400},
        {"the query twice", STR_INIT("GET /callback?code=c&state=s?code=c&state=s" TAIL), 400},
    };
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t answer = ask(&w, with_port(*state, &w, CASES[i].request), bytes);
        str_t want = arena_printf(*state, "HTTP/1.1 %d ", CASES[i].status);
        if (!str_starts(answer, want))
            fail_msg("%s: '%" PRIstr "'", CASES[i].what, STR_ARG(answer));
    }
    assert_int_equal(w.judged, 3);
    SAYS(ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes), "200");
    assert_ends(&w, RC_OK);
}

static str_t long_request(arena_t *a, const world_t *w, size_t query_n, size_t field_n)
{
    buf_t b = buf_new(a, 4 << 20);
    buf_put(&b, STR("GET /callback?code="));
    for (size_t i = 0; i < query_n; i++)
        buf_char(&b, 'c');
    buf_put(&b, with_port(a, w, STR(" HTTP/1.1\r\nHost: 127.0.0.1:@\r\nCookie: a=")));
    for (size_t i = 0; i < field_n; i++)
        buf_char(&b, 'd');
    buf_put(&b, STR("\r\n\r\n"));
    str_t request;
    assert_int_equal(buf_done(&b, &request), RC_OK);
    return request;
}

/* attack case: CLI-009 */
static void heads_that_are_too_long_are_refused_and_end_nothing(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    SAYS(ask(&w, long_request(*state, &w, 1 << 20, 1), bytes), "400");
    SAYS(ask(&w, long_request(*state, &w, 1, 1 << 20), bytes), "400");
    SAYS(ask(&w, long_request(*state, &w, 1, CALLBACK_HEAD_BYTES), bytes), "400");
    assert_int_equal(w.judged, 0);
    /* What is long and within the bound gets to the judge. */
    SAYS(ask(&w, long_request(*state, &w, 7000, 8000), bytes), "400");
    assert_int_equal(w.judged, 1);
    SAYS(ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes), "200");
    assert_ends(&w, RC_OK);
}

/* attack case: CLI-009 */
static void the_port_is_closed_after_the_answer(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    uint16_t port = tokens_callback_port(w.callback);
    int other = dial(&w);
    SAYS(ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes), "200");
    pthread_join(w.thread, NULL);
    assert_int_equal(w.rc, RC_OK);
    say(other, with_port(*state, &w, STR(THE_ONE)));
    assert_int_equal(hear(other, bytes).n, 0);
    assert_int_equal(dial_at(port), -1);
    assert_int_equal(w.judged, 1);
    tokens_callback_judge_t judge = {judge_takes, &w};
    assert_int_equal(tokens_callback_wait(w.callback, judge, WAIT_MS, NULL), RC_NOT_FOUND);
    tokens_callback_close(w.callback);
}

/* attack case: CLI-009 */
static void it_listens_at_loopback_only(void **state)
{
    (void)state;
    world_t w = {0};
    struct sockaddr_in at;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t n = sizeof at;
    begin(&w);
    int fd = dial(&w);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(ntohl(at.sin_addr.s_addr), INADDR_LOOPBACK);
    /* Another address of the same machine is not answered, so it is not bound to all. */
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(connect(second, (const struct sockaddr *)&at, sizeof at), 0);
    six.sin6_port = at.sin_port;
    int third = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (third >= 0)
        assert_int_not_equal(connect(third, (const struct sockaddr *)&six, sizeof six), 0);
    close(fd);
    close(second);
    close(third);
    w.stop = true;
    assert_ends(&w, RC_NOT_FOUND);
}

/* attack case: CLI-010 */
static void the_page_reflects_nothing(void **state)
{
    static const char *const QUERIES[] = {
        "error=%3Cscript%3Ealert(1)%3C/script%3E&error_description=MARK&state=s",
        "error=access_denied&error_description=%0d%0aMARK:%20x&state=s",
        "code=%3Csvg%20onload=MARK%3E&state=s",
        "code=MARK&state=MARK",
    };
    static const str_t FIELDS[] = {
        STR_INIT("\r\nCache-Control: no-store\r\n"),
        STR_INIT("\r\nReferrer-Policy: no-referrer\r\n"),
        STR_INIT("\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline';"),
        STR_INIT("\r\nX-Content-Type-Options: nosniff\r\n"),
        STR_INIT("\r\nConnection: close\r\n"),
        STR_INIT("\r\nContent-Type: text/html; charset=utf-8\r\n"),
    };
    char bytes[ANSWER_BYTES];
    static char page[CALLBACK_PAGE_BYTES];
    for (size_t i = 0; i < ROWS(QUERIES); i++) {
        world_t w = {.takes = str_c(QUERIES[i]), .ill = i % 2};
        begin(&w);
        str_t form = arena_printf(*state, "GET /callback?%s" TAIL, QUERIES[i]);
        str_t answer = ask(&w, with_port(*state, &w, form), bytes);
        size_t n = callback_page_write(w.ill ? CALLBACK_NOT_WELL : CALLBACK_WELL, page);
        assert_str(answer, str_of(page, n));
        assert_false(str_contains(answer, STR("MARK")));
        assert_false(str_contains(answer, STR("script")));
        assert_ends(&w, RC_OK);
    }
    for (callback_page_t p = CALLBACK_WELL; p <= CALLBACK_ELSEWHERE; p++) {
        str_t answer = str_of(page, callback_page_write(p, page));
        for (size_t i = 0; i < ROWS(FIELDS); i++)
            assert_true(str_contains(answer, FIELDS[i]));
    }
}

static void silent_connections_do_not_keep_out_the_answer(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    int silent[MANY];
    begin(&w);
    for (size_t i = 0; i < MANY; i++) {
        silent[i] = dial(&w);
        say(silent[i], STR("GET /callb"));
    }
    SAYS(ask(&w, with_port(*state, &w, STR(THE_ONE)), bytes), "200");
    assert_ends(&w, RC_OK);
    for (size_t i = 0; i < MANY; i++)
        close(silent[i]);
}

static void an_answer_in_single_bytes_is_taken(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    int fd = dial(&w);
    str_t request = with_port(*state, &w, STR(THE_ONE));
    for (size_t i = 0; i < request.n; i++)
        say(fd, str_of(request.p + i, 1));
    SAYS(hear(fd, bytes), "200");
    assert_ends(&w, RC_OK);
}

static void localhost_is_taken_as_well(void **state)
{
    world_t w = {0};
    char bytes[ANSWER_BYTES];
    begin(&w);
    str_t form = STR("GET /callback?code=c&state=s HTTP/1.1\r\nHost: LocalHost:@\r\n\r\n");
    SAYS(ask(&w, with_port(*state, &w, form), bytes), "200");
    assert_ends(&w, RC_OK);
}

static void who_says_nothing_is_cut(void **state)
{
    (void)state;
    static callback_conn_t c;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    callback_conn_begin(&c, ends[0], 1000);
    assert_int_equal(c.until, 1000 + CALLBACK_CONN_MS);
    assert_int_equal(callback_conn_read(&c), HTTP_STEP_MORE);
    callback_conn_say(&c, CALLBACK_WRONG, 2000);
    assert_int_equal(c.until, 2000 + CALLBACK_DRAIN_MS);
    assert_int_equal(c.state, CALLBACK_CONN_DRAINS);
    close(ends[1]);
    callback_conn_go_on(&c);
    assert_int_equal(c.state, CALLBACK_CONN_FREE);
    callback_conn_end(&c);
}

static void nobody_comes_in_time(void **state)
{
    (void)state;
    world_t w = {.wait_ms = 30};
    begin(&w);
    assert_ends(&w, RC_NOT_FOUND);
}

static void a_stop_ends_the_wait(void **state)
{
    (void)state;
    world_t w = {0};
    clock_port_t clock = clock_system();
    int64_t from = clock.mono_ms(clock.ctx);
    begin(&w);
    w.stop = true;
    assert_ends(&w, RC_NOT_FOUND);
    assert_true(clock.mono_ms(clock.ctx) - from < WAIT_MS / 2);
}

static void a_port_that_is_taken_is_busy(void **state)
{
    (void)state;
    tokens_callback_t *first, *second;
    assert_int_equal(tokens_callback_open(0, "/callback", &first), RC_OK);
    uint16_t port = tokens_callback_port(first);
    assert_true(port > 0);
    assert_int_equal(tokens_callback_open(port, "/callback", &second), RC_BUSY);
    assert_null(second);
    tokens_callback_close(first);
    assert_int_equal(tokens_callback_open(port, "/callback", &second), RC_OK);
    assert_int_equal(tokens_callback_port(second), port);
    tokens_callback_close(second);
    tokens_callback_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_answer_that_is_taken_ends_the_wait),
        ARENA_TEST(an_answer_that_did_not_go_well_says_so),
        ARENA_TEST(what_is_not_the_answer_is_refused_and_ends_nothing),
        ARENA_TEST(heads_that_are_too_long_are_refused_and_end_nothing),
        ARENA_TEST(the_port_is_closed_after_the_answer),
        ARENA_TEST(it_listens_at_loopback_only),
        ARENA_TEST(the_page_reflects_nothing),
        ARENA_TEST(silent_connections_do_not_keep_out_the_answer),
        ARENA_TEST(an_answer_in_single_bytes_is_taken),
        ARENA_TEST(localhost_is_taken_as_well),
        ARENA_TEST(who_says_nothing_is_cut),
        ARENA_TEST(nobody_comes_in_time),
        ARENA_TEST(a_stop_ends_the_wait),
        ARENA_TEST(a_port_that_is_taken_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
