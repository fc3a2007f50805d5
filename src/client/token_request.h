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

/* Each: RC_LIMIT, RC_MEMORY, RC_IO; RC_MALFORMED: the key cannot sign, or the server has no such
 * endpoint. Only client_token_code has a place of its own to go to: that of `pending`. */
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
/** POST to pushed_authorization_request_endpoint (RFC 9126 section 2.1): the one of `pending`. */
rc_t client_token_pushed(arena_t *a, const client_token_want_t *w,
                         const client_authorization_want_t *want, const client_pending_t *pending,
                         client_token_request_t *out) MUST_USE;

/** A client assertion (RFC 7523 section 2.2): iss and sub the client, aud the issuer of the
 *  server's metadata alone (without metadata its token endpoint), 60 s. For tests and for who sends
 *  it elsewhere. */
rc_t client_assertion_sign(arena_t *a, const client_token_want_t *w, str_t *out) MUST_USE;

/** A token answer. Times are Unix seconds. */
typedef struct {
    secret_t access_token, refresh_token; /* hidden unset: none came */
    bool dpop;                            /* token_type DPoP */
    int64_t expires_at;                   /* 0: not said */
    str_t scope;                          /* granted; unset: as asked */
    str_t issued_type;                    /* issued_token_type of an exchange; unset */
} client_token_t;

/** What may come. */
typedef struct {
    bool dpop, exchange; /* a proof was sent; an ID-JAG was asked for */
    int64_t now;
} client_token_expect_t;
/** CLIENT_FINE; CLIENT_TOKEN_REFUSED: an error as RFC 6749 section 5.2 has it, whatever the status,
 *  with *error (its code; unset where it is not printable ASCII) and its words in *why;
 *  CLIENT_TOKEN_BAD: anything else that holds no token, also a 502 in HTML; CLIENT_TOKEN_TYPE:
 *  with `dpop` not DPoP, else not Bearer; with `exchange`, not N_A with an ID-JAG. Members that are
 *  null count as absent. Borrows the body, but for tokens and scope. *rc: RC_MEMORY. */
client_reason_t client_token_read(arena_t *a, int status, str_t body,
                                  const client_token_expect_t *expect, client_token_t *out,
                                  str_t *error, str_t *why, rc_t *rc);

/** The answer of the device authorization endpoint (RFC 8628 section 3.2). The URIs are checked
 *  (client_url_check_page): a complete one that may not be used is left out. */
typedef struct {
    secret_t device_code;
    str_t user_code, verification_uri, verification_uri_complete;
    int64_t expires_at; /* Unix seconds */
    int64_t interval;   /* seconds, at least 1 */
} client_device_t;
/** CLIENT_FINE, CLIENT_TOKEN_REFUSED, CLIENT_TOKEN_BAD, CLIENT_URL_*. Borrows the body, but for the
 *  device code. *rc: RC_MEMORY. */
client_reason_t client_device_read(arena_t *a, int status, str_t body, int64_t now, bool plain_ok,
                                   client_device_t *out, str_t *why, rc_t *rc);

/** The answer to a pushed request (RFC 9126 section 2.2): CLIENT_FINE, CLIENT_PUSHED_BAD, or
 *  CLIENT_AUTHORIZATION_REFUSED. *rc: RC_MEMORY. */
client_reason_t client_pushed_read(arena_t *a, int status, str_t body, str_t *request_uri,
                                   str_t *why, rc_t *rc);

#endif
