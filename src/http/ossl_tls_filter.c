/* One connection's TLS: bytes of the socket in, bytes of HTTP out, and back. */
#include "http/tls_filter.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "http/conn.h"
#include "http/ossl_tls.h"

enum {
    RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
    /* Read from the socket at once. */
    INPUT = 16 << 10,
    /* Ciphertext that the one above has no room for: what the socket had read already. */
    CARRY_MAX = 2 * INPUT,
    /* A record, or a handshake with a long chain. */
    OUT_MAX = 256 << 10,
};

/* Of one call of the socket, and of one record: no byte stays in them between calls. */
static _Thread_local char input[INPUT];
static _Thread_local char plain[RECORD];

struct http_tls_filter {
    http_wire_t wire; /* for the one above */
    http_sink_t sink; /* for the socket */
    http_wire_t *below;
    http_sink_t *above; /* NULL once forgotten */
    http_ossl_t *context;
    SSL *ssl;
    http_tls_later_t later;
    http_tls_handshake_t told;
    str_t in;            /* ciphertext that OpenSSL may read now */
    http_bytes_t carry;  /* ciphertext for later */
    http_bytes_t flight; /* ciphertext that the socket is sending */
    http_bytes_t queue;  /* and what comes behind it */
    struct iovec src[4]; /* the pending send of the one above */
    unsigned src_n;
    unsigned held; /* calls within this filter that still need it */
    bool open;     /* the handshake is over */
    bool broken;   /* OpenSSL gave up: it must not be asked for more */
    bool sending;  /* the one above waits for sent() */
    bool waiting;  /* flight is pending below */
    bool ended;    /* close_notify came: no byte behind it is looked at */
    bool stalled;  /* input stopped for want of room, above or below */
    bool reading;  /* within the loop that takes input */
    http_deferred_t replay;
};

static http_tls_filter_t *of_wire(http_wire_t *w)
{
    return (http_tls_filter_t *)w;
}

static http_tls_filter_t *of_sink(http_sink_t *s)
{
    return (http_tls_filter_t *)((char *)s - offsetof(http_tls_filter_t, sink));
}

/* The filter's life: it ends when neither side knows it and no call is within it. */

static void hold(http_tls_filter_t *f)
{
    f->held++;
}

static void release(http_tls_filter_t *f)
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

static void tell(http_tls_filter_t *f, str_t fault)
{
    void (*done)(void *ctx, str_t fault) = f->told.done;
    f->told.done = NULL;
    if (done)
        done(f->told.ctx, fault);
}

/* The connection is over for the one above. */
static void lose(http_tls_filter_t *f)
{
    http_sink_t *above = f->above;
    f->broken = true;
    f->above = NULL;
    if (above)
        above->ops->gone(above);
}

static void cut(http_tls_filter_t *f)
{
    if (f->below)
        f->below->ops->abort(f->below);
    f->below = NULL;
    lose(f);
}

/* Between OpenSSL and the filter. */

static int bio_write(BIO *bio, const char *p, int n)
{
    http_tls_filter_t *f = BIO_get_data(bio);
    if (n <= 0 || http_bytes_room(&f->queue, (size_t)n, OUT_MAX) != RC_OK)
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
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "http_tls_filter");
    if (!m)
        return NULL;
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

/* Down. */

/* Ciphertext to the socket, until that has enough. False: it is dead. */
static bool push(http_tls_filter_t *f)
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
static http_send_t drive(http_tls_filter_t *f)
{
    for (;;) {
        if (!push(f))
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
    http_send_t sent = drive(f);
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
    hold(f);
    f->above = NULL;
    ERR_clear_error();
    if (f->open && !f->broken)
        (void)SSL_shutdown(f->ssl);
    f->broken = true;
    bool alive = push(f);
    if (!alive)
        f->below->ops->abort(f->below);
    else
        f->below->ops->close(f->below);
    if (!alive || !f->waiting)
        f->below = NULL;
    release(f);
}

static void tls_abort(http_wire_t *w)
{
    http_tls_filter_t *f = of_wire(w);
    hold(f);
    f->above = NULL;
    f->broken = true;
    if (f->below)
        f->below->ops->abort(f->below);
    f->below = NULL;
    release(f);
}

static const http_wire_ops_t WIRE = {tls_send, tls_unsent, tls_resume, tls_close, tls_abort};

/* Up. */

static str_t certificate_fault(long result)
{
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return STR("the certificate is for another host");
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return STR("the certificate has expired");
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return STR("the certificate is not valid yet");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return STR("the certificate is self-signed and not among the authorities");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return STR("the certificate's issuer is not among the authorities");
    default:
        return STR("the certificate does not hold");
    }
}

