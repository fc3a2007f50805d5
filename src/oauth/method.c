#include "oauth/method.h"

static const struct {
    uint32_t bit;
    str_t name;
} GRANTS[] = {
#define GRANT(id, text) {GRANT_##id, STR_INIT(text)},
    OAUTH_GRANT_TABLE(GRANT)
#undef GRANT
};

static const str_t METHODS[] = {
#define METHOD(id, text) [CLIENT_AUTH_##id] = STR_INIT(text),
    OAUTH_METHOD_TABLE(METHOD)
#undef METHOD
};

enum {
    N_GRANTS = sizeof GRANTS / sizeof GRANTS[0],
    N_METHODS = sizeof METHODS / sizeof METHODS[0],
};

uint32_t oauth_grant_parse(str_t name)
{
    for (size_t i = 0; i < N_GRANTS; i++)
        if (str_eq(GRANTS[i].name, name))
            return GRANTS[i].bit;
    return 0;
}

str_t oauth_grant_name(uint32_t bit)
{
    for (size_t i = 0; i < N_GRANTS; i++)
        if (GRANTS[i].bit == bit)
            return GRANTS[i].name;
    return STR_UNSET;
}

str_list_t oauth_grant_names(uint32_t bits, str_t v[OAUTH_GRANTS])
{
    size_t n = 0;
    for (size_t i = 0; i < N_GRANTS; i++)
        if (bits & GRANTS[i].bit)
            v[n++] = GRANTS[i].name;
    return (str_list_t){v, n};
}

bool oauth_method_parse(str_t name, client_auth_t *out)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (!str_eq(METHODS[i], name))
            continue;
        *out = (client_auth_t)i;
        return true;
    }
    return false;
}

str_t oauth_method_name(client_auth_t method)
{
    return METHODS[method];
}

_Static_assert(CLIENT_AUTH_NONE == 0, "none stands in front");

str_list_t oauth_method_names_confidential(void)
{
    return (str_list_t){METHODS + 1, N_METHODS - 1};
}

str_list_t oauth_method_names(void)
{
    return (str_list_t){METHODS, N_METHODS};
}
