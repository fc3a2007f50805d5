/* The lists that both behaviour and metadata read: grants and client authentication methods. */
#ifndef OAUTH_METHOD_H
#define OAUTH_METHOD_H

#include "model/records.h"

/* GRANT(NAME of the bit, "grant_type") */
#define OAUTH_GRANT_TABLE(GRANT)                                                                   \
    GRANT(AUTHORIZATION_CODE, "authorization_code")                                                \
    GRANT(REFRESH_TOKEN, "refresh_token")                                                          \
    GRANT(CLIENT_CREDENTIALS, "client_credentials")                                                \
    GRANT(DEVICE_CODE, "urn:ietf:params:oauth:grant-type:device_code")                             \
    GRANT(TOKEN_EXCHANGE, "urn:ietf:params:oauth:grant-type:token-exchange")                       \
    GRANT(JWT_BEARER, "urn:ietf:params:oauth:grant-type:jwt-bearer")

/* METHOD(NAME, "token_endpoint_auth_method") */
#define OAUTH_METHOD_TABLE(METHOD)                                                                 \
    METHOD(NONE, "none")                                                                           \
    METHOD(SECRET_BASIC, "client_secret_basic")                                                    \
    METHOD(SECRET_POST, "client_secret_post")                                                      \
    METHOD(PRIVATE_KEY_JWT, "private_key_jwt")

enum {
#define GRANT(name, text) OAUTH_GRANT_INDEX_##name,
    OAUTH_GRANT_TABLE(GRANT)
#undef GRANT
        OAUTH_GRANTS, /* how many there are */
};

/** The GRANT_* bit of a grant_type, or 0. */
uint32_t oauth_grant_parse(str_t name);
/** The name of one GRANT_* bit; static; unset for others. */
str_t oauth_grant_name(uint32_t bit);
/** The names of all grants in `bits`, in the order of the table; they are written to `v`. */
str_list_t oauth_grant_names(uint32_t bits, str_t v[OAUTH_GRANTS]);

/** False when there is no such method. */
bool oauth_method_parse(str_t name, client_auth_t *out);
/** The name of a method; static. */
str_t oauth_method_name(client_auth_t method);
/** All methods, in the order of the table; static. */
str_list_t oauth_method_names(void);
/** Those of them that prove who the client is; static. */
str_list_t oauth_method_names_confidential(void);

#endif
