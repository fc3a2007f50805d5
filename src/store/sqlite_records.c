/* Records to columns and back, by one table of fields for each kind. */
#include "store/sqlite_db.h"

#include "store/sqlite_list.h"

#include <stddef.h>
#include <stdlib.h>

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))

#define F(record, column, kind)                                                                    \
    {                                                                                              \
#column, FIELD_##kind, offsetof(record, column)                                            \
    }
/* The request inside of a code or an interaction; its `state` has a name of its own there. */
#define REQUEST(record)                                                                            \
    {"client_id", FIELD_STR, offsetof(record, request.client_id)},                                 \
        {"redirect_uri", FIELD_STR, offsetof(record, request.redirect_uri)},                       \
        {"redirect_uri_given", FIELD_BOOL, offsetof(record, request.redirect_uri_given)},          \
        {"req_state", FIELD_STR, offsetof(record, request.state)},                                 \
        {"code_challenge", FIELD_STR, offsetof(record, request.code_challenge)},                   \
        {"scope", FIELD_STR, offsetof(record, request.scope)},                                     \
        {"resource", FIELD_STR, offsetof(record, request.resource)},                               \
        {"nonce", FIELD_STR, offsetof(record, request.nonce)},                                     \
        {"prompt", FIELD_STR, offsetof(record, request.prompt)},                                   \
        {"max_age", FIELD_I64, offsetof(record, request.max_age)},                                 \
        {"acr_values", FIELD_STR, offsetof(record, request.acr_values)},                           \
        {"dpop_jkt", FIELD_STR, offsetof(record, request.dpop_jkt)},                               \
        {"pushed", FIELD_HASH, offsetof(record, request.pushed)},                                  \
    {                                                                                              \
        "device", FIELD_HASH, offsetof(record, request.device)                                     \
    }

static const field_t CLIENT[] = {
    F(client_t, id, STR),
    F(client_t, name, STR),
    F(client_t, auth, INT),
    F(client_t, type, INT),
    F(client_t, origin, INT),
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
    F(interaction_t, state, INT),
    F(interaction_t, decision, INT),
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
    F(consent_t, user_id, STR),      F(consent_t, client_id, STR), F(consent_t, resource, STR),
    F(consent_t, redirect_uri, STR), F(consent_t, scope, STR),     F(consent_t, granted_at, I64),
    F(consent_t, document, HASH),
};
static const field_t RESOURCE[] = {
    F(resource_t, uri, STR),
    F(resource_t, name, STR),
    F(resource_t, aliases, STRS),
    {"scopes", FIELD_SCOPES, 0},
    F(resource_t, default_scope, STR),
    F(resource_t, created_at, I64),
    F(resource_t, access_token_lifetime, I64),
    F(resource_t, token_format, INT),
    F(resource_t, dpop_required, BOOL),
    F(resource_t, from_settings, BOOL),
};
static const field_t KEY[] = {
    F(key_record_t, kid, STR),          F(key_record_t, alg, STR),
    F(key_record_t, use, INT),          F(key_record_t, state, INT),
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
    F(device_t, id, HASH),        F(device_t, user_code, STR), F(device_t, state, INT),
    F(device_t, client_id, STR),  F(device_t, scope, STR),     F(device_t, resource, STR),
    F(device_t, dpop_jkt, STR),   F(device_t, user_id, STR),   F(device_t, family_id, STR),
    F(device_t, auth_time, I64),  F(device_t, acr, STR),       F(device_t, created_at, I64),
    F(device_t, expires_at, I64), F(device_t, polled_at, I64), F(device_t, interval_s, I64),
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
    F(revoked_t, seq, I64), F(revoked_t, kind, INT),       F(revoked_t, key, STR),
    F(revoked_t, at, I64),  F(revoked_t, expires_at, I64),
};

