/* One connection's TLS: the handshake, and bytes of the socket up to HTTP. */
#include "http/ossl_tls_filter.h"

#include <limits.h>
#include <openssl/err.h>

enum {
    /* Read from the socket at once. */
    INPUT = 16 << 10,
    /* Ciphertext that the one above has no room for: what the socket had read already. */
    CARRY_MAX = 2 * INPUT,
};

/* Of one call of the socket: no byte is looked at after it. */
static _Thread_local char input[INPUT];

static http_tls_filter_t *of_sink(http_sink_t *s)
{
    return (http_tls_filter_t *)((char *)s - offsetof(http_tls_filter_t, sink));
}

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
    if (http_bytes_room(&f->queue, sizeof TEXT - 1, HTTP_OSSL_OUT_MAX) != RC_OK)
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
    bool alive = http_ossl_push(f);
    if (alive && !f->waiting)
        f->below->ops->close(f->below);
    else
        f->below->ops->abort(f->below);
    f->below = NULL;
    http_ossl_tell(f, fault);
    http_ossl_lose(f);
}

/* What OpenSSL says to a call that did not succeed. */
static void read_fault(http_tls_filter_t *f, int result)
{
    int error = SSL_get_error(f->ssl, result);
    if (error == SSL_ERROR_WANT_READ) {
        if (!http_ossl_push(f))
            http_ossl_cut(f);
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
    http_ossl_tell(f, STR_UNSET);
    if (!f->below || f->broken)
        return false;
    http_send_t sent = http_ossl_drive(f);
    if (sent == HTTP_DEAD) {
        http_ossl_cut(f);
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
        http_ossl_cut(f);
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
        http_ossl_cut(f);
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
    http_ossl_hold_filter(f);
    f->in = str_of(input, n);
    if (f->carry.n) { /* behind what waits already */
        bool fits = http_bytes_room(&f->carry, n, CARRY_MAX) == RC_OK;
        if (fits)
            memcpy(f->carry.p + f->carry.n, input, n);
        f->carry.n += fits ? n : 0;
        f->in = str_of(f->carry.p, f->carry.n);
        if (!fits)
            http_ossl_cut(f);
    }
    take_all(f);
    http_ossl_release_filter(f);
}

/* Goes on where want of room stopped it. */
static void go_on(http_tls_filter_t *f)
{
    f->in = f->carry.n ? str_of(f->carry.p, f->carry.n) : STR("");
    take_all(f);
    if (f->below && f->above && !f->stalled && !f->ended)
        f->below->ops->resume(f->below);
}

void http_ossl_replay(void *arg)
{
    http_tls_filter_t *f = arg;
    http_ossl_hold_filter(f);
    if (f->above && f->below && f->stalled)
        go_on(f);
    http_ossl_release_filter(f);
}

static void tls_sent(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    http_ossl_hold_filter(f);
    f->waiting = false;
    f->flight.n = 0;
    http_send_t sent = http_ossl_drive(f);
    if (sent == HTTP_DEAD)
        http_ossl_cut(f);
    if (f->sending && sent == HTTP_SENT && f->above) {
        f->sending = false;
        f->above->ops->sent(f->above);
    }
    if (f->above && f->below && f->stalled)
        go_on(f);
    http_ossl_release_filter(f);
}

/* An end without close_notify may be anybody's who sits on the way (RFC 8446 section 6.1): what
 * came is not known to be all. */
static void tls_ended(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    http_ossl_hold_filter(f);
    if (!f->ended && f->above) {
        if (!f->open)
            http_ossl_tell(f, STR("the peer closed within the TLS handshake"));
        http_ossl_cut(f);
    }
    http_ossl_release_filter(f);
}

static void tls_gone(http_sink_t *s)
{
    http_tls_filter_t *f = of_sink(s);
    http_ossl_hold_filter(f);
    f->below = NULL;
    f->waiting = false;
    if (!f->open)
        http_ossl_tell(f, STR("the connection broke within the TLS handshake"));
    http_ossl_lose(f);
    http_ossl_release_filter(f);
}

const http_sink_ops_t HTTP_OSSL_SINK = {tls_space, tls_room,  tls_filled,
                                        tls_sent,  tls_ended, tls_gone};
