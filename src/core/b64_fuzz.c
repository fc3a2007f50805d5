/* Any text as base64: what is taken has one spelling only, which the encoder gives back. */
#include "core/b64.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

/* The standard spelling of bytes, from the URL one. */
static str_t standard(arena_t *a, str_t plain)
{
    str_t url = b64url_encode(a, plain.p, plain.n);
    char *p = arena_alloc(a, url.n + 4);
    check(p != NULL);
    size_t n = url.n;
    for (size_t i = 0; i < n; i++)
        p[i] = url.p[i] == '-' ? '+' : url.p[i] == '_' ? '/' : url.p[i];
    while (n % 4)
        p[n++] = '=';
    return str_of(p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t text = str_of(data, size), out;
    arena_t *a = arena_new(16 << 20);
    if (b64url_decode(a, text, &out) == RC_OK)
        check(str_eq(b64url_encode(a, out.p, out.n), text));
    if (b64_decode(a, text, &out) == RC_OK)
        check(str_eq(standard(a, out), text));
    str_t encoded = b64url_encode(a, data, size);
    check(b64url_decode(a, encoded, &out) == RC_OK && str_eq(out, text));
    check(b64_decode(a, standard(a, text), &out) == RC_OK && str_eq(out, text));
    uint8_t fixed[32];
    if (b64url_decode_to(text, fixed, sizeof fixed) == RC_OK)
        check(b64url_decode(a, text, &out) == RC_OK && out.n == sizeof fixed &&
              memcmp(out.p, fixed, out.n) == 0);
    arena_free(a);
    return 0;
}
