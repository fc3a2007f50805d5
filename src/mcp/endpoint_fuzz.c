/* Any bytes as a reference: what is taken is of the origin of the stream. */
#include "core/url.h"
#include "mcp/endpoint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(arena_t *a, str_t base, str_t reference)
{
    url_t from, to;
    str_t out, ours, theirs;
    if (mcp_endpoint_resolve(a, base, reference, &out) != RC_OK)
        return;
    bool good = url_parse(base, &from) == RC_OK && url_parse(out, &to) == RC_OK &&
                url_origin(a, &from, &ours) == RC_OK && url_origin(a, &to, &theirs) == RC_OK &&
                str_eq(ours, theirs) && !to.userinfo.p && !to.fragment.p;
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    check(a, STR("https://mcp.example.com/a/sse?k=1"), str_of((const char *)data, size));
    check(a, STR("http://127.0.0.1:8080"), str_of((const char *)data, size));
    arena_free(a);
    return 0;
}
