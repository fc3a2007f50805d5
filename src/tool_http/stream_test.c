#include "tool_http/mcp_http_test_world.h"

#include "http/server.h"
#include "tool_http/request.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOKEN_ENDS_S = 1000, PATIENCE_MS = 30000 };

/* The bytes of a GET for the stream, of ALICE in that session. */
static str_t get_of(mcp_world_t *f, str_t session)
{
    return arena_printf(f->a,
                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n"
                        "%s\r\n",
                        mcp_with_session(f, ALICE, session));
}

static void stream_idles_until_it_is_drained(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    http_direct_reset(f->d);
    http_direct_send(f->d, arena_printf(f->a,
                                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: "
                                        "text/event-stream\r\n%s\r\n",
                                        h));
    str_t out = http_direct_output(f->d);
    assert_true(str_starts(out, STR("HTTP/1.1 200")));
    assert_true(str_contains(out, STR("text/event-stream")));
    assert_true(str_contains(out, STR(": open")));
    mcp_http_worker_drain(f->m, f->worker);
    assert_true(str_ends(http_direct_output(f->d), STR("0\r\n\r\n")));
}

static void stream_of_a_client_that_goes_away_ends(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    str_t get = arena_printf(f->a,
                             "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n"
                             "%s\r\n",
                             h);
    for (int i = 0; i < 10; i++) { /* more than one session may hold at a time */
        http_direct_reset(f->d);
        http_direct_send(f->d, get);
        assert_true(str_starts(http_direct_output(f->d), STR("HTTP/1.1 200")));
        http_direct_hang_up(f->d);
    }
}

static void stream_rules(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    assert_int_equal(mcp_send(f, "GET", ALICE, "").status, 400);
    assert_last_event(f, AUDIT_ACCESS, false, "session_missing");
    http_direct_answer_t r = mcp_raw(
        f,
        arena_printf(f->a, "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/html\r\n%s\r\n", h)
            .p);
    assert_int_equal(r.status, 406);
}

/* One session's streams, each on a connection of its own. */
static http_direct_t *open_stream(mcp_world_t *f, str_t get, const char *status)
{
    http_direct_t *d = http_direct_new(mcp_http_app(f->m), f->worker);
    assert_non_null(d);
    http_direct_send(d, get);
    assert_true(str_starts(http_direct_output(d), arena_printf(f->a, "HTTP/1.1 %s", status)));
    return d;
}

static void streams_of_a_session_are_limited(void **state)
{
    mcp_world_t *f = *state;
    http_direct_t *open[STREAMS_PER_SESSION];
    str_t get = get_of(f, mcp_session_of(f, ALICE));
    for (size_t i = 0; i < STREAMS_PER_SESSION; i++)
        open[i] = open_stream(f, get, "200");
    http_direct_free(open_stream(f, get, "409"));
    assert_last_event(f, AUDIT_ACCESS, false, "too_many_streams");
    http_direct_free(open_stream(f, get_of(f, mcp_session_of(f, ALICE)), "200"));
    http_direct_hang_up(open[1]); /* neither the first nor the last of them */
    http_direct_free(open[1]);
    open[1] = open_stream(f, get, "200");
    mcp_http_worker_drain(f->m, f->worker);
    for (size_t i = 0; i < STREAMS_PER_SESSION; i++) {
        assert_true(str_ends(http_direct_output(open[i]), STR("0\r\n\r\n")));
        http_direct_free(open[i]);
    }
}

static void no_stream_begins_while_the_server_drains(void **state)
{
    mcp_world_t *f = *state;
    str_t get = get_of(f, mcp_session_of(f, ALICE));
    mcp_http_worker_drain(f->m, f->worker);
    http_direct_free(open_stream(f, get, "503"));
}

