/* One connection's TLS: its life, and bytes of HTTP down to the socket. */
#include "http/ossl_tls_filter.h"

#include <openssl/err.h>
#include <stdlib.h>

enum { RECORD = SSL3_RT_MAX_PLAIN_LENGTH };

/* Of one record: no byte stays in it between calls. */
static _Thread_local char plain[RECORD];

static http_tls_filter_t *of_wire(http_wire_t *w)
{
    return (http_tls_filter_t *)w;
}

/* The filter's life: it ends when neither side knows it and no call is within it. */

void http_ossl_hold_filter(http_tls_filter_t *f)
{
    f->held++;
}

void http_ossl_release_filter(http_tls_filter_t *f)
{
    if (--f->held || f->below || f->above || f->replay.queued)
        return;
    SSL_free(f->ssl);
    http_ossl_drop(f->context);
    http_bytes_free(&f->carry);
    http_bytes_free(&f->flight);
    http_bytes_free(&f->queue);
    free(f);
}

void http_ossl_tell(http_tls_filter_t *f, str_t fault)
{
    void (*done)(void *ctx, str_t fault) = f->told.done;
    f->told.done = NULL;
    if (done)
        done(f->told.ctx, fault);
}

/* The connection is over for the one above. */
void http_ossl_lose(http_tls_filter_t *f)
{
    http_sink_t *above = f->above;
    f->broken = true;
    f->above = NULL;
    if (above)
        above->ops->gone(above);
}

void http_ossl_cut(http_tls_filter_t *f)
{
    if (f->below)
        f->below->ops->abort(f->below);
    f->below = NULL;
    http_ossl_lose(f);
}

/* Between OpenSSL and the filter. */

static int bio_write(BIO *bio, const char *p, int n)
{
    http_tls_filter_t *f = BIO_get_data(bio);
    if (n <= 0 || http_bytes_room(&f->queue, (size_t)n, HTTP_OSSL_OUT_MAX) != RC_OK)
        return -1;
    memcpy(f->queue.p + f->queue.n, p, (size_t)n);
    f->queue.n += (size_t)n;
    return n;
}

