/* The authorization request, and the verdict on its answer (OAuth 2.1 section 4.1; RFC 9207). */
#ifndef CLIENT_AUTHORIZATION_H
#define CLIENT_AUTHORIZATION_H

#include "client/server_metadata.h"
#include "core/ports.h"
#include "core/secret.h"

enum { CLIENT_VERIFIER_BYTES = 43, CLIENT_STATE_BYTES = 43, CLIENT_CALLBACK_BYTES = 8192 };

/** What is remembered from before the browser is opened until its answer. In an arena. */
typedef struct {
    str_t issuer;         /* of the metadata; unset: server of client_server_guess */
    bool iss_parameter;   /* it promised iss */
    str_t token_endpoint; /* where the code goes, and nowhere else */
    str_t client_id, redirect_uri, scope, resource;
    str_t state;       /* 256 random bits */
    secret_t verifier; /* PKCE, 256 random bits */
} client_pending_t;

typedef struct {
    const client_server_metadata_t *server;
    str_t client_id, redirect_uri;
    str_t scope;               /* unset: none is sent */
    str_t resource;            /* byte for byte */
    str_t dpop_jkt;            /* RFC 9449 section 10; unset: none */
    str_t acr_values, max_age; /* RFC 9470; unset: none */
} client_authorization_want_t;

/** The URL to open, and what to remember. prompt=consent goes along with offline_access (OpenID
 *  Connect Core section 11). A query that the endpoint has already stays (RFC 6749 section 3.1).
 *  RC_MALFORMED: the server has no authorization endpoint; RC_LIMIT: longer than LIMIT_URL_BYTES;
 *  RC_MEMORY, RC_IO (no randomness). */
rc_t client_authorization_begin(arena_t *a, random_port_t random,
                                const client_authorization_want_t *want, client_pending_t *pending,
                                str_t *url) MUST_USE;
/** The URL to open once the request was pushed (RFC 9126; client_token_pushed). RC_MALFORMED,
 * RC_LIMIT, RC_MEMORY. */
rc_t client_authorization_pushed_url(arena_t *a, const client_server_metadata_t *server,
                                     str_t client_id, str_t request_uri, str_t *url) MUST_USE;

/** The verdict on the query of the callback. CLIENT_FINE with *code (a secret);
 *  CLIENT_PARAMETER_REPEATED (code, state, iss, error), CLIENT_STATE_WRONG (missing, other),
 *  CLIENT_ISS_MISSING, CLIENT_ISS_WRONG, CLIENT_AUTHORIZATION_REFUSED (with the server's words,
 * only once state and iss are right), CLIENT_CODE_MISSING. iss is compared as a plain string; for a
 *  server without metadata, so without a known issuer, it must be of the token endpoint's origin
 *  where it is there. What cannot be decoded or is longer than CLIENT_CALLBACK_BYTES has no state.
 * `mine`: whether it has the right state, so that the flow is used up; others leave it waiting.
 * *rc: RC_MEMORY. */
client_reason_t client_authorization_answer(arena_t *a, const client_pending_t *pending,
                                            str_t query, str_t *code, bool *mine, str_t *why,
                                            rc_t *rc);

#endif
