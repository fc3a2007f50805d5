/* Certificates, and OpenSSL's own side of a connection, for the tests of TLS. */
#ifndef HTTP_HTTP_TEST_TLS_H
#define HTTP_HTTP_TEST_TLS_H

#include <openssl/ssl.h>

#include "http/http_test_wire.h"
#include "http/tls_filter.h"

/** What a test certificate is to be. */
typedef struct {
    const char *host;    /* a name, or IP:... */
    int from_s, until_s; /* from now */
    int rsa_bits;        /* 0: P-256 */
    bool self_signed;    /* else by the test's authority */
} test_cert_t;

typedef struct {
    str_t chain, key, encrypted_key;
} test_pem_t;

/** PEM in `a`. */
test_pem_t test_cert_make(arena_t *a, test_cert_t want);
/** The authority of all test certificates. */
str_t test_cert_authority(arena_t *a);

/** A server's context with such a certificate; the caller frees it. */
SSL_CTX *test_cert_server(arena_t *a, test_cert_t want);

/** A filter under test between a wire that this is and OpenSSL, which is its peer. Bytes to the
 *  filter come in pieces of `piece`; those of the filter are taken `window` at a time. */
typedef struct {
    http_wire_t wire; /* below the filter */
    http_sink_t sink; /* above it */
    http_tls_filter_t *filter;
    http_deferred_t *deferred;
    SSL *peer;
    BIO *to_peer, *from_peer;
    size_t piece, window;
    struct iovec pending;
    bool dead, closed, aborted, paused, hold_sends;
    /* What the sink saw. */
    char got[65536];
    size_t got_n, room;
    int sent, ended, gone, told;
    str_t fault;
    char alert; /* that the filter sent, 0: none but close_notify */
} test_tls_t;

/** A peer with a context of its own, to be freed with the rest. */
void test_tls_serve(test_tls_t *t, http_tls_t *tls, SSL_CTX *peer);
void test_tls_dial(test_tls_t *t, const http_tls_client_t *tls, SSL_CTX *peer);
/** Carries bytes both ways until nothing moves. */
void test_tls_turn(test_tls_t *t);
/** The peer's handshake has succeeded. */
bool test_tls_is_open(test_tls_t *t);
/** Bytes to the filter, as they are. */
void test_tls_raw(test_tls_t *t, str_t bytes);
void test_tls_end(test_tls_t *t);

#endif
