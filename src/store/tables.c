/* Which member of a record stands in which column: one table of fields for each kind. */
#include "store/tables.h"

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))

#define F(record, column, kind)                                                                    \
    {                                                                                              \
#column, FIELD_##kind, offsetof(record, column), 0, 0                                      \
    }
#define LATER(record, column, kind, format)                                                        \
    {                                                                                              \
#column, FIELD_##kind, offsetof(record, column), 0, format                                 \
    }
#define ENUM(record, column, last)                                                                 \
    {                                                                                              \
#column, FIELD_INT, offsetof(record, column), (last) + 1, 0                                \
    }
/* The request inside of a code or an interaction; its `state` has a name of its own there. */
#define REQUEST(record)                                                                            \
    {"client_id", FIELD_STR, offsetof(record, request.client_id), 0, 0},                           \
        {"redirect_uri", FIELD_STR, offsetof(record, request.redirect_uri), 0, 0},                 \
        {"redirect_uri_given", FIELD_BOOL, offsetof(record, request.redirect_uri_given), 0, 0},    \
        {"req_state", FIELD_STR, offsetof(record, request.state), 0, 0},                           \
        {"code_challenge", FIELD_STR, offsetof(record, request.code_challenge), 0, 0},             \
        {"scope", FIELD_STR, offsetof(record, request.scope), 0, 0},                               \
        {"resource", FIELD_STR, offsetof(record, request.resource), 0, 0},                         \
        {"nonce", FIELD_STR, offsetof(record, request.nonce), 0, 0},                               \
        {"prompt", FIELD_STR, offsetof(record, request.prompt), 0, 0},                             \
        {"max_age", FIELD_I64, offsetof(record, request.max_age), 0, 0},                           \
        {"acr_values", FIELD_STR, offsetof(record, request.acr_values), 0, 0},                     \
        {"dpop_jkt", FIELD_STR, offsetof(record, request.dpop_jkt), 0, 0},                         \
        {"pushed", FIELD_HASH, offsetof(record, request.pushed), 0, 0},                            \
    {                                                                                              \
        "device", FIELD_HASH, offsetof(record, request.device), 0, 0                               \
    }

