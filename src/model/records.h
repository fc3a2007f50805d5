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
    GRANT_DEVICE_CODE = 1u << 3,    /* RFC 8628 */
    GRANT_TOKEN_EXCHANGE = 1u << 4, /* RFC 8693 */
    GRANT_JWT_BEARER = 1u << 5,     /* RFC 7523 */
};

/** No access token lives longer, whatever a setting or a resource says: a revocation needs to be
 *  remembered for so long and no longer. Seconds. */
enum { MODEL_ACCESS_TOKEN_MAX_S = 3600 };

typedef enum {
    CLIENT_AUTH_NONE, /* public client */
    CLIENT_AUTH_SECRET_BASIC,
    CLIENT_AUTH_SECRET_POST,
    CLIENT_AUTH_PRIVATE_KEY_JWT, /* RFC 7523 section 2.2 */
} client_auth_t;

typedef enum { CLIENT_WEB, CLIENT_NATIVE } client_type_t;
typedef enum {
    CLIENT_BY_ADMIN,
    CLIENT_BY_REGISTRATION,
    CLIENT_BY_DOCUMENT, /* the client_id is the URL of its metadata document */
} client_origin_t;

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
    str_t jwks;         /* its public keys, a JWK Set as JSON text; unset: see jwks_uri */
    str_t jwks_uri;     /* unset: see jwks */
    bool dpop_bound;   /* dpop_bound_access_tokens (RFC 9449 section 5.2): no token without proof */
    bool par_required; /* require_pushed_authorization_requests (RFC 9126 section 6) */
    bool lenient_loopback;  /* any path of a registered loopback redirect will do */
    str_list_t resources;   /* identifiers of the resources it is the server of: whose tokens it may
                             * have introspected, and may exchange */
    str_list_t exchange_to; /* identifiers it may exchange tokens for (RFC 8693) */
    hash_t management;      /* of its registration access token (RFC 7592); all zero: none */
    hash_t document;        /* of the metadata a person must approve anew when it changes; all zero
                             * for clients that have none and never changed (RFC 7592) */
    str_t vouched_by;       /* who vouched for its name and redirect URIs when it registered; unset:
                             * nobody */
    bool sealed;            /* its id holds its whole registration: it exists without a row */
    bool stored;            /* there is a row of it: set by the store, for all it returns */
    int64_t deleted_at;     /* not 0: it is gone; the row stays, lest a sealed id lives on */
    int64_t used_at;        /* when it was approved, or a grant of it was seen last, to a day; while
                             * there is a grant that says more. 0: nobody looked yet */
} client_t;

typedef struct {
    str_t id;       /* stable, random; the `sub` of tokens */
    str_t name;     /* login name, compared byte for byte after lower-casing ASCII at creation */
    str_t password; /* argon2id hash in libsodium's text form */
    bool disabled;
    bool admin;
    int64_t created_at;
    int64_t password_changed_at;
    str_t issuer, subject; /* who vouches for the person elsewhere; unset: an account with a
                            * password */
    str_list_t groups; /* what access tokens say (RFC 9068 section 2.2.3.1); sorted, each once */
} user_t;

