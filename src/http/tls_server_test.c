/* HTTP over TLS over loopback: what the handler learns, reload, streams, clients that break off. */
#include "http/http_test_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/http_test_server.h"

static arena_t *a;

static http_tls_t *cert(const char *host)
{
    test_pem_t pem = test_cert_make(a, (test_cert_t){host, -60, 3600, 0, false});
    http_tls_t *out;
    str_t why;
    assert_int_equal(http_tls_new(a, pem.chain, secret_of(pem.key), &out, &why), RC_OK);
    return out;
}

static http_server_t *serve(void)
{
    http_tls_t *tls = cert("a.test");
    http_server_config_t c = test_server_config();
    c.tls = tls;
    http_server_t *s = test_server_start(&c);
    http_tls_free(tls);
    return s;
}

static int begin(void **state)
{
    a = arena_new(1 << 20);
    return 0;
}

static int end(void **state)
{
    arena_free(a);
    return 0;
}

static SSL *dial(const http_server_t *s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(ssl, test_dial(s));
    assert_int_equal(SSL_connect(ssl), 1);
    return ssl;
}

static void hang_up(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    ERR_clear_error();
}

static void say(SSL *ssl, const char *text)
{
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), strlen(text));
}

/* Reads until `want` appears, or to the end. */
static str_t hear(SSL *ssl, const char *want)
{
    static char buffer[5 << 20];
    size_t n = 0;
    for (int got; (got = SSL_read(ssl, buffer + n, (int)(sizeof buffer - n))) > 0;) {
        n += (size_t)got;
        size_t tail = n < 4096 ? 0 : n - 4096;
        if (want && str_contains(str_of(buffer + tail, n - tail), str_c(want)))
            break;
    }
    return str_of(buffer, n);
}

