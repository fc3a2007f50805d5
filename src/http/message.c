#include "http/message.h"

#include "http/scan.h"

static const str_t METHODS[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = STR_INIT("GET"),         [HTTP_HEAD] = STR_INIT("HEAD"),
    [HTTP_POST] = STR_INIT("POST"),       [HTTP_PUT] = STR_INIT("PUT"),
    [HTTP_PATCH] = STR_INIT("PATCH"),     [HTTP_DELETE] = STR_INIT("DELETE"),
    [HTTP_OPTIONS] = STR_INIT("OPTIONS"),
};

static const struct {
    int status;
    str_t phrase;
} PHRASES[] = {
    {200, STR_INIT("OK")},
    {100, STR_INIT("Continue")},
    {201, STR_INIT("Created")},
    {202, STR_INIT("Accepted")},
    {204, STR_INIT("No Content")},
    {301, STR_INIT("Moved Permanently")},
    {302, STR_INIT("Found")},
    {303, STR_INIT("See Other")},
    {304, STR_INIT("Not Modified")},
    {307, STR_INIT("Temporary Redirect")},
    {308, STR_INIT("Permanent Redirect")},
    {400, STR_INIT("Bad Request")},
    {401, STR_INIT("Unauthorized")},
    {403, STR_INIT("Forbidden")},
    {404, STR_INIT("Not Found")},
    {405, STR_INIT("Method Not Allowed")},
    {406, STR_INIT("Not Acceptable")},
    {408, STR_INIT("Request Timeout")},
    {409, STR_INIT("Conflict")},
    {410, STR_INIT("Gone")},
    {413, STR_INIT("Content Too Large")},
    {414, STR_INIT("URI Too Long")},
    {415, STR_INIT("Unsupported Media Type")},
    {417, STR_INIT("Expectation Failed")},
    {421, STR_INIT("Misdirected Request")},
    {422, STR_INIT("Unprocessable Content")},
    {429, STR_INIT("Too Many Requests")},
    {431, STR_INIT("Request Header Fields Too Large")},
    {500, STR_INIT("Internal Server Error")},
    {501, STR_INIT("Not Implemented")},
    {502, STR_INIT("Bad Gateway")},
    {503, STR_INIT("Service Unavailable")},
    {504, STR_INIT("Gateway Timeout")},
    {505, STR_INIT("HTTP Version Not Supported")},
};

str_t http_method_name(http_method_t m)
{
    return METHODS[m];
}

bool http_method_parse(str_t name, http_method_t *out)
{
    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
        if (!str_eq(METHODS[m], name))
            continue;
        *out = (http_method_t)m;
        return true;
    }
    return false;
}

str_t http_status_phrase(int status)
{
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++) {
        if (PHRASES[i].status == status)
            return PHRASES[i].phrase;
    }
    return STR("Unknown");
}

bool http_headers_next(http_headers_t h, str_t name, size_t *at, str_t *value)
{
    for (; *at < h.n; (*at)++) {
        if (h.v[*at].name.n != name.n || !str_eq_nocase(h.v[*at].name, name))
            continue;
        *value = h.v[(*at)++].value;
        return true;
    }
    return false;
}

str_t http_headers_get(http_headers_t h, str_t name)
{
    size_t at = 0;
    str_t value;
    return http_headers_next(h, name, &at, &value) ? value : STR_UNSET;
}

size_t http_headers_count(http_headers_t h, str_t name)
{
    size_t at = 0, n = 0;
    str_t value;
    while (http_headers_next(h, name, &at, &value))
        n++;
    return n;
}

rc_t http_headers_all(arena_t *a, http_headers_t h, str_t name, str_list_t *out)
{
    size_t n = http_headers_count(h, name), at = 0;
    str_t *v = ARENA_ARRAY(a, n ? n : 1, str_t);
    *out = (str_list_t){0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        http_headers_next(h, name, &at, &v[i]);
    *out = (str_list_t){v, n};
    return RC_OK;
}

bool http_headers_has_token(http_headers_t h, str_t name, str_t token)
{
    size_t at = 0;
    str_t value, part;
    while (http_headers_next(h, name, &at, &value)) {
        while (str_split(&value, ',', &part)) {
            if (str_eq_nocase(str_trim(part, " \t"), token))
                return true;
        }
    }
    return false;
}

bool http_is_tchar(unsigned char c)
{
    return HTTP_BYTES[c] & HTTP_C_TOKEN;
}
