#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

buf_t buf_new(arena_t *a, size_t max)
{
    return (buf_t){.arena = a, .max = max};
}

buf_t buf_fixed(void *p, size_t cap)
{
    return (buf_t){.p = p, .cap = cap, .max = cap};
}

void buf_fail(buf_t *b, rc_t rc)
{
    if (b->failed == RC_OK)
        b->failed = rc;
}

/* Room for n more bytes, or a failure that sticks. */
static bool reserve(buf_t *b, size_t n)
{
    if (b->failed != RC_OK)
        return false;
    if (n > b->max - b->n) {
        buf_fail(b, RC_LIMIT);
        return false;
    }
    if (n <= b->cap - b->n)
        return true;
    size_t cap = b->cap ? b->cap * 2 : 256;
    while (cap < b->n + n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    char *p = arena_alloc(b->arena, cap);
    if (!p) {
        buf_fail(b, RC_MEMORY);
        return false;
    }
    if (b->n > 0)
        memcpy(p, b->p, b->n);
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_put(buf_t *b, str_t s)
{
    if (s.n == 0 || !reserve(b, s.n))
        return;
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

void buf_char(buf_t *b, char c)
{
    if (reserve(b, 1))
        b->p[b->n++] = c;
}

char *buf_room(buf_t *b, size_t n)
{
    if (!reserve(b, n))
        return NULL;
    b->n += n;
    return b->p + b->n - n;
}

void buf_u64(buf_t *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_put(b, str_of(digits + at, sizeof digits - at));
}

void buf_i64(buf_t *b, int64_t v)
{
    if (v < 0)
        buf_char(b, '-');
    buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_hex(buf_t *b, const uint8_t *p, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";
    if (n > SIZE_MAX / 2 || !reserve(b, 2 * n))
        return;
    char *out = b->p + b->n; /* apart from b, whose members any store of a char might change */
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = DIGITS[p[i] >> 4];
        out[2 * i + 1] = DIGITS[p[i] & 15];
    }
    b->n += 2 * n;
}

void buf_b64url(buf_t *b, const uint8_t *p, size_t n)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /* nothing of nothing: a buffer that holds nothing has no place to count from */
    if (n == 0 || n > SIZE_MAX / 4 || !reserve(b, (n * 4 + 2) / 3))
        return;
    char *out = b->p + b->n;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        if (left > 1)
            v |= (uint32_t)p[i + 1] << 8;
        if (left > 2)
            v |= p[i + 2];
        *out++ = ALPHABET[v >> 18];
        *out++ = ALPHABET[v >> 12 & 63];
        if (left > 1)
            *out++ = ALPHABET[v >> 6 & 63];
        if (left > 2)
            *out++ = ALPHABET[v & 63];
    }
    b->n = (size_t)(out - b->p);
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void percent(buf_t *b, str_t s, bool plus)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(c)) {
            buf_char(b, (char)c);
            continue;
        }
        if (plus && c == ' ') {
            buf_char(b, '+');
            continue;
        }
        buf_char(b, '%');
        buf_char(b, DIGITS[c >> 4]);
        buf_char(b, DIGITS[c & 15]);
    }
}

void buf_percent(buf_t *b, str_t s)
{
    percent(b, s, false);
}

void buf_form(buf_t *b, str_t s)
{
    percent(b, s, true);
}

void buf_html(buf_t *b, str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            buf_put(b, STR("&amp;"));
            break;
        case '<':
            buf_put(b, STR("&lt;"));
            break;
        case '>':
            buf_put(b, STR("&gt;"));
            break;
        case '"':
            buf_put(b, STR("&quot;"));
            break;
        case '\'':
            buf_put(b, STR("&#39;"));
            break;
        default:
            buf_char(b, s.p[i]);
        }
    }
}

void buf_fmt(buf_t *b, const char *fmt, ...)
{
    char *text;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        buf_fail(b, RC_MEMORY);
        return;
    }
    /* By way of a copy: the NUL of vsnprintf would need a byte that a full builder lacks. */
    buf_put(b, str_of(text, (size_t)n));
    free(text);
}

str_t buf_str(const buf_t *b)
{
    return b->p ? str_of(b->p, b->n) : STR("");
}

rc_t buf_done(const buf_t *b, str_t *out)
{
    *out = b->failed == RC_OK ? buf_str(b) : STR_UNSET;
    return b->failed;
}