static int bio_read(BIO *bio, char *p, int n)
{
    http_tls_filter_t *f = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    str_t piece = str_first(f->in, n > 0 ? (size_t)n : 0);
    if (piece.n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(p, piece.p, piece.n);
    f->in = str_skip(f->in, piece.n);
    return (int)piece.n;
}

static long bio_ctrl(BIO *bio, int command, long n, void *p)
{
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *http_ossl_bio_method(void)
{
    /* Without an index of its own: there are 127 in a process, and certificates are renewed. */
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "http_tls_filter");
    if (!m)
        return NULL;
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

/* Down. */

/* Ciphertext to the socket, until that has enough. False: it is dead. */
bool http_ossl_push(http_tls_filter_t *f)
{
    while (!f->waiting && f->queue.n) {
        http_bytes_t piece = f->queue;
        f->queue = f->flight;
        f->queue.n = 0;
        f->flight = piece;
        struct iovec v = {piece.p, piece.n};
        http_send_t sent = f->below->ops->send(f->below, &v, 1);
        if (sent == HTTP_DEAD)
            return false;
        f->waiting = sent == HTTP_PENDING;
        if (!f->waiting)
            f->flight.n = 0;
    }
    if (f->waiting || f->queue.n)
        return true;
    http_bytes_free(&f->flight);
    http_bytes_free(&f->queue);
    return true;
}

/* Up to a record of what is to be sent; one piece is not copied. */
static str_t gather(http_tls_filter_t *f)
{
    size_t n = 0;
    if (f->src_n == 1)
        return str_first(str_of(f->src[0].iov_base, f->src[0].iov_len), RECORD);
    for (unsigned i = 0; i < f->src_n && n < RECORD; i++) {
        str_t piece = str_first(str_of(f->src[i].iov_base, f->src[i].iov_len), RECORD - n);
        if (piece.n)
            memcpy(plain + n, piece.p, piece.n);
        n += piece.n;
    }
    return str_of(plain, n);
}

static void drop_sent(http_tls_filter_t *f, size_t n)
{
    unsigned first = 0;
    while (first < f->src_n && n >= f->src[first].iov_len)
        n -= f->src[first++].iov_len;
    f->src_n -= first;
    memmove(f->src, f->src + first, f->src_n * sizeof *f->src);
    if (f->src_n == 0)
        return;
    f->src[0].iov_base = (char *)f->src[0].iov_base + n;
    f->src[0].iov_len -= n;
}

static bool encrypt(http_tls_filter_t *f)
{
    str_t record = gather(f);
    ERR_clear_error();
    bool ok = record.n == 0 || SSL_write(f->ssl, record.p, (int)record.n) == (int)record.n;
    if (record.p == plain)
        secret_wipe(plain, record.n);
    drop_sent(f, record.n);
    return ok;
}

/* A record at a time, so that a slow peer costs one. */
http_send_t http_ossl_drive(http_tls_filter_t *f)
{
    for (;;) {
        if (!http_ossl_push(f))
            return HTTP_DEAD;
        if (f->waiting || (f->src_n && !f->open))
            return HTTP_PENDING;
        if (f->src_n == 0)
            return HTTP_SENT;
        if (!encrypt(f))
            return HTTP_DEAD;
    }
}

static http_send_t tls_send(http_wire_t *w, const struct iovec *v, unsigned n)
{
    http_tls_filter_t *f = of_wire(w);
    if (f->broken || !f->below)
        return HTTP_DEAD;
    memcpy(f->src, v, n * sizeof *v);
    f->src_n = n;
    http_send_t sent = http_ossl_drive(f);
    f->sending = sent == HTTP_PENDING;
    return sent;
}

static size_t tls_unsent(http_wire_t *w)
{
    http_tls_filter_t *f = of_wire(w);
    size_t n = f->waiting ? f->below->ops->unsent(f->below) : 0;
    for (unsigned i = 0; i < f->src_n; i++)
        n += f->src[i].iov_len;
    return n;
}

static void tls_resume(http_wire_t *w)
{
    http_tls_filter_t *f = of_wire(w);
    if (!f->below || f->ended || f->reading)
        return;
    /* Who asks is in the middle of something: bytes must not come from within. */
    if (f->stalled)
        f->later.defer(f->later.loop, &f->replay);
    else
        f->below->ops->resume(f->below);
}

/* Goodbye by close_notify (RFC 8446 section 6.1). The socket sends what is pending first, and says
 * gone() when it needs the bytes no more. */
static void tls_close(http_wire_t *w)
{
    http_tls_filter_t *f = of_wire(w);
    http_ossl_hold_filter(f);
    f->above = NULL;
    ERR_clear_error();
    if (f->open && !f->broken)
        (void)SSL_shutdown(f->ssl);
    f->broken = true;
    bool alive = http_ossl_push(f);
    if (!alive)
        f->below->ops->abort(f->below);
    else
        f->below->ops->close(f->below);
    if (!alive || !f->waiting)
        f->below = NULL;
    http_ossl_release_filter(f);
}

static void tls_abort(http_wire_t *w)
{
    http_tls_filter_t *f = of_wire(w);
    http_ossl_hold_filter(f);
    f->above = NULL;
    f->broken = true;
    if (f->below)
        f->below->ops->abort(f->below);
    f->below = NULL;
    http_ossl_release_filter(f);
}

static const http_wire_ops_t WIRE = {tls_send, tls_unsent, tls_resume, tls_close, tls_abort};

/* Beginning. */

static http_tls_filter_t *filter_new(http_ossl_t *context, http_wire_t *below,
                                     http_tls_later_t later)
{
    http_tls_filter_t *f = calloc(1, sizeof *f);
    SSL *ssl = f ? SSL_new(context->ctx) : NULL;
    BIO *bio = ssl ? BIO_new(context->bio) : NULL;
    if (!bio) {
        SSL_free(ssl);
        free(f);
        return NULL;
    }
    BIO_set_data(bio, f);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    http_ossl_hold(context);
    *f = (http_tls_filter_t){.wire = {&WIRE},
                             .sink = {&HTTP_OSSL_SINK},
                             .below = below,
                             .context = context,
                             .ssl = ssl,
                             .in = STR(""),
                             .later = later,
                             .replay = {.fn = http_ossl_replay, .arg = f}};
    return f;
}

http_tls_filter_t *http_tls_accept(http_tls_t *tls, http_wire_t *below, http_tls_later_t later)
{
    http_tls_filter_t *f = filter_new(&tls->ossl, below, later);
    if (f)
        SSL_set_accept_state(f->ssl);
    return f;
}

http_tls_filter_t *http_tls_connect(const http_tls_client_t *tls, http_wire_t *below,
                                    http_tls_later_t later, http_tls_handshake_t told)
{
    /* The count is the only thing that changes in a context. */
    http_tls_client_t *counted = (http_tls_client_t *)(uintptr_t)tls;
    http_tls_filter_t *f = filter_new(&counted->ossl, below, later);
    if (!f)
        return NULL;
    f->told = told;
    SSL_set_connect_state(f->ssl);
    /* Addresses are no names: they are not sent (RFC 6066 section 3). */
    char *name = X509_VERIFY_PARAM_get0_host(SSL_get0_param(f->ssl), 0);
    if (!name || SSL_set_tlsext_host_name(f->ssl, name))
        return f;
    f->below = NULL;
    http_ossl_hold_filter(f);
    http_ossl_release_filter(f);
    return NULL;
}

http_sink_t *http_tls_sink(http_tls_filter_t *f)
{
    return &f->sink;
}

http_wire_t *http_tls_wire(http_tls_filter_t *f)
{
    return &f->wire;
}

void http_tls_set_above(http_tls_filter_t *f, http_sink_t *above)
{
    f->above = above;
}

bool http_tls_has_news(const http_wire_t *w)
{
    const http_tls_filter_t *f = (const http_tls_filter_t *)w;
    size_t waits = f->reading ? f->in.n : f->carry.n;
    return waits || SSL_pending(f->ssl) > 0;
}

bool http_tls_begin(http_tls_filter_t *f)
{
    ERR_clear_error();
    (void)SSL_do_handshake(f->ssl);
    return http_ossl_push(f);
}
