#include "oauth/acr.h"

static const str_t VALUES[OAUTH_ACR_COUNT] = {
#define ACR(name, value, how) [OAUTH_ACR_##name] = STR_INIT(value),
    OAUTH_ACR_TABLE(ACR)
#undef ACR
};

str_t oauth_acr_value(oauth_acr_t acr)
{
    return VALUES[acr];
}

str_list_t oauth_acr_values(void)
{
    return (str_list_t){VALUES, OAUTH_ACR_COUNT};
}

bool oauth_acr_is_offered(str_t acr_values)
{
    str_t value;
    while (str_split(&acr_values, ' ', &value))
        if (str_list_has(oauth_acr_values(), value))
            return true;
    return false;
}

bool oauth_acr_meets(str_t acr, str_t acr_values)
{
    str_t value;
    while (str_is_set(acr) && str_split(&acr_values, ' ', &value))
        if (value.n > 0 && str_eq(value, acr))
            return true;
    return false;
}