static void requests_are_answered(void **state)
{
    http_server_t *s = serve();
    SSL *ssl = dial(s);
    for (int i = 0; i < 20; i++) {
        say(ssl, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_true(str_ends(hear(ssl, "hello"), STR("\r\n\r\nhello")));
    }
    say(ssl, "POST /echo HTTP/1.1\r\n" HOST
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=1"
             "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    str_t all = hear(ssl, NULL);
    assert_true(str_contains(all, STR("\r\n\r\na=1HTTP/1.1 200 OK\r\n")));
    assert_int_equal(SSL_get_shutdown(ssl), SSL_RECEIVED_SHUTDOWN);
    hang_up(ssl);
    test_server_stop(s);
}

static void say_secure(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_NO_HEADERS, x->client.https ? STR("secure") : STR("plain"));
}

static void the_handler_learns_of_it(void **state)
{
    static const http_route_t rows[] = {{STR_INIT("/"), HTTP_M(GET), say_secure}};
    static const http_app_t app = {.routes = {rows, 1}};
    http_tls_t *tls = cert("a.test");
    http_server_config_t c = http_server_defaults();
    c.app = &app;
    c.tls = tls;
    http_server_t *s = test_server_start(&c);
    http_tls_free(tls);
    SSL *ssl = dial(s);
    say(ssl, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(str_ends(hear(ssl, NULL), STR("\r\n\r\nsecure")));
    hang_up(ssl);
    test_server_stop(s);
}

static void large_answers_and_streams_arrive_whole(void **state)
{
    http_server_t *s = serve();
    SSL *ssl = dial(s);
    say(ssl, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    const struct timespec nap = {0, 100000000};
    nanosleep(&nap, NULL);
    assert_true(test_count(hear(ssl, NULL), STR("x")) >= 3u << 20);
    assert_int_equal(SSL_get_shutdown(ssl), SSL_RECEIVED_SHUTDOWN);
    hang_up(ssl);
    ssl = dial(s);
    say(ssl, "GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    nanosleep(&nap, NULL);
    str_t all = hear(ssl, NULL);
    assert_true(test_count(all, STR("y")) >= 4u << 20);
    assert_true(str_ends(all, STR("\r\n0\r\n\r\n")));
    hang_up(ssl);
    test_server_stop(s);
}

static void a_gone_reader_of_events_is_told(void **state)
{
    http_server_t *s = serve();
    SSL *ssl = dial(s);
    say(ssl, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    (void)hear(ssl, "\r\n\r\n");
    hang_up(ssl);
    assert_true(test_wait_for(&test_seen.gone, 1));
    test_server_stop(s);
}

static X509 *shown(SSL *ssl)
{
    X509 *x = SSL_get1_peer_certificate(ssl);
    assert_non_null(x);
    return x;
}

static void a_new_certificate_is_for_new_connections(void **state)
{
    http_server_t *s = serve();
    SSL *before = dial(s);
    http_tls_t *other = cert("b.test");
    http_server_set_tls(s, other);
    http_tls_free(other);
    SSL *after = dial(s);
    X509 *x = shown(before), *y = shown(after);
    assert_int_equal(X509_check_host(x, "a.test", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(y, "b.test", 0, 0, NULL), 1);
    X509_free(x);
    X509_free(y);
    SSL *both[] = {before, after};
    for (size_t i = 0; i < 2; i++) {
        say(both[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_true(str_ends(hear(both[i], "hello"), STR("\r\n\r\nhello")));
        hang_up(both[i]);
    }
    test_server_stop(s);
}

/* attack case: GWH-007, GWH-008 (HTTP/2 is not offered, and not spoken unasked) */
static void the_preface_of_http_2_is_refused(void **state)
{
    http_server_t *s = serve();
    SSL *ssl = dial(s);
    say(ssl, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    str_t answer = hear(ssl, NULL);
    assert_true(str_starts(answer, STR("HTTP/1.1 501 ")));
    assert_int_equal(SSL_get_shutdown(ssl), SSL_RECEIVED_SHUTDOWN);
    hang_up(ssl);
    ssl = dial(s);
    say(ssl, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_ends(hear(ssl, "hello"), STR("\r\n\r\nhello")));
    hang_up(ssl);
    test_server_stop(s);
}

static void plain_http_is_told(void **state)
{
    http_server_t *s = serve();
    str_t answer = test_ask(s, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 400 ")));
    assert_true(str_ends(answer, STR("This port speaks TLS only")));
    test_server_stop(s);
}

/* Half a greeting, for longer than a head may take. */
static void a_slow_greeting_is_cut(void **state)
{
    http_tls_t *tls = cert("a.test");
    http_server_config_t c = test_server_config();
    c.tls = tls;
    c.times.header_ms = 1500;
    http_server_t *s = test_server_start(&c);
    http_tls_free(tls);
    int fd = test_dial(s);
    assert_int_equal(send(fd, "\x16\x03\x01\x02\x00\x01", 6, MSG_NOSIGNAL), 6);
    assert_int_equal(test_hear(fd, NULL).n, 0);
    close(fd);
    SSL *ssl = dial(s);
    say(ssl, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_ends(hear(ssl, "hello"), STR("\r\n\r\nhello")));
    hang_up(ssl);
    test_server_stop(s);
}

/* The drain finds connections in every state. */
static void a_server_ends_with_open_connections(void **state)
{
    http_server_t *s = serve();
    SSL *idle = dial(s), *reading = dial(s);
    say(reading, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    int fd = test_dial(s);
    assert_int_equal(send(fd, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
    const struct timespec nap = {0, 50000000};
    nanosleep(&nap, NULL);
    test_server_stop(s);
    assert_int_equal(SSL_read(idle, (char[1]){0}, 1), 0);
    assert_int_equal(SSL_get_shutdown(idle), SSL_RECEIVED_SHUTDOWN);
    hang_up(idle);
    hang_up(reading);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered),
        TEST(the_handler_learns_of_it),
        TEST(large_answers_and_streams_arrive_whole),
        TEST(a_gone_reader_of_events_is_told),
        TEST(a_new_certificate_is_for_new_connections),
        TEST(the_preface_of_http_2_is_refused),
        TEST(plain_http_is_told),
        TEST(a_slow_greeting_is_cut),
        TEST(a_server_ends_with_open_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
