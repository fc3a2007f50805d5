/* TLS towards an upstream: whom it believes. */
#include "http/http_test_tls.h"

#include <openssl/pem.h>

static arena_t *a;
static test_tls_t t;

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

/* OpenSSL as the server, with this certificate. */
static SSL_CTX *peer_with(test_cert_t want)
{
    return test_cert_server(a, want);
}

static http_tls_client_t *client_for(const char *host)
{
    http_tls_client_config_t config = {.host = str_c(host), .authorities = test_cert_authority(a)};
    http_tls_client_t *out;
    str_t why;
    assert_int_equal(http_tls_client_new(a, &config, &out, &why), RC_OK);
    assert_unset(why);
    return out;
}

static void dial(const char *host, SSL_CTX *peer)
{
    http_tls_client_t *client = client_for(host);
    test_tls_dial(&t, client, peer);
    http_tls_client_free(client);
    SSL_CTX_free(peer);
    test_tls_turn(&t);
}

static const test_cert_t GOOD = {"a.test", -60, 3600, 0, false};

static http_send_t say(const char *text)
{
    struct iovec v = {(void *)(uintptr_t)text, strlen(text)};
    http_wire_t *w = http_tls_wire(t.filter);
    return w->ops->send(w, &v, 1);
}

static void peer_hears(const char *text)
{
    char buffer[256];
    int n = SSL_read(t.peer, buffer, sizeof buffer);
    assert_str(str_of(buffer, n > 0 ? (size_t)n : 0), str_c(text));
}

static void the_right_peer_is_believed(void **state)
{
    dial("a.test", peer_with(GOOD));
    assert_true(test_tls_is_open(&t));
    assert_int_equal(t.told, 1);
    assert_unset(t.fault);
    assert_string_equal(SSL_get_servername(t.peer, TLSEXT_NAMETYPE_host_name), "a.test");
    assert_int_equal(say("question"), HTTP_SENT);
    peer_hears("question");
    assert_int_equal(SSL_write(t.peer, "answer", 6), 6);
    test_tls_turn(&t);
    assert_str(str_of(t.got, t.got_n), STR("answer"));
    test_tls_end(&t);
}

