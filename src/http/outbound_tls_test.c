/* The client over TLS: what it takes for the right peer to be asked, and the wrong one not. */
#include "http/http_test_outbound.h"
#include "http/http_test_server.h"
#include "http/http_test_tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static arena_t *a;

static int begin_all(void **state)
{
    a = arena_new(16 << 20);
    return 0;
}

static int end_all(void **state)
{
    arena_free(a);
    return 0;
}

typedef struct {
    http_server_t *server;
    http_tls_client_t *tls;
    test_upstream_t up;
} pair_t;

/* A server with a certificate for `named`, and a client that wants 127.0.0.1. */
static void pair_open(pair_t *p, const char *named)
{
    str_t why;
    http_server_config_t c = test_server_config();
    test_pem_t pem = test_cert_make(a, (test_cert_t){named, -60, 3600, 0, false});
    secret_t key = secret_of(pem.key);
    assert_int_equal(http_tls_new(a, pem.chain, key, &c.tls, &why), RC_OK);
    p->server = test_server_start(&c);
    http_tls_free(c.tls);
    http_tls_client_config_t client = {.host = STR("127.0.0.1"),
                                       .authorities = test_cert_authority(a)};
    assert_int_equal(http_tls_client_new(a, &client, &p->tls, &why), RC_OK);
    test_upstream_open(
        &p->up, (http_outbound_config_t){.port = http_server_port(p->server), .tls = p->tls});
}

static void pair_close(pair_t *p)
{
    test_upstream_close(&p->up);
    http_tls_client_free(p->tls);
    test_server_stop(p->server);
}

static void ask(test_upstream_t *up, const char *path, test_answer_t *answer)
{
    http_outbound_request_t r = {.method = HTTP_GET, .target = str_c(path)};
    answer->up = up;
    assert_int_equal(http_outbound_start(up->o, &r, test_events(answer), &answer->call), RC_OK);
}

static void the_right_peer_is_asked_again_and_again(void **state)
{
    pair_t p;
    http_tcp_t *first = NULL;
    pair_open(&p, "IP:127.0.0.1");
    for (int i = 0; i < 5; i++) {
        test_answer_t answer = {0};
        ask(&p.up, "/hello", &answer);
        test_wait_end(&answer);
        assert_int_equal(answer.how, HTTP_OUT_DONE);
        assert_true(str_eq(str_of(answer.body, answer.body_n), STR("hello")));
        assert_int_equal(p.up.o->idles, 1);
        http_tcp_t *tcp = ((http_outbound_conn_t *)p.up.o->idle.next)->tcp;
        assert_true(!first || tcp == first);
        first = tcp;
    }
    pair_close(&p);
}

static void pause_it(test_answer_t *answer)
{
    http_outbound_pause(answer->call);
}

static void a_slow_reader_gets_it_all(void **state)
{
    pair_t p;
    static test_answer_t answer;
    memset(&answer, 0, sizeof answer);
    answer.on_data = pause_it;
    pair_open(&p, "IP:127.0.0.1");
    ask(&p.up, "/large", &answer);
    for (int turns = 0; answer.ends == 0 && turns < 100000; turns++) {
        test_turn(&p.up);
        if (answer.call && answer.call->paused)
            http_outbound_resume(answer.call);
    }
    assert_int_equal(answer.ends, 1);
    assert_int_equal(answer.how, HTTP_OUT_DONE);
    assert_int_equal(answer.body_n, 3 << 20);
    pair_close(&p);
}

static void a_cancel_over_tls_is_told(void **state)
{
    pair_t p;
    test_answer_t answer = {0};
    pair_open(&p, "IP:127.0.0.1");
    ask(&p.up, "/events", &answer);
    while (answer.body_n == 0)
        test_turn(&p.up);
    assert_true(str_eq(str_of(answer.body, answer.body_n), STR("data: 1\n\n")));
    http_outbound_cancel(answer.call);
    test_turn_for(&p.up, 20);
    assert_true(test_wait_for(&test_seen.gone, 1));
    pair_close(&p);
}

static void the_wrong_peer_is_not_asked(void **state)
{
    pair_t p;
    test_answer_t answer = {0};
    pair_open(&p, "other.test");
    ask(&p.up, "/events", &answer);
    test_wait_end(&answer);
    assert_int_equal(answer.how, HTTP_OUT_UNREACHABLE);
    assert_int_equal(answer.heads, 0);
    pair_close(&p);
    assert_int_equal(test_seen.gone, 0); /* the handler never had a stream */
}

