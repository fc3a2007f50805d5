/* Whom the agent believes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_test_peer.h"
#include "http/http_test_tls.h"

static char authorities[] = "/tmp/agent_tls_XXXXXX";
static arena_t *arena;
static http_agent_t *agent;

static bool play(test_visit_t *v)
{
    static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    if (str_eq(v->path, STR("/ok")))
        return test_visit_says(v, OK);
    bool is_cut = str_eq(v->path, STR("/cut"));
    test_visit_says(v, is_cut ? "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nto the end"
                              : "HTTP/1.1 200 OK\r\n\r\nto the end");
    if (is_cut)
        shutdown(v->fd, SHUT_RDWR); /* without a word of TLS */
    return false;
}

static int set_up(void **state)
{
    int fd = mkstemp(authorities);
    arena = arena_new(16 << 20);
    str_t pem = test_cert_authority(arena);
    if (fd < 0 || write(fd, pem.p, pem.n) != (ssize_t)pem.n)
        return -1;
    close(fd);
    const http_agent_config_t config = {.ca_file = str_c(authorities)};
    return http_agent_new(&config, &agent) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    unlink(authorities);
    http_agent_free(agent);
    arena_free(arena);
    return 0;
}

static const test_cert_t GOOD = {"IP:127.0.0.1", -60, 3600, 0, false};

static http_answer_t ask(http_agent_t *by, test_peer_t *peer, const char *path)
{
    return test_agent_ask(by, arena, test_get(arena, peer, path));
}

/* One request to a server with that certificate. */
static http_answer_t ask_one(http_agent_t *by, test_cert_t want)
{
    test_peer_t *peer = test_peer_start(play, test_cert_server(arena, want));
    http_answer_t answer = ask(by, peer, "/ok");
    assert_int_equal(atomic_load(&peer->requests), answer.end == HTTP_AGENT_DONE ? 1 : 0);
    test_peer_stop(peer);
    return answer;
}

static void the_right_server_is_believed(void **state)
{
    http_answer_t answer = ask_one(agent, GOOD);
    assert_int_equal(answer.end, HTTP_AGENT_DONE);
    assert_true(str_eq(answer.body, STR("ok")));
}

