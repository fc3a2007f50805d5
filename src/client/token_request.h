/* Requests to the token endpoint and what comes back: one function a grant. */
#ifndef CLIENT_TOKEN_REQUEST_H
#define CLIENT_TOKEN_REQUEST_H

#include "client/authorization.h"
#include "client/method.h"

/** One POST, without its DPoP proof. */
typedef struct {
    str_t url;
    str_t form;          /* a secret */
    str_t authorization; /* value of the header; unset: none. A secret */
} client_token_request_t;

/** Who asks, and what all grants have in common. */
typedef struct {
    const client_server_metadata_t *server;
    const client_credentials_t *who;
    client_method_t method;
    str_t resource; /* byte for byte; unset: none */
    str_t scope;    /* unset: none */
    random_port_t random;
    int64_t now; /* Unix seconds */
} client_token_want_t;

/* Each: RC_LIMIT, RC_MEMORY, RC_IO; RC_MALFORMED: the key cannot sign. */
rc_t client_token_code(arena_t *a, const client_token_want_t *w, const client_pending_t *pending,
                       str_t code, client_token_request_t *out) MUST_USE;
rc_t client_token_refresh(arena_t *a, const client_token_want_t *w, str_t refresh_token,
                          client_token_request_t *out) MUST_USE;
rc_t client_token_credentials(arena_t *a, const client_token_want_t *w,
                              client_token_request_t *out) MUST_USE;
/** RFC 7523 section 2.1: workload identity, and an ID-JAG. */
rc_t client_token_jwt_bearer(arena_t *a, const client_token_want_t *w, str_t assertion,
                             client_token_request_t *out) MUST_USE;
rc_t client_token_device(arena_t *a, const client_token_want_t *w, str_t device_code,
                         client_token_request_t *out) MUST_USE;
/** RFC 8693 at a person's identity provider: an ID token for an ID-JAG whose audience is the issuer
 * of the resource's authorization server (MCP, Enterprise-Managed Authorization). w->server is the
 *  identity provider's. */
rc_t client_token_exchange(arena_t *a, const client_token_want_t *w, str_t id_token, str_t audience,
                           client_token_request_t *out) MUST_USE;
/** POST to device_authorization_endpoint (RFC 8628 section 3.1). */
rc_t client_token_device_begin(arena_t *a, const client_token_want_t *w,
                               client_token_request_t *out) MUST_USE;
/** POST to revocation_endpoint (RFC 7009). `hint`: refresh_token or access_token. */
rc_t client_token_revoke(arena_t *a, const client_token_want_t *w, str_t token, str_t hint,
                         client_token_request_t *out) MUST_USE;

/** A client assertion (RFC 7523 section 2.2): iss and sub the client, aud the issuer of the
 * server's metadata alone, 60 s. For tests and for who sends it elsewhere. */
rc_t client_assertion_sign(arena_t *a, const client_token_want_t *w, str_t *out) MUST_USE;

/** A token answer. Times are Unix seconds. */
typedef struct {
    secret_t access_token, refresh_token; /* hidden unset: none came */
    bool dpop;                            /* token_type DPoP */
    int64_t expires_at;                   /* 0: not said */
    str_t scope;                          /* granted; unset: as asked */
    str_t issued_type;                    /* issued_token_type of an exchange; unset */
} client_token_t;

/** CLIENT_FINE; CLIENT_TOKEN_REFUSED with *error (the code, printable) and the words in *why;
 *  CLIENT_TOKEN_BAD; CLIENT_TOKEN_TYPE (neither Bearer nor, with `dpop`, DPoP; N_A where
 *  `exchange`). *rc: RC_MEMORY. */
typedef struct {
    bool dpop, exchange;
    int64_t now;
} client_token_expect_t;
client_reason_t client_token_read(arena_t *a, int status, str_t body,
                                  const client_token_expect_t *expect, client_token_t *out,
                                  str_t *error, str_t *why, rc_t *rc);

/** The answer of the device authorization endpoint (RFC 8628 section 3.2). */
typedef struct {
    secret_t device_code;
    str_t user_code, verification_uri,
        verification_uri_complete; /* checked: client_url_check_page */
    int64_t expires_at, interval;  /* seconds */
} client_device_t;
client_reason_t client_device_read(arena_t *a, int status, str_t body, int64_t now, bool plain_ok,
                                   client_device_t *out, str_t *why, rc_t *rc);

#endif
