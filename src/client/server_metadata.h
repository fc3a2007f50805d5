/* The metadata of an authorization server as a client reads and judges it (RFC 8414, OpenID Connect
 * Discovery). */
#ifndef CLIENT_SERVER_METADATA_H
#define CLIENT_SERVER_METADATA_H

#include "client/reason.h"
#include "core/json.h"

/** Absent members are unset or empty; `has_…` tells absent from empty. */
typedef struct {
    str_t issuer;
    str_t authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint;
    str_t device_authorization_endpoint, pushed_authorization_request_endpoint;
    str_t jwks_uri; /* as it stands, unchecked: signing in needs none */
    str_list_t response_types, grant_types, auth_methods, auth_algs, challenge_methods, dpop_algs;
    str_list_t scopes;
    bool has_grant_types, has_auth_methods, has_challenge_methods, has_scopes;
    bool client_id_metadata_document; /* client_id_metadata_document_supported */
    bool iss_parameter;               /* authorization_response_iss_parameter_supported */
    bool require_pushed;              /* require_pushed_authorization_requests */
    bool id_jag;       /* authorization_grant_profiles_supported has …grant-profile:id-jag */
    str_t note;        /* optional members taken as absent: "scope is null"; unset: none */
    const json_t *all; /* NULL: made by client_server_guess */
} client_server_metadata_t;

/** Reads a 200 answer for `issuer`, the string that led to it: byte for byte (RFC 8414
 * section 3.3). CLIENT_FINE, CLIENT_SERVER_METADATA_BAD, CLIENT_ISSUER_MISMATCH, CLIENT_URL_* (an
 * endpoint that may not be used; `plain_ok` as in client_url_check); *why has the detail. *out
 * borrows from `body`. *rc: RC_MEMORY (the answer is CLIENT_MACHINE then). */
client_reason_t client_server_metadata_read(arena_t *a, str_t body, str_t issuer, bool plain_ok,
                                            client_server_metadata_t *out, str_t *why, rc_t *rc);
/** The endpoints of a server of revision 2025-03-26 that publishes nothing: /authorize, /token and
 *  /register at the origin of the MCP URL (2025-03-26, "Fallbacks for Servers without Metadata
 *  Discovery"). It has no issuer. RC_MALFORMED: no http(s) URL; RC_MEMORY. */
rc_t client_server_guess(arena_t *a, str_t url, client_server_metadata_t *out) MUST_USE;
/** Whether it may be used for a sign-in by a person: CLIENT_FINE, CLIENT_PKCE_MISSING (MCP: a
 * server that does not say S256 must be refused; one of client_server_guess says nothing and may be
 * used), CLIENT_GRANT_MISSING (no authorization endpoint, or no "code"). */
client_reason_t client_server_check_code(const client_server_metadata_t *m);
/** Whether it offers `grant`: grant_types_supported holds it; where the member is absent,
 *  authorization_code and implicit are meant (RFC 8414 section 2), but servers in the field forget
 *  refresh_token and client_credentials, so that these are tried as well, and so is the device flow
 * where its endpoint is named. */
bool client_server_has_grant(const client_server_metadata_t *m, str_t grant);

#endif
