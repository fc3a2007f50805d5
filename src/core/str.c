#include "core/str.h"

bool str_eq_ct(str_t a, str_t b)
{
    if (!a.p || !b.p || a.n != b.n)
        return false;
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.n; i++)
        difference |= (uint8_t)(a.p[i] ^ b.p[i]);
    return difference == 0;
}

/* Whether two bytes differ in nothing but the case of a letter. */
static bool same_nocase(char a, char b)
{
    char lower = (char)(a | 0x20);
    return a == b || ((a ^ b) == 0x20 && lower >= 'a' && lower <= 'z');
}

bool str_eq_nocase_bytes(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!same_nocase(a[i], b[i]))
            return false;
    return true;
}

bool str_ends(str_t s, str_t suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

int str_cmp(str_t a, str_t b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

size_t str_find(str_t s, char c, size_t from)
{
    if (from >= s.n)
        return s.n;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : s.n;
}

bool str_contains(str_t s, str_t part)
{
    if (part.n == 0)
        return true;
    return s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL;
}

static bool in_set(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

str_t str_trim(str_t s, const char *set)
{
    while (s.n > 0 && in_set(s.p[0], set))
        s = str_skip(s, 1);
    while (s.n > 0 && in_set(s.p[s.n - 1], set))
        s.n--;
    return s;
}

bool str_split(str_t *rest, char sep, str_t *part)
{
    if (!rest->p)
        return false;
    size_t at = str_find(*rest, sep, 0);
    *part = str_first(*rest, at);
    *rest = at < rest->n ? str_skip(*rest, at + 1) : STR_UNSET;
    return true;
}

bool str_list_has(str_list_t list, str_t s)
{
    for (size_t i = 0; i < list.n; i++)
        if (str_eq(list.v[i], s))
            return true;
    return false;
}

bool str_is_printable_ascii(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e)
            return false;
    return true;
}

/* Length of the well-formed sequence of several bytes at p, or 0. The table is RFC 3629 section 4's
 * grammar. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max, length;
    } ROWS[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (p[0] < ROWS[i].lead_min || p[0] > ROWS[i].lead_max)
            continue;
        if (n < ROWS[i].length || p[1] < ROWS[i].second_min || p[1] > ROWS[i].second_max)
            return 0;
        for (size_t k = 2; k < ROWS[i].length; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return ROWS[i].length;
    }
    return 0;
}

/* Behind the ASCII bytes at p, eight at a time where they are. */
static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end)
{
    uint64_t word;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (p < end && *p < 0x80)
        p++;
    return p;
}

bool str_is_utf8(str_t s)
{
    if (s.n == 0)
        return true;
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    while ((p = skip_ascii(p, end)) < end) {
        size_t length = utf8_sequence(p, (size_t)(end - p));
        if (length == 0)
            return false;
        p += length;
    }
    return true;
}
