#include "oauth/settings.h"

oauth_settings_t oauth_settings_default(void)
{
    return (oauth_settings_t){
        .code_lifetime = 60,
        .interaction_lifetime = 900,
        .decision_replay = 30,
        .access_token_lifetime = 600,
        .refresh_token_idle = 30 * 86400,
        .refresh_token_lifetime = 180 * 86400,
        .refresh_grace = 120,
        .dpop = OAUTH_DPOP_OPTIONAL,
        .max_spent = 1000000,
        .max_interactions = 100000,
        .keep_consented = true,
        .pushed_lifetime = 90,
        .device_lifetime = 600,
        .device_interval = 5,
        .max_pushed = 100000,
        .max_devices = 100000,
        .registration = OAUTH_REGISTER_OPEN,
        .stateless_clients = true,
        .registration_management = true,
        .drop_bad_redirect_uris = true,
        .registrable_grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN,
        .registration_unused_ttl = 86400,
        .max_clients = 10000,
        .documents = true,
    };
}