static void the_wrong_peer_is_refused_by_name(void **state)
{
    static const struct {
        const char *host;
        test_cert_t cert;
        const char *fault;
    } rows[] = {
        {"b.test", {"a.test", -60, 3600, 0, false}, "the certificate is for another host"},
        {"x.a.test", {"a.test", -60, 3600, 0, false}, "the certificate is for another host"},
        {"wide.test", {"w*.test", -60, 3600, 0, false}, "the certificate is for another host"},
        {"x.y.b.test", {"*.b.test", -60, 3600, 0, false}, "the certificate is for another host"},
        {"192.0.2.1", {"IP:192.0.2.2", -60, 3600, 0, false}, "the certificate is for another host"},
        {"a.test", {"a.test", -7200, -60, 0, false}, "the certificate has expired"},
        {"a.test", {"a.test", 3600, 7200, 0, false}, "the certificate is not valid yet"},
        {"a.test",
         {"a.test", -60, 3600, 0, true},
         "the certificate is self-signed and not among the authorities"},
        {"a.test", {"a.test", -60, 3600, 1024, false}, "the certificate does not hold"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dial(rows[i].host, peer_with(rows[i].cert));
        assert_str(t.fault, str_c(rows[i].fault));
        assert_int_equal(t.told, 1);
        assert_int_equal(t.gone, 1);
        assert_true(t.alert != 0);
        test_tls_end(&t);
    }
    dial("a.test", peer_with(GOOD));
    assert_unset(t.fault);
    test_tls_end(&t);
}

static void names_are_read_as_they_should(void **state)
{
    static const struct {
        const char *host, *named;
    } rows[] = {{"x.b.test", "*.b.test"},
                {"A.test", "a.TEST"},
                {"192.0.2.1", "IP:192.0.2.1"},
                {"::1", "IP:0:0:0:0:0:0:0:1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dial(rows[i].host, peer_with((test_cert_t){rows[i].named, -60, 3600, 0, false}));
        if (str_is_set(t.fault))
            fail_msg("%s: %.*s", rows[i].host, STR_ARG(t.fault));
        assert_true(test_tls_is_open(&t));
        test_tls_end(&t);
    }
    /* The last one was an address: it is no server name. */
    dial("192.0.2.1", peer_with((test_cert_t){"IP:192.0.2.1", -60, 3600, 0, false}));
    assert_null(SSL_get_servername(t.peer, TLSEXT_NAMETYPE_host_name));
    test_tls_end(&t);
}

static void an_unknown_authority_is_refused(void **state)
{
    test_pem_t stranger = test_cert_make(a, (test_cert_t){"x.test", -60, 3600, 0, true});
    http_tls_client_config_t config = {.host = STR("a.test"), .authorities = stranger.chain};
    http_tls_client_t *client;
    str_t why;
    assert_int_equal(http_tls_client_new(a, &config, &client, &why), RC_OK);
    SSL_CTX *peer = peer_with(GOOD);
    test_tls_dial(&t, client, peer);
    test_tls_turn(&t);
    assert_text(t.fault, "the certificate's issuer is not among the authorities");
    test_tls_end(&t);
    SSL_CTX_free(peer);
    http_tls_client_free(client);
}

/* Not one byte of a request leaves before the peer is known. */
static void sends_wait_for_the_handshake(void **state)
{
    http_tls_client_t *client = client_for("a.test");
    SSL_CTX *peer = peer_with(GOOD);
    test_tls_dial(&t, client, peer);
    assert_int_equal(say("early"), HTTP_PENDING);
    assert_int_equal(http_tls_wire(t.filter)->ops->unsent(http_tls_wire(t.filter)), 5);
    test_tls_turn(&t);
    assert_int_equal(t.sent, 1);
    peer_hears("early");
    test_tls_end(&t);
    SSL_CTX_free(peer);
    peer = peer_with((test_cert_t){"b.test", -60, 3600, 0, false});
    test_tls_dial(&t, client, peer);
    assert_int_equal(say("early"), HTTP_PENDING);
    test_tls_turn(&t);
    assert_int_equal(t.sent, 0);
    assert_int_equal(t.gone, 1);
    assert_true(SSL_read(t.peer, (char[8]){0}, 8) <= 0);
    test_tls_end(&t);
    SSL_CTX_free(peer);
    http_tls_client_free(client);
}

static void a_peer_that_leaves_is_told(void **state)
{
    http_tls_client_t *client = client_for("a.test");
    SSL_CTX *peer = peer_with(GOOD);
    test_tls_dial(&t, client, peer);
    http_tls_sink(t.filter)->ops->ended(http_tls_sink(t.filter));
    assert_text(t.fault, "the peer closed within the TLS handshake");
    assert_int_equal(t.gone, 1);
    test_tls_end(&t);
    test_tls_dial(&t, client, peer);
    http_sink_t *s = http_tls_sink(t.filter);
    t.filter = NULL;
    s->ops->gone(s);
    assert_text(t.fault, "the connection broke within the TLS handshake");
    assert_int_equal(t.told, 1);
    test_tls_end(&t);
    test_tls_dial(&t, client, peer);
    test_tls_raw(&t, STR("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert_text(t.fault, "the TLS handshake failed");
    assert_int_equal(t.gone, 1);
    test_tls_end(&t);
    SSL_CTX_free(peer);
    http_tls_client_free(client);
}

static void old_versions_are_refused(void **state)
{
    SSL_CTX *peer = peer_with((test_cert_t){"a.test", -60, 3600, 2048, false});
    SSL_CTX_set_cipher_list(peer, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(peer, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(peer, TLS1_1_VERSION);
    dial("a.test", peer);
    assert_text(t.fault, "the TLS handshake failed");
    assert_int_equal(t.gone, 1);
    test_tls_end(&t);
}

static int take_any(X509_STORE_CTX *ctx, void *arg)
{
    return 1;
}

static void its_own_certificate_is_shown(void **state)
{
    test_pem_t own = test_cert_make(a, (test_cert_t){"client.test", -60, 3600, 0, false});
    http_tls_client_config_t config = {STR("a.test"), test_cert_authority(a), own.chain,
                                       secret_of(own.key)};
    http_tls_client_t *client;
    str_t why;
    assert_int_equal(http_tls_client_new(a, &config, &client, &why), RC_OK);
    SSL_CTX *peer = peer_with(GOOD);
    SSL_CTX_set_verify(peer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(peer, take_any, NULL);
    test_tls_dial(&t, client, peer);
    test_tls_turn(&t);
    X509 *seen = SSL_get1_peer_certificate(t.peer);
    assert_non_null(seen);
    X509_free(seen);
    test_tls_end(&t);
    SSL_CTX_free(peer);
    http_tls_client_free(client);
}

static void bad_configurations_are_refused(void **state)
{
    test_pem_t own = test_cert_make(a, GOOD);
    test_pem_t other = test_cert_make(a, GOOD);
    str_t good = test_cert_authority(a);
    const struct {
        http_tls_client_config_t config;
        const char *why;
    } rows[] = {
        {{.host = STR(""), .authorities = good},
         "a host is missing that the certificate must be for"},
        {{.host = STR("a.test"), .authorities = STR("nothing")},
         "the file of authorities is not a list of certificates in PEM"},
        {{.host = STR("a.test"),
          .authorities = good,
          .chain = own.chain,
          .key = secret_of(other.key)},
         "the private key does not belong to the first certificate of the chain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_tls_client_t *out;
        str_t why;
        assert_int_equal(http_tls_client_new(a, &rows[i].config, &out, &why), RC_CONFIG);
        assert_null(out);
        assert_str(why, str_c(rows[i].why));
    }
    http_tls_client_config_t of_the_system = {.host = STR("a.test")};
    http_tls_client_t *out;
    str_t why;
    assert_int_equal(http_tls_client_new(a, &of_the_system, &out, &why), RC_OK);
    http_tls_client_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_peer_is_believed),
        cmocka_unit_test(the_wrong_peer_is_refused_by_name),
        cmocka_unit_test(names_are_read_as_they_should),
        cmocka_unit_test(an_unknown_authority_is_refused),
        cmocka_unit_test(sends_wait_for_the_handshake),
        cmocka_unit_test(a_peer_that_leaves_is_told),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(its_own_certificate_is_shown),
        cmocka_unit_test(bad_configurations_are_refused),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
