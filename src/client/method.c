#include "client/method.h"

static const str_t NAMES[] = {
    [CLIENT_METHOD_NONE] = STR_INIT("none"),
    [CLIENT_METHOD_BASIC] = STR_INIT("client_secret_basic"),
    [CLIENT_METHOD_POST] = STR_INIT("client_secret_post"),
    [CLIENT_METHOD_JWT] = STR_INIT("private_key_jwt"),
};

enum { METHODS = sizeof NAMES / sizeof NAMES[0] };

str_t client_method_name(client_method_t m)
{
    return NAMES[m];
}

bool client_method_parse(str_t name, client_method_t *out)
{
    for (int m = 0; m < METHODS; m++) {
        if (!str_eq(name, NAMES[m]))
            continue;
        *out = (client_method_t)m;
        return true;
    }
    return false;
}

static bool can(const client_credentials_t *who, client_method_t m)
{
    switch (m) {
    case CLIENT_METHOD_NONE:
        return true;
    case CLIENT_METHOD_BASIC:
    case CLIENT_METHOD_POST:
        return str_is_set(who->secret.hidden);
    case CLIENT_METHOD_JWT:
        return who->key != NULL;
    }
    return false;
}

/* A list that is absent means client_secret_basic (RFC 8414 section 2). A key is tried all the same
 * where there is nothing but it: it does not leave this machine. */
static bool takes(const client_server_metadata_t *server, const client_credentials_t *who,
                  client_method_t m)
{
    if (server->has_auth_methods)
        return str_list_has(server->auth_methods, NAMES[m]);
    return m == CLIENT_METHOD_BASIC || (m == CLIENT_METHOD_JWT && !can(who, CLIENT_METHOD_BASIC));
}

/* Who has nothing to show goes without: many servers take public clients without listing "none". */
bool client_method_choose(const client_server_metadata_t *server, const client_credentials_t *who,
                          client_method_t *out)
{
    static const client_method_t BEST_FIRST[] = {CLIENT_METHOD_JWT, CLIENT_METHOD_BASIC,
                                                 CLIENT_METHOD_POST, CLIENT_METHOD_NONE};
    if (str_is_set(who->method))
        return client_method_parse(who->method, out) && can(who, *out);
    for (size_t i = 0; i < sizeof BEST_FIRST / sizeof BEST_FIRST[0]; i++) {
        *out = BEST_FIRST[i];
        if (can(who, *out) && takes(server, who, *out))
            return true;
    }
    *out = CLIENT_METHOD_NONE;
    return !can(who, CLIENT_METHOD_BASIC) && !can(who, CLIENT_METHOD_JWT);
}
