/* Authentication context classes (RFC 9470, OpenID Connect Core section 2): how a person signed in,
 * as acr_values may demand it and tokens say it. One row for each way to sign in; a second factor
 * is a second row, and whoever demands it is led to the login anew. */
#ifndef OAUTH_ACR_H
#define OAUTH_ACR_H

#include "core/str.h"

/* ACR(NAME, "value", how): the values are those of SAML 2.0 Authentication Context section 3.4,
 * which name the same and which other servers and their clients know. */
#define OAUTH_ACR_TABLE(ACR)                                                                       \
    ACR(PASSWORD, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",             \
        "a password that was typed at this server")

typedef enum {
#define ACR(name, value, how) OAUTH_ACR_##name,
    OAUTH_ACR_TABLE(ACR)
#undef ACR
        OAUTH_ACR_COUNT
} oauth_acr_t;

/** The value of one row; static, as the following. */
str_t oauth_acr_value(oauth_acr_t acr);
/** All values, for acr_values_supported. */
str_list_t oauth_acr_values(void);
/** Whether some value of the space-separated list is one of the table. */
bool oauth_acr_is_offered(str_t acr_values);
/** Whether `acr` (unset: unknown) is among the space-separated list. */
bool oauth_acr_meets(str_t acr, str_t acr_values);

#endif