static str_t handshake_fault(const http_tls_filter_t *f)
{
    long result = SSL_get_verify_result(f->ssl);
    return result == X509_V_OK ? STR("the TLS handshake failed") : certificate_fault(result);
}

/* Somebody speaks HTTP to the TLS port. */
static void explain_plain(http_tls_filter_t *f)
{
    static const char TEXT[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                               "Content-Type: text/plain\r\nContent-Length: 25\r\n\r\n"
                               "This port speaks TLS only";
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (f->open || (reason != SSL_R_HTTP_REQUEST && reason != SSL_R_HTTPS_PROXY_REQUEST))
        return;
    f->queue.n = 0;
    if (http_bytes_room(&f->queue, sizeof TEXT - 1, OUT_MAX) != RC_OK)
        return;
    memcpy(f->queue.p, TEXT, sizeof TEXT - 1);
    f->queue.n = sizeof TEXT - 1;
}

/* OpenSSL gave up: its alert goes out, then the connection ends. */
static void fail(http_tls_filter_t *f)
{
    explain_plain(f);
    str_t fault = handshake_fault(f);
    f->broken = true;
    bool alive = push(f);
    if (alive && !f->waiting)
        f->below->ops->close(f->below);
    else
        f->below->ops->abort(f->below);
    f->below = NULL;
    tell(f, fault);
    lose(f);
}

/* What OpenSSL says to a call that did not succeed. */
static void read_fault(http_tls_filter_t *f, int result)
{
    int error = SSL_get_error(f->ssl, result);
    if (error == SSL_ERROR_WANT_READ) {
        if (!push(f))
            cut(f);
        return;
    }
    if (error != SSL_ERROR_ZERO_RETURN) {
        fail(f);
        return;
    }
    f->ended = true;
    f->above->ops->ended(f->above);
}

static bool greet(http_tls_filter_t *f)
{
    ERR_clear_error();
    int result = SSL_do_handshake(f->ssl);
    if (result != 1) {
        read_fault(f, result);
        return false;
    }
    f->open = true;
    tell(f, STR_UNSET);
    if (!f->below || f->broken)
        return false;
    http_send_t sent = drive(f);
    if (sent == HTTP_DEAD) {
        cut(f);
        return false;
    }
    if (f->sending && sent == HTTP_SENT && f->above) {
        f->sending = false;
        f->above->ops->sent(f->above);
    }
    return true;
}

/* One step of taking input; false: no further one now. */
static bool take(http_tls_filter_t *f)
{
    size_t room = 0;
    char first;
    /* A peer that does not take our answers to its key updates is not listened to. */
    f->stalled = f->waiting && f->queue.n;
    if (f->stalled)
        return false;
    if (!f->open)
        return greet(f);
    f->above->ops->room(f->above, &room);
    f->stalled = room == 0;
    if (f->stalled)
        return false;
    /* An idle connection has no block: it is asked for only if there are bytes for it. */
    ERR_clear_error();
    int result = SSL_peek(f->ssl, &first, 1);
    if (result <= 0) {
        read_fault(f, result);
        return false;
    }
    void *to = f->above->ops->space(f->above, &room);
    if (!to || room == 0) {
        cut(f);
        return false;
    }
    result = SSL_read(f->ssl, to, room < INT_MAX ? (int)room : INT_MAX);
    if (result <= 0) {
        fail(f);
        return false;
    }
    f->above->ops->filled(f->above, (size_t)result);
    return true;
}

/* What was not taken stays for the next time. */
static bool keep_rest(http_tls_filter_t *f)
{
    str_t rest = f->in;
    f->in = STR("");
    if (rest.n == 0 || !f->above || f->ended) {
        http_bytes_free(&f->carry);
        return true;
    }
    if (f->carry.n == 0 && http_bytes_room(&f->carry, rest.n, CARRY_MAX) != RC_OK)
        return false;
    memmove(f->carry.p, rest.p, rest.n);
    f->carry.n = rest.n;
    return true;
}

static void take_all(http_tls_filter_t *f)
{
    f->reading = true;
    while (f->above && f->below && !f->ended && !f->broken && take(f)) {
    }
    f->reading = false;
    if (!keep_rest(f))
        cut(f);
}

static void *tls_space(http_sink_t *s, size_t *n)
{
    *n = sizeof input;
    return input;
}

static void tls_room(http_sink_t *s, size_t *n)
{
    const http_tls_filter_t *f = of_sink(s);
    *n = f->stalled || f->ended ? 0 : sizeof input;
}

static void tls_filled(http_sink_t *s, size_t n)
{
    http_tls_filter_t *f = of_sink(s);
    hold(f);
    f->in = str_of(input, n);
    if (f->carry.n) { /* behind what waits already */
        bool fits = http_bytes_room(&f->carry, n, CARRY_MAX) == RC_OK;
        if (fits)
            memcpy(f->carry.p + f->carry.n, input, n);
        f->carry.n += fits ? n : 0;
        f->in = str_of(f->carry.p, f->carry.n);
        if (!fits)
            cut(f);
    }
    take_all(f);
    release(f);
}

/* Goes on where want of room stopped it. */
static void go_on(http_tls_filter_t *f)
{
    f->in = f->carry.n ? str_of(f->carry.p, f->carry.n) : STR("");
    take_all(f);
    if (f->below && f->above && !f->stalled && !f->ended)
        f->below->ops->resume(f->below);
}

static void run_replay(void *arg)
{
    http_tls_filter_t *f = arg;
    hold(f);
    if (f->above && f->below && f->stalled)
        go_on(f);
    release(f);
}

static void tls_sent(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    hold(f);
    f->waiting = false;
    f->flight.n = 0;
    http_send_t sent = drive(f);
    if (sent == HTTP_DEAD)
        cut(f);
    if (f->sending && sent == HTTP_SENT && f->above) {
        f->sending = false;
        f->above->ops->sent(f->above);
    }
    if (f->above && f->below && f->stalled)
        go_on(f);
    release(f);
}

/* An end without close_notify may be anybody's who sits on the way (RFC 8446 section 6.1): what
 * came is not known to be all. */
static void tls_ended(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    hold(f);
    if (!f->ended && f->above) {
        if (!f->open)
            tell(f, STR("the peer closed within the TLS handshake"));
        cut(f);
    }
    release(f);
}

static void tls_gone(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    hold(f);
    f->below = NULL;
    f->waiting = false;
    if (!f->open)
        tell(f, STR("the connection broke within the TLS handshake"));
    lose(f);
    release(f);
}

static const http_sink_ops_t SINK = {tls_space, tls_room,  tls_filled,
                                     tls_sent,  tls_ended, tls_gone};

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
                             .sink = {&SINK},
                             .below = below,
                             .context = context,
                             .ssl = ssl,
                             .in = STR(""),
                             .later = later,
                             .replay = {.fn = run_replay, .arg = f}};
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
    const char *name = X509_VERIFY_PARAM_get0_host(SSL_get0_param(f->ssl), 0);
    if (!name || SSL_set_tlsext_host_name(f->ssl, name))
        return f;
    f->below = NULL;
    hold(f);
    release(f);
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

bool http_tls_begin(http_tls_filter_t *f)
{
    ERR_clear_error();
    (void)SSL_do_handshake(f->ssl);
    return push(f);
}
