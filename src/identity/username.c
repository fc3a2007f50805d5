#include "identity/username.h"

#include "core/limits.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool may_stand(char c)
{
    return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '@';
}

static bool is_name(str_t s)
{
    if (s.n == 0 || s.n > LIMIT_USERNAME_BYTES || !is_alnum(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!may_stand(s.p[i]))
            return false;
    return true;
}

rc_t identity_username_normalize(arena_t *a, str_t text, str_t *out)
{
    str_t name = str_trim(text, " ");
    *out = STR_UNSET;
    if (!is_name(name))
        return RC_MALFORMED;
    char *p = arena_alloc(a, name.n);
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < name.n; i++)
        p[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
    *out = str_of(p, name.n);
    return RC_OK;
}
