/* The columns of each table as macros, for the texts of statements: their order is that of TABLES
 * (tables.h), which a test holds. NAME_FIELDS(K, X, t) yields K(t, column, number, type) for the
 * key and X(…) for each other one; `t` goes through, as the prefix of columns. Internal to
 * postgres_texts.c. */
#ifndef STORE_POSTGRES_FIELDS_H
#define STORE_POSTGRES_FIELDS_H

/* What a table's fields are made into. */
#define FIELD_KEY(t, column, n, type)    t #column
#define FIELD_NEXT(t, column, n, type)   ", " t #column
#define FIELD_MARK_1(t, column, n, type) "$" #n
#define FIELD_MARK(t, column, n, type)   ", $" #n
#define FIELD_SET_1(t, column, n, type)  #column "=$" #n
#define FIELD_SET(t, column, n, type)    ", " #column "=$" #n
#define FIELD_PUT_1(t, column, n, type)  #column "=excluded." #column
#define FIELD_PUT(t, column, n, type)    ", " #column "=excluded." #column
#define FIELD_TYPE(t, column, n, type)   type

#define COLUMNS(table, t) table##_FIELDS(FIELD_KEY, FIELD_NEXT, t)
#define MARKS(table)      table##_FIELDS(FIELD_MARK_1, FIELD_MARK, "")
#define SETS(table)       table##_FIELDS(FIELD_SET_1, FIELD_SET, "")
#define PUTS(table)       table##_FIELDS(FIELD_PUT_1, FIELD_PUT, "")
#define TYPES(table)      table##_FIELDS(FIELD_TYPE, FIELD_TYPE, "")
/* Who changes a client has read it a while ago: its use does not go back. */
#define CLIENT_SETS                                                                                \
    CLIENT_FIELDS_BUT_USE(FIELD_SET_1, FIELD_SET, "") ", used_at=greatest(client.used_at, $32)"

/* Texts that are kept as strangers sent them, and given back byte for byte, need not be UTF-8: they
 * are bytes here (state, nonce, prompt, acr_values, the form of a pushed request). */
/* clang-format off */
#define CLIENT_FIELDS_BUT_USE(K, X, t) \
    K(t, id, 1, "t") X(t, name, 2, "t") X(t, auth, 3, "i") X(t, type, 4, "i") \
    X(t, origin, 5, "i") X(t, has_secret, 6, "i") X(t, secret_hash, 7, "b") X(t, grants, 8, "i") \
    X(t, redirect_uris, 9, "b") X(t, scope, 10, "t") X(t, client_uri, 11, "t") \
    X(t, logo_uri, 12, "t") X(t, tos_uri, 13, "t") X(t, policy_uri, 14, "t") \
    X(t, software_id, 15, "t") X(t, software_version, 16, "t") X(t, contacts, 17, "b") \
    X(t, created_at, 18, "i") X(t, expires_at, 19, "i") X(t, jwks, 20, "t") \
    X(t, jwks_uri, 21, "t") X(t, dpop_bound, 22, "i") X(t, par_required, 23, "i") \
    X(t, lenient_loopback, 24, "i") X(t, resources, 25, "b") X(t, exchange_to, 26, "b") \
    X(t, management, 27, "b") X(t, document, 28, "b") X(t, vouched_by, 29, "t") \
    X(t, sealed, 30, "i") X(t, deleted_at, 31, "i")
#define CLIENT_FIELDS(K, X, t) CLIENT_FIELDS_BUT_USE(K, X, t) X(t, used_at, 32, "i")
#define USER_FIELDS(K, X, t) \
    K(t, id, 1, "t") X(t, name, 2, "t") X(t, password, 3, "t") X(t, disabled, 4, "i") \
    X(t, admin, 5, "i") X(t, created_at, 6, "i") X(t, password_changed_at, 7, "i") \
    X(t, issuer, 8, "t") X(t, subject, 9, "t") X(t, groups, 10, "b")
#define SESSION_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, user_id, 2, "t") X(t, auth_time, 3, "i") X(t, created_at, 4, "i") \
    X(t, seen_at, 5, "i") X(t, expires_at, 6, "i") X(t, acr, 7, "t")
#define INTERACTION_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, state, 2, "i") X(t, decision, 3, "i") X(t, session_id, 4, "b") \
    X(t, client_id, 5, "t") X(t, redirect_uri, 6, "t") X(t, redirect_uri_given, 7, "i") \
    X(t, req_state, 8, "b") X(t, code_challenge, 9, "t") X(t, scope, 10, "t") \
    X(t, resource, 11, "t") X(t, nonce, 12, "b") X(t, prompt, 13, "b") X(t, max_age, 14, "i") \
    X(t, acr_values, 15, "b") X(t, dpop_jkt, 16, "t") X(t, pushed, 17, "b") \
    X(t, device, 18, "b") X(t, granted_scope, 19, "t") X(t, created_at, 20, "i") \
    X(t, expires_at, 21, "i") X(t, decided_at, 22, "i")
