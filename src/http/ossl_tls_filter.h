/* One connection's filter, for the two files that make it up: the way down and the way up. */
#ifndef HTTP_OSSL_TLS_FILTER_H
#define HTTP_OSSL_TLS_FILTER_H

#include "http/conn.h"
#include "http/ossl_tls.h"
#include "http/tls_filter.h"

/* Ciphertext that waits to be sent: a record, or a handshake with a long chain. */
enum { HTTP_OSSL_OUT_MAX = 256 << 10 };

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

/** Between these two the filter stays although both sides may forget it meanwhile. */
void http_ossl_hold_filter(http_tls_filter_t *f);
void http_ossl_release_filter(http_tls_filter_t *f);
/** Tells a client's handshake how it went, once. */
void http_ossl_tell(http_tls_filter_t *f, str_t fault);
/** The connection is over for the one above. */
void http_ossl_lose(http_tls_filter_t *f);
/** The same, and the socket is cut. */
void http_ossl_cut(http_tls_filter_t *f);

/* ossl_tls_filter.c: down. */
/** Ciphertext to the socket, until that has enough. False: it is dead. */
bool http_ossl_push(http_tls_filter_t *f) MUST_USE;
/** Encrypts and pushes what is to be sent, a record at a time, so that a slow peer costs one. */
http_send_t http_ossl_drive(http_tls_filter_t *f);

/* ossl_tls_input.c: up. */
extern const http_sink_ops_t HTTP_OSSL_SINK;
/** Goes on, from a call that nobody else is within, where want of room stopped the input. */
void http_ossl_replay(void *filter);

#endif