static void a_peer_without_tls_is_not_asked(void **state)
{
    static const char *const rows[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", ""};
    pair_t p;
    pair_open(&p, "IP:127.0.0.1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t plain;
        test_answer_t answer = {0};
        test_upstream_open(&plain, (http_outbound_config_t){.tls = p.tls, .connect_ms = 200});
        test_start(&plain, HTTP_POST, STR("secret"), &answer);
        int fd = test_accept(&plain);
        test_say_answer(&plain, fd, str_c(rows[i]));
        test_wait_end(&answer);
        assert_int_equal(answer.how, HTTP_OUT_UNREACHABLE);
        char heard[4096];
        ssize_t n = recv(fd, heard, sizeof heard, MSG_DONTWAIT);
        assert_false(str_contains(str_of(heard, n > 0 ? (size_t)n : 0), STR("secret")));
        close(fd);
        test_upstream_close(&plain);
    }
    pair_close(&p);
}

/* A peer whose every record is said by the test: OpenSSL between two buffers. */
typedef struct {
    test_upstream_t *up;
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
} peer_t;

static void peer_open(peer_t *p, test_upstream_t *up)
{
    test_pem_t pem = test_cert_make(a, (test_cert_t){"IP:127.0.0.1", -60, 3600, 0, false});
    BIO *chain = BIO_new_mem_buf(pem.chain.p, (int)pem.chain.n);
    BIO *key = BIO_new_mem_buf(pem.key.p, (int)pem.key.n);
    X509 *cert = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    *p = (peer_t){.up = up, .ctx = SSL_CTX_new(TLS_server_method()), .fd = -1};
    assert_true(SSL_CTX_use_certificate(p->ctx, cert));
    assert_true(SSL_CTX_use_PrivateKey(p->ctx, pkey));
    X509_free(cert);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
    p->ssl = SSL_new(p->ctx);
    SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(p->ssl);
}

static void peer_close(peer_t *p)
{
    close(p->fd);
    SSL_free(p->ssl);
    SSL_CTX_free(p->ctx);
}

/* What OpenSSL has to say leaves in one piece. */
static void peer_flush(peer_t *p)
{
    char *bytes;
    long n = BIO_get_mem_data(SSL_get_wbio(p->ssl), &bytes);
    if (n > 0)
        assert_int_equal(send(p->fd, bytes, (size_t)n, MSG_NOSIGNAL), n);
    (void)BIO_reset(SSL_get_wbio(p->ssl));
}

/* Turns until the client has sent the end of a head. */
static void peer_hear(peer_t *p)
{
    char bytes[16384];
    size_t n = 0;
    for (int turns = 0; turns < 1000 && !str_contains(str_of(bytes, n), STR("\r\n\r\n")); turns++) {
        char raw[4096];
        test_turn(p->up);
        ssize_t got = recv(p->fd, raw, sizeof raw, MSG_DONTWAIT);
        if (got > 0)
            BIO_write(SSL_get_rbio(p->ssl), raw, (int)got);
        int read = SSL_read(p->ssl, bytes + n, (int)(sizeof bytes - n));
        n += read > 0 ? (size_t)read : 0;
        peer_flush(p);
    }
    assert_true(str_contains(str_of(bytes, n), STR("\r\n\r\n")));
}

static void peer_say(peer_t *p, str_t record)
{
    assert_int_equal(SSL_write(p->ssl, record.p, (int)record.n), record.n);
}

static test_answer_t second;

static void ask_again(test_answer_t *answer)
{
    ask(answer->up, "/second", &second);
}

#define SAYS(body) STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" body)

/* A record behind the answer has left the socket already, and the next request starts from within
 * the end of the first: what waits in the filter must not become its answer. */
static void bytes_behind_an_answer_over_tls_answer_nobody(void **state)
{
    pair_t pair;
    test_upstream_t up;
    peer_t p;
    test_answer_t first = {.on_end = ask_again};
    memset(&second, 0, sizeof second);
    pair_open(&pair, "IP:127.0.0.1");
    test_upstream_open(&up, (http_outbound_config_t){.tls = pair.tls});
    peer_open(&p, &up);
    ask(&up, "/first", &first);
    p.fd = test_accept(&up);
    peer_hear(&p);
    peer_say(&p, SAYS("good"));
    peer_say(&p, SAYS("evil"));
    peer_flush(&p);
    test_wait_end(&first);
    assert_int_equal(first.how, HTTP_OUT_DONE);
    test_turn_for(&up, 50);
    assert_int_equal(second.heads, 0);
    peer_close(&p);
    /* It went to a connection of its own. */
    peer_open(&p, &up);
    p.fd = test_accept(&up);
    peer_hear(&p);
    peer_say(&p, SAYS("best"));
    peer_flush(&p);
    test_wait_end(&second);
    assert_true(str_eq(str_of(second.body, second.body_n), STR("best")));
    peer_close(&p);
    test_upstream_close(&up);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_peer_is_asked_again_and_again),
        cmocka_unit_test(a_slow_reader_gets_it_all),
        cmocka_unit_test(a_cancel_over_tls_is_told),
        cmocka_unit_test(the_wrong_peer_is_not_asked),
        cmocka_unit_test(a_peer_without_tls_is_not_asked),
        cmocka_unit_test(bytes_behind_an_answer_over_tls_answer_nobody),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
