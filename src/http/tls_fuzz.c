/* Bytes of a stranger into a server's side of TLS. Whatever comes: HTTP above sees none of it, as
 * nobody can finish a handshake by chance; and bytes that come one by one end alike. */
#include <openssl/pem.h>
#include <stdlib.h>

#include "http/tls_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* A filter between nothing and nothing. */
typedef struct {
    http_wire_t wire;
    http_sink_t sink;
    http_tls_filter_t *filter;
    bool over, gone;
    size_t sent;
} ends_t;

static http_send_t wire_send(http_wire_t *w, const struct iovec *v, unsigned n)
{
    ends_t *e = (ends_t *)w;
    check(!e->over && n == 1 && v->iov_len);
    e->sent += v->iov_len;
    return HTTP_SENT;
}

static size_t wire_unsent(http_wire_t *w)
{
    return 0;
}

static void wire_resume(http_wire_t *w)
{
}

static void wire_end(http_wire_t *w)
{
    ends_t *e = (ends_t *)w;
    check(!e->over);
    e->over = true;
}

static const http_wire_ops_t WIRE = {wire_send, wire_unsent, wire_resume, wire_end, wire_end};

static ends_t *of_sink(http_sink_t *s)
{
    return (ends_t *)((char *)s - offsetof(ends_t, sink));
}

static void *sink_space(http_sink_t *s, size_t *n)
{
    abort();
}

static void sink_room(http_sink_t *s, size_t *n)
{
    *n = 1;
}

static void sink_filled(http_sink_t *s, size_t n)
{
    abort();
}

static void sink_none(http_sink_t *s)
{
    abort();
}

static void sink_gone(http_sink_t *s)
{
    check(!of_sink(s)->gone);
    of_sink(s)->gone = true;
}

static const http_sink_ops_t SINK = {sink_space, sink_room, sink_filled,
                                     sink_none,  sink_none, sink_gone};

static str_t text_of(arena_t *a, BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    str_t text = arena_dup(a, str_of(p, (size_t)n));
    BIO_free(bio);
    return text;
}

static http_tls_t *make_tls(void)
{
    arena_t *a = arena_new(1 << 20);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *chain = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());
    http_tls_t *tls;
    str_t why;
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    check(X509_sign(cert, key, EVP_sha256()) > 0 && PEM_write_bio_X509(chain, cert));
    check(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL));
    str_t first = text_of(a, chain), second = text_of(a, pem);
    check(http_tls_new(a, first, secret_of(second), &tls, &why) == RC_OK);
    X509_free(cert);
    EVP_PKEY_free(key);
    arena_free(a);
    return tls;
}

static void defer(http_worker_t *loop, http_deferred_t *d)
{
    abort();
}

static void feed(ends_t *e, str_t bytes, size_t piece)
{
    http_sink_t *s = http_tls_sink(e->filter);
    while (bytes.n && !e->over) {
        size_t room;
        void *to = s->ops->space(s, &room);
        str_t part = str_first(str_first(bytes, piece), room);
        memcpy(to, part.p, part.n);
        bytes = str_skip(bytes, part.n);
        s->ops->filled(s, part.n);
    }
}

/* Whether the server ended it, having sent something or not. */
static unsigned run(http_tls_t *tls, str_t bytes, size_t piece)
{
    ends_t e = {.wire = {&WIRE}, .sink = {&SINK}};
    e.filter = http_tls_accept(tls, &e.wire, (http_tls_later_t){defer, NULL});
    check(e.filter != NULL);
    http_tls_set_above(e.filter, &e.sink);
    feed(&e, bytes, piece);
    unsigned how = (unsigned)e.over << 1 | (e.sent > 0);
    check(e.over == e.gone);
    if (!e.over)
        http_tls_wire(e.filter)->ops->abort(http_tls_wire(e.filter));
    return how;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static http_tls_t *tls;
    if (!tls)
        tls = make_tls();
    str_t bytes = str_of((const char *)data, size);
    unsigned how = run(tls, bytes, SIZE_MAX);
    check(run(tls, bytes, 1) == how);
    return 0;
}
