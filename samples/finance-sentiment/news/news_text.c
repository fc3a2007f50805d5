#include "news.h"

#include "core/num.h"

/* Length of the UTF-8 character at s, and its code point; 0 when it is none (RFC 3629). */
static size_t decode(str_t s, uint32_t *c)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char b = (unsigned char)s.p[0];
    size_t n = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 0;
    if (n == 0 || n > s.n || b > 0xf4)
        return 0;
    *c = n == 1 ? b : b & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | ((unsigned char)s.p[i] & 0x3f);
    }
    bool bad = *c < LEAST[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff);
    return bad ? 0 : n;
}

typedef struct {
    uint32_t first, last;
} range_t;

/* What a reader cannot see but a model or a terminal obeys: controls, marks that turn or hide text,
 * tags, variation and interlinear marks; and what means something to nobody else (private use). */
static const range_t INVISIBLE[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
    {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
    {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x2800, 0x2800},
    {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

enum { MARKS_MOST = 4 /* combining marks on one letter: no language of news has more */ };

static bool is_invisible(uint32_t c)
{
    for (size_t i = 0; i < sizeof INVISIBLE / sizeof *INVISIBLE; i++) {
        if (c >= INVISIBLE[i].first && c <= INVISIBLE[i].last)
            return true;
    }
    return (c & 0xfffe) == 0xfffe; /* noncharacters at each plane's end */
}

static bool is_mark(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) ||
           (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) ||
           (c >= 0xfe20 && c <= 0xfe2f);
}

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

str_t news_clean(arena_t *a, str_t text, size_t max)
{
    size_t room = text.n < max ? text.n : max, n = 0, marks = 0;
    char *p = arena_alloc(a, room + 1);
    if (!p)
        return STR_UNSET;
    for (size_t i = 0, step; i < text.n; i += step) {
        uint32_t c = 0;
        size_t width = decode(str_skip(text, i), &c);
        step = width > 0 ? width : 1;
        if (is_space(c) && width > 0) {
            if (n > 0 && n < room && p[n - 1] != ' ')
                p[n++] = ' ';
            continue;
        }
        if (width == 0 || is_invisible(c))
            continue;
        marks = is_mark(c) ? marks + 1 : 0;
        if (marks > MARKS_MOST)
            continue;
        if (n + width > room)
            break;
        memcpy(p + n, text.p + i, width);
        n += width;
    }
    return str_trim(str_of(p, n), " ");
}

static bool digits(str_t s, size_t at, size_t n, unsigned low, unsigned high)
{
    uint64_t v;
    return s.n >= at + n && num_u64(str_of(s.p + at, n), high, &v) && v >= low;
}

/* Behind digits(): a day that its month has. */
static bool has_day(str_t t)
{
    static const unsigned DAYS[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year, month, day;
    if (!num_u64(str_of(t.p, 4), 9999, &year) || !num_u64(str_of(t.p + 4, 2), 12, &month) ||
        !num_u64(str_of(t.p + 6, 2), 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= DAYS[month - 1] && (month != 2 || day < 29 || leap);
}

static bool is_compact(str_t t)
{
    return t.n == NEWS_TIME && digits(t, 0, 4, 1970, 9999) && digits(t, 4, 2, 1, 12) &&
           digits(t, 6, 2, 1, 31) && has_day(t) && t.p[8] == 'T' && digits(t, 9, 2, 0, 23) &&
           digits(t, 11, 2, 0, 59) && digits(t, 13, 2, 0, 59);
}

/* RFC 3339 in UTC, down to the day: "2026-05-03", "2026-05-03T12:00Z", "2026-05-03T12:00:00Z". */
static bool is_extended(str_t t)
{
    static const char SHAPE[] = "0000-00-00T00:00:00Z";
    bool whole = t.n == 20, minutes = t.n == 17, day = t.n == 10;
    if (!whole && !minutes && !day)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        char want = minutes && i == 16 ? 'Z' : SHAPE[i];
        if (want == '0' ? t.p[i] < '0' || t.p[i] > '9' : t.p[i] != want)
            return false;
    }
    return true;
}

str_t news_time(arena_t *a, str_t text)
{
    char c[NEWS_TIME];
    size_t n = 0;
    bool extended = is_extended(text);
    for (size_t i = 0; i < text.n && n < sizeof c; i++) {
        if (!extended || (text.p[i] != '-' && text.p[i] != ':' && text.p[i] != 'Z'))
            c[n++] = text.p[i];
    }
    if (n == 8 && extended)
        c[n++] = 'T';
    if (n == 9 || n == 13) { /* hours or seconds were left out */
        memset(c + n, '0', sizeof c - n);
        n = sizeof c;
    }
    bool good = (extended || text.n == 13 || text.n == 15) && is_compact(str_of(c, n));
    return good ? arena_dup(a, str_of(c, n)) : STR_UNSET;
}

str_t news_time_text(arena_t *a, str_t t)
{
    const char *p = t.p;
    return arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p, p + 4, p + 6, p + 9, p + 11,
                        p + 13);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

str_t news_topic(arena_t *a, str_t text)
{
    /* Names of the service that are not what the rule below makes of their labels. */
    static const struct {
        str_t made, name;
    } NAMES[] = {
        {STR_INIT("mergers_acquisitions"), STR_INIT("mergers_and_acquisitions")},
        {STR_INIT("real_estate_construction"), STR_INIT("real_estate")},
    };
    char made[NEWS_NAME_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < sizeof made; i++) {
        char c = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] | 0x20) : text.p[i];
        if (is_name_byte(c))
            made[n++] = c;
        else if (n > 0 && made[n - 1] != '_')
            made[n++] = '_';
    }
    str_t name = str_trim(str_of(made, n), "_");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        name = str_eq(name, NAMES[i].made) ? NAMES[i].name : name;
    return name.n > 0 ? arena_dup(a, name) : STR_UNSET;
}
