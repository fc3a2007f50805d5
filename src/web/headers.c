#include "web/headers.h"

static const web_header_t HEADERS[] = {
    {STR_INIT("Content-Type"), STR_INIT("text/html; charset=utf-8")},
    {STR_INIT("Content-Security-Policy"),
     STR_INIT("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
              "base-uri 'none'; frame-ancestors 'none'")},
    {STR_INIT("X-Frame-Options"), STR_INIT("DENY")},
    {STR_INIT("Referrer-Policy"), STR_INIT("same-origin")},
    {STR_INIT("Cache-Control"), STR_INIT("no-store")},
};

const web_header_t *web_security_headers(size_t *n)
{
    *n = sizeof HEADERS / sizeof HEADERS[0];
    return HEADERS;
}
