/* What only a loop, time and sockets do: a server with two workers, spoken to over loopback. */
#include "mcp_http/mcp_http_test_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "http/server.h"
#include "mcp/sse.h"

enum { PATIENCE_MS = 60000, HEARD_BYTES = 64 << 10, SMALL_BUFFER = 4096, CALLERS = 4, ROUNDS = 12 };

typedef struct {
    mcp_world_t *f;
    http_server_t *s;
    _Atomic int64_t ms; /* what its clock shows */
    str_t session;      /* of ALICE */
    const char *headers;
} served_t;

static int64_t shown_ms(void *ctx)
{
    return atomic_load(&((served_t *)ctx)->ms);
}

static void drop(void *ctx, str_t line)
{
    (void)ctx;
    (void)line;
}

static served_t *serve(mcp_world_t *f)
{
    static const log_t QUIET = {.write = drop, .min = LOG_ERROR};
    served_t *v = ARENA_NEW(f->a, served_t);
    str_t why = STR("");
    http_server_config_t config = http_server_defaults();
    assert_non_null(v);
    v->f = f;
    v->session = mcp_session_of(f, ALICE);
    v->headers = mcp_with_session(f, ALICE, v->session);
    f->h->config.clock = (clock_port_t){shown_ms, shown_ms, v};
    config.workers = 2;
    config.app = mcp_http_app(f->h);
    config.log = &QUIET;
    config.worker_init = mcp_http_worker_init;
    config.worker_drain = mcp_http_worker_drain;
    config.worker_exit = mcp_http_worker_exit;
    if (http_server_new(&config, &v->s, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(http_server_start(v->s), RC_OK);
    return v;
}

/* In the order that mcp_http.h names. */
static void end_serving(served_t *v)
{
    http_server_stop(v->s);
    mcp_server_stop(v->f->mcp);
    http_server_join(v->s);
    http_server_free(v->s);
}

static int dial(const served_t *v, int buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_server_port(v->s))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (buffer)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static int say(const served_t *v, str_t request)
{
    int fd = dial(v, 0);
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    return fd;
}

/* Whether `want` comes before the end. Of what was heard only the last part is kept. */
static bool hears(int fd, const char *want)
{
    static _Thread_local char heard[HEARD_BYTES];
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!str_contains(str_of(heard, n), str_c(want))) {
        if (poll(&p, 1, PATIENCE_MS) != 1)
            return false;
        if (n > HEARD_BYTES / 2) {
            memmove(heard, heard + n - 1024, 1024);
            n = 1024;
        }
        ssize_t got = recv(fd, heard + n, sizeof heard - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

static void hear(int fd, const char *want)
{
    if (!hears(fd, want))
        fail_msg("'%s' does not come", want);
}

static str_t get_of(const served_t *v)
{
    return arena_printf(v->f->a,
                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n%s\r\n",
                        v->headers);
}

static int listen_quietly(const served_t *v)
{
    int fd = say(v, get_of(v));
    hear(fd, ": open\n\n");
    return fd;
}

static void stream_ends_with_its_token(void **state)
{
    served_t *v = serve(*state);
    int fd = listen_quietly(v);
    atomic_store(&v->ms, TOKEN_ENDS_S * 1000LL);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

static void stream_ends_when_its_token_is_revoked(void **state)
{
    served_t *v = serve(*state);
    int fd = listen_quietly(v);
    atomic_store(&v->f->ended, true);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

static void stream_ends_with_its_session(void **state)
{
    served_t *v = serve(*state);
    int fd = listen_quietly(v);
    int other = say(v, mcp_bytes(v->f, "DELETE", v->headers, ""));
    hear(other, "HTTP/1.1 204");
    hear(fd, "0\r\n\r\n");
    close(other);
    close(fd);
    end_serving(v);
}

/* Proxies cut what is silent: LIMIT_MCP_KEEPALIVE_MS. */
static void quiet_stream_says_that_it_lives_until_the_server_ends(void **state)
{
    served_t *v = serve(*state);
    int fd = listen_quietly(v);
    for (int i = 0; i < 2; i++) {
        atomic_fetch_add(&v->ms, LIMIT_MCP_KEEPALIVE_MS);
        hear(fd, ": keep-alive\n\n");
    }
    http_server_stop(v->s);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

static void client_that_comes_back_may_land_on_another_worker(void **state)
{
    served_t *v = serve(*state);
    int fds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        fds[i] = listen_quietly(v);
    for (int i = 0; i < ROUNDS - 1; i++) {
        hear(fds[i], "0\r\n\r\n");
        close(fds[i]);
    }
    int other = say(v, mcp_bytes(v->f, "DELETE", v->headers, ""));
    hear(other, "HTTP/1.1 204");
    hear(fds[ROUNDS - 1], "0\r\n\r\n");
    close(other);
    close(fds[ROUNDS - 1]);
    end_serving(v);
}

/* Reads to the end of the answer, late and slowly at first; how many events there were, all whole.
 */
static unsigned read_slowly(int fd)
{
    char bytes[SMALL_BUFFER];
    unsigned events = 0;
    size_t all = 0;
    bool line_begins = false;
    usleep(1500000);
    for (int i = 0;; i++) {
        if (i < 20)
            usleep(20000);
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0) {
            assert_true(all > (size_t)(FLOOD_MESSAGES + FLOOD_BLOCKS) * FLOOD_BYTES);
            return events;
        }
        all += (size_t)n;
        for (ssize_t k = 0; k < n; k++) {
            events += line_begins && bytes[k] == 'd';
            line_begins = bytes[k] == '\n';
        }
    }
}

static str_t flood_of(mcp_world_t *f)
{
    const char *body = NEW_TOOL("flood", NEW_PROGRESS);
    return mcp_bytes(f, "POST", ALICE NEW_TOOL_HEADERS("flood") "Connection: close\r\n", body);
}

/* More than the connection takes at once waits in the outbox, and all comes, in order. */
static void slow_reader_gets_everything(void **state)
{
    served_t *v = serve(*state);
    str_t request = flood_of(v->f);
    int fd = dial(v, SMALL_BUFFER);
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    assert_int_equal(read_slowly(fd), FLOOD_MESSAGES + 1);
    close(fd);
    end_serving(v);
}

static void reader_that_gives_up_in_the_middle(void **state)
{
    served_t *v = serve(*state);
    str_t request = flood_of(v->f);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = dial(v, SMALL_BUFFER);
        assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
        hear(fd, "data: ");
        close(fd);
    }
    int fd = say(v, request);
    assert_int_equal(read_slowly(fd), FLOOD_MESSAGES + 1);
    close(fd);
    end_serving(v);
}

static void wait_for(const atomic_uint *what, unsigned value)
{
    for (int waited = 0; atomic_load(what) < value; waited++) {
        assert_true(waited < PATIENCE_MS);
        usleep(1000);
    }
}

/* TR-18 */
static void closed_socket_cancels(void **state)
{
    served_t *v = serve(*state);
    atomic_store(&v->f->hold, true);
    int fd = say(
        v, mcp_bytes(v->f, "POST", ALICE NEW_TOOL_HEADERS("wait"), NEW_TOOL("wait", NEW_PROGRESS)));
    hear(fd, "\"begun\"");
    close(fd);
    wait_for(&v->f->cancelled, 1);
    end_serving(v);
}

static void server_that_ends_lets_a_subscription_end(void **state)
{
    served_t *v = serve(*state);
    int fd = say(v, mcp_bytes(v->f, "POST", ALICE NEW_HEADERS("subscriptions/listen"),
                              NEW_METHOD("subscriptions/listen",
                                         "\"notifications\":{\"toolsListChanged\":true},")));
    hear(fd, "acknowledged");
    http_server_stop(v->s);
    mcp_server_stop(v->f->mcp);
    hear(fd, "\"resultType\":\"complete\"");
    close(fd);
    end_serving(v);
}

/* Callers at once: plain ones, streams, those that leave, and those that come back. */

static bool asks(const served_t *v, str_t request, const char *want)
{
    int fd = say(v, request);
    bool good = hears(fd, want);
    close(fd);
    return good;
}

typedef struct {
    served_t *v;
    str_t plain, stream, leave, back, open;
    unsigned bad;
} caller_t;

static void *call_often(void *arg)
{
    caller_t *c = arg;
    for (int i = 0; i < ROUNDS; i++) {
        c->bad += !asks(c->v, c->plain, "\"text\":\"nothing\"");
        c->bad += !asks(c->v, c->stream, "\"text\":\"waited\"");
        c->bad += !asks(c->v, c->leave, "HTTP/1.1 200");
        /* Another caller may come for the same stream, and this one's ends. */
        c->bad += !asks(c->v, c->back, "HTTP/1.1 200");
        c->bad += !asks(c->v, c->open, ": open\n\n");
    }
    return NULL;
}

/* One of a principal of its own, but for the session that all come back to. */
static caller_t caller_of(served_t *v, size_t i)
{
    mcp_world_t *f = v->f;
    str_t who = arena_printf(f->a, "Authorization: Bearer u%zu/news:read\r\n", i);
    str_t quick = arena_printf(f->a, "%s%s", who.p, NEW_TOOL_HEADERS("quick"));
    str_t wait = arena_printf(f->a, "%s%s", who.p, NEW_TOOL_HEADERS("wait"));
    str_t flood = arena_printf(f->a, "%s%s", who.p, NEW_TOOL_HEADERS("flood"));
    str_t back = arena_printf(f->a, "%sLast-Event-ID: 1-0\r\n", v->headers);
    return (caller_t){
        .v = v,
        .plain = mcp_bytes(f, "POST", quick.p, NEW_TOOL("quick", "")),
        .stream = mcp_bytes(f, "POST", wait.p, NEW_TOOL("wait", NEW_PROGRESS)),
        .leave = mcp_bytes(f, "POST", flood.p, NEW_TOOL("flood", NEW_PROGRESS)),
        .back = mcp_bytes(f, "GET", back.p, ""),
        .open = get_of(v),
    };
}

static void many_callers_at_once(void **state)
{
    mcp_world_t *f = *state;
    served_t *v = serve(f);
    caller_t c[CALLERS];
    pthread_t threads[CALLERS];
    unsigned bad = 0;
    int fd = say(v, mcp_bytes(f, "POST", v->headers, TOOL("wait", PROGRESS)));
    hear(fd, "\"text\":\"waited\"");
    close(fd);
    for (size_t i = 0; i < CALLERS; i++) {
        c[i] = caller_of(v, i);
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &c[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        bad += c[i].bad;
    }
    assert_int_equal(bad, 0);
    fd = say(v, c[0].back);
    hear(fd, "\"text\":\"waited\"");
    close(fd);
    end_serving(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(stream_ends_with_its_token),
        MCP_TEST(stream_ends_when_its_token_is_revoked),
        MCP_TEST(stream_ends_with_its_session),
        MCP_TEST(quiet_stream_says_that_it_lives_until_the_server_ends),
        MCP_TEST(client_that_comes_back_may_land_on_another_worker),
        MCP_TEST(slow_reader_gets_everything),
        MCP_TEST(reader_that_gives_up_in_the_middle),
        MCP_TEST(closed_socket_cancels),
        MCP_TEST(server_that_ends_lets_a_subscription_end),
        MCP_TEST(many_callers_at_once),
    };
    return cmocka_run_group_tests_name("mcp_http_live", tests, NULL, NULL);
}
