/* The client over TLS: what it takes for the right peer to be asked, and the wrong one not. */
#include "http/http_test_outbound.h"
#include "http/http_test_server.h"
#include "http/http_test_tls.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_peer_is_asked_again_and_again),
        cmocka_unit_test(a_slow_reader_gets_it_all),
        cmocka_unit_test(a_cancel_over_tls_is_told),
        cmocka_unit_test(the_wrong_peer_is_not_asked),
        cmocka_unit_test(a_peer_without_tls_is_not_asked),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
