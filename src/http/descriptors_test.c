/* More connections than descriptors: nobody spins, somebody makes room, and it passes. */
#include "http/http_test_server.h"
#include "http/http_test_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FLOOD = 5000, FEW = 1024, OWN_MAX = 65536 };

static struct rlimit before;

static void limit_to(rlim_t n)
{
    struct rlimit now = before;
    now.rlim_cur = n < before.rlim_max ? n : before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* In a process of its own, with descriptors of its own: opens FLOOD connections, each with a few
 * bytes, and keeps as many as it can until the pipe closes. */
static void flood(uint16_t port, const char *bytes, size_t n, const int hold[2])
{
    static int fds[OWN_MAX];
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    limit_to(before.rlim_max);
    size_t keep = before.rlim_max > OWN_MAX ? OWN_MAX : (size_t)before.rlim_max - 64;
    char last;
    close(hold[1]);
    for (size_t i = 0; i < FLOOD; i++) {
        int *fd = &fds[i % keep];
        if (i >= keep)
            close(*fd);
        *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (*fd < 0)
            continue;
        (void)!connect(*fd, (struct sockaddr *)&to, sizeof to);
        /* What is not connected yet sends nothing, which is as idle. */
        (void)!send(*fd, bytes, n, MSG_NOSIGNAL);
        if (i == FLOOD / 2)
            (void)!write(hold[0], "h", 1);
    }
    (void)!write(hold[0], "d", 1);
    (void)!read(hold[0], &last, 1);
    _exit(0);
}

static pid_t start_flood(const http_server_t *s, const char *bytes, size_t n, int *hold)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        flood(http_server_port(s), bytes, n, pair);
    close(pair[0]);
    *hold = pair[1];
    return child;
}

static void wait_for_flood(int hold)
{
    char sign = 0;
    while (sign != 'd')
        assert_int_equal(read(hold, &sign, 1), 1);
}

static int64_t cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Whoever spins never rests. What is left of the flood may take a while under sanitizers. */
static void assert_calm(void)
{
    const struct timespec second = {1, 0};
    int64_t used = 1000;
    for (int i = 0; i < 60 && used > 500; i++) {
        int64_t from = cpu_ms();
        nanosleep(&second, NULL);
        used = cpu_ms() - from;
    }
    assert_in_range(used, 0, 500);
}

static http_server_t *serve(http_tls_t *tls)
{
    http_server_config_t c = test_server_config();
    c.tls = tls;
    c.max_per_address = 100000;
    return test_server_start(&c);
}

/* attack case: GWH-013 */
static void idle_connections_without_end(void **state)
{
    int hold;
    limit_to(FEW);
    http_server_t *s = serve(NULL);
    pid_t child = start_flood(s, "", 0, &hold);
    wait_for_flood(hold);
    assert_calm();
    for (int i = 0; i < 20; i++)
        test_assert_alive(s);
    close(hold);
    waitpid(child, NULL, 0);
    test_assert_alive(s);
    test_server_stop(s);
    limit_to(before.rlim_cur);
}

/* attack case: GWH-013 */
static void greetings_without_end(void **state)
{
    int hold;
    str_t why;
    http_tls_t *tls;
    arena_t *a = arena_new(1 << 20);
    limit_to(FEW);
    test_pem_t pem = test_cert_make(a, (test_cert_t){"a.test", -60, 3600, 0, false});
    assert_int_equal(http_tls_new(a, pem.chain, secret_of(pem.key), &tls, &why), RC_OK);
    http_server_t *s = serve(tls);
    http_tls_free(tls);
    pid_t child = start_flood(s, "\x16\x03\x01\x02\x00\x01", 6, &hold);
    wait_for_flood(hold);
    assert_calm();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, test_dial(s));
    assert_int_equal(SSL_connect(ssl), 1);
    assert_true(SSL_write(ssl, "GET /hello HTTP/1.1\r\n" HOST "\r\n", 37) == 37);
    assert_true(SSL_read(ssl, (char[64]){0}, 64) > 0);
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(hold);
    waitpid(child, NULL, 0);
    test_server_stop(s);
    arena_free(a);
    limit_to(before.rlim_cur);
}

/* Somebody else in the process has taken all descriptors: new connections are turned away without
 * spinning, open ones go on, and it passes. */
static void without_descriptors_open_connections_go_on(void **state)
{
    static int taken[FEW];
    int n = 0, mine[3];
    limit_to(FEW);
    http_server_t *s = serve(NULL);
    int held = test_dial(s);
    test_say(held, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    test_hear(held, "hello");
    atomic_store(&test_seen.hold, true);
    test_say(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(test_wait_for(&test_seen.holding, 1));
    for (int i = 0; i < 3; i++)
        mine[i] = socket(AF_INET, SOCK_STREAM, 0);
    while (n < FEW && (taken[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    assert_int_equal(errno, EMFILE);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 3; i++)
        (void)!connect(mine[i], (struct sockaddr *)&to, sizeof to);
    assert_calm();
    atomic_store(&test_seen.hold, false);
    assert_true(str_ends(test_hear(held, "held"), STR("held")));
    while (n)
        close(taken[--n]);
    close(held);
    for (int i = 0; i < 3; i++)
        close(mine[i]);
    test_assert_alive(s);
    test_server_stop(s);
    limit_to(before.rlim_cur);
}

static int begin_all(void **state)
{
    return getrlimit(RLIMIT_NOFILE, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connections_without_end),
        cmocka_unit_test(greetings_without_end),
        cmocka_unit_test(without_descriptors_open_connections_go_on),
    };
    return cmocka_run_group_tests(tests, begin_all, NULL);
}
