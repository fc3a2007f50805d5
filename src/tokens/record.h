/* What is kept, as JSON: a registration for an issuer, tokens for an issuer and a resource, and
 * what a server's URL led to. Pure. */
#ifndef TOKENS_RECORD_H
#define TOKENS_RECORD_H

#include "client/registration.h"
#include "client/token_request.h"

/** "client-" and a hash of issuer and redirect host; "tokens-" and one of issuer, resource and
 *  client_id; "server-" and one of the MCP URL. In the arena. */
rc_t tokens_client_name(arena_t *a, str_t issuer, str_t *out) MUST_USE;
rc_t tokens_token_name(arena_t *a, str_t issuer, str_t resource, str_t client_id,
                       str_t *out) MUST_USE;
rc_t tokens_server_name(arena_t *a, str_t url, str_t *out) MUST_USE;

/** A registration. It is for this issuer and no other (MCP 2026-07-28, "Authorization Server
 * Binding").
 */
typedef struct {
    str_t issuer;
    client_registered_t client;
    str_list_t redirect_uris;
    int64_t at; /* Unix seconds */
} tokens_client_t;

/** Tokens, with all that a refresh needs, so that no discovery is due for one. */
typedef struct {
    str_t url, resource, issuer, client_id;
    client_token_t token;
    str_t asked;    /* the scope of the authorization request: what a step-up adds to */
    str_t dpop_key; /* private key as text: a secret; unset: bearer tokens */
    int64_t at;
    uint64_t generation; /* counts up with each new token */
} tokens_record_t;

/** What the URL led to the last time: where its tokens are found without asking anybody. */
typedef struct {
    str_t url, resource, issuer, client_id;
    str_t resource_metadata; /* text of the document; unset: legacy */
    str_t server_metadata;   /* text of the document; unset: guessed */
    bool guessed;
    int64_t at;
} tokens_server_t;

/* Reading: RC_MALFORMED for what is no such record, RC_MEMORY. Writing: RC_LIMIT, RC_MEMORY. */
rc_t tokens_client_read(arena_t *a, str_t text, tokens_client_t *out) MUST_USE;
rc_t tokens_client_write(arena_t *a, const tokens_client_t *c, secret_t *out) MUST_USE;
rc_t tokens_record_read(arena_t *a, str_t text, tokens_record_t *out) MUST_USE;
rc_t tokens_record_write(arena_t *a, const tokens_record_t *r, secret_t *out) MUST_USE;
rc_t tokens_server_read(arena_t *a, str_t text, tokens_server_t *out) MUST_USE;
rc_t tokens_server_write(arena_t *a, const tokens_server_t *s, secret_t *out) MUST_USE;

#endif
