/* The plain records that protocol and store share. No behaviour; slices live in the arena of
 * whoever filled the record. Times are Unix seconds; 0 means "never" or "not yet". */
#ifndef MODEL_RECORDS_H
#define MODEL_RECORDS_H

#include "core/str.h"

/** SHA-256 of a secret handle (code, refresh token, session id, client secret). Only the hash is
 *  ever stored. */
typedef struct {
    uint8_t b[32];
} hash_t;

/* Grants as bits (RFC 7591 grant_types). */
enum {
    GRANT_AUTHORIZATION_CODE = 1u << 0,
    GRANT_REFRESH_TOKEN = 1u << 1,
    GRANT_CLIENT_CREDENTIALS = 1u << 2,
};

typedef enum {
    CLIENT_AUTH_NONE, /* public client */
    CLIENT_AUTH_SECRET_BASIC,
    CLIENT_AUTH_SECRET_POST,
} client_auth_t;

typedef enum { CLIENT_WEB, CLIENT_NATIVE } client_type_t;
typedef enum { CLIENT_BY_ADMIN, CLIENT_BY_REGISTRATION } client_origin_t;

/** A registered client (RFC 7591 section 2). */
typedef struct {
    str_t id;
    str_t name; /* unset when it gave none; hostile text, escape where shown */
    client_auth_t auth;
    client_type_t type;
    client_origin_t origin;
    bool has_secret;
    hash_t secret_hash;
    uint32_t grants;
    str_list_t redirect_uris;
    str_t scope;      /* what it may ask for, space-separated; unset: whatever its resource has */
    str_t client_uri; /* unset when absent, as the following */
    str_t logo_uri, tos_uri, policy_uri;
    str_t software_id, software_version;
    str_list_t contacts;
    int64_t created_at;
    int64_t expires_at; /* an unused dynamic registration is forgotten then; 0 once used */
} client_t;

typedef struct {
    str_t id;       /* stable, random; the `sub` of tokens */
    str_t name;     /* login name, compared byte for byte after lower-casing ASCII at creation */
    str_t password; /* argon2id hash in libsodium's text form */
    bool disabled;
    bool admin;
    int64_t created_at;
    int64_t password_changed_at;
} user_t;

/** A browser's login. */
typedef struct {
    hash_t id;
    str_t user_id;
    int64_t auth_time;
    int64_t created_at;
    int64_t seen_at;    /* last use, coarse */
    int64_t expires_at; /* absolute */
} session_t;

typedef enum {
    INTERACTION_LOGIN,   /* waits for the user to sign in */
    INTERACTION_CONSENT, /* waits for the decision */
    INTERACTION_DONE,    /* decided; kept a while to replay the same answer */
} interaction_state_t;

typedef enum { DECISION_NONE, DECISION_APPROVED, DECISION_DENIED } decision_t;

/** What the client asked at the authorization endpoint, checked, before the user decided. */
typedef struct {
    str_t client_id;
    str_t redirect_uri;      /* as requested (loopback: with its port) */
    bool redirect_uri_given; /* false: the only registered one was taken */
    str_t state;             /* unset when absent; returned byte for byte */
    str_t code_challenge;    /* S256 */
    str_t scope;             /* narrowed to what is known and allowed, space-separated */
    str_t resource;          /* canonical identifier */
    str_t nonce;             /* kept for OpenID Connect; unset when absent */
    str_t prompt;            /* unset when absent */
    int64_t max_age;         /* seconds; -1 when absent */
} authz_request_t;

/** An authorization request that waits for a person. */
typedef struct {
    hash_t id; /* of the handle in the page's form */
    interaction_state_t state;
    decision_t decision;
    hash_t session_id; /* the session that owns it; in LOGIN the one that must type the password
                          again, all zero for none */
    authz_request_t request;
    str_t granted_scope; /* once approved */
    int64_t created_at;
    int64_t expires_at;
    int64_t decided_at;
} interaction_t;

/** An authorization code, by its hash. Kept after use to recognize a replay. */
typedef struct {
    hash_t id;
    str_t family_id; /* the family its tokens will belong to */
    str_t user_id;
    authz_request_t request; /* state, nonce and prompt may be unset here */
    int64_t auth_time;
    int64_t created_at;
    int64_t expires_at;
    int64_t consumed_at;
} code_t;

/** A grant: what one redemption of one code gave one client, and all tokens that descend of it. */
typedef struct {
    str_t id;
    str_t client_id;
    str_t user_id;
    str_t scope;
    str_t resource;
    int64_t auth_time;
    int64_t created_at;
    int64_t expires_at; /* absolute end of its refresh tokens */
    int64_t revoked_at;
    str_t revoked_reason; /* name of a row of oauth/reasons.def */
} family_t;

/** A refresh token, by its hash. Kept after rotation to recognize reuse. */
typedef struct {
    hash_t id;
    str_t family_id;
    hash_t parent; /* all zero for the first of a family */
    int64_t created_at;
    int64_t expires_at; /* idle end */
    int64_t rotated_at; /* first exchanged for a successor; 0: live */
    uint32_t uses;      /* times exchanged, counting racing callers in the grace window */
} refresh_t;

/** What a person approved for a client at a resource. Wider requests ask again. */
typedef struct {
    str_t user_id;
    str_t client_id;
    str_t resource;
    str_t redirect_uri; /* the one it was approved for */
    str_t scope;        /* union of all approved */
    int64_t granted_at;
} consent_t;

typedef struct {
    str_t name; /* one scope token */
    str_t text; /* for the consent page, one plain sentence */
} scope_text_t;

/** A protected resource (RFC 8707 target, RFC 9728 resource). */
typedef struct {
    str_t uri;          /* canonical identifier, the `aud` */
    str_t name;         /* for people; unset: the uri */
    str_list_t aliases; /* other spellings clients send that mean this resource */
    const scope_text_t *scopes;
    size_t n_scopes;
    str_t default_scope; /* granted when a request has no scope, space-separated */
    int64_t created_at;
} resource_t;

typedef enum { KEY_NEXT, KEY_CURRENT, KEY_RETIRED } key_state_t;
typedef enum { KEY_SIGN, KEY_DERIVE } key_use_t;

/** A key of the server. Private: never leaves store and key ring. */
typedef struct {
    str_t kid;
    str_t alg; /* JWA name; for KEY_DERIVE "HS256" */
    key_use_t use;
    key_state_t state;
    str_t secret; /* PKCS#8 DER, or raw bytes for KEY_DERIVE */
    int64_t created_at;
    int64_t activated_at;
    int64_t retired_at;
} key_record_t;

/** A token that lets its holder register one client (RFC 7591 section 3), by its hash. */
typedef struct {
    hash_t id;
    int64_t created_at;
    int64_t expires_at;
} registration_token_t;

#endif
