/* The verdict on an attempt to sign in. The person hears the same for every refusal; the audit
 * trail hears which. */
#ifndef IDENTITY_LOGIN_H
#define IDENTITY_LOGIN_H

#include "model/records.h"

/* LOGIN(NAME, "reason in the audit trail", "what the audit trail says") */
#define IDENTITY_LOGIN_TABLE(LOGIN)                                                                \
    LOGIN(FINE, "signed_in", "the password fits")                                                  \
    LOGIN(NAME_MALFORMED, "login_name_malformed", "no account can have this name")                 \
    LOGIN(USER_UNKNOWN, "login_user_unknown", "no such account")                                   \
    LOGIN(PASSWORD_WRONG, "login_password_wrong", "wrong password")                                \
    LOGIN(USER_DISABLED, "login_user_disabled", "right password of a disabled account")            \
    LOGIN(PASSWORD_OFF, "login_password_off", "passwords are not taken here (login_only)")         \
    LOGIN(THROTTLED, "login_throttled", "too many failures; the password was not looked at")

typedef enum {
#define LOGIN(name, text, about) IDENTITY_LOGIN_##name,
    IDENTITY_LOGIN_TABLE(LOGIN)
#undef LOGIN
        IDENTITY_LOGIN_COUNT
} identity_login_t;

/** From the account (NULL: none of that name) and what identity_password_verify said of it. */
identity_login_t identity_login_judge(const user_t *user, bool fits);
/** The name of the verdict in the audit trail; static. */
str_t identity_login_reason(identity_login_t verdict);
/** One sentence for the audit trail; static. */
str_t identity_login_about(identity_login_t verdict);

#endif
