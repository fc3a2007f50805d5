#include "rs/bearer.h"

/* b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
bool rs_bearer_is_token(str_t s)
{
    static const bool FITS[256] = {['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
                                   ['-'] = true,         ['.'] = true,         ['_'] = true,
                                   ['~'] = true,         ['+'] = true,         ['/'] = true};
    size_t end = s.n;
    while (end > 0 && s.p[end - 1] == '=')
        end--;
    for (size_t i = 0; i < end; i++)
        if (!FITS[(uint8_t)s.p[i]])
            return false;
    return end > 0;
}

rs_bearer_t rs_bearer_read(const char *const *values, size_t n, bool dpop, str_t *token)
{
    *token = STR_UNSET;
    if (n == 0)
        return RS_BEARER_NONE;
    if (n > 1)
        return RS_BEARER_REPEATED;
    str_t value = str_trim(str_c(values[0]), " \t");
    if (str_is_empty(value))
        return RS_BEARER_MALFORMED;
    size_t space = str_find(value, ' ', 0);
    str_t scheme = str_first(value, space);
    bool is_dpop = dpop && str_eq_nocase(scheme, STR("DPoP"));
    if (!is_dpop && !str_eq_nocase(scheme, STR("Bearer")))
        return RS_BEARER_OTHER;
    str_t rest = str_trim(str_skip(value, space), " ");
    if (str_is_empty(rest))
        return RS_BEARER_MALFORMED;
    *token = rest;
    return is_dpop ? RS_BEARER_DPOP : RS_BEARER_TOKEN;
}
