#include "http/http_test_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Certificates. */

static EVP_PKEY *authority_key;
static X509 *authority;

static EVP_PKEY *make_key(int rsa_bits)
{
    EVP_PKEY *key = rsa_bits ? EVP_RSA_gen((unsigned)rsa_bits) : EVP_EC_gen("P-256");
    assert_non_null(key);
    return key;
}

static void extend(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *make_cert(const char *name, EVP_PKEY *key, test_cert_t want)
{
    static long serial;
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), want.from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), want.until_s);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_pubkey(cert, key);
    return cert;
}

static void make_authority(void)
{
    if (authority)
        return;
    authority_key = make_key(0);
    authority = make_cert("test authority", authority_key, (test_cert_t){NULL, -86400, 86400});
    X509_set_issuer_name(authority, X509_get_subject_name(authority));
    extend(authority, NID_basic_constraints, "critical,CA:TRUE");
    extend(authority, NID_key_usage, "critical,keyCertSign");
    assert_true(X509_sign(authority, authority_key, EVP_sha256()) > 0);
}

static str_t text_of(arena_t *a, BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    str_t text = arena_dup(a, str_of(p, (size_t)n));
    BIO_free(bio);
    return text;
}

static str_t pem_of(arena_t *a, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_X509(bio, cert));
    return text_of(a, bio);
}

static str_t key_pem(arena_t *a, EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    static unsigned char pass[] = "pass";
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(bio, key, cipher, cipher ? pass : NULL, cipher ? 4 : 0,
                                         NULL, NULL));
    return text_of(a, bio);
}

str_t test_cert_authority(arena_t *a)
{
    make_authority();
    return pem_of(a, authority);
}

test_pem_t test_cert_make(arena_t *a, test_cert_t want)
{
    char names[256];
    make_authority();
    EVP_PKEY *key = make_key(want.rsa_bits);
    X509 *cert = make_cert("a test", key, want);
    X509 *issuer = want.self_signed ? cert : authority;
    bool address = want.host[0] == 'I';
    snprintf(names, sizeof names, "%s%s", address ? "" : "DNS:", want.host);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    extend(cert, NID_subject_alt_name, names);
    assert_true(X509_sign(cert, want.self_signed ? key : authority_key, EVP_sha256()) > 0);
    test_pem_t pem = {pem_of(a, cert), key_pem(a, key, NULL), key_pem(a, key, EVP_aes_128_cbc())};
    X509_free(cert);
    EVP_PKEY_free(key);
    return pem;
}

SSL_CTX *test_cert_server(arena_t *a, test_cert_t want)
{
    test_pem_t pem = test_cert_make(a, want);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *chain = BIO_new_mem_buf(pem.chain.p, (int)pem.chain.n);
    BIO *key = BIO_new_mem_buf(pem.key.p, (int)pem.key.n);
    X509 *cert = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    SSL_CTX_set_security_level(ctx, 0);
    assert_true(SSL_CTX_use_certificate(ctx, cert));
    assert_true(SSL_CTX_use_PrivateKey(ctx, pkey));
    X509_free(cert);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
    return ctx;
}

/* Below the filter. */

static void to_peer(test_tls_t *t)
{
    size_t n = t->pending.iov_len < t->window ? t->pending.iov_len : t->window;
    if (n == 0)
        return;
    assert_int_equal(BIO_write(t->to_peer, t->pending.iov_base, (int)n), n);
    t->pending.iov_base = (char *)t->pending.iov_base + n;
    t->pending.iov_len -= n;
}

static http_send_t wire_send(http_wire_t *w, const struct iovec *v, unsigned n)
{
    test_tls_t *t = (test_tls_t *)w;
    assert_int_equal(n, 1);
    assert_int_equal(t->pending.iov_len, 0);
    if (t->dead)
        return HTTP_DEAD;
    t->pending = *v;
    if (!t->hold_sends)
        to_peer(t);
    return t->pending.iov_len ? HTTP_PENDING : HTTP_SENT;
}

static size_t wire_unsent(http_wire_t *w)
{
    return ((test_tls_t *)w)->pending.iov_len;
}

static void wire_resume(http_wire_t *w)
{
    ((test_tls_t *)w)->paused = false;
}

static void wire_close(http_wire_t *w)
{
    test_tls_t *t = (test_tls_t *)w;
    t->closed = true;
    if (t->pending.iov_len == 0)
        t->filter = NULL;
}

static void wire_abort(http_wire_t *w)
{
    test_tls_t *t = (test_tls_t *)w;
    t->aborted = true;
    t->pending.iov_len = 0;
    t->filter = NULL;
}

static const http_wire_ops_t WIRE = {wire_send, wire_unsent, wire_resume, wire_close, wire_abort};

/* Above it. */

static test_tls_t *of_sink(http_sink_t *s)
{
    return (test_tls_t *)((char *)s - offsetof(test_tls_t, sink));
}

static void *sink_space(http_sink_t *s, size_t *n)
{
    test_tls_t *t = of_sink(s);
    *n = t->room - t->got_n;
    return t->got + t->got_n;
}

static void sink_room(http_sink_t *s, size_t *n)
{
    test_tls_t *t = of_sink(s);
    *n = t->room - t->got_n;
}

static void sink_filled(http_sink_t *s, size_t n)
{
    of_sink(s)->got_n += n;
}

