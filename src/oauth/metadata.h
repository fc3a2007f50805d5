/* The authorization server's metadata (RFC 8414) and its OpenID alias, written from the tables that
 * drive behaviour, so that nothing is promised that is refused. */
#ifndef OAUTH_METADATA_H
#define OAUTH_METADATA_H

#include "core/arena.h"
#include "oauth/revocation_list.h"
#include "oauth/settings.h"

/* Below the issuer; the routes of as/app.c are these. */
#define OAUTH_PATH_AUTHORIZE   "/authorize"
#define OAUTH_PATH_TOKEN       "/token"
#define OAUTH_PATH_JWKS        "/jwks"
#define OAUTH_PATH_REGISTER    "/register"
#define OAUTH_PATH_REVOKE      "/revoke"
#define OAUTH_PATH_PUSHED      "/par"
#define OAUTH_PATH_DEVICES     "/device_authorization"
#define OAUTH_PATH_DEVICE      "/device" /* the page (web/form.h) */
#define OAUTH_PATH_INTROSPECT  "/introspect"
#define OAUTH_PATH_REVOCATIONS "/revocations"

/* ENDPOINT(NAME, "member of the metadata", "path below the issuer") */
#define OAUTH_ENDPOINT_TABLE(ENDPOINT)                                                             \
    ENDPOINT(AUTHORIZE, "authorization_endpoint", OAUTH_PATH_AUTHORIZE)                            \
    ENDPOINT(TOKEN, "token_endpoint", OAUTH_PATH_TOKEN)                                            \
    ENDPOINT(JWKS, "jwks_uri", OAUTH_PATH_JWKS)                                                    \
    ENDPOINT(REGISTER, "registration_endpoint", OAUTH_PATH_REGISTER)                               \
    ENDPOINT(REVOKE, "revocation_endpoint", OAUTH_PATH_REVOKE)                                     \
    ENDPOINT(PUSHED, "pushed_authorization_request_endpoint", OAUTH_PATH_PUSHED)                   \
    ENDPOINT(DEVICES, "device_authorization_endpoint", OAUTH_PATH_DEVICES)                         \
    ENDPOINT(INTROSPECT, "introspection_endpoint", OAUTH_PATH_INTROSPECT)                          \
    ENDPOINT(REVOCATIONS, OAUTH_REVOCATIONS_MEMBER, OAUTH_PATH_REVOCATIONS)

typedef enum {
#define ENDPOINT(name, member, path) OAUTH_ENDPOINT_##name,
    OAUTH_ENDPOINT_TABLE(ENDPOINT)
#undef ENDPOINT
        OAUTH_ENDPOINT_COUNT
} oauth_endpoint_t;

/** The path of an endpoint, e.g. "/token"; static. */
str_t oauth_endpoint_path(oauth_endpoint_t endpoint);

typedef enum {
    OAUTH_METADATA_SERVER, /* /.well-known/oauth-authorization-server */
    OAUTH_METADATA_OPENID, /* /.well-known/openid-configuration */
} oauth_metadata_kind_t;

typedef struct {
    const oauth_settings_t *settings;
    const oauth_resources_t *resources;
    str_t signing_alg; /* JWA name of the key that signs */
} oauth_metadata_facts_t;

/**
 * The document in the arena. registration_endpoint only while registration is not off;
 * scopes_supported are those of the resources: identity scopes and offline_access are taken in
 * requests but never granted, so that they are not advertised either. The OpenID document has the
 * same members and those without which clients refuse to read it; there are no ID tokens yet, and
 * `openid` is therefore not among the scopes. RC_MEMORY, RC_LIMIT.
 */
rc_t oauth_metadata_write(arena_t *a, const oauth_metadata_facts_t *facts,
                          oauth_metadata_kind_t kind, str_t *out) MUST_USE;

#endif
