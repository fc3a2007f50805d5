#include "core/url.h"

#include "core/buf.h"
#include "core/hex.h"
#include "core/limits.h"
#include "core/num.h"

/* Character classes of RFC 3986 as bits. */
enum { UNRESERVED = 1, SUB_DELIM = 2, COLON = 4, AT = 8, SLASH = 16, QUESTION = 32 };

static unsigned class_of(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return UNRESERVED;
    switch (c) {
    case '-':
    case '.':
    case '_':
    case '~':
        return UNRESERVED;
    case '!':
    case '$':
    case '&':
    case '\'':
    case '(':
    case ')':
    case '*':
    case '+':
    case ',':
    case ';':
    case '=':
        return SUB_DELIM;
    case ':':
        return COLON;
    case '@':
        return AT;
    case '/':
        return SLASH;
    case '?':
        return QUESTION;
    default:
        return 0;
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Whether s holds only the classes, and well-formed percent-escapes. */
static bool holds(str_t s, unsigned classes)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            if (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))
                return false;
            i += 2;
            continue;
        }
        if (!(class_of((unsigned char)s.p[i]) & classes))
            return false;
    }
    return true;
}

static bool is_alpha(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool scheme_ok(str_t s)
{
    if (s.n == 0 || !is_alpha(s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alpha(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '+' &&
            s.p[i] != '-' && s.p[i] != '.')
            return false;
    return true;
}

static bool ipv4_ok(str_t s)
{
    str_t part;
    size_t parts = 0;
    while (str_split(&s, '.', &part)) {
        uint64_t v;
        if (part.n > 3 || !num_u64(part, 255, &v) || (part.n > 1 && part.p[0] == '0'))
            return false;
        parts++;
    }
    return parts == 4;
}

static bool h16_ok(str_t s)
{
    if (s.n == 0 || s.n > 4)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_hex(s.p[i]))
            return false;
    return true;
}

/* Counts the 16-bit groups of one side of "::"; -1 if malformed. A dotted quad may end it. */
static int ipv6_groups(str_t s, bool last)
{
    if (s.n == 0)
        return 0;
    int groups = 0;
    str_t part;
    while (str_split(&s, ':', &part)) {
        bool end = !str_is_set(s);
        if (end && last && str_find(part, '.', 0) < part.n) {
            if (!ipv4_ok(part))
                return -1;
            groups += 2;
            continue;
        }
        if (!h16_ok(part))
            return -1;
        groups++;
    }
    return groups;
}

static bool ipv6_ok(str_t s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] != ':' || s.p[i + 1] != ':')
            continue;
        int head = ipv6_groups(str_first(s, i), false);
        int tail = ipv6_groups(str_skip(s, i + 2), true);
        return head >= 0 && tail >= 0 && head + tail <= 7;
    }
    return s.n > 0 && ipv6_groups(s, true) == 8;
}

static bool host_ok(str_t host)
{
    if (host.n > 0 && host.p[0] == '[')
        return str_ends(host, STR("]")) && ipv6_ok(str_of(host.p + 1, host.n - 2));
    return holds(host, UNRESERVED | SUB_DELIM);
}

static rc_t parse_authority(str_t authority, url_t *u)
{
    size_t at = str_find(authority, '@', 0);
    if (at < authority.n) {
        u->userinfo = str_first(authority, at);
        authority = str_skip(authority, at + 1);
        if (!holds(u->userinfo, UNRESERVED | SUB_DELIM | COLON))
            return RC_MALFORMED;
    }
    size_t bracket = authority.n > 0 && authority.p[0] == '[' ? str_find(authority, ']', 0) : 0;
    size_t colon = str_find(authority, ':', bracket);
    u->host = str_first(authority, colon);
    if (!host_ok(u->host))
        return RC_MALFORMED;
    if (colon == authority.n)
        return RC_OK;
    u->port = str_skip(authority, colon + 1);
    uint64_t port;
    if (u->port.n > 5 || !num_u64(u->port, UINT16_MAX, &port))
        return RC_MALFORMED;
    u->port_number = (uint16_t)port;
    return RC_OK;
}

static uint16_t default_port(str_t scheme)
{
    if (str_eq_nocase(scheme, STR("https")))
        return 443;
    return str_eq_nocase(scheme, STR("http")) ? 80 : 0;
}

