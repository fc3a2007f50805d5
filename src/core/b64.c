#include "core/b64.h"

#include "core/buf.h"

static int sextet(unsigned char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (unsigned char)c62)
        return 62;
    return c == (unsigned char)c63 ? 63 : -1;
}

static size_t decoded_size(size_t n)
{
    return n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0);
}

/* Writes decoded_size(text.n) bytes. Bits behind the last byte must be zero, so that there is one
 * text only for each value. */
static rc_t decode(str_t text, uint8_t *out, char c62, char c63)
{
    if (text.n % 4 == 1)
        return RC_MALFORMED;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = sextet((unsigned char)text.p[i], c62, c63);
        if (v < 0)
            return RC_MALFORMED;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (uint8_t)(bits >> have);
        }
    }
    return bits & ((1u << have) - 1) ? RC_MALFORMED : RC_OK;
}

static rc_t decode_new(arena_t *a, str_t text, char c62, char c63, str_t *out)
{
    *out = STR_UNSET;
    size_t n = decoded_size(text.n);
    uint8_t *p = arena_alloc(a, n + 1);
    if (!p)
        return RC_MEMORY;
    TRY(decode(text, p, c62, c63));
    *out = str_of(p, n);
    return RC_OK;
}

rc_t b64url_decode(arena_t *a, str_t text, str_t *out)
{
    return decode_new(a, text, '-', '_', out);
}

rc_t b64url_decode_to(str_t text, uint8_t *out, size_t n)
{
    if (decoded_size(text.n) != n)
        return RC_MALFORMED;
    return decode(text, out, '-', '_');
}

rc_t b64_decode(arena_t *a, str_t text, str_t *out)
{
    *out = STR_UNSET;
    if (text.n % 4 != 0)
        return RC_MALFORMED;
    if (str_ends(text, STR("==")))
        text.n -= 2;
    else if (str_ends(text, STR("=")))
        text.n -= 1;
    return decode_new(a, text, '+', '/', out);
}

str_t b64url_encode(arena_t *a, const void *p, size_t n)
{
    buf_t b = buf_new(a, n / 3 * 4 + 4);
    buf_b64url(&b, p, n);
    str_t out;
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

str_t b64_encode(arena_t *a, const void *p, size_t n)
{
    str_t code = b64url_encode(a, p, n);
    size_t whole = (n + 2) / 3 * 4;
    char *out = str_is_set(code) ? arena_alloc(a, whole + 1) : NULL;
    if (!out)
        return STR_UNSET;
    for (size_t i = 0; i < whole; i++) {
        char c = i < code.n ? code.p[i] : '=';
        out[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    return str_of(out, whole);
}
