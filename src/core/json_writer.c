#include "core/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

json_writer_t json_writer(buf_t *b)
{
    return (json_writer_t){.buf = b};
}

static bool in_object(const json_writer_t *w)
{
    return w->object >> w->depth & 1;
}

static void comma(json_writer_t *w)
{
    uint64_t bit = 1ull << w->depth;
    if (w->comma & bit)
        buf_char(w->buf, ',');
    w->comma |= bit;
}

/* A member's value follows its key; an element, a comma; the document stands alone. */
static void before_value(json_writer_t *w)
{
    if (in_object(w) != w->keyed || (w->depth == 0 && w->comma))
        buf_fail(w->buf, RC_MALFORMED);
    if (!w->keyed)
        comma(w);
    w->keyed = false;
}

static void begin(json_writer_t *w, char c, uint64_t object)
{
    before_value(w);
    buf_char(w->buf, c);
    if (w->depth == 63) {
        buf_fail(w->buf, RC_LIMIT);
        return;
    }
    w->depth++;
    w->comma &= ~(1ull << w->depth);
    w->object &= ~(1ull << w->depth);
    w->object |= object << w->depth;
}

static void end(json_writer_t *w, char c, bool object)
{
    if (w->depth == 0 || in_object(w) != object || w->keyed) {
        buf_fail(w->buf, RC_MALFORMED);
        return;
    }
    w->depth--;
    buf_char(w->buf, c);
}

void json_begin_object(json_writer_t *w)
{
    begin(w, '{', 1);
}

void json_end_object(json_writer_t *w)
{
    end(w, '}', true);
}

void json_begin_array(json_writer_t *w)
{
    begin(w, '[', 0);
}

void json_end_array(json_writer_t *w)
{
    end(w, ']', false);
}

