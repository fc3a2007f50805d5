/* TLS in front of a server: who gets in, what goes through, how it ends. */
#include "http/http_test_tls.h"

#include <time.h>

static arena_t *a;
static http_tls_t *tls, *rsa;
static test_tls_t t;

static http_tls_t *serve_with(test_cert_t want)
{
    test_pem_t pem = test_cert_make(a, want);
    http_tls_t *out;
    str_t why;
    assert_int_equal(http_tls_new(a, pem.chain, secret_of(pem.key), &out, &why), RC_OK);
    assert_unset(why);
    return out;
}

static int begin_all(void **state)
{
    a = arena_new(16 << 20);
    tls = serve_with((test_cert_t){"a.test", -60, 3600, 0, false});
    rsa = serve_with((test_cert_t){"a.test", -60, 3600, 2048, false});
    return 0;
}

static int end_all(void **state)
{
    http_tls_free(tls);
    http_tls_free(rsa);
    arena_free(a);
    return 0;
}

static SSL_CTX *peer_of(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
    if (version) {
        SSL_CTX_set_min_proto_version(ctx, version);
        SSL_CTX_set_max_proto_version(ctx, version);
    }
    return ctx;
}

static void open_with(http_tls_t *server, SSL_CTX *ctx)
{
    test_tls_serve(&t, server, ctx);
    SSL_CTX_free(ctx);
    test_tls_turn(&t);
}

static void open_one(int version)
{
    open_with(tls, peer_of(version));
    assert_true(test_tls_is_open(&t));
}

static void peer_says(const char *text)
{
    assert_int_equal(SSL_write(t.peer, text, (int)strlen(text)), strlen(text));
    test_tls_turn(&t);
}

static void peer_hears(const char *text)
{
    char buffer[256];
    int n = SSL_read(t.peer, buffer, sizeof buffer);
    assert_str(str_of(buffer, n > 0 ? (size_t)n : 0), str_c(text));
}

static http_send_t say(const char *text)
{
    struct iovec v = {(void *)(uintptr_t)text, strlen(text)};
    http_wire_t *w = http_tls_wire(t.filter);
    return w->ops->send(w, &v, 1);
}

static str_t got(void)
{
    return str_of(t.got, t.got_n);
}

#define WIRE (http_tls_wire(t.filter))

static void a_greeting_may_come_byte_by_byte(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 4; i++) {
        SSL_CTX *ctx = peer_of(versions[i % 2]);
        test_tls_serve(&t, tls, ctx);
        SSL_CTX_free(ctx);
        t.piece = i < 2 ? 1 : SIZE_MAX;
        t.window = i < 2 ? SIZE_MAX : 1;
        test_tls_turn(&t);
        assert_true(test_tls_is_open(&t));
        assert_int_equal(SSL_version(t.peer), versions[i % 2]);
        peer_says("hello");
        assert_text(got(), "hello");
        (void)say("and to you");
        test_tls_turn(&t);
        peer_hears("and to you");
        test_tls_end(&t);
    }
}

static void a_greeting_may_be_cut_anywhere(void **state)
{
    for (size_t cut = 1; cut < 400; cut++) {
        SSL_CTX *ctx = peer_of(TLS1_3_VERSION);
        test_tls_serve(&t, tls, ctx);
        SSL_CTX_free(ctx);
        t.piece = cut;
        test_tls_turn(&t);
        peer_says("hello");
        assert_text(got(), "hello");
        test_tls_end(&t);
    }
}

static void pieces_become_one_record(void **state)
{
    open_one(0);
    char head[] = "head ", body[] = "body", end[] = " end";
    struct iovec v[4] = {{head, 5}, {body, 0}, {body, 4}, {end, 4}};
    assert_int_equal(WIRE->ops->send(WIRE, v, 4), HTTP_SENT);
    peer_hears("head body end");
    assert_int_equal(WIRE->ops->unsent(WIRE), 0);
    test_tls_end(&t);
}