static void sink_sent(http_sink_t *s)
{
    of_sink(s)->sent++;
}

static void sink_ended(http_sink_t *s)
{
    of_sink(s)->ended++;
}

static void sink_gone(http_sink_t *s)
{
    of_sink(s)->gone++;
}

static const http_sink_ops_t SINK = {sink_space, sink_room,  sink_filled,
                                     sink_sent,  sink_ended, sink_gone};

static void told(void *ctx, str_t fault)
{
    test_tls_t *t = ctx;
    t->told++;
    t->fault = fault;
}

/* The loop: what is deferred runs at the end of a turn. */

static void defer(http_worker_t *loop, http_deferred_t *d)
{
    test_tls_t *t = (test_tls_t *)(void *)loop;
    if (d->queued)
        return;
    d->queued = true;
    assert_null(t->deferred);
    t->deferred = d;
}

static bool run_deferred(test_tls_t *t)
{
    http_deferred_t *d = t->deferred;
    t->deferred = NULL;
    if (!d)
        return false;
    d->queued = false;
    d->fn(d->arg);
    return true;
}

static void watch(const SSL *ssl, int where, int what)
{
    test_tls_t *t = SSL_get_app_data(ssl);
    if (where == SSL_CB_READ_ALERT && (what & 0xff) != SSL_AD_CLOSE_NOTIFY)
        t->alert = (char)what;
}

static void begin(test_tls_t *t, SSL_CTX *peer)
{
    memset(t, 0, sizeof *t);
    t->wire.ops = &WIRE;
    t->sink.ops = &SINK;
    t->piece = t->window = SIZE_MAX;
    t->room = sizeof t->got;
    t->peer = SSL_new(peer);
    assert_non_null(t->peer);
    t->to_peer = BIO_new(BIO_s_mem());
    t->from_peer = BIO_new(BIO_s_mem());
    SSL_set_bio(t->peer, t->to_peer, t->from_peer);
    SSL_set_app_data(t->peer, t);
    SSL_set_info_callback(t->peer, watch);
}

static http_tls_later_t later(test_tls_t *t)
{
    return (http_tls_later_t){defer, (http_worker_t *)(void *)t};
}

void test_tls_serve(test_tls_t *t, http_tls_t *tls, SSL_CTX *peer)
{
    begin(t, peer);
    SSL_set_connect_state(t->peer);
    t->filter = http_tls_accept(tls, &t->wire, later(t));
    assert_non_null(t->filter);
    http_tls_set_above(t->filter, &t->sink);
}

void test_tls_dial(test_tls_t *t, const http_tls_client_t *tls, SSL_CTX *peer)
{
    begin(t, peer);
    SSL_set_accept_state(t->peer);
    t->filter = http_tls_connect(tls, &t->wire, later(t), (http_tls_handshake_t){told, t});
    assert_non_null(t->filter);
    http_tls_set_above(t->filter, &t->sink);
    assert_true(http_tls_begin(t->filter));
}

void test_tls_raw(test_tls_t *t, str_t bytes)
{
    while (bytes.n && t->filter && !t->closed && !t->paused) {
        http_sink_t *s = http_tls_sink(t->filter);
        size_t room;
        void *to = s->ops->space(s, &room);
        str_t piece = str_first(str_first(bytes, t->piece), room);
        memcpy(to, piece.p, piece.n);
        bytes = str_skip(bytes, piece.n);
        s->ops->filled(s, piece.n);
        if (!t->filter)
            return;
        s->ops->room(s, &room);
        t->paused = room == 0;
    }
    assert_true(bytes.n == 0 || !t->filter || t->closed || t->piece == SIZE_MAX || t->paused);
}

static bool feed(test_tls_t *t)
{
    static char buffer[4096];
    if (!t->filter || t->closed || t->paused)
        return false;
    size_t most = t->piece < sizeof buffer ? t->piece : sizeof buffer;
    int n = BIO_read(t->from_peer, buffer, (int)most);
    if (n > 0)
        test_tls_raw(t, str_of(buffer, (size_t)n));
    return n > 0;
}

static bool carry(test_tls_t *t)
{
    bool some = t->pending.iov_len > 0 && t->window;
    to_peer(t);
    if (!some || t->pending.iov_len || !t->filter)
        return some;
    http_sink_t *s = http_tls_sink(t->filter);
    if (!t->closed) {
        s->ops->sent(s);
        return true;
    }
    t->filter = NULL;
    s->ops->gone(s);
    return true;
}

void test_tls_turn(test_tls_t *t)
{
    for (int i = 0; i < 100000; i++) {
        if (!SSL_is_init_finished(t->peer))
            (void)SSL_do_handshake(t->peer);
        bool moved = feed(t);
        moved |= carry(t);
        moved |= run_deferred(t);
        if (!moved)
            return;
    }
    fail_msg("it never stops");
}

bool test_tls_is_open(test_tls_t *t)
{
    return SSL_is_init_finished(t->peer) && !t->gone;
}

void test_tls_end(test_tls_t *t)
{
    http_tls_filter_t *f = t->filter;
    if (f && !t->closed)
        http_tls_wire(f)->ops->abort(http_tls_wire(f));
    else if (f)
        http_tls_sink(f)->ops->gone(http_tls_sink(f));
    run_deferred(t);
    SSL_free(t->peer);
    ERR_clear_error();
}
