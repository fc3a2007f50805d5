#include "core/json_string.h"

#include "core/hex.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* To the first byte at or after p that ends a run of plain string bytes; *high tells whether any
 * byte of the run is not ASCII. */
static const char *plain_end(const char *p, const char *end, bool *high)
{
    unsigned char seen = 0;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v);
        __m128i stop =
            _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        unsigned tops = (unsigned)_mm_movemask_epi8(v);
        if (mask) {
            unsigned n = (unsigned)__builtin_ctz(mask);
            if (seen || tops & ((1u << n) - 1))
                *high = true;
            return p + n;
        }
        seen |= tops ? 0x80 : 0;
    }
#endif
    for (; p < end && is_plain((unsigned char)*p); p++)
        seen |= (unsigned char)*p;
    if (seen & 0x80)
        *high = true;
    return p;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static char *put_utf8(char *out, unsigned long c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xe0 | c >> 12);
        } else {
            *out++ = (char)(0xf0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

/* \uXXXX behind the 'u'; surrogates must come as a pair (RFC 7493 section 2.1). */
static rc_t unicode_escape(const char **p, const char *end, char **out)
{
    if (end - *p < 4)
        return RC_MALFORMED;
    int unit = hex4(*p);
    *p += 4;
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return RC_MALFORMED;
    unsigned long c = (unsigned long)unit;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
            return RC_MALFORMED;
        int low = hex4(*p + 2);
        *p += 6;
        if (low < 0xdc00 || low > 0xdfff)
            return RC_MALFORMED;
        c = 0x10000 + ((c - 0xd800) << 10) + (unsigned long)(low - 0xdc00);
    }
    *out = put_utf8(*out, c);
    return RC_OK;
}

static rc_t escape(const char **p, const char *end, char **out)
{
    static const char PLAIN[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    if (*p == end)
        return RC_MALFORMED;
    unsigned char c = (unsigned char)*(*p)++;
    if (c == 'u')
        return unicode_escape(p, end, out);
    if (!PLAIN[c])
        return RC_MALFORMED;
    *(*out)++ = PLAIN[c];
    return RC_OK;
}

/* Behind the last byte that may belong to the string; the closing quote may still be missing. */
static const char *closing(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    return p;
}

/* A string that has an escape, decoded into the arena; no decoded string is longer than its source.
 * *p stands behind the opening quote. */
static rc_t decode(arena_t *a, const char **p, const char *end, bool *high, str_t *out)
{
    const char *from = *p;
    char *text = arena_alloc(a, (size_t)(closing(from, end) - from) + 1);
    if (!text)
        return RC_MEMORY;
    char *to = text;
    for (;;) {
        const char *stop = plain_end(from, end, high);
        memcpy(to, from, (size_t)(stop - from));
        to += stop - from;
        from = stop;
        if (from == end || (unsigned char)*from < 0x20)
            return RC_MALFORMED;
        if (*from++ == '"')
            break;
        TRY(escape(&from, end, &to));
    }
    *p = from;
    *out = str_of(text, (size_t)(to - text));
    return RC_OK;
}

rc_t json_string_read(arena_t *a, const char **p, const char *end, str_t *out)
{
    const char *start = ++*p;
    bool high = false;
    const char *stop = plain_end(start, end, &high);
    if (stop == end || (unsigned char)*stop < 0x20)
        return RC_MALFORMED;
    if (*stop == '"') {
        *out = str_of(start, (size_t)(stop - start));
        *p = stop + 1;
    } else {
        TRY(decode(a, p, end, &high, out));
    }
    /* Raw bytes outside of ASCII must be UTF-8; escapes can only yield UTF-8. */
    return high && !str_is_utf8(*out) ? RC_MALFORMED : RC_OK;
}