/** A browser's login. */
typedef struct {
    hash_t id;
    str_t user_id;
    int64_t auth_time;
    int64_t created_at;
    int64_t seen_at;    /* last use, coarse */
    int64_t expires_at; /* absolute */
    str_t acr;          /* how the person signed in (RFC 9470); unset: unknown */
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
    str_t acr_values;        /* unset when absent, space-separated (RFC 9470) */
    str_t dpop_jkt;          /* thumbprint of the key that must redeem (RFC 9449 section 10) */
    hash_t pushed;           /* the pushed request it came from (RFC 9126); all zero: none */
    hash_t device;           /* the device that waits for it (RFC 8628); all zero: none */
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
    str_t acr; /* of the session; unset: unknown */
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
    str_t jkt;            /* its refresh tokens are bound to the key of this thumbprint; unset: not
                           * bound */
    str_t acr;            /* as code_t */
    str_t redirect_uri;   /* as consent_t, of the consent that it rests on; unset: on none, or it is
                           * not known, and it ends with any of its client and resource */
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

/** What a person approved for a client at a resource, and for one place that its codes go to: many
 *  installations may share a client. Wider requests ask again. */
typedef struct {
    str_t user_id;
    str_t client_id;
    str_t resource;
    str_t redirect_uri; /* the one it was approved for, on loopback without its port
                         * (oauth_redirect_uri_key); empty, or unset: a device */
    str_t scope;        /* union of all approved */
    int64_t granted_at;
    hash_t document; /* client_t.document at that time */
    int64_t used_at; /* as client_t */
} consent_t;

typedef struct {
    str_t name; /* one scope token */
    str_t text; /* for the consent page, one plain sentence */
} scope_text_t;

typedef enum { TOKEN_JWT, TOKEN_OPAQUE } token_format_t;

/** A protected resource (RFC 8707 target, RFC 9728 resource). */
typedef struct {
    str_t uri;          /* canonical identifier, the `aud` */
    str_t name;         /* for people; unset: the uri */
    str_list_t aliases; /* other spellings clients send that mean this resource */
    const scope_text_t *scopes;
    size_t n_scopes;
    str_t default_scope; /* granted when a request has no scope, space-separated */
    int64_t created_at;
    int64_t access_token_lifetime; /* seconds; 0: the server's */
    token_format_t token_format;
    bool dpop_required; /* takes no token without a key (RFC 9449) */
    bool from_settings; /* written down in the settings file, which wins at each start */
} resource_t;

typedef enum { KEY_NEXT, KEY_CURRENT, KEY_RETIRED } key_state_t;
typedef enum {
    KEY_SIGN,
    KEY_DERIVE,
    KEY_SEAL, /* client ids that hold their registration; old ones stay, or clients would be lost */
} key_use_t;

/** A key of the server. Private: never leaves store and key ring. */
typedef struct {
    str_t kid;
    str_t alg; /* JWA name; for KEY_DERIVE "HS256" */
    key_use_t use;
    key_state_t state;
    str_t secret; /* PKCS#8 DER, or raw bytes for KEY_DERIVE and KEY_SEAL; encrypted where
                   * sealed_by is set */
    int64_t created_at;
    int64_t activated_at;
    int64_t retired_at;
    str_t sealed_by; /* name of the key that `secret` is encrypted under; unset: plain */
} key_record_t;

/** All keys of the server, before and after a change of all of them. */
typedef struct {
    const key_record_t *was;
    size_t n_was;
    const key_record_t *becomes;
    size_t n_becomes;
} key_change_t;

/** A token that lets its holder register one client (RFC 7591 section 3), by its hash. */
typedef struct {
    hash_t id;
    int64_t created_at;
    int64_t expires_at;
} registration_token_t;

/** An authorization request that its client pushed (RFC 9126), by the hash of its request_uri. */
typedef struct {
    hash_t id;
    str_t client_id;
    str_t form;     /* its parameters as they came, without the client's credentials */
    str_t dpop_jkt; /* of the proof that came with it; unset: none */
    int64_t created_at;
    int64_t expires_at;
} pushed_t;

typedef enum { DEVICE_PENDING, DEVICE_APPROVED, DEVICE_DENIED, DEVICE_CONSUMED } device_state_t;

/** A device that waits for a person elsewhere (RFC 8628), by the hash of its device_code. */
typedef struct {
    hash_t id;
    str_t user_code; /* upper case, without dashes; unique among the live ones */
    device_state_t state;
    str_t client_id;
    str_t scope;
    str_t resource;
    str_t dpop_jkt;  /* unset: none */
    str_t user_id;   /* once approved, as all below */
    str_t family_id; /* the family its tokens will belong to */
    int64_t auth_time;
    str_t acr;
    int64_t created_at;
    int64_t expires_at;
    int64_t polled_at;
    int64_t interval_s; /* least seconds between two polls; grows when the device is hasty */
} device_t;

/** An opaque access token, by its hash: what a JWT would say. */
typedef struct {
    hash_t id;
    str_t jti;
    str_t family_id; /* unset: none */
    str_t client_id;
    str_t sub;
    str_t scope; /* unset: none */
    str_t resource;
    str_t jkt; /* unset: not bound */
    str_t act; /* JSON of the act claim (RFC 8693 section 4.1); unset: none */
    str_t acr;
    int64_t auth_time; /* 0: no person */
    int64_t created_at;
    int64_t expires_at;
} access_token_t;

/** A one-time name that was used: the jti of an assertion or of a proof, with who used it. */
typedef struct {
    hash_t id;
    int64_t expires_at; /* may be forgotten then: whatever carried it has ended */
} spent_t;

/* What a revocation ends. REVOKED(NAME, "word in the feed", what `key` is) */
#define REVOKED_TABLE(REVOKED)                                                                     \
    REVOKED(TOKEN, "token", "the jti of one access token")                                         \
    REVOKED(GRANT, "grant", "the id of a family: all its access tokens")                           \
    REVOKED(SUBJECT, "subject", "a sub: all its access tokens issued until `at`")                  \
    REVOKED(CLIENT, "client", "a client_id: all its access tokens issued until `at`")              \
    REVOKED(ALL, "all", "empty: all access tokens issued until `at`")
typedef enum {
#define REVOKED(name, word, about) REVOKED_##name,
    REVOKED_TABLE(REVOKED)
#undef REVOKED
        REVOKED_KIND_COUNT
} revoked_kind_t;

/** Access tokens that ended before their time. Resource servers follow the list. */
typedef struct {
    uint64_t seq; /* given by the store, grows */
    revoked_kind_t kind;
    str_t key;
    int64_t at;
    int64_t expires_at; /* forgotten then: the tokens have ended by themselves */
} revoked_t;

/** What one of several nodes does for all of them for a while, such as cleaning. It saves work and
 *  decides nothing: what its holder does must be right when two believe to hold it. */
typedef struct {
    str_t name;
    str_t holder;  /* a name of one process; no two have the same */
    int64_t until; /* by then it is taken again, or anybody's */
} lease_t;

#endif