/* attack case: GWH-007, GWH-008 (HTTP/2 is not offered) */
static void only_http_1_1_is_spoken(void **state)
{
    static const struct {
        const char *offered;
        size_t n;
        bool open;
    } rows[] = {{"\x08http/1.1", 9, true},
                {"\x02h2\x08http/1.1", 12, true},
                {"\x02h2", 3, false},
                {"\x02h3\x08http/1.0", 12, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const unsigned char *chosen;
        unsigned n;
        SSL_CTX *ctx = peer_of(0);
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)rows[i].offered, (unsigned)rows[i].n);
        open_with(tls, ctx);
        assert_int_equal(test_tls_is_open(&t), rows[i].open);
        SSL_get0_alpn_selected(t.peer, &chosen, &n);
        if (rows[i].open)
            assert_str(str_of((const char *)chosen, n), STR("http/1.1"));
        else
            assert_int_equal(t.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
        assert_int_equal(t.gone, !rows[i].open);
        test_tls_end(&t);
    }
}

static void old_versions_are_refused(void **state)
{
    static const int versions[] = {TLS1_1_VERSION, TLS1_VERSION};
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *ctx = peer_of(versions[i]);
        SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
        open_with(rsa, ctx);
        assert_false(test_tls_is_open(&t));
        assert_int_equal(t.alert, SSL_AD_PROTOCOL_VERSION);
        assert_int_equal(t.gone, 1);
        assert_true(t.closed);
        test_tls_end(&t);
    }
    open_one(TLS1_2_VERSION);
    test_tls_end(&t);
}

static void weak_suites_are_refused(void **state)
{
    static const char *const suites[] = {"AES128-GCM-SHA256",         "AES128-SHA",
                                         "ECDHE-RSA-AES128-SHA",      "ECDHE-RSA-AES256-SHA384",
                                         "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256"};
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        SSL_CTX *ctx = peer_of(TLS1_2_VERSION);
        assert_true(SSL_CTX_set_cipher_list(ctx, suites[i]));
        open_with(rsa, ctx);
        if (test_tls_is_open(&t) || t.alert != SSL_AD_HANDSHAKE_FAILURE)
            fail_msg("%s %d", suites[i], t.alert);
        test_tls_end(&t);
    }
    SSL_CTX *ctx = peer_of(TLS1_2_VERSION);
    assert_true(SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-CHACHA20-POLY1305"));
    open_with(rsa, ctx);
    assert_true(test_tls_is_open(&t));
    test_tls_end(&t);
}

