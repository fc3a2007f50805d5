#include "http/cors.h"

#include "core/buf.h"

#define FIXED                                                                                      \
    "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, "            \
    "Mcp-Session-Id, Last-Event-ID, DPoP"

/* A tool mirrors a handful of its arguments. */
enum { PARAMS_MAX = 32, PARAM_BYTES = 128 };

static const str_t PREFIX = STR_INIT("mcp-param-");

static bool is_param(str_t name)
{
    if (name.n <= PREFIX.n || name.n > PARAM_BYTES ||
        !str_eq_nocase(str_first(name, PREFIX.n), PREFIX))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!http_is_tchar((uint8_t)name.p[i]))
            return false;
    }
    return true;
}

str_t http_cors_allow_headers(arena_t *a, http_headers_t request)
{
    size_t at = 0, n = 0;
    str_t list, name, all;
    buf_t b = buf_new(a, sizeof FIXED + PARAMS_MAX * (PARAM_BYTES + 2));
    buf_put(&b, STR(FIXED));
    while (http_headers_next(request, STR("access-control-request-headers"), &at, &list)) {
        while (n < PARAMS_MAX && str_split(&list, ',', &name)) {
            name = str_trim(name, " \t");
            if (!is_param(name))
                continue;
            n++;
            buf_put(&b, STR(", "));
            buf_put(&b, name);
        }
    }
    return buf_done(&b, &all) == RC_OK ? all : STR(FIXED);
}
