/* Who the client says it is: what it was registered with, and how it proves it. */
#ifndef CLIENT_METHOD_H
#define CLIENT_METHOD_H

#include "client/server_metadata.h"
#include "core/secret.h"
#include "http/message.h"
#include "jose/jwk.h"

typedef enum {
    CLIENT_METHOD_NONE,
    CLIENT_METHOD_BASIC, /* client_secret_basic */
    CLIENT_METHOD_POST,  /* client_secret_post */
    CLIENT_METHOD_JWT,   /* private_key_jwt */
} client_method_t;
/** "none", "client_secret_basic" …; static. */
str_t client_method_name(client_method_t m);
/** False: none of these. */
bool client_method_parse(str_t name, client_method_t *out);

/** What a client has to show. */
typedef struct {
    str_t client_id;  /* unset: it has none (workload identity) */
    secret_t secret;  /* hidden unset: none */
    const jwk_t *key; /* private; NULL: none. Borrowed */
    str_t method; /* what it was registered with (token_endpoint_auth_method); unset: not said */
} client_credentials_t;

/** The method to use: the registered one; else the best of what there is and the server lists (its
 *  silence means client_secret_basic, RFC 8414 section 2), and none for who has nothing to show.
 *  False: none fits. */
bool client_method_choose(const client_server_metadata_t *server, const client_credentials_t *who,
                          client_method_t *out);

#endif