/* What only time does: a server with a loop, spoken to over loopback. */
typedef struct {
    mcp_world_t *f;
    http_server_t *s;
    _Atomic int64_t ms; /* what its clock shows */
    str_t session, get; /* of ALICE */
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
    v->get = get_of(f, v->session);
    f->m->config.clock = (clock_port_t){shown_ms, shown_ms, v};
    config.app = mcp_http_app(f->m);
    config.log = &QUIET;
    config.worker_init = mcp_http_worker_init;
    config.worker_drain = mcp_http_worker_drain;
    config.worker_exit = mcp_http_worker_exit;
    if (http_server_new(&config, &v->s, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(http_server_start(v->s), RC_OK);
    return v;
}

static void end_serving(served_t *v)
{
    http_server_stop(v->s);
    http_server_join(v->s);
    http_server_free(v->s);
}

static int say(const served_t *v, str_t request)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_server_port(v->s))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    return fd;
}

/* Fails unless `want` comes. */
static void hear(int fd, const char *want)
{
    char heard[4096];
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!str_contains(str_of(heard, n), str_c(want))) {
        if (poll(&p, 1, PATIENCE_MS) != 1)
            fail_msg("'%s' does not come", want);
        ssize_t got = recv(fd, heard + n, sizeof heard - n, 0);
        if (got <= 0)
            fail_msg("'%s' is not in '%.*s'", want, (int)n, heard);
        n += (size_t)got;
    }
}

static void stream_ends_with_its_token(void **state)
{
    served_t *v = serve(*state);
    int fd = say(v, v->get);
    hear(fd, ": open\n\n");
    atomic_store(&v->ms, TOKEN_ENDS_S * 1000LL);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

static void stream_ends_when_its_token_is_revoked(void **state)
{
    served_t *v = serve(*state);
    int fd = say(v, v->get);
    hear(fd, ": open\n\n");
    atomic_store(&v->f->ended, true);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

static void stream_ends_with_its_session(void **state)
{
    served_t *v = serve(*state);
    int fd = say(v, v->get);
    hear(fd, ": open\n\n");
    int other = say(v, arena_printf(v->f->a, "DELETE /mcp HTTP/1.1\r\nHost: rs.test\r\n%s\r\n",
                                    mcp_with_session(v->f, ALICE, v->session)));
    hear(other, "HTTP/1.1 204");
    hear(fd, "0\r\n\r\n");
    close(other);
    close(fd);
    end_serving(v);
}

/* Proxies cut what is silent: LIMIT_MCP_KEEPALIVE_MS. Takes that long. */
static void quiet_stream_says_that_it_lives_until_the_server_ends(void **state)
{
    served_t *v = serve(*state);
    int fd = say(v, v->get);
    hear(fd, ": open\n\n");
    hear(fd, ": keep-alive\n\n");
    http_server_stop(v->s);
    hear(fd, "0\r\n\r\n");
    close(fd);
    end_serving(v);
}

/* Whether a stream opens now; its socket is closed again. */
static bool opens(const served_t *v)
{
    char heard[64];
    int fd = say(v, v->get);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    ssize_t n = recv(fd, heard, sizeof heard, 0);
    close(fd);
    return n > 0 && str_starts(str_of(heard, (size_t)n), STR("HTTP/1.1 200"));
}

/* Its places are free again once the loop has seen that it went. */
static void stream_whose_socket_closes_gives_its_place_back(void **state)
{
    served_t *v = serve(*state);
    bool again = false;
    for (int i = 0; i < STREAMS_PER_SESSION; i++) {
        int fd = say(v, v->get);
        hear(fd, ": open\n\n");
        close(fd);
    }
    for (int waited_ms = 0; !again && waited_ms < PATIENCE_MS; waited_ms += 20) {
        again = opens(v);
        usleep(20000);
    }
    assert_true(again);
    end_serving(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(stream_idles_until_it_is_drained),
        MCP_TEST(stream_of_a_client_that_goes_away_ends),
        MCP_TEST(stream_rules),
        MCP_TEST(streams_of_a_session_are_limited),
        MCP_TEST(no_stream_begins_while_the_server_drains),
        MCP_TEST(stream_ends_with_its_token),
        MCP_TEST(stream_ends_when_its_token_is_revoked),
        MCP_TEST(stream_ends_with_its_session),
        MCP_TEST(quiet_stream_says_that_it_lives_until_the_server_ends),
        MCP_TEST(stream_whose_socket_closes_gives_its_place_back),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