const table_t TABLES[TABLE_COUNT] = {
    [TABLE_CLIENT] = {"client", CLIENT, COUNT(CLIENT), sizeof(client_t)},
    [TABLE_USER] = {"user", USER, COUNT(USER), sizeof(user_t)},
    [TABLE_SESSION] = {"session", SESSION, COUNT(SESSION), sizeof(session_t)},
    [TABLE_INTERACTION] = {"interaction", INTERACTION, COUNT(INTERACTION), sizeof(interaction_t)},
    [TABLE_CODE] = {"code", CODE, COUNT(CODE), sizeof(code_t)},
    [TABLE_FAMILY] = {"family", FAMILY, COUNT(FAMILY), sizeof(family_t)},
    [TABLE_REFRESH] = {"refresh", REFRESH, COUNT(REFRESH), sizeof(refresh_t)},
    [TABLE_CONSENT] = {"consent", CONSENT, COUNT(CONSENT), sizeof(consent_t)},
    [TABLE_RESOURCE] = {"resource", RESOURCE, COUNT(RESOURCE), sizeof(resource_t)},
    [TABLE_KEY] = {"key", KEY, COUNT(KEY), sizeof(key_record_t)},
    [TABLE_REGISTRATION_TOKEN] = {"registration_token", REGISTRATION_TOKEN,
                                  COUNT(REGISTRATION_TOKEN), sizeof(registration_token_t)},
    [TABLE_PUSHED] = {"pushed", PUSHED, COUNT(PUSHED), sizeof(pushed_t)},
    [TABLE_DEVICE] = {"device", DEVICE, COUNT(DEVICE), sizeof(device_t)},
    [TABLE_ACCESS_TOKEN] = {"access_token", ACCESS_TOKEN, COUNT(ACCESS_TOKEN),
                            sizeof(access_token_t)},
    [TABLE_SPENT] = {"spent", SPENT, COUNT(SPENT), sizeof(spent_t)},
    [TABLE_REVOKED] = {"revoked", REVOKED, COUNT(REVOKED), sizeof(revoked_t)},
};

/* A resource's scopes as a list of name, text, name, text. */
static rc_t write_scopes(const resource_t *r, str_t *out)
{
    str_t *v = calloc(r->n_scopes + 1, 2 * sizeof *v);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < r->n_scopes; i++) {
        v[2 * i] = r->scopes[i].name;
        v[2 * i + 1] = r->scopes[i].text;
    }
    rc_t rc = sqlite_list_write((str_list_t){v, 2 * r->n_scopes}, out);
    free(v);
    return rc;
}

static int bind_list(sqlite3_stmt *s, int at, const field_t *f, const void *record)
{
    str_t bytes;
    const str_list_t *list = (const str_list_t *)((const char *)record + f->offset);
    rc_t rc =
        f->type == FIELD_SCOPES ? write_scopes(record, &bytes) : sqlite_list_write(*list, &bytes);
    return rc == RC_OK ? sqlite3_bind_blob64(s, at, bytes.p, bytes.n, free) : SQLITE_NOMEM;
}

static int bind_field(sqlite3_stmt *s, int at, const field_t *f, const void *record)
{
    const void *p = (const char *)record + f->offset;
    const str_t *str = p;
    switch (f->type) {
    case FIELD_STR:
        return sqlite3_bind_text64(s, at, str->p, str->n, SQLITE_STATIC, SQLITE_UTF8);
    case FIELD_BYTES:
        return sqlite3_bind_blob64(s, at, str->p, str->n, SQLITE_STATIC);
    case FIELD_I64:
        return sqlite3_bind_int64(s, at, *(const int64_t *)p);
    case FIELD_U32:
        return sqlite3_bind_int64(s, at, *(const uint32_t *)p);
    case FIELD_INT:
        return sqlite3_bind_int(s, at, *(const int *)p);
    case FIELD_BOOL:
        return sqlite3_bind_int(s, at, *(const bool *)p);
    case FIELD_HASH:
        return sqlite3_bind_blob(s, at, p, sizeof(hash_t), SQLITE_STATIC);
    case FIELD_STRS:
    case FIELD_SCOPES:
        return bind_list(s, at, f, record);
    }
    return SQLITE_MISUSE;
}

