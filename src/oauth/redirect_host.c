#include "oauth/redirect_host.h"

#include "core/num.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_label(str_t label)
{
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return label.n > 0;
}

static bool is_ipv4(str_t host)
{
    str_t part;
    size_t n = 0;
    uint64_t value;
    for (; str_split(&host, '.', &part); n++)
        if (!num_u64(part, UINT8_MAX, &value) || (part.n > 1 && part.p[0] == '0'))
            return false;
    return n == 4;
}

/* A name whose last label begins with a digit is an address to browsers, in whatever base; no
 * top-level domain does. */
bool oauth_redirect_host_is_plain(str_t host)
{
    str_t label = STR_UNSET, rest = host;
    if (str_starts(host, STR("[")))
        return true;
    while (str_split(&rest, '.', &label))
        if (!is_label(label))
            return false;
    return label.n > 0 && (!is_digit(label.p[0]) || is_ipv4(host));
}

/* Behind the zeros that such addresses begin with: nothing, 1, or the mark of an IPv4 address. */
static bool is_ipv6_loopback(str_t host)
{
    str_t rest = str_skip(host, 1);
    while (rest.n > 0 && (rest.p[0] == '0' || rest.p[0] == ':'))
        rest = str_skip(rest, 1);
    return str_eq(rest, STR("]")) || str_eq(rest, STR("1]")) ||
           str_eq_nocase(str_first(rest, 5), STR("ffff:")) || str_find(rest, '.', 0) < rest.n;
}

bool oauth_redirect_host_is_loopback(str_t host)
{
    static const str_t BELOW = STR_INIT(".localhost");
    if (str_starts(host, STR("[")))
        return is_ipv6_loopback(host);
    if (is_ipv4(host))
        return str_starts(host, STR("127.")) || str_eq(host, STR("0.0.0.0"));
    return str_eq_nocase(host, STR("localhost")) ||
           (host.n > BELOW.n && str_eq_nocase(str_skip(host, host.n - BELOW.n), BELOW));
}
