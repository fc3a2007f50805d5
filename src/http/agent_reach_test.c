/* Which addresses the agent goes to, and names that take their time. The resolver of the C library
 * is ours here, as it would be an attacker's name server, and nothing leaves this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/core_test_util.h"
#include "http/http_test_names.h"
#include "http/http_test_peer.h"

enum { ADDRESSES = 3 };

static const struct {
    const char *name, *addresses[ADDRESSES];
} NAMES[] = {
    {"here.test", {"127.0.0.1"}},
    {"private.test", {"10.0.0.1"}},
    {"mapped.test", {"::ffff:10.0.0.1"}},
    {"cloud.test", {"169.254.169.254"}},
    {"six.test", {"fd00::1"}},
    {"public.test", {"203.0.114.1"}},
    {"both.test", {"203.0.114.1", "127.0.0.1", "10.0.0.1"}},
    {"hang.test", {"127.0.0.1"}},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static bool may_go;
static atomic_uint hanging, hung, went_out;

static void hang(void)
{
    atomic_fetch_add(&hung, 1);
    atomic_fetch_add(&hanging, 1);
    pthread_mutex_lock(&lock);
    while (!may_go)
        pthread_cond_wait(&released, &lock);
    pthread_mutex_unlock(&lock);
    atomic_fetch_sub(&hanging, 1);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    size_t row = 0;
    *out = NULL;
    while (row < ROWS(NAMES) && strcmp(NAMES[row].name, node) != 0)
        row++;
    if (row == ROWS(NAMES))
        return EAI_NONAME;
    if (strcmp(node, "hang.test") == 0)
        hang();
    for (size_t i = ADDRESSES; i-- > 0;) {
        if (!NAMES[row].addresses[i])
            continue;
        struct addrinfo *one = test_address(NAMES[row].addresses[i], (uint16_t)atoi(service));
        one->ai_next = *out;
        *out = one;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    test_addresses_free(list);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    const struct sockaddr_in *v4 = (const void *)to;
    if (to->sa_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
        return (int)syscall(SYS_connect, fd, to, n);
    atomic_fetch_add(&went_out, 1);
    errno = ECONNREFUSED;
    return -1;
}

static bool play(test_visit_t *v)
{
    return test_visit_says(v, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static test_peer_t *peer;
static http_agent_t *agent;

static int set_up(void **state)
{
    peer = test_peer_start(play, NULL);
    agent = test_agent_start();
    return test_arena_setup(state);
}

static int tear_down(void **state)
{
    http_agent_free(agent);
    test_peer_stop(peer);
    return test_arena_teardown(state);
}

static http_agent_request_t to(arena_t *a, const char *host, http_reach_t reach)
{
    http_agent_request_t r = test_get(a, peer, "/ok");
    r.url = arena_printf(a, "http://%s:%d/ok", host, peer->port);
    r.reach = reach;
    return r;
}

static http_agent_end_t ask(arena_t *a, const char *host, http_reach_t reach)
{
    return test_agent_ask(agent, a, to(a, host, reach)).end;
}

/* By a name or a literal; an end for each reach, and how often somebody outside was asked. */
static void each_reach_goes_as_far_as_it_says(void **state)
{
    enum { NO = HTTP_AGENT_OUT_OF_REACH, OUT = HTTP_AGENT_REFUSED, YES = HTTP_AGENT_DONE };
    static const struct {
        const char *host;
        int by_public, by_loopback, by_any;
        unsigned outside;
    } CASES[] = {
        {"here.test", NO, YES, YES, 0},    {"127.0.0.1", NO, YES, YES, 0},
        {"localhost", NO, YES, YES, 0},    {"a.localhost", NO, YES, YES, 0},
        {"[::1]", NO, OUT, OUT, 2},        {"[::ffff:127.0.0.1]", NO, OUT, OUT, 2},
        {"private.test", NO, NO, OUT, 1},  {"10.0.0.1", NO, NO, OUT, 1},
        {"mapped.test", NO, NO, OUT, 1},   {"[::ffff:10.0.0.1]", NO, NO, OUT, 1},
        {"cloud.test", NO, NO, OUT, 1},    {"169.254.169.254", NO, NO, OUT, 1},
        {"six.test", NO, NO, OUT, 1},      {"[fd00::1]", NO, NO, OUT, 1},
        {"public.test", OUT, OUT, OUT, 3}, {"203.0.114.1", OUT, OUT, OUT, 3},
        {"192.168.1.1", NO, NO, OUT, 1},   {"[64:ff9b::7f00:1]", NO, NO, OUT, 1},
    };
    for (size_t i = 0; i < ROWS(CASES); i++) {
        atomic_store(&went_out, 0);
        http_agent_end_t p = ask(*state, CASES[i].host, HTTP_REACH_PUBLIC);
        http_agent_end_t l = ask(*state, CASES[i].host, HTTP_REACH_LOOPBACK);
        http_agent_end_t any = ask(*state, CASES[i].host, HTTP_REACH_ANY);
        if ((int)p != CASES[i].by_public || (int)l != CASES[i].by_loopback ||
            (int)any != CASES[i].by_any || atomic_load(&went_out) != CASES[i].outside)
            fail_msg("%s: %s, %s, %s, outside %u", CASES[i].host, http_agent_end_name(p).p,
                     http_agent_end_name(l).p, http_agent_end_name(any).p, atomic_load(&went_out));
    }
}