/* Cuts `*s` at the first `c`; what is behind it is returned, unset when there is none. */
static str_t cut(str_t *s, char c)
{
    size_t at = str_find(*s, c, 0);
    if (at == s->n)
        return STR_UNSET;
    str_t behind = str_skip(*s, at + 1);
    s->n = at;
    return behind;
}

rc_t url_parse(str_t text, url_t *out)
{
    *out = (url_t){.text = text};
    if (text.n > LIMIT_URL_BYTES)
        return RC_LIMIT;
    size_t colon = str_find(text, ':', 0);
    if (colon == text.n || !scheme_ok(str_first(text, colon)))
        return RC_MALFORMED;
    out->scheme = str_first(text, colon);
    out->port_number = default_port(out->scheme);
    str_t rest = str_skip(text, colon + 1);
    out->fragment = cut(&rest, '#');
    out->query = cut(&rest, '?');
    if (str_starts(rest, STR("//"))) {
        rest = str_skip(rest, 2);
        size_t end = str_find(rest, '/', 0);
        TRY(parse_authority(str_first(rest, end), out));
        rest = str_skip(rest, end);
    }
    out->path = rest;
    unsigned pchar = UNRESERVED | SUB_DELIM | COLON | AT;
    if (!holds(out->path, pchar | SLASH) || !holds(out->query, pchar | SLASH | QUESTION) ||
        !holds(out->fragment, pchar | SLASH | QUESTION))
        return RC_MALFORMED;
    return RC_OK;
}

bool url_is_https(const url_t *u)
{
    return str_eq_nocase(u->scheme, STR("https")) && u->host.n > 0;
}

bool url_is_http(const url_t *u)
{
    return url_is_https(u) || (str_eq_nocase(u->scheme, STR("http")) && u->host.n > 0);
}

bool url_host_is_loopback(str_t host)
{
    return str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("127.0.0.1")) ||
           str_eq(host, STR("[::1]"));
}

static void put_lower(buf_t *b, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

/* A scheme of which no default port is known has none to leave out. */
static void put_host(buf_t *b, const url_t *u)
{
    uint16_t usual = default_port(u->scheme);
    put_lower(b, u->host);
    if (str_is_set(u->port) && (usual == 0 || u->port_number != usual)) {
        buf_char(b, ':');
        buf_u64(b, u->port_number);
    }
}

static void put_origin(buf_t *b, const url_t *u)
{
    put_lower(b, u->scheme);
    buf_put(b, STR("://"));
    put_host(b, u);
}

rc_t url_origin(arena_t *a, const url_t *u, str_t *out)
{
    *out = STR_UNSET;
    if (u->host.n == 0)
        return RC_MALFORMED;
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    put_origin(&b, u);
    return buf_done(&b, out);
}

static void put_part(buf_t *b, char mark, str_t part)
{
    if (!str_is_set(part))
        return;
    buf_char(b, mark);
    buf_put(b, part);
}

rc_t url_canonical(arena_t *a, const url_t *u, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    put_lower(&b, u->scheme);
    buf_char(&b, ':');
    if (str_is_set(u->host)) {
        buf_put(&b, STR("//"));
        if (str_is_set(u->userinfo)) {
            buf_put(&b, u->userinfo);
            buf_char(&b, '@');
        }
        put_host(&b, u);
    }
    bool bare = url_is_http(u) && str_eq(u->path, STR("/")) && !str_is_set(u->query);
    if (!bare)
        buf_put(&b, u->path);
    put_part(&b, '?', u->query);
    put_part(&b, '#', u->fragment);
    return buf_done(&b, out);
}

rc_t url_path_decode(arena_t *a, str_t raw, str_t *out)
{
    *out = STR_UNSET;
    char *p = arena_alloc(a, raw.n + 1);
    if (!p)
        return RC_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            if (raw.n - i < 3 || !is_hex(raw.p[i + 1]) || !is_hex(raw.p[i + 2]))
                return RC_MALFORMED;
            c = (char)(hex_value(raw.p[i + 1]) << 4 | hex_value(raw.p[i + 2]));
            i += 2;
        }
        if (c == '\0')
            return RC_MALFORMED;
        p[n++] = c;
    }
    if (!str_is_utf8(str_of(p, n)))
        return RC_MALFORMED;
    *out = str_of(p, n);
    return RC_OK;
}
