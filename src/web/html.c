#include "web/html.h"

#include "core/limits.h"

typedef enum { KIND_SEEN, KIND_SPACE, KIND_HIDDEN, KIND_MARK } kind_t;

/* All that is not simply seen, in order of code points: white space (White_Space), what hides,
 * joins or reorders (Cc, Cf, Default_Ignorable_Code_Point, fillers), and marks that pile up on the
 * character before them (Mn of the blocks made of them). */
static const struct {
    uint32_t first, last;
    kind_t kind;
} RANGES[] = {
    {0x0000, 0x0008, KIND_HIDDEN},    {0x0009, 0x000d, KIND_SPACE},
    {0x000e, 0x001f, KIND_HIDDEN},    {0x0020, 0x0020, KIND_SPACE},
    {0x007f, 0x0084, KIND_HIDDEN},    {0x0085, 0x0085, KIND_SPACE},
    {0x0086, 0x009f, KIND_HIDDEN},    {0x00a0, 0x00a0, KIND_SPACE},
    {0x00ad, 0x00ad, KIND_HIDDEN},    {0x0300, 0x034e, KIND_MARK},
    {0x034f, 0x034f, KIND_HIDDEN},    {0x0350, 0x036f, KIND_MARK},
    {0x0483, 0x0489, KIND_MARK},      {0x0600, 0x0605, KIND_HIDDEN},
    {0x061c, 0x061c, KIND_HIDDEN},    {0x06dd, 0x06dd, KIND_HIDDEN},
    {0x070f, 0x070f, KIND_HIDDEN},    {0x115f, 0x1160, KIND_HIDDEN},
    {0x1680, 0x1680, KIND_SPACE},     {0x17b4, 0x17b5, KIND_HIDDEN},
    {0x180b, 0x180f, KIND_HIDDEN},    {0x1ab0, 0x1aff, KIND_MARK},
    {0x1dc0, 0x1dff, KIND_MARK},      {0x2000, 0x200a, KIND_SPACE},
    {0x200b, 0x200f, KIND_HIDDEN},    {0x2028, 0x2029, KIND_SPACE},
    {0x202a, 0x202e, KIND_HIDDEN},    {0x202f, 0x202f, KIND_SPACE},
    {0x205f, 0x205f, KIND_SPACE},     {0x2060, 0x206f, KIND_HIDDEN},
    {0x20d0, 0x20ff, KIND_MARK},      {0x2800, 0x2800, KIND_SPACE},
    {0x3000, 0x3000, KIND_SPACE},     {0x3164, 0x3164, KIND_HIDDEN},
    {0xe000, 0xf8ff, KIND_HIDDEN},    {0xfdd0, 0xfdef, KIND_HIDDEN},
    {0xfe00, 0xfe0f, KIND_HIDDEN},    {0xfe20, 0xfe2f, KIND_MARK},
    {0xfeff, 0xfeff, KIND_HIDDEN},    {0xffa0, 0xffa0, KIND_HIDDEN},
    {0xfff0, 0xfffb, KIND_HIDDEN},    {0xfffe, 0xffff, KIND_HIDDEN},
    {0x110bd, 0x110bd, KIND_HIDDEN},  {0x13430, 0x1345f, KIND_HIDDEN},
    {0x1bca0, 0x1bca3, KIND_HIDDEN},  {0x1d173, 0x1d17a, KIND_HIDDEN},
    {0xe0000, 0x10ffff, KIND_HIDDEN},
};

enum {
    N_RANGES = sizeof RANGES / sizeof RANGES[0],
    MARKS_MAX = 2, /* Vietnamese has two on a letter; more are there to cover the lines around */
};

static kind_t kind_of(uint32_t c)
{
    for (size_t i = 0; i < N_RANGES; i++)
        if (c <= RANGES[i].last)
            return c >= RANGES[i].first ? RANGES[i].kind : KIND_SEEN;
    return KIND_SEEN;
}

