#include "identity/login.h"

static const struct {
    str_t reason, about;
} VERDICTS[IDENTITY_LOGIN_COUNT] = {
#define LOGIN(name, text, about) [IDENTITY_LOGIN_##name] = {STR_INIT(text), STR_INIT(about)},
    IDENTITY_LOGIN_TABLE(LOGIN)
#undef LOGIN
};

identity_login_t identity_login_judge(const user_t *user, bool fits)
{
    if (!user)
        return IDENTITY_LOGIN_USER_UNKNOWN;
    if (!fits)
        return IDENTITY_LOGIN_PASSWORD_WRONG;
    return user->disabled ? IDENTITY_LOGIN_USER_DISABLED : IDENTITY_LOGIN_FINE;
}

str_t identity_login_reason(identity_login_t verdict)
{
    return VERDICTS[verdict].reason;
}

str_t identity_login_about(identity_login_t verdict)
{
    return VERDICTS[verdict].about;
}
