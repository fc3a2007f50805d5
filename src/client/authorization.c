#include "client/authorization_fields.h"

#include "jose/digest.h"
#include "oauth/scope.h"

enum { RANDOM_BYTES = 32 };

/* 256 random bits as 43 characters, in bytes that are wiped when the arena ends. */
static rc_t random_text(arena_t *a, random_port_t random, str_t *out)
{
    uint8_t bytes[RANDOM_BYTES];
    char *p = secret_alloc(a, CLIENT_VERIFIER_BYTES);
    if (!p)
        return RC_MEMORY;
    TRY(random.fill(random.ctx, bytes, sizeof bytes));
    buf_t b = buf_fixed(p, CLIENT_VERIFIER_BYTES);
    buf_b64url(&b, bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return buf_done(&b, out);
}

static rc_t copy(arena_t *a, str_t from, str_t *to)
{
    *to = arena_dup(a, from);
    return str_is_set(from) && !str_is_set(*to) ? RC_MEMORY : RC_OK;
}

/* The issuer goes along with state and verifier, so that the answer is judged by who was asked. */
static rc_t remember(arena_t *a, const client_authorization_want_t *want, client_pending_t *pending)
{
    pending->iss_parameter = want->server->iss_parameter;
    TRY(copy(a, want->server->issuer, &pending->issuer));
    TRY(copy(a, want->server->token_endpoint, &pending->token_endpoint));
    TRY(copy(a, want->client_id, &pending->client_id));
    TRY(copy(a, want->redirect_uri, &pending->redirect_uri));
    TRY(copy(a, want->scope, &pending->scope));
    return copy(a, want->resource, &pending->resource);
}

/* S256 and nothing else (RFC 7636 section 4.2). */
static rc_t challenge_of(arena_t *a, secret_t verifier, str_t *out)
{
    uint8_t digest[SHA256_BYTES];
    sha256(verifier.hidden, digest);
    buf_t b = buf_new(a, CLIENT_VERIFIER_BYTES);
    buf_b64url(&b, digest, sizeof digest);
    return buf_done(&b, out);
}

rc_t client_authorization_fields(arena_t *a, const client_authorization_want_t *want,
                                 const client_pending_t *pending, client_fields_t *f)
{
    str_t challenge;
    TRY(challenge_of(a, pending->verifier, &challenge));
    client_fields_add(f, STR("response_type"), STR("code"));
    client_fields_add(f, STR("client_id"), want->client_id);
    client_fields_add(f, STR("redirect_uri"), want->redirect_uri);
    client_fields_add(f, STR("state"), pending->state);
    client_fields_add(f, STR("code_challenge"), challenge);
    client_fields_add(f, STR("code_challenge_method"), STR("S256"));
    client_fields_add(f, STR("resource"), want->resource);
    client_fields_add(f, STR("scope"), want->scope);
    if (oauth_scope_has(want->scope, STR("offline_access")))
        client_fields_add(f, STR("prompt"), STR("consent"));
    client_fields_add(f, STR("dpop_jkt"), want->dpop_jkt);
    client_fields_add(f, STR("acr_values"), want->acr_values);
    client_fields_add(f, STR("max_age"), want->max_age);
    return RC_OK;
}

rc_t client_authorization_begin(arena_t *a, random_port_t random,
                                const client_authorization_want_t *want, client_pending_t *pending,
                                str_t *url)
{
    client_fields_t f = {0};
    *pending = (client_pending_t){0};
    *url = STR_UNSET;
    if (str_is_empty(want->server->authorization_endpoint))
        return RC_MALFORMED;
    TRY(remember(a, want, pending));
    TRY(random_text(a, random, &pending->state));
    TRY(random_text(a, random, &pending->verifier.hidden));
    TRY(client_authorization_fields(a, want, pending, &f));
    return client_fields_url(a, want->server->authorization_endpoint, &f, url);
}

rc_t client_authorization_pushed_url(arena_t *a, const client_server_metadata_t *server,
                                     str_t client_id, str_t request_uri, str_t *url)
{
    client_fields_t f = {0};
    *url = STR_UNSET;
    if (str_is_empty(server->authorization_endpoint))
        return RC_MALFORMED;
    client_fields_add(&f, STR("client_id"), client_id);
    client_fields_add(&f, STR("request_uri"), request_uri);
    return client_fields_url(a, server->authorization_endpoint, &f, url);
}
