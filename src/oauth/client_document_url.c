/* Which URLs may name a client. */
#include "core/host_list.h"
#include "oauth/client_document.h"

enum { HOST_MAX = 253, LABEL_MAX = 63 };

bool oauth_client_document_is_meant(str_t id)
{
    return str_eq_nocase(str_first(id, 8), STR("https://")) ||
           str_eq_nocase(str_first(id, 7), STR("http://"));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_label(str_t label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || str_ends(label, STR("-")))
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* A host that ends in a number is an address to resolvers, however it is written: 127.1,
 * 2130706433, 0x7f000001. No top-level domain begins with a digit. */
static bool is_name(str_t host)
{
    str_t label = STR_UNSET;
    if (host.n > HOST_MAX)
        return false;
    while (str_split(&host, '.', &label))
        if (!is_label(label))
            return false;
    return label.n > 0 && !is_digit(label.p[0]);
}

/* "." and "..", also where the dots are percent-encoded (RFC 3986 section 6.2.2). */
static bool is_dot_segment(str_t segment)
{
    size_t dots = 0;
    while (segment.n > 0) {
        bool encoded = str_eq_nocase(str_first(segment, 3), STR("%2e"));
        if (!encoded && segment.p[0] != '.')
            return false;
        segment = str_skip(segment, encoded ? 3 : 1);
        dots++;
    }
    return dots == 1 || dots == 2;
}

static bool is_path(str_t path)
{
    str_t segment;
    if (path.n < 2)
        return false;
    while (str_split(&path, '/', &segment))
        if (is_dot_segment(segment))
            return false;
    return true;
}

static bool is_scheme(const oauth_settings_t *settings, const url_t *u)
{
    if (str_eq(u->scheme, STR("https")))
        return true;
    return str_eq(u->scheme, STR("http")) && url_host_is_loopback(u->host) &&
           host_list_has(settings->private_hosts, u);
}

/* The private hosts were written down by whoever runs this server: their addresses may be literal.
 */
static bool is_host(const oauth_settings_t *settings, const url_t *u)
{
    return is_name(u->host) ||
           (url_host_is_loopback(u->host) && host_list_has(settings->private_hosts, u));
}

oauth_reason_t oauth_client_document_check_url(const oauth_settings_t *settings, str_t id)
{
    url_t u;
    if (url_parse(id, &u) != RC_OK || str_is_set(u.userinfo) || str_is_set(u.query) ||
        str_is_set(u.fragment) || !is_scheme(settings, &u) || !is_host(settings, &u) ||
        !is_path(u.path) || (str_is_set(u.port) && u.port_number == 0))
        return OAUTH_CLIENT_ID_URL;
    if (host_list_has(settings->denied_document_hosts, &u) ||
        (settings->document_hosts.n > 0 && !host_list_has(settings->document_hosts, &u)))
        return OAUTH_CLIENT_ID_HOST;
    return OAUTH_FINE;
}