/* The bytes of the character that `text`, not empty, begins with; 0 when it is no UTF-8. */
static size_t char_bytes(str_t text)
{
    uint8_t lead = (uint8_t)text.p[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return n <= text.n && str_is_utf8(str_first(text, n)) ? n : 0;
}

static uint32_t char_value(str_t c)
{
    const uint8_t *p = (const uint8_t *)c.p;
    uint32_t value = c.n == 1 ? p[0] : p[0] & (0xffu >> (c.n + 1));
    for (size_t i = 1; i < c.n; i++)
        value = value << 6 | (p[i] & 0x3f);
    return value;
}

/* Reads a text as it will be seen. */
typedef struct {
    str_t rest;
    bool begun, space;
    int marks;
} reader_t;

/* The next character in *out, not yet consumed, and how many bytes it takes in the text. */
static size_t peek(str_t rest, str_t *out, kind_t *kind)
{
    size_t n = char_bytes(rest);
    *out = n > 0 ? str_first(rest, n) : STR("\xef\xbf\xbd");
    *kind = n > 0 ? kind_of(char_value(*out)) : KIND_SEEN;
    return n > 0 ? n : 1;
}

/* The next character to be seen: one space for many, none at the ends. False at the end. */
static bool next_seen(reader_t *r, str_t *out)
{
    while (r->rest.n > 0) {
        kind_t kind;
        size_t n = peek(r->rest, out, &kind);
        if (kind != KIND_HIDDEN && kind != KIND_MARK)
            r->marks = 0;
        bool drop = kind == KIND_HIDDEN || (kind == KIND_MARK && r->marks >= MARKS_MAX);
        if (drop || kind == KIND_SPACE) {
            r->space = r->space || kind == KIND_SPACE;
            r->rest = str_skip(r->rest, n);
            continue;
        }
        if (r->space && r->begun) {
            r->space = false;
            *out = STR(" ");
            return true;
        }
        r->begun = true;
        r->space = false;
        r->marks += kind == KIND_MARK;
        r->rest = str_skip(r->rest, n);
        return true;
    }
    return false;
}

static size_t measure(str_t text)
{
    size_t n = 0;
    str_t c;
    for (reader_t r = {.rest = text}; next_seen(&r, &c);)
        n += c.n;
    return n;
}

static const str_t ELLIPSIS = STR_INIT("\xe2\x80\xa6");

/* At most `max` bytes of what is to be seen, from its beginning or, with `tail`, its end. */
static void put_clean(buf_t *b, str_t text, size_t max, bool tail)
{
    size_t total = measure(text), at = 0;
    bool whole = total <= max;
    size_t from = whole || !tail ? 0 : total - (max - ELLIPSIS.n);
    size_t to = whole || tail ? total : max - ELLIPSIS.n;
    str_t c;
    if (!whole && tail)
        buf_put(b, ELLIPSIS);
    for (reader_t r = {.rest = text}; next_seen(&r, &c) && at + c.n <= to; at += c.n)
        if (at >= from)
            buf_html(b, c);
    if (!whole && !tail)
        buf_put(b, ELLIPSIS);
}

static void put_exact(buf_t *b, str_t text, size_t max)
{
    if (text.n <= max && str_is_printable_ascii(text))
        buf_html(b, text);
}

typedef enum { HOLE_HEAD, HOLE_TAIL, HOLE_EXACT } hole_t;

static const struct {
    str_t name;
    size_t max;
    hole_t how;
} HOLES[] = {
    {STR_INIT(""), LIMIT_WEB_LABEL_BYTES, HOLE_HEAD},
    {STR_INIT("text"), LIMIT_WEB_TEXT_BYTES, HOLE_HEAD},
    {STR_INIT("uri"), LIMIT_WEB_URI_BYTES, HOLE_HEAD},
    {STR_INIT("host"), LIMIT_WEB_URI_BYTES, HOLE_TAIL},
    {STR_INIT("="), LIMIT_WEB_EXACT_BYTES, HOLE_EXACT},
};

static bool fill_hole(buf_t *b, str_t name, str_t value)
{
    for (size_t i = 0; i < sizeof HOLES / sizeof HOLES[0]; i++) {
        if (!str_eq(HOLES[i].name, name))
            continue;
        if (HOLES[i].how == HOLE_EXACT)
            put_exact(b, value, HOLES[i].max);
        else
            put_clean(b, value, HOLES[i].max, HOLES[i].how == HOLE_TAIL);
        return true;
    }
    return false;
}

static void fail(buf_t *b)
{
    if (b->failed == RC_OK)
        b->failed = RC_MALFORMED;
}

void web_html_fill(buf_t *b, str_t markup, const str_t *values, size_t n)
{
    size_t used = 0;
    while (markup.n > 0) {
        size_t open = str_find(markup, '{', 0);
        size_t close = str_find(markup, '}', open);
        buf_put(b, str_first(markup, open));
        if (open == markup.n)
            break;
        str_t name = str_of(markup.p + open + 1, close - open - 1);
        if (close == markup.n || used == n || !fill_hole(b, name, values[used++])) {
            fail(b);
            return;
        }
        markup = str_skip(markup, close + 1);
    }
    if (used != n)
        fail(b);
}

bool web_html_is_blank(str_t text)
{
    str_t c;
    reader_t r = {.rest = text};
    return !next_seen(&r, &c);
}

str_t web_html_or(str_t text, str_t instead)
{
    return web_html_is_blank(text) ? instead : text;
}
