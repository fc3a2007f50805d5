#include "gate/uri.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The character that an escape at the front stands for; -1: there is none. */
static int escaped(str_t s)
{
    if (s.n < 3 || s.p[0] != '%' || hex(s.p[1]) < 0 || hex(s.p[2]) < 0)
        return -1;
    return hex(s.p[1]) << 4 | hex(s.p[2]);
}

static bool is_unreserved(int c)
{
    int lower = c | 0x20;
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* Query and fragment are no path to who reads the URI well, and part of it to who does not. */
static bool ends_segment(int c)
{
    return c == '/' || c == '\\' || c == '?' || c == '#' || c == ';';
}

bool gate_uri_is_normal(str_t uri)
{
    size_t segment = 0, dots = 0;
    while (uri.n > 0) {
        int code = escaped(uri), c = code < 0 ? uri.p[0] : code;
        /* A NUL ends the name to some who unescape it (RFC 3986 section 7.3). */
        if (code == 0 || (code > 0 && is_unreserved(code)))
            return false;
        uri = str_skip(uri, code < 0 ? 1 : 3);
        bool ends = ends_segment(c);
        if (ends && dots > 0 && dots == segment && dots <= 2)
            return false;
        segment = ends ? 0 : segment + 1;
        dots = ends ? 0 : dots + (c == '.');
    }
    return dots == 0 || dots != segment || dots > 2;
}