static void who_cannot_be_reached_is_told(void **state)
{
    http_answer_t answer =
        test_agent_ask(agent, *state, to(*state, "private.test", HTTP_REACH_PUBLIC));
    assert_str(answer.why, STR("the host has the address 10.0.0.1, which this request may not go "
                               "to"));
    answer = test_agent_ask(agent, *state, to(*state, "none.test", HTTP_REACH_PUBLIC));
    assert_int_equal(answer.end, HTTP_AGENT_NO_NAME);
    assert_true(str_contains(answer.why, STR("none.test")));
}

static void a_second_address_gains_nothing(void **state)
{
    atomic_store(&went_out, 0);
    assert_int_equal(ask(*state, "both.test", HTTP_REACH_PUBLIC), HTTP_AGENT_OUT_OF_REACH);
    assert_int_equal(atomic_load(&went_out), 1);
    assert_int_equal(atomic_load(&peer->connections), 0);
    assert_int_equal(ask(*state, "both.test", HTTP_REACH_LOOPBACK), HTTP_AGENT_DONE);
}

/* The connection is open, and the name known. */
static void a_kept_connection_gains_nothing(void **state)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(*state, "here.test", HTTP_REACH_LOOPBACK), HTTP_AGENT_DONE);
        unsigned before = atomic_load(&peer->requests);
        assert_int_equal(ask(*state, "here.test", HTTP_REACH_PUBLIC), HTTP_AGENT_OUT_OF_REACH);
        assert_int_equal(atomic_load(&peer->requests), before);
    }
}

static bool is_hanging(void *ctx)
{
    return atomic_load(&hung) > *(unsigned *)ctx;
}

static bool hangs_no_more(void *ctx)
{
    return atomic_load(&hanging) == 0;
}

static void start_hanging(test_heard_t *h, http_agent_t *by, http_agent_request_t r)
{
    unsigned before = atomic_load(&hung);
    test_heard_init(h, by);
    test_heard_start(h, &r);
    assert_true(test_until(is_hanging, &before));
}

/* A look-up that hangs holds up nobody: not whoever asks meanwhile, not who cancels, not the time,
 * and not the end of the agent. */
static void a_name_that_hangs_holds_up_nobody(void **state)
{
    test_heard_t h;
    may_go = false;
    http_agent_request_t r = to(*state, "hang.test", HTTP_REACH_LOOPBACK);
    start_hanging(&h, agent, r);
    assert_int_equal(ask(*state, "here.test", HTTP_REACH_LOOPBACK), HTTP_AGENT_DONE);
    http_agent_cancel(agent, h.call);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_CANCELLED);
    test_heard_end(&h);

    r.total_ms = 20;
    assert_int_equal(test_agent_ask(agent, *state, r).end, HTTP_AGENT_TIMEOUT);
    r.total_ms = 0;
    http_agent_t *hasty;
    const http_agent_config_t config = {.connect_ms = 20};
    assert_int_equal(http_agent_new(&config, &hasty), RC_OK);
    assert_int_equal(test_agent_ask(hasty, *state, r).end, HTTP_AGENT_TIMEOUT);
    http_agent_free(hasty);

    http_agent_t *mine = test_agent_start();
    start_hanging(&h, mine, r);
    http_agent_free(mine);
    assert_int_equal(h.end, HTTP_AGENT_CANCELLED);
    test_heard_end(&h);

    pthread_mutex_lock(&lock);
    may_go = true;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
    assert_true(test_until(hangs_no_more, NULL));
    assert_int_equal(ask(*state, "hang.test", HTTP_REACH_LOOPBACK), HTTP_AGENT_DONE);
}

#define REACH_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REACH_TEST(each_reach_goes_as_far_as_it_says), REACH_TEST(who_cannot_be_reached_is_told),
        REACH_TEST(a_second_address_gains_nothing),    REACH_TEST(a_kept_connection_gains_nothing),
        REACH_TEST(a_name_that_hangs_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