static const field_t CLIENT[] = {
    F(client_t, id, STR),
    F(client_t, name, STR),
    ENUM(client_t, auth, CLIENT_AUTH_PRIVATE_KEY_JWT),
    ENUM(client_t, type, CLIENT_NATIVE),
    ENUM(client_t, origin, CLIENT_BY_DOCUMENT),
    F(client_t, has_secret, BOOL),
    F(client_t, secret_hash, HASH),
    F(client_t, grants, U32),
    F(client_t, redirect_uris, STRS),
    F(client_t, scope, STR),
    F(client_t, client_uri, STR),
    F(client_t, logo_uri, STR),
    F(client_t, tos_uri, STR),
    F(client_t, policy_uri, STR),
    F(client_t, software_id, STR),
    F(client_t, software_version, STR),
    F(client_t, contacts, STRS),
    F(client_t, created_at, I64),
    F(client_t, expires_at, I64),
    F(client_t, jwks, STR),
    F(client_t, jwks_uri, STR),
    F(client_t, dpop_bound, BOOL),
    F(client_t, par_required, BOOL),
    F(client_t, lenient_loopback, BOOL),
    F(client_t, resources, STRS),
    F(client_t, exchange_to, STRS),
    F(client_t, management, HASH),
    F(client_t, document, HASH),
    F(client_t, vouched_by, STR),
    F(client_t, sealed, BOOL),
    F(client_t, deleted_at, I64),
    LATER(client_t, used_at, I64, 2),
};
static const field_t USER[] = {
    F(user_t, id, STR),
    F(user_t, name, STR),
    F(user_t, password, STR),
    F(user_t, disabled, BOOL),
    F(user_t, admin, BOOL),
    F(user_t, created_at, I64),
    F(user_t, password_changed_at, I64),
    F(user_t, issuer, STR),
    F(user_t, subject, STR),
    F(user_t, groups, STRS),
};
static const field_t SESSION[] = {
    F(session_t, id, HASH),        F(session_t, user_id, STR), F(session_t, auth_time, I64),
    F(session_t, created_at, I64), F(session_t, seen_at, I64), F(session_t, expires_at, I64),
    F(session_t, acr, STR),
};
static const field_t INTERACTION[] = {
    F(interaction_t, id, HASH),
    ENUM(interaction_t, state, INTERACTION_DONE),
    ENUM(interaction_t, decision, DECISION_DENIED),
    F(interaction_t, session_id, HASH),
    REQUEST(interaction_t),
    F(interaction_t, granted_scope, STR),
    F(interaction_t, created_at, I64),
    F(interaction_t, expires_at, I64),
    F(interaction_t, decided_at, I64),
};
static const field_t CODE[] = {
    F(code_t, id, HASH),        F(code_t, family_id, STR),
    F(code_t, user_id, STR),    REQUEST(code_t),
    F(code_t, auth_time, I64),  F(code_t, created_at, I64),
    F(code_t, expires_at, I64), F(code_t, consumed_at, I64),
    F(code_t, acr, STR),
};
static const field_t FAMILY[] = {
    F(family_t, id, STR),           F(family_t, client_id, STR),
    F(family_t, user_id, STR),      F(family_t, scope, STR),
    F(family_t, resource, STR),     F(family_t, auth_time, I64),
    F(family_t, created_at, I64),   F(family_t, expires_at, I64),
    F(family_t, revoked_at, I64),   F(family_t, revoked_reason, STR),
    F(family_t, jkt, STR),          F(family_t, acr, STR),
    F(family_t, redirect_uri, STR),
};
static const field_t REFRESH[] = {
    F(refresh_t, id, HASH),        F(refresh_t, family_id, STR),  F(refresh_t, parent, HASH),
    F(refresh_t, created_at, I64), F(refresh_t, expires_at, I64), F(refresh_t, rotated_at, I64),
    F(refresh_t, uses, U32),
};
static const field_t CONSENT[] = {
    F(consent_t, user_id, STR),   F(consent_t, client_id, STR),
    F(consent_t, resource, STR),  F(consent_t, redirect_uri, STR),
    F(consent_t, scope, STR),     F(consent_t, granted_at, I64),
    F(consent_t, document, HASH), LATER(consent_t, used_at, I64, 2),
};
static const field_t RESOURCE[] = {
    F(resource_t, uri, STR),
    F(resource_t, name, STR),
    F(resource_t, aliases, STRS),
    {"scopes", FIELD_SCOPES, 0, 0, 0},
    F(resource_t, default_scope, STR),
    F(resource_t, created_at, I64),
    F(resource_t, access_token_lifetime, I64),
    ENUM(resource_t, token_format, TOKEN_OPAQUE),
    F(resource_t, dpop_required, BOOL),
    F(resource_t, from_settings, BOOL),
};
static const field_t KEY[] = {
    F(key_record_t, kid, STR),          F(key_record_t, alg, STR),
    ENUM(key_record_t, use, KEY_SEAL),  ENUM(key_record_t, state, KEY_RETIRED),
    F(key_record_t, secret, BYTES),     F(key_record_t, created_at, I64),
    F(key_record_t, activated_at, I64), F(key_record_t, retired_at, I64),
    F(key_record_t, sealed_by, STR),
};
static const field_t REGISTRATION_TOKEN[] = {
    F(registration_token_t, id, HASH),
    F(registration_token_t, created_at, I64),
    F(registration_token_t, expires_at, I64),
};
static const field_t PUSHED[] = {
    F(pushed_t, id, HASH),      F(pushed_t, client_id, STR),  F(pushed_t, form, STR),
    F(pushed_t, dpop_jkt, STR), F(pushed_t, created_at, I64), F(pushed_t, expires_at, I64),
};
static const field_t DEVICE[] = {
    F(device_t, id, HASH),
    F(device_t, user_code, STR),
    ENUM(device_t, state, DEVICE_CONSUMED),
    F(device_t, client_id, STR),
    F(device_t, scope, STR),
    F(device_t, resource, STR),
    F(device_t, dpop_jkt, STR),
    F(device_t, user_id, STR),
    F(device_t, family_id, STR),
    F(device_t, auth_time, I64),
    F(device_t, acr, STR),
    F(device_t, created_at, I64),
    F(device_t, expires_at, I64),
    F(device_t, polled_at, I64),
    F(device_t, interval_s, I64),
};
static const field_t ACCESS_TOKEN[] = {
    F(access_token_t, id, HASH),        F(access_token_t, jti, STR),
    F(access_token_t, family_id, STR),  F(access_token_t, client_id, STR),
    F(access_token_t, sub, STR),        F(access_token_t, scope, STR),
    F(access_token_t, resource, STR),   F(access_token_t, jkt, STR),
    F(access_token_t, act, STR),        F(access_token_t, acr, STR),
    F(access_token_t, auth_time, I64),  F(access_token_t, created_at, I64),
    F(access_token_t, expires_at, I64),
};
static const field_t SPENT[] = {
    F(spent_t, id, HASH),
    F(spent_t, expires_at, I64),
};
static const field_t REVOKED[] = {
    F(revoked_t, seq, I64),        ENUM(revoked_t, kind, REVOKED_KIND_COUNT - 1),
    F(revoked_t, key, STR),        F(revoked_t, at, I64),
    F(revoked_t, expires_at, I64),
};

