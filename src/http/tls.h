/* TLS 1.2 and 1.3 as a filter between the socket and HTTP (OpenSSL over memory: no I/O of its own).
 * Only suites with ephemeral keys and AEAD, X25519 and P-256 (RFC 9325); ALPN knows http/1.1 alone
 * (RFC 7301); no renegotiation, no compression, no early data. Sessions are not resumed: there are
 * no ticket keys whose theft would open what was recorded. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "core/arena.h"
#include "core/secret.h"

/** Certificate and key of a listener; counted, read-only, any thread. New connections take the
 *  newest. */
typedef struct http_tls http_tls_t;

/** Reads PEM: the chain, leaf first, and the key of the leaf. RC_CONFIG: *why is one sentence in
 *  `a` that names what is wrong, never what the key holds. RC_OK: *why is unset, or a sentence that
 *  the caller should log as a warning (the certificate has expired or is not valid yet).
 *  RC_MEMORY. */
rc_t http_tls_new(arena_t *a, str_t chain, secret_t key, http_tls_t **out, str_t *why) MUST_USE;
/** Drops the caller's count; servers and connections hold their own. NULL is fine. */
void http_tls_free(http_tls_t *t);
/** When the certificate ends, in seconds since 1970. */
int64_t http_tls_not_after(const http_tls_t *t);

/** How to talk to an upstream by TLS; counted, read-only, any thread. */
typedef struct http_tls_client http_tls_client_t;
typedef struct {
    str_t host;        /* that the certificate must be for, a name or an address; names are SNI */
    str_t authorities; /* PEM; unset: the system's */
    str_t chain;       /* of our own certificate, PEM; unset: none */
    secret_t key;      /* of that */
} http_tls_client_config_t;
/** Errors as http_tls_new. */
rc_t http_tls_client_new(arena_t *a, const http_tls_client_config_t *config,
                         http_tls_client_t **out, str_t *why) MUST_USE;
void http_tls_client_free(http_tls_client_t *t);

#endif