static void escaped(buf_t *b, unsigned char c)
{
    static const char SHORT[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    buf_char(b, '\\');
    if (c == '"' || c == '\\') {
        buf_char(b, (char)c);
        return;
    }
    if (c < sizeof SHORT && SHORT[c]) {
        buf_char(b, SHORT[c]);
        return;
    }
    buf_put(b, STR("u00"));
    buf_hex(b, &c, 1);
}

/* Marks each of eight bytes, in its first bit or one further up, that does not stand between quotes
 * as it is: printable ASCII without quote and backslash does (after "Bit Twiddling Hacks",
 * "Determine if a word has a zero byte"). */
static uint64_t odd_bytes(uint64_t v)
{
    static const uint64_t ONES = 0x0101010101010101, TOPS = 0x8080808080808080;
    uint64_t quote = v ^ ONES * '"', slash = v ^ ONES * '\\', del = v ^ ONES * 0x7f;
    return (v | (v - ONES * ' ') | (quote - ONES) | (slash - ONES) | (del - ONES)) & TOPS;
}

static uint64_t load(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#ifdef __SSE2__
/* The same of sixteen; as numbers with a sign, bytes that are not ASCII are less than a space. */
static __m128i odd_of_sixteen(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i odd =
        _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    return _mm_or_si128(odd, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
                                          _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
}

static bool is_plain_long(str_t s)
{
    __m128i odd = odd_of_sixteen(s.p + s.n - 16);
    for (size_t i = 0; i + 16 < s.n; i += 16)
        odd = _mm_or_si128(odd, odd_of_sixteen(s.p + i));
    return _mm_movemask_epi8(odd) == 0;
}
#endif

/* The last word overlaps the one before. */
static bool is_plain(str_t s)
{
    uint64_t odd = 0, v = 0x2020202020202020;
    if (s.n < sizeof v) {
        for (size_t i = 0; i < s.n; i++)
            v = v << 8 | (uint8_t)s.p[i];
        return !odd_bytes(v);
    }
#ifdef __SSE2__
    if (s.n >= 16)
        return is_plain_long(s);
#endif
    for (size_t i = 0; i + sizeof v <= s.n; i += sizeof v)
        odd |= odd_bytes(load(s.p + i));
    return !(odd | odd_bytes(load(s.p + s.n - sizeof v)));
}

/* Writes a plain text and its quotes; returns their end. */
static char *put_quoted(char *p, str_t s)
{
    *p++ = '"';
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '"';
    return p + s.n + 1;
}

static void quoted(buf_t *b, str_t s)
{
    char *p = is_plain(s) ? buf_room(b, s.n + 2) : NULL;
    if (p) {
        put_quoted(p, s);
        return;
    }
    if (b->failed != RC_OK)
        return;
    if (!str_is_utf8(s)) {
        buf_fail(b, RC_MALFORMED);
        return;
    }
    buf_char(b, '"');
    size_t clean = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buf_put(b, str_of(s.p + clean, i - clean));
        escaped(b, c);
        clean = i + 1;
    }
    buf_put(b, str_skip(s, clean));
    buf_char(b, '"');
}

void json_key(json_writer_t *w, str_t name)
{
    if (!in_object(w) || w->keyed)
        buf_fail(w->buf, RC_MALFORMED);
    comma(w);
    quoted(w->buf, name);
    buf_char(w->buf, ':');
    w->keyed = true;
}

void json_str(json_writer_t *w, str_t s)
{
    before_value(w);
    quoted(w->buf, s);
}

void json_int(json_writer_t *w, int64_t v)
{
    before_value(w);
    buf_i64(w->buf, v);
}

void json_double(json_writer_t *w, double v)
{
    before_value(w);
    if (!isfinite(v)) {
        buf_fail(w->buf, RC_MALFORMED);
        return;
    }
    char text[40];
    int n = 0;
    /* Whole numbers as people write them: 50, not 5e+01. */
    if (v == trunc(v) && fabs(v) < 1e15 && !(v == 0 && signbit(v))) {
        buf_put(w->buf, str_of(text, (size_t)snprintf(text, sizeof text, "%.0f", v)));
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_put(w->buf, str_of(text, (size_t)n));
}

void json_bool(json_writer_t *w, bool v)
{
    before_value(w);
    buf_put(w->buf, v ? STR("true") : STR("false"));
}

void json_null(json_writer_t *w)
{
    before_value(w);
    buf_put(w->buf, STR("null"));
}

void json_raw(json_writer_t *w, str_t raw)
{
    before_value(w);
    buf_put(w->buf, raw);
}

/* Most members are plain and go out in one piece. False: nothing was written. */
static bool put_plain_member(json_writer_t *w, str_t name, str_t s)
{
    uint64_t bit = 1ull << w->depth;
    bool comma = w->comma & bit;
    if (!in_object(w) || w->keyed || !is_plain(name) || !is_plain(s))
        return false;
    char *p = buf_room(w->buf, name.n + s.n + 5 + comma);
    if (!p)
        return true;
    if (comma)
        *p++ = ',';
    p = put_quoted(p, name);
    *p++ = ':';
    put_quoted(p, s);
    w->comma |= bit;
    return true;
}

void json_member_str(json_writer_t *w, str_t name, str_t s)
{
    if (!str_is_set(s) || put_plain_member(w, name, s))
        return;
    json_key(w, name);
    json_str(w, s);
}

void json_member_int(json_writer_t *w, str_t name, int64_t v)
{
    json_key(w, name);
    json_int(w, v);
}

void json_member_bool(json_writer_t *w, str_t name, bool v)
{
    json_key(w, name);
    json_bool(w, v);
}

void json_member_strs(json_writer_t *w, str_t name, str_list_t list)
{
    json_key(w, name);
    json_begin_array(w);
    for (size_t i = 0; i < list.n; i++)
        json_str(w, list.v[i]);
    json_end_array(w);
}

void json_members_but(json_writer_t *w, const json_t *object, str_list_t names)
{
    for (const json_t *m = json_is(object, JSON_OBJECT) ? object->child : NULL; m; m = m->next) {
        if (str_list_has(names, m->key))
            continue;
        json_key(w, m->key);
        json_raw(w, m->raw);
    }
}