static void the_wrong_ones_are_not(void **state)
{
    static const struct {
        test_cert_t cert;
        const char *why;
    } BAD[] = {
        {{"IP:127.0.0.1", -7200, -3600, 0, false}, "expired"},
        {{"IP:127.0.0.1", 3600, 7200, 0, false}, "not yet valid"},
        {{"IP:127.0.0.1", -60, 3600, 0, true}, "self-signed"},
        {{"IP:127.0.0.2", -60, 3600, 0, false}, "127.0.0.1"},
        {{"a.test", -60, 3600, 0, false}, "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        http_answer_t answer = ask_one(agent, BAD[i].cert);
        if (answer.end != HTTP_AGENT_TLS || !str_contains(answer.why, str_c(BAD[i].why)))
            fail_msg("row %zu: %s: %" PRIstr, i, http_agent_end_name(answer.end).p,
                     STR_ARG(answer.why));
    }
    assert_int_equal(ask_one(agent, GOOD).end, HTTP_AGENT_DONE);
}

static void names_are_compared(void **state)
{
    static const struct {
        const char *name;
        http_agent_end_t end;
    } CASES[] = {
        {"localhost", HTTP_AGENT_DONE},
        {"localhost.test", HTTP_AGENT_TLS},
        {"*.localhost", HTTP_AGENT_TLS},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const test_cert_t want = {CASES[i].name, -60, 3600, 0, false};
        test_peer_t *peer = test_peer_start(play, test_cert_server(arena, want));
        http_agent_request_t r = test_get(arena, peer, "/ok");
        r.url = arena_printf(arena, "https://localhost:%d/ok", peer->port);
        assert_int_equal(test_agent_ask(agent, arena, r).end, CASES[i].end);
        test_peer_stop(peer);
    }
}

/* A file is in place of the system's, and without one those of the system count. */
static void strange_authorities_are_not_believed(void **state)
{
    http_agent_t *plain = test_agent_start();
    http_answer_t answer = ask_one(plain, GOOD);
    assert_int_equal(answer.end, HTTP_AGENT_TLS);
    assert_true(str_contains(answer.why, STR("certificate")));
    http_agent_free(plain);
}

static void the_environment_may_name_authorities(void **state)
{
    setenv("SSL_CERT_FILE", authorities, 1);
    http_agent_t *told = test_agent_start();
    assert_int_equal(ask_one(told, GOOD).end, HTTP_AGENT_DONE);
    http_agent_free(told);
    unsetenv("SSL_CERT_FILE");
}

static void old_versions_are_refused(void **state)
{
    SSL_CTX *old = test_cert_server(arena, GOOD);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    test_peer_t *peer = test_peer_start(play, old);
    assert_int_equal(ask(agent, peer, "/ok").end, HTTP_AGENT_TLS);
    test_peer_stop(peer);
}

static void a_server_without_tls_is_told_from_a_broken_one(void **state)
{
    test_peer_t *peer = test_peer_start(play, NULL);
    http_agent_request_t r = test_get(arena, peer, "/ok");
    r.url = arena_printf(arena, "https://127.0.0.1:%d/ok", peer->port);
    http_answer_t answer = test_agent_ask(agent, arena, r);
    assert_int_equal(answer.end, HTTP_AGENT_TLS);
    test_peer_stop(peer);
}

static void a_body_that_is_cut_off_is_not_whole(void **state)
{
    test_peer_t *peer = test_peer_start(play, test_cert_server(arena, GOOD));
    assert_int_equal(ask(agent, peer, "/cut").end, HTTP_AGENT_BROKEN);
    http_answer_t answer = ask(agent, peer, "/whole");
    assert_int_equal(answer.end, HTTP_AGENT_DONE);
    assert_true(str_eq(answer.body, STR("to the end")));
    test_peer_stop(peer);
}

static void a_handshake_is_made_once(void **state)
{
    test_peer_t *peer = test_peer_start(play, test_cert_server(arena, GOOD));
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(agent, peer, "/ok").end, HTTP_AGENT_DONE);
    assert_int_equal(atomic_load(&peer->connections), 1);
    test_peer_stop(peer);
}

/* A server that would rather speak HTTP/2, and then could not. */
static int prefer_2(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
                    unsigned in_n, void *arg)
{
    static const unsigned char BOTH[] = "\2h2\10http/1.1";
    atomic_int *asked = arg;
    atomic_fetch_add(asked, 1);
    int how =
        SSL_select_next_proto((unsigned char **)(uintptr_t)out, n, BOTH, sizeof BOTH - 1, in, in_n);
    return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void only_http_1_is_spoken(void **state)
{
    SSL_CTX *tls = test_cert_server(arena, GOOD);
    atomic_int asked = 0;
    SSL_CTX_set_alpn_select_cb(tls, prefer_2, &asked);
    test_peer_t *peer = test_peer_start(play, tls);
    test_heard_t h;
    http_agent_request_t r = test_get(arena, peer, "/ok");
    test_heard_init(&h, agent);
    test_heard_start(&h, &r);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_DONE);
    assert_string_equal(h.version, "HTTP/1.1");
    assert_int_equal(atomic_load(&asked), 1);
    test_heard_end(&h);
    test_peer_stop(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_server_is_believed),
        cmocka_unit_test(the_wrong_ones_are_not),
        cmocka_unit_test(names_are_compared),
        cmocka_unit_test(strange_authorities_are_not_believed),
        cmocka_unit_test(the_environment_may_name_authorities),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(a_server_without_tls_is_told_from_a_broken_one),
        cmocka_unit_test(a_body_that_is_cut_off_is_not_whole),
        cmocka_unit_test(a_handshake_is_made_once),
        cmocka_unit_test(only_http_1_is_spoken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
