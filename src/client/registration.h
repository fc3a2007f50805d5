/* How a client becomes known to an authorization server (MCP 2025-11-25, "Client Registration
 * Approaches"; RFC 7591; OAuth Client ID Metadata Document). */
#ifndef CLIENT_REGISTRATION_H
#define CLIENT_REGISTRATION_H

#include "client/method.h"

typedef enum {
    CLIENT_KNOWN,    /* pre-registered: the person gave a client_id */
    CLIENT_DOCUMENT, /* the URL of its metadata document is its client_id */
    CLIENT_REGISTER, /* POST to registration_endpoint */
    CLIENT_ASK,      /* nothing of it is possible: CLIENT_REGISTRATION_NONE */
} client_way_t;

/** In the order of the specification. `document`: the client's metadata URL, unset: it has none. */
client_way_t client_way_choose(const client_server_metadata_t *server, str_t client_id,
                               str_t document);

typedef struct {
    str_t name;               /* client_name */
    str_t uri;                /* client_uri; unset: none */
    str_list_t redirect_uris; /* empty for machines */
    str_t scope;              /* unset: none */
    str_list_t grant_types;   /* empty: authorization_code and refresh_token */
    str_t method;             /* token_endpoint_auth_method; unset: chosen by `server` */
    str_t software_version;
    bool bare; /* only what a registration must say: no client_uri, scope and software_version */
} client_registration_want_t;

/** The JSON to POST: application_type native, response_types, grant_types (of those the server
 * lists), token_endpoint_auth_method: none where the server lists it or says nothing, else one it
 * lists. RC_LIMIT, RC_MEMORY. */
rc_t client_registration_write(arena_t *a, const client_server_metadata_t *server,
                               const client_registration_want_t *want, str_t *out) MUST_USE;

/** What came of it. */
typedef struct {
    str_t client_id;
    str_t method;              /* token_endpoint_auth_method, of ours or not; unset: not said */
    secret_t secret;           /* hidden unset: none */
    int64_t secret_expires_at; /* Unix seconds; 0: never */
    str_t registration_uri, registration_token; /* RFC 7592; unset: not offered */
    str_list_t redirect_uris;                   /* as the server says; empty: not said */
} client_registered_t;

/** Reads the answer: CLIENT_FINE, CLIENT_REGISTRATION_REFUSED (with the server's words),
 *  CLIENT_REGISTRATION_BAD. Members that are null or empty count as absent; a method that is absent
 *  stays unset, so that client_method_choose takes what there is. Borrows the body, but for the
 *  secret. *rc: RC_MEMORY. */
client_reason_t client_registration_read(arena_t *a, int status, str_t body,
                                         client_registered_t *out, str_t *why, rc_t *rc);

/** The same once more after a refusal: *want as it may be tried then. False: there is nothing to
 * adjust. Servers that know no optional members refuse all of it for one of them (RFC 7591 section
 * 3.2.2, invalid_client_metadata). */
bool client_registration_adjust(int status, str_t why, client_registration_want_t *want);

/** A metadata document to be hosted at `url` (client_id is that URL); without redirect_uris it gets
 *  those of all names of the loopback host. `jwks_uri` unset: a public client. RC_MALFORMED: not
 *  https, no path, or a method that needs a secret; RC_LIMIT: longer than servers read; RC_MEMORY.
 */
rc_t client_document_write(arena_t *a, str_t url, const client_registration_want_t *want,
                           str_t jwks_uri, str_t *out) MUST_USE;

/** Whether the registration holds the redirect URI, or says nothing of any; of loopback hosts one
 * is as good as the other, with any port (RFC 8252 section 7.3). The server may have replaced what
 * it was asked for (RFC 7591 section 3.2.1). */
bool client_registered_takes(const client_registered_t *c, str_t redirect_uri);

#endif