#define CODE_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, family_id, 2, "t") X(t, user_id, 3, "t") X(t, client_id, 4, "t") \
    X(t, redirect_uri, 5, "t") X(t, redirect_uri_given, 6, "i") X(t, req_state, 7, "b") \
    X(t, code_challenge, 8, "t") X(t, scope, 9, "t") X(t, resource, 10, "t") \
    X(t, nonce, 11, "b") X(t, prompt, 12, "b") X(t, max_age, 13, "i") X(t, acr_values, 14, "b") \
    X(t, dpop_jkt, 15, "t") X(t, pushed, 16, "b") X(t, device, 17, "b") X(t, auth_time, 18, "i") \
    X(t, created_at, 19, "i") X(t, expires_at, 20, "i") X(t, consumed_at, 21, "i") \
    X(t, acr, 22, "t")
#define FAMILY_FIELDS(K, X, t) \
    K(t, id, 1, "t") X(t, client_id, 2, "t") X(t, user_id, 3, "t") X(t, scope, 4, "t") \
    X(t, resource, 5, "t") X(t, auth_time, 6, "i") X(t, created_at, 7, "i") \
    X(t, expires_at, 8, "i") X(t, revoked_at, 9, "i") X(t, revoked_reason, 10, "t") \
    X(t, jkt, 11, "t") X(t, acr, 12, "t") X(t, redirect_uri, 13, "t")
#define REFRESH_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, family_id, 2, "t") X(t, parent, 3, "b") X(t, created_at, 4, "i") \
    X(t, expires_at, 5, "i") X(t, rotated_at, 6, "i") X(t, uses, 7, "i")
#define CONSENT_FIELDS(K, X, t) \
    K(t, user_id, 1, "t") X(t, client_id, 2, "t") X(t, resource, 3, "t") \
    X(t, redirect_uri, 4, "t") X(t, scope, 5, "t") X(t, granted_at, 6, "i") \
    X(t, document, 7, "b") X(t, used_at, 8, "i")
#define RESOURCE_FIELDS(K, X, t) \
    K(t, uri, 1, "t") X(t, name, 2, "t") X(t, aliases, 3, "b") X(t, scopes, 4, "b") \
    X(t, default_scope, 5, "t") X(t, created_at, 6, "i") X(t, access_token_lifetime, 7, "i") \
    X(t, token_format, 8, "i") X(t, dpop_required, 9, "i") X(t, from_settings, 10, "i")
#define KEY_FIELDS(K, X, t) \
    K(t, kid, 1, "t") X(t, alg, 2, "t") X(t, use, 3, "i") X(t, state, 4, "i") \
    X(t, secret, 5, "b") X(t, created_at, 6, "i") X(t, activated_at, 7, "i") \
    X(t, retired_at, 8, "i") X(t, sealed_by, 9, "t")
#define REGISTRATION_TOKEN_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, created_at, 2, "i") X(t, expires_at, 3, "i")
#define PUSHED_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, client_id, 2, "t") X(t, form, 3, "b") X(t, dpop_jkt, 4, "t") \
    X(t, created_at, 5, "i") X(t, expires_at, 6, "i")
#define DEVICE_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, user_code, 2, "t") X(t, state, 3, "i") X(t, client_id, 4, "t") \
    X(t, scope, 5, "t") X(t, resource, 6, "t") X(t, dpop_jkt, 7, "t") X(t, user_id, 8, "t") \
    X(t, family_id, 9, "t") X(t, auth_time, 10, "i") X(t, acr, 11, "t") \
    X(t, created_at, 12, "i") X(t, expires_at, 13, "i") X(t, polled_at, 14, "i") \
    X(t, interval_s, 15, "i")
#define ACCESS_TOKEN_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, jti, 2, "t") X(t, family_id, 3, "t") X(t, client_id, 4, "t") \
    X(t, sub, 5, "t") X(t, scope, 6, "t") X(t, resource, 7, "t") X(t, jkt, 8, "t") \
    X(t, act, 9, "t") X(t, acr, 10, "t") X(t, auth_time, 11, "i") X(t, created_at, 12, "i") \
    X(t, expires_at, 13, "i")
#define SPENT_FIELDS(K, X, t) \
    K(t, id, 1, "b") X(t, expires_at, 2, "i")
#define REVOKED_FIELDS(K, X, t) \
    K(t, seq, 1, "i") X(t, kind, 2, "i") X(t, key, 3, "t") X(t, at, 4, "i") \
    X(t, expires_at, 5, "i")
#define LEASE_FIELDS(K, X, t) \
    K(t, name, 1, "t") X(t, holder, 2, "t") X(t, until, 3, "i")
/* clang-format on */

#endif
