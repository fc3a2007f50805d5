#include "http/agent_request.h"

#include "http/message.h"

bool http_reach_has(http_reach_t reach, const http_addr_t *a)
{
    if (reach == HTTP_REACH_ANY)
        return true;
    if (reach == HTTP_REACH_LOOPBACK && http_addr_is_loopback(a))
        return true;
    return a->family != 0 && !http_addr_is_special(a);
}

static http_agent_end_t check_host(str_t host, http_reach_t reach, str_t *why)
{
    http_addr_t a;
    bool is_literal = http_addr_parse(str_trim(host, "[]"), &a) == RC_OK;
    if (!is_literal && http_host_is_odd(host)) {
        *why = STR("the host is written in a way that is not taken");
        return HTTP_AGENT_BAD_URL;
    }
    bool is_reached = is_literal ? http_reach_has(reach, &a)
                                 : reach != HTTP_REACH_PUBLIC || !http_host_is_here(host);
    if (is_reached)
        return HTTP_AGENT_DONE;
    *why = STR("the address is one that this request may not go to");
    return HTTP_AGENT_OUT_OF_REACH;
}

static http_agent_end_t check_url(const http_agent_request_t *r, url_t *u, str_t *why)
{
    rc_t rc = url_parse(r->url, u);
    if (rc == RC_LIMIT)
        *why = STR("the URL is too long");
    else if (rc != RC_OK)
        *why = STR("this is no URL");
    else if (!url_is_http(u))
        *why = STR("the URL is neither https nor http");
    else if (str_is_set(u->userinfo))
        *why = STR("the URL holds a user name");
    else
        return check_host(u->host, r->reach, why);
    return HTTP_AGENT_BAD_URL;
}

static bool is_token(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!http_is_tchar((unsigned char)s.p[i]))
            return false;
    }
    return s.n > 0;
}

static bool is_value(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Fields that frame the message are the library's own. */
static bool is_framing(str_t name)
{
    static const str_t FRAMING[] = {STR_INIT("Content-Length"), STR_INIT("Transfer-Encoding"),
                                    STR_INIT("Connection"),     STR_INIT("Upgrade"),
                                    STR_INIT("Expect"),         STR_INIT("TE")};
    for (size_t i = 0; i < sizeof FRAMING / sizeof *FRAMING; i++) {
        if (str_eq_nocase(name, FRAMING[i]))
            return true;
    }
    return false;
}

static bool are_fields(http_headers_t h)
{
    for (size_t i = 0; i < h.n; i++) {
        const http_header_t *f = &h.v[i];
        if (!is_token(f->name) || !is_value(f->value) || is_framing(f->name))
            return false;
    }
    return true;
}

rc_t http_agent_check(const http_agent_request_t *r, url_t *u, http_agent_end_t *end, str_t *why)
{
    *why = STR("");
    if (!is_token(r->method) || !are_fields(r->headers))
        return RC_MALFORMED;
    *end = check_url(r, u, why);
    return RC_OK;
}
