/* TLS 1.2 and 1.3 as a filter between the socket and HTTP (OpenSSL over memory BIOs: no I/O of its
 * own). */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "core/arena.h"
#include "core/secret.h"

/** Certificate and key of a listener; counted, read-only. New connections take the newest. */
typedef struct http_tls http_tls_t;

/** Reads PEM: the chain, leaf first, and the key of the leaf. RC_CONFIG: *why is one sentence in
 *  `a`. */
rc_t http_tls_new(arena_t *a, str_t chain, secret_t key, http_tls_t **out, str_t *why) MUST_USE;
void http_tls_free(http_tls_t *t);

/** How to talk to an upstream by TLS. */
typedef struct http_tls_client http_tls_client_t;
typedef struct {
    str_t host;        /* that the certificate must be for, also sent as SNI */
    str_t authorities; /* PEM; unset: the system's */
    str_t chain;       /* of our own certificate, PEM; unset: none */
    secret_t key;      /* of that */
} http_tls_client_config_t;
rc_t http_tls_client_new(arena_t *a, const http_tls_client_config_t *config,
                         http_tls_client_t **out, str_t *why) MUST_USE;
void http_tls_client_free(http_tls_client_t *t);

#endif
