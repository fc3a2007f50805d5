/* One hexadecimal digit, of either case. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

/** Its value, or -1 where it is none. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
