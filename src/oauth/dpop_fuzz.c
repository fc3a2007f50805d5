/* DPoP headers, one a line, at the time and for the URL of the seeds. What is taken must hold what
 * a server relies on, and fit no other request. */
#include "oauth/dpop.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool takes(arena_t *a, str_list_t headers, const oauth_dpop_expect_t *expect,
                  oauth_dpop_t *out)
{
    return oauth_dpop_check(a, headers, expect, out) == RC_OK && out->reason == OAUTH_FINE &&
           str_is_set(out->jkt);
}

static void check(arena_t *a, str_list_t headers)
{
    oauth_dpop_t proof, other;
    oauth_dpop_expect_t expect = {.method = STR("POST"),
                                  .url = STR("https://server.example.com/token"),
                                  .now_ms = 1562262620000};
    if (!takes(a, headers, &expect, &proof))
        return;
    must(headers.n == 1);
    must(oauth_dpop_is_jkt(proof.jkt));
    must(proof.jti.n > 0);
    must(oauth_dpop_forget_at(&proof) > expect.now_ms / 1000);
    expect.method = STR("GET");
    must(!takes(a, headers, &expect, &other));
    expect.method = STR("POST");
    expect.url = STR("https://server.example.com/other");
    must(!takes(a, headers, &expect, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEADERS_MAX = 3 };
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    str_t headers[HEADERS_MAX], rest = str_of(data, size), line;
    size_t n = 0;
    while (n < HEADERS_MAX && str_split(&rest, '\n', &line) && line.n > 0)
        headers[n++] = line;
    check(a, (str_list_t){headers, n});
    arena_free(a);
    return 0;
}