static void other_groups_are_refused(void **state)
{
    char one[] = "P-521", two[] = "P-521:P-256";
    SSL_CTX *ctx = peer_of(TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(ctx, one);
    open_with(tls, ctx);
    assert_false(test_tls_is_open(&t));
    test_tls_end(&t);
    ctx = peer_of(TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(ctx, two);
    open_with(tls, ctx);
    assert_true(test_tls_is_open(&t));
    test_tls_end(&t);
}

static void sessions_are_not_resumed(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        open_one(versions[i]);
        peer_says("x");
        (void)SSL_read(t.peer, (char[1]){0}, 1);
        assert_false(SSL_SESSION_is_resumable(SSL_get0_session(t.peer)));
        test_tls_end(&t);
    }
}

static void renegotiation_is_refused(void **state)
{
    open_one(TLS1_2_VERSION);
    assert_true(SSL_renegotiate(t.peer));
    (void)SSL_do_handshake(t.peer);
    test_tls_turn(&t);
    (void)SSL_read(t.peer, (char[1]){0}, 1);
    assert_int_equal(t.alert, SSL_AD_NO_RENEGOTIATION);
    test_tls_end(&t);
}

static void plain_http_is_told_and_closed(void **state)
{
    char buffer[512];
    SSL_CTX *ctx = peer_of(0);
    test_tls_serve(&t, tls, ctx);
    SSL_CTX_free(ctx);
    test_tls_raw(&t, STR("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    int n = BIO_read(t.to_peer, buffer, sizeof buffer);
    str_t text = str_of(buffer, n > 0 ? (size_t)n : 0);
    assert_true(str_starts(text, STR("HTTP/1.1 400 Bad Request\r\n")));
    assert_true(str_ends(text, STR("Content-Length: 25\r\n\r\nThis port speaks TLS only")));
    assert_true(t.closed);
    assert_int_equal(t.gone, 1);
    assert_int_equal(t.got_n, 0);
    test_tls_end(&t);
}

/* The preface of HTTP/2, and bytes that are nothing at all. */
static void what_is_no_tls_is_closed(void **state)
{
    static const char *const rows[] = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\xff\xff",
                                       "SSH-2.0-OpenSSH_9\r\n", "\x80\x2e\x01\x00\x02"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        SSL_CTX *ctx = peer_of(0);
        test_tls_serve(&t, tls, ctx);
        SSL_CTX_free(ctx);
        test_tls_raw(&t, str_c(rows[i]));
        if (!t.closed)
            http_tls_sink(t.filter)->ops->ended(http_tls_sink(t.filter));
        assert_true(t.closed || t.aborted);
        assert_int_equal(t.gone, 1);
        test_tls_end(&t);
    }
}

static void a_goodbye_is_said(void **state)
{
    open_one(0);
    assert_int_equal(say("last"), HTTP_SENT);
    WIRE->ops->close(WIRE);
    assert_true(t.closed);
    assert_null(t.filter);
    peer_hears("last");
    (void)SSL_read(t.peer, (char[1]){0}, 1);
    assert_int_equal(SSL_get_shutdown(t.peer), SSL_RECEIVED_SHUTDOWN);
    assert_int_equal(t.gone, 0);
    test_tls_end(&t);
}

/* Its bytes must stay as long as the socket has them: ASan would see. */
static void a_goodbye_waits_for_its_bytes(void **state)
{
    open_one(0);
    t.window = 0;
    WIRE->ops->close(WIRE);
    assert_true(t.closed);
    assert_non_null(t.filter);
    t.window = 1;
    test_tls_turn(&t);
    assert_null(t.filter);
    (void)SSL_read(t.peer, (char[1]){0}, 1);
    assert_int_equal(SSL_get_shutdown(t.peer), SSL_RECEIVED_SHUTDOWN);
    assert_int_equal(t.gone, 0);
    test_tls_end(&t);
}

static void a_peer_may_end_its_side_only(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        open_one(versions[i]);
        peer_says("question");
        SSL_shutdown(t.peer);
        test_tls_turn(&t);
        assert_int_equal(t.ended, 1);
        assert_int_equal(t.gone, 0);
        WIRE->ops->resume(WIRE);
        assert_int_equal(say("answer"), HTTP_SENT);
        if (versions[i] == TLS1_3_VERSION)
            peer_hears("answer");
        /* The socket's own end says nothing new. */
        http_tls_sink(t.filter)->ops->ended(http_tls_sink(t.filter));
        assert_int_equal(t.gone, 0);
        assert_int_equal(t.ended, 1);
        test_tls_end(&t);
    }
}

static void an_end_without_goodbye_is_a_break(void **state)
{
    open_one(0);
    peer_says("half a requ");
    http_sink_t *s = http_tls_sink(t.filter);
    s->ops->ended(s);
    assert_int_equal(t.ended, 0);
    assert_int_equal(t.gone, 1);
    assert_true(t.aborted);
    test_tls_end(&t);
}

static void a_forged_byte_is_a_break(void **state)
{
    open_one(0);
    test_tls_raw(&t, STR("\x17\x03\x03\x00\x20"
                         "0123456789abcdef0123456789abcdef"));
    assert_int_equal(t.gone, 1);
    assert_true(t.closed);
    assert_int_equal(t.got_n, 0);
    test_tls_end(&t);
}

static void a_broken_socket_is_told(void **state)
{
    open_one(0);
    http_sink_t *s = http_tls_sink(t.filter);
    t.filter = NULL;
    s->ops->gone(s);
    assert_int_equal(t.gone, 1);
    test_tls_end(&t);
}

static void a_dead_socket_is_told(void **state)
{
    open_one(0);
    t.dead = true;
    assert_int_equal(say("x"), HTTP_DEAD);
    assert_int_equal(t.gone, 0);
    WIRE->ops->abort(WIRE);
    test_tls_end(&t);
}

/* Above has room for 1000 bytes: the rest waits, and reading stops. */
static void want_of_room_stops_reading(void **state)
{
    static char text[60000];
    memset(text, 'u', sizeof text);
    open_one(0);
    t.room = 1000;
    assert_int_equal(SSL_write(t.peer, text, sizeof text), sizeof text);
    test_tls_turn(&t);
    assert_int_equal(t.got_n, 1000);
    assert_true(t.paused);
    size_t left = sizeof text;
    while (left > t.got_n) {
        left -= t.got_n;
        t.got_n = 0;
        WIRE->ops->resume(WIRE);
        /* Never from within the call. */
        assert_int_equal(t.got_n, 0);
        test_tls_turn(&t);
        assert_true(t.got_n > 0);
    }
    assert_int_equal(left, t.got_n);
    t.got_n = 0;
    WIRE->ops->resume(WIRE);
    test_tls_turn(&t);
    assert_false(t.paused);
    test_tls_end(&t);
}

static void a_filter_may_end_while_it_is_to_go_on(void **state)
{
    static char text[5000];
    open_one(0);
    t.room = 1000;
    assert_int_equal(SSL_write(t.peer, text, sizeof text), sizeof text);
    test_tls_turn(&t);
    t.got_n = 0;
    WIRE->ops->resume(WIRE);
    WIRE->ops->abort(WIRE);
    assert_non_null(t.deferred);
    test_tls_end(&t);
    assert_int_equal(t.got_n, 0);
}

static void a_slow_peer_costs_a_record(void **state)
{
    static char text[200000];
    static char heard[sizeof text];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    open_one(0);
    t.window = 0;
    struct iovec v[2] = {{text, 7}, {text + 7, sizeof text - 7}};
    assert_int_equal(WIRE->ops->send(WIRE, v, 2), HTTP_PENDING);
    assert_true(t.pending.iov_len < 17000);
    assert_true(WIRE->ops->unsent(WIRE) >= sizeof text);
    size_t before = WIRE->ops->unsent(WIRE);
    t.window = 5000;
    size_t n = 0;
    while (!t.sent) {
        test_tls_turn(&t);
        int piece = SSL_read(t.peer, heard + n, (int)(sizeof heard - n));
        n += piece > 0 ? (size_t)piece : 0;
    }
    assert_true(WIRE->ops->unsent(WIRE) < before);
    for (int piece; (piece = SSL_read(t.peer, heard + n, (int)(sizeof heard - n))) > 0;)
        n += (size_t)piece;
    assert_int_equal(n, sizeof text);
    assert_memory_equal(heard, text, sizeof text);
    assert_int_equal(t.sent, 1);
    test_tls_end(&t);
}

/* A peer that asks for new keys again and again and reads no answer is not listened to. */
static void key_updates_that_nobody_reads_stop(void **state)
{
    open_one(TLS1_3_VERSION);
    t.window = 0;
    for (int i = 0; i < 2000 && !t.paused && !t.gone; i++) {
        assert_true(SSL_key_update(t.peer, SSL_KEY_UPDATE_REQUESTED));
        (void)SSL_do_handshake(t.peer);
        test_tls_turn(&t);
    }
    assert_true(t.paused || t.gone);
    t.window = SIZE_MAX;
    test_tls_turn(&t);
    if (!t.gone) {
        assert_false(t.paused);
        peer_says("after");
        assert_text(got(), "after");
    }
    test_tls_end(&t);
}

/* PEM. */

static void refuse(str_t chain, str_t key, const char *sentence)
{
    http_tls_t *out;
    str_t why;
    assert_int_equal(http_tls_new(a, chain, secret_of(key), &out, &why), RC_CONFIG);
    assert_null(out);
    assert_str(why, str_c(sentence));
}

static void bad_pem_is_refused_by_name(void **state)
{
    test_pem_t good = test_cert_make(a, (test_cert_t){"a.test", -60, 3600, 0, false});
    test_pem_t other = test_cert_make(a, (test_cert_t){"b.test", -60, 3600, 0, false});
    test_pem_t weak = test_cert_make(a, (test_cert_t){"a.test", -60, 3600, 1024, false});
    refuse(STR(""), good.key, "the certificate file does not begin with a certificate in PEM");
    refuse(good.key, good.key, "the certificate file does not begin with a certificate in PEM");
    refuse(good.chain, STR(""), "the key file holds no private key in PEM");
    refuse(good.chain, good.chain, "the key file holds no private key in PEM");
    refuse(good.chain, other.key,
           "the private key does not belong to the first certificate of the chain");
    refuse(good.chain, good.encrypted_key,
           "the private key is encrypted; it must be given without a passphrase");
    refuse(weak.chain, weak.key,
           "the certificate's key is too short, its signature too weak, or its kind not known");
    str_t broken = arena_printf(a,
                                "%.*s-----BEGIN CERTIFICATE-----\nAAAA\n"
                                "-----END CERTIFICATE-----\n",
                                STR_ARG(good.chain));
    refuse(broken, good.key, "a certificate of the chain is malformed");
    str_t many = STR("");
    for (int i = 0; i < 20; i++)
        many = arena_printf(a, "%.*s%.*s", STR_ARG(many), STR_ARG(good.chain));
    refuse(many, good.key, "the chain has more certificates than any needs");
    http_tls_free(serve_with((test_cert_t){"a.test", -60, 3600, 0, false}));
}

static void times_are_a_warning(void **state)
{
    static const struct {
        int from, until;
        const char *why;
    } rows[] = {{-7200, -60, "the certificate has expired; clients will refuse it"},
                {3600, 7200, "the certificate is not valid yet; clients will refuse it"}};
    for (size_t i = 0; i < 2; i++) {
        test_pem_t pem =
            test_cert_make(a, (test_cert_t){"a.test", rows[i].from, rows[i].until, 0, false});
        http_tls_t *out;
        str_t why;
        assert_int_equal(http_tls_new(a, pem.chain, secret_of(pem.key), &out, &why), RC_OK);
        assert_str(why, str_c(rows[i].why));
        assert_in_range(http_tls_not_after(out), time(NULL) + rows[i].until - 5,
                        time(NULL) + rows[i].until + 5);
        http_tls_free(out);
    }
}

/* An open connection outlives the certificate that it began with. */
static void a_connection_counts_its_certificate(void **state)
{
    http_tls_t *own = serve_with((test_cert_t){"a.test", -60, 3600, 0, false});
    open_with(own, peer_of(0));
    http_tls_free(own);
    peer_says("still here");
    assert_text(got(), "still here");
    test_tls_end(&t);
}

static void certificates_may_be_renewed_for_years(void **state)
{
    test_pem_t pem = test_cert_make(a, (test_cert_t){"a.test", -60, 3600, 0, false});
    for (int i = 0; i < 300; i++) {
        http_tls_t *out;
        str_t why;
        assert_int_equal(http_tls_new(a, pem.chain, secret_of(pem.key), &out, &why), RC_OK);
        http_tls_free(out);
    }
    open_one(0);
    test_tls_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_may_come_byte_by_byte),
        cmocka_unit_test(a_greeting_may_be_cut_anywhere),
        cmocka_unit_test(pieces_become_one_record),
        cmocka_unit_test(only_http_1_1_is_spoken),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(weak_suites_are_refused),
        cmocka_unit_test(other_groups_are_refused),
        cmocka_unit_test(sessions_are_not_resumed),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(plain_http_is_told_and_closed),
        cmocka_unit_test(what_is_no_tls_is_closed),
        cmocka_unit_test(a_goodbye_is_said),
        cmocka_unit_test(a_goodbye_waits_for_its_bytes),
        cmocka_unit_test(a_peer_may_end_its_side_only),
        cmocka_unit_test(an_end_without_goodbye_is_a_break),
        cmocka_unit_test(a_forged_byte_is_a_break),
        cmocka_unit_test(a_broken_socket_is_told),
        cmocka_unit_test(a_dead_socket_is_told),
        cmocka_unit_test(want_of_room_stops_reading),
        cmocka_unit_test(a_filter_may_end_while_it_is_to_go_on),
        cmocka_unit_test(a_slow_peer_costs_a_record),
        cmocka_unit_test(key_updates_that_nobody_reads_stop),
        cmocka_unit_test(bad_pem_is_refused_by_name),
        cmocka_unit_test(times_are_a_warning),
        cmocka_unit_test(certificates_may_be_renewed_for_years),
        cmocka_unit_test(a_connection_counts_its_certificate),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
