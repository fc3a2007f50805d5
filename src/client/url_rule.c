#include "client/url_rule.h"

#include "core/limits.h"
#include "core/url.h"
#include "http/addr.h"

/* Whether the text has a scheme that is neither of ours, whatever stands behind it: "javascript:"
 * is to be told as what it is, not as a typing error. */
static bool is_of_another_scheme(str_t url)
{
    static const str_t OURS[] = {STR_INIT("https"), STR_INIT("http")};
    size_t colon = str_find(url, ':', 0);
    if (colon == url.n || colon == 0)
        return false;
    str_t scheme = str_first(url, colon);
    for (size_t i = 0; i < scheme.n; i++) {
        char c = (char)(scheme.p[i] | 0x20);
        bool alpha = c >= 'a' && c <= 'z';
        bool other = (scheme.p[i] >= '0' && scheme.p[i] <= '9') || scheme.p[i] == '+' ||
                     scheme.p[i] == '-' || scheme.p[i] == '.';
        if (!alpha && (i == 0 || !other))
            return false;
    }
    return !str_eq_nocase(scheme, OURS[0]) && !str_eq_nocase(scheme, OURS[1]);
}

client_reason_t client_url_check(str_t url, bool plain_ok)
{
    url_t u;
    if (url.n > LIMIT_URL_BYTES)
        return CLIENT_URL_BAD;
    if (is_of_another_scheme(url))
        return CLIENT_URL_SCHEME;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return CLIENT_URL_BAD;
    if (str_is_set(u.userinfo) || str_is_set(u.fragment) || u.port_number == 0)
        return CLIENT_URL_BAD;
    /* To a browser it may be an address that the reach of a request does not hold. */
    if (http_host_is_odd(u.host))
        return CLIENT_URL_BAD;
    if (!url_is_https(&u) && !plain_ok && !url_host_is_loopback(u.host))
        return CLIENT_URL_PLAIN;
    return CLIENT_FINE;
}

static http_reach_t host_reach(str_t host)
{
    http_addr_t addr; /* that the host is, not one that a name may stand for */
    if (http_host_is_here(host))
        return HTTP_REACH_LOOPBACK;
    bool literal = http_addr_parse(str_trim(host, "[]"), &addr) == RC_OK;
    return literal && http_addr_is_special(&addr) ? HTTP_REACH_ANY : HTTP_REACH_PUBLIC;
}

http_reach_t client_url_reach(str_t url, http_reach_t asked)
{
    url_t u;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return asked;
    http_reach_t own = host_reach(u.host);
    return own > asked ? own : asked;
}

client_reason_t client_url_check_reach(str_t url, http_reach_t reach)
{
    return client_url_reach(url, reach) > reach ? CLIENT_URL_OUT_OF_REACH : CLIENT_FINE;
}

bool client_url_same_origin(str_t first, str_t second)
{
    url_t a, b;
    if (url_parse(first, &a) != RC_OK || url_parse(second, &b) != RC_OK)
        return false;
    return url_is_http(&a) && url_is_http(&b) && str_eq_nocase(a.scheme, b.scheme) &&
           str_eq_nocase(a.host, b.host) && a.port_number == b.port_number;
}

client_reason_t client_url_check_page(str_t url)
{
    /* An opener takes what begins with '-' for an option. */
    if (str_starts(url, STR("-")))
        return CLIENT_URL_BAD;
    return client_url_check(url, false);
}