static const field_t LEASE[] = {
    F(lease_t, name, STR),
    F(lease_t, holder, STR),
    F(lease_t, until, I64),
};

const table_t TABLES[TABLE_COUNT] = {
    [TABLE_CLIENT] = {"client", CLIENT, COUNT(CLIENT), sizeof(client_t), 1},
    [TABLE_USER] = {"user", USER, COUNT(USER), sizeof(user_t), 1},
    [TABLE_SESSION] = {"session", SESSION, COUNT(SESSION), sizeof(session_t), 1},
    [TABLE_INTERACTION] = {"interaction", INTERACTION, COUNT(INTERACTION), sizeof(interaction_t),
                           1},
    [TABLE_CODE] = {"code", CODE, COUNT(CODE), sizeof(code_t), 1},
    [TABLE_FAMILY] = {"family", FAMILY, COUNT(FAMILY), sizeof(family_t), 1},
    [TABLE_REFRESH] = {"refresh", REFRESH, COUNT(REFRESH), sizeof(refresh_t), 1},
    [TABLE_CONSENT] = {"consent", CONSENT, COUNT(CONSENT), sizeof(consent_t), 4},
    [TABLE_RESOURCE] = {"resource", RESOURCE, COUNT(RESOURCE), sizeof(resource_t), 1},
    [TABLE_KEY] = {"key", KEY, COUNT(KEY), sizeof(key_record_t), 1},
    [TABLE_REGISTRATION_TOKEN] = {"registration_token", REGISTRATION_TOKEN,
                                  COUNT(REGISTRATION_TOKEN), sizeof(registration_token_t), 1},
    [TABLE_PUSHED] = {"pushed", PUSHED, COUNT(PUSHED), sizeof(pushed_t), 1},
    [TABLE_DEVICE] = {"device", DEVICE, COUNT(DEVICE), sizeof(device_t), 1},
    [TABLE_ACCESS_TOKEN] = {"access_token", ACCESS_TOKEN, COUNT(ACCESS_TOKEN),
                            sizeof(access_token_t), 1},
    [TABLE_SPENT] = {"spent", SPENT, COUNT(SPENT), sizeof(spent_t), 1},
    [TABLE_LEASE] = {"lease", LEASE, COUNT(LEASE), sizeof(lease_t), 1},
    [TABLE_REVOKED] = {"revoked", REVOKED, COUNT(REVOKED), sizeof(revoked_t), 1},
};

rc_t table_set_enum(const field_t *field, void *record, int64_t value)
{
    if (value < 0 || value >= field->values)
        return RC_IO;
    *(int *)((char *)record + field->offset) = (int)value;
    return RC_OK;
}
