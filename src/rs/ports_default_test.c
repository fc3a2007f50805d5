/* The real ports against a server on loopback that answers from a table. */
#include "rs/rs_test_world.h"

#include "core/limits.h"
#include "rs/ports_default.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int listener;
    int port;
    pthread_t thread;
} site_t;

static const char SMALL[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
static const char REDIRECT[] = "HTTP/1.1 302 Found\r\nLocation: /small\r\n"
                               "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
static const char BROKEN[] =
    "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
static const char CREATED[] =
    "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

static void answer(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void answer_big(int fd)
{
    char head[128];
    size_t n = LIMIT_JWKS_BYTES + 1;
    char *body = calloc(1, n);
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", n);
    answer(fd, head, (size_t)len);
    answer(fd, body, n);
    free(body);
}

static void serve_one(int fd)
{
    char head[2048] = "";
    ssize_t n = recv(fd, head, sizeof head - 1, 0);
    if (n <= 0)
        return;
    if (strncmp(head, "GET /small ", 11) == 0)
        answer(fd, SMALL, sizeof SMALL - 1);
    else if (strncmp(head, "GET /redirect ", 14) == 0)
        answer(fd, REDIRECT, sizeof REDIRECT - 1);
    else if (strncmp(head, "GET /created ", 13) == 0)
        answer(fd, CREATED, sizeof CREATED - 1);
    else if (strncmp(head, "POST /ask ", 10) == 0 &&
             strstr(head, "\r\nAuthorization: Basic eA==\r\n") &&
             strstr(head, "\r\nContent-Type: application/x-www-form-urlencoded\r\n") &&
             strstr(head, "\r\n\r\ntoken=a%20b"))
        answer(fd, SMALL, sizeof SMALL - 1);
    else if (strncmp(head, "GET /big ", 9) == 0)
        answer_big(fd);
    else
        answer(fd, BROKEN, sizeof BROKEN - 1);
}

/* Until the listener is shut down. */
static void *serve(void *arg)
{
    site_t *site = arg;
    for (int fd; (fd = accept(site->listener, NULL, NULL)) >= 0; close(fd))
        serve_one(fd);
    return NULL;
}

static int site_setup(void **state)
{
    site_t *site = calloc(1, sizeof *site);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    site->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (site->listener < 0 || bind(site->listener, (struct sockaddr *)&at, n) != 0 ||
        listen(site->listener, 8) != 0 ||
        getsockname(site->listener, (struct sockaddr *)&at, &n) != 0)
        return -1;
    site->port = ntohs(at.sin_port);
    *state = site;
    return pthread_create(&site->thread, NULL, serve, site);
}

static int site_teardown(void **state)
{
    site_t *site = *state;
    shutdown(site->listener, SHUT_RDWR);
    pthread_join(site->thread, NULL);
    close(site->listener);
    free(site);
    return 0;
}

static int64_t get(const site_t *site, const char *path, size_t cap)
{
    char url[128], *body = calloc(1, cap);
    warder_rs_ports_t ports = rs_ports_default();
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", site->port, path);
    int64_t n = ports.fetch(ports.ctx, url, body, cap);
    if (n == 2)
        assert_memory_equal(body, "{}", 2);
    free(body);
    return n;
}

static void a_form_is_posted_under_its_credentials(void **state)
{
    const site_t *site = *state;
    char url[128], body[16];
    warder_rs_ports_t ports = rs_ports_default();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ask", site->port);
    assert_int_equal(ports.post(ports.ctx, url, "Basic eA==", "token=a%20b", body, sizeof body), 2);
    assert_memory_equal(body, "{}", 2);
    assert_int_equal(ports.post(ports.ctx, url, "Basic eQ==", "token=a%20b", body, sizeof body),
                     -1);
    assert_int_equal(ports.fetch(ports.ctx, url, body, sizeof body), -1);
}

/* attack case: JWT-027: a redirect is an answer like any other that is not 200 */
static void only_a_whole_200_counts(void **state)
{
    const site_t *site = *state;
    assert_int_equal(get(site, "/small", LIMIT_JWKS_BYTES), 2);
    assert_int_equal(get(site, "/redirect", LIMIT_JWKS_BYTES), -1);
    assert_int_equal(get(site, "/broken", LIMIT_JWKS_BYTES), -1);
    assert_int_equal(get(site, "/created", LIMIT_JWKS_BYTES), -1);
    assert_int_equal(get(site, "/big", LIMIT_JWKS_BYTES), -1);
    assert_int_equal(get(site, "/small", 1), -1);
    assert_int_equal(get(site, "/small", 2), 2);
}

static void places_that_are_no_place(void **state)
{
    (void)state;
    char body[16];
    warder_rs_ports_t ports = rs_ports_default();
    static const char *const URLS[] = {"",
                                       "x",
                                       "file:///etc/passwd",
                                       "http://rs.test/",
                                       "https://10.0.0.1/",
                                       "http://127.0.0.1:1/"};
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++)
        assert_int_equal(ports.fetch(ports.ctx, URLS[i], body, sizeof body), -1);
}

static void clocks_run(void **state)
{
    (void)state;
    warder_rs_ports_t ports = rs_ports_default();
    int64_t before = ports.mono_ms(ports.ctx);
    assert_true(ports.now_ms(ports.ctx) > 1600000000000);
    assert_true(ports.mono_ms(ports.ctx) >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_a_whole_200_counts, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(a_form_is_posted_under_its_credentials, site_setup,
                                        site_teardown),
        cmocka_unit_test(places_that_are_no_place),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
