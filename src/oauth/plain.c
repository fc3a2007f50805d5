#include "oauth/plain.h"

/* %x20-21 / %x23-5B / %x5D-7E */
static bool is_plain(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

void oauth_plain_put(buf_t *b, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(b, is_plain(s.p[i]) ? s.p[i] : '?');
}
