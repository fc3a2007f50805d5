#include "http/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ALPHA_NUM  (HTTP_C_TOKEN | HTTP_C_PATH | HTTP_C_QUERY | HTTP_C_HOST)
#define EVERYWHERE ALPHA_NUM
#define IN_URI     (HTTP_C_PATH | HTTP_C_QUERY | HTTP_C_HOST)

const uint8_t HTTP_BYTES[256] = {
    ['0' ... '9'] = ALPHA_NUM | HTTP_C_HEX,
    ['a' ... 'f'] = ALPHA_NUM | HTTP_C_HEX,
    ['A' ... 'F'] = ALPHA_NUM | HTTP_C_HEX,
    ['g' ... 'z'] = ALPHA_NUM,
    ['G' ... 'Z'] = ALPHA_NUM,
    /* unreserved and sub-delims that are token characters too */
    ['-'] = EVERYWHERE,
    ['.'] = EVERYWHERE,
    ['_'] = EVERYWHERE,
    ['~'] = EVERYWHERE,
    ['!'] = EVERYWHERE,
    ['$'] = EVERYWHERE,
    ['&'] = EVERYWHERE,
    ['\''] = EVERYWHERE,
    ['*'] = EVERYWHERE,
    ['+'] = EVERYWHERE,
    ['%'] = EVERYWHERE,
    /* sub-delims only */
    ['('] = IN_URI,
    [')'] = IN_URI,
    [','] = IN_URI,
    [';'] = IN_URI,
    ['='] = IN_URI,
    [':'] = IN_URI,
    ['@'] = HTTP_C_PATH | HTTP_C_QUERY,
    ['/'] = HTTP_C_PATH | HTTP_C_QUERY,
    ['?'] = HTTP_C_QUERY,
    ['['] = HTTP_C_QUERY | HTTP_C_HOST,
    [']'] = HTTP_C_QUERY | HTTP_C_HOST,
    /* raw in queries that browsers send, though RFC 3986 has no place for them */
    ['{'] = HTTP_C_QUERY,
    ['}'] = HTTP_C_QUERY,
    ['\\'] = HTTP_C_QUERY,
    /* token characters that are raw in queries as well */
    ['^'] = HTTP_C_TOKEN | HTTP_C_QUERY,
    ['`'] = HTTP_C_TOKEN | HTTP_C_QUERY,
    ['|'] = HTTP_C_TOKEN | HTTP_C_QUERY,
    ['#'] = HTTP_C_TOKEN,
};

size_t http_scan_class(const char *p, size_t from, size_t to, uint8_t class)
{
    while (from < to && (HTTP_BYTES[(uint8_t)p[from]] & class))
        from++;
    return from;
}

static bool is_field_byte(uint8_t c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

#ifdef __SSE2__
/* One bit for each of sixteen bytes that may not stand in a field value. */
static unsigned bad_sixteen(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    __m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}
#endif

size_t http_scan_value(const char *p, size_t from, size_t to)
{
#ifdef __SSE2__
    for (; from + 16 <= to; from += 16) {
        unsigned bad = bad_sixteen(p + from);
        if (bad)
            return from + (unsigned)__builtin_ctz(bad);
    }
#endif
    while (from < to && is_field_byte((uint8_t)p[from]))
        from++;
    return from;
}

bool http_scan_escapes(str_t s)
{
    for (size_t i = str_find(s, '%', 0); i < s.n; i = str_find(s, '%', i + 3)) {
        if (s.n - i < 3 || http_scan_class(s.p, i + 1, i + 3, HTTP_C_HEX) != i + 3)
            return false;
    }
    return true;
}