rc_t sqlite_bind_record(sqlite3_stmt *s, table_id_t table, const void *record)
{
    for (int i = 0; i < TABLES[table].n_fields; i++) {
        int code = bind_field(s, i + 1, &TABLES[table].fields[i], record);
        if (code != SQLITE_OK)
            return code == SQLITE_NOMEM ? RC_MEMORY : RC_IO;
    }
    return RC_OK;
}

static str_t column_bytes(arena_t *a, sqlite3_stmt *s, int at)
{
    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return STR_UNSET;
    const void *p = sqlite3_column_blob(s, at);
    return arena_dup(a, str_of(p ? p : "", (size_t)sqlite3_column_bytes(s, at)));
}

static rc_t read_scopes(arena_t *a, str_list_t list, resource_t *r)
{
    scope_text_t *v = ARENA_ARRAY(a, list.n / 2 + 1, scope_text_t);
    if (!v)
        return RC_MEMORY;
    r->scopes = v;
    r->n_scopes = list.n / 2;
    for (size_t i = 0; i < r->n_scopes; i++)
        v[i] = (scope_text_t){list.v[2 * i], list.v[2 * i + 1]};
    return RC_OK;
}

static rc_t read_list(arena_t *a, sqlite3_stmt *s, int at, const field_t *f, void *record)
{
    str_t bytes = column_bytes(a, s, at);
    str_list_t list;
    if (!str_is_set(bytes))
        return sqlite3_column_type(s, at) == SQLITE_NULL ? RC_IO : RC_MEMORY;
    rc_t rc = sqlite_list_read(a, bytes, &list);
    if (rc != RC_OK)
        return rc == RC_MALFORMED ? RC_IO : rc;
    if (f->type == FIELD_SCOPES)
        return read_scopes(a, list, record);
    *(str_list_t *)((char *)record + f->offset) = list;
    return RC_OK;
}

static rc_t read_field(arena_t *a, sqlite3_stmt *s, int at, const field_t *f, void *record)
{
    void *p = (char *)record + f->offset;
    switch (f->type) {
    case FIELD_STR:
    case FIELD_BYTES: {
        str_t v = column_bytes(a, s, at);
        if (!str_is_set(v) && sqlite3_column_type(s, at) != SQLITE_NULL)
            return RC_MEMORY;
        *(str_t *)p = v;
        break;
    }
    case FIELD_I64:
        *(int64_t *)p = sqlite3_column_int64(s, at);
        break;
    case FIELD_U32:
        *(uint32_t *)p = (uint32_t)sqlite3_column_int64(s, at);
        break;
    case FIELD_INT:
        *(int *)p = sqlite3_column_int(s, at);
        break;
    case FIELD_BOOL:
        *(bool *)p = sqlite3_column_int(s, at) != 0;
        break;
    case FIELD_HASH: {
        const void *blob = sqlite3_column_blob(s, at);
        if (!blob || sqlite3_column_bytes(s, at) != (int)sizeof(hash_t))
            return RC_IO;
        memcpy(p, blob, sizeof(hash_t));
        break;
    }
    case FIELD_STRS:
    case FIELD_SCOPES:
        return read_list(a, s, at, f, record);
    }
    return RC_OK;
}

rc_t sqlite_read_record(arena_t *a, sqlite3_stmt *s, table_id_t table, void **out)
{
    *out = NULL;
    void *record = arena_alloc(a, TABLES[table].size);
    if (!record)
        return RC_MEMORY;
    for (int i = 0; i < TABLES[table].n_fields; i++)
        TRY(read_field(a, s, i, &TABLES[table].fields[i], record));
    if (table == TABLE_CLIENT)
        ((client_t *)record)->stored = true;
    *out = record;
    return RC_OK;
}
