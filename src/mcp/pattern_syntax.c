#include "mcp/pattern_syntax.h"

enum { GROWTH = 96 }; /* an escape of two bytes becomes at most so many */

/* White space and line terminators beyond ASCII (ECMA-262, CharacterClassEscape s). */
#define SPACES                                                                                     \
    "\\s\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"

/* Escapes of letters and digits that mean the same to both. */
#define SAME "bBdDwWfnrtx0123456789ck"

/* Long names of general categories, which PCRE2 does not know. */
static const struct {
    str_t name, category;
} CATEGORIES[] = {
    {STR_INIT("Letter"), STR_INIT("L")},
    {STR_INIT("Uppercase_Letter"), STR_INIT("Lu")},
    {STR_INIT("Lowercase_Letter"), STR_INIT("Ll")},
    {STR_INIT("Mark"), STR_INIT("M")},
    {STR_INIT("Number"), STR_INIT("N")},
    {STR_INIT("Decimal_Number"), STR_INIT("Nd")},
    {STR_INIT("digit"), STR_INIT("Nd")},
    {STR_INIT("Punctuation"), STR_INIT("P")},
    {STR_INIT("Symbol"), STR_INIT("S")},
    {STR_INIT("Separator"), STR_INIT("Z")},
    {STR_INIT("Other"), STR_INIT("C")},
};

typedef struct {
    str_t in;
    size_t at;
    bool class;
    buf_t *out;
    str_t *why;
} translator_t;

static rc_t refuse(translator_t *t, str_t why)
{
    *t->why = why;
    return RC_CONFIG;
}

static bool hex4(str_t s, uint32_t *out)
{
    if (s.n < 4)
        return false;
    *out = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = (char)(s.p[i] | 0x20);
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
        *out = *out << 4 | (uint32_t)(letter ? c - 'a' + 10 : s.p[i] - '0');
    }
    return true;
}

/* \uD83D\uDE00 is one character. */
static uint32_t second_half(str_t rest, uint32_t first)
{
    uint32_t second = 0;
    if (first < 0xd800 || first > 0xdbff || !str_starts(rest, STR("\\u")))
        return 0;
    if (!hex4(str_skip(rest, 2), &second) || second < 0xdc00 || second > 0xdfff)
        return 0;
    return second;
}

/* Behind \u: four digits, or digits in braces. */
static rc_t put_unicode(translator_t *t)
{
    str_t rest = str_skip(t->in, t->at);
    if (str_starts(rest, STR("{"))) {
        buf_put(t->out, STR("\\x"));
        return RC_OK;
    }
    uint32_t v;
    if (!hex4(rest, &v))
        return refuse(t, STR("\\u needs four hexadecimal digits"));
    t->at += 4;
    uint32_t second = second_half(str_skip(rest, 4), v);
    if (second != 0) {
        t->at += 6;
        v = 0x10000 + ((v - 0xd800) << 10) + (second - 0xdc00);
    }
    buf_fmt(t->out, "\\x{%x}", v);
    return RC_OK;
}

/* Behind \p or \P: the name of a property in braces. */
static rc_t put_property(translator_t *t, char escape)
{
    str_t rest = str_skip(t->in, t->at);
    size_t end = str_find(rest, '}', 0);
    if (!str_starts(rest, STR("{")) || end == rest.n)
        return refuse(t, STR("\\p needs the name of a property in braces"));
    str_t name = str_of(rest.p + 1, end - 1);
    for (size_t i = 0; i < sizeof CATEGORIES / sizeof *CATEGORIES; i++)
        if (str_eq(CATEGORIES[i].name, name))
            name = CATEGORIES[i].category;
    t->at += end + 1;
    buf_fmt(t->out, "\\%c{%" PRIstr "}", escape, STR_ARG(name));
    return RC_OK;
}

static rc_t put_space(translator_t *t, bool not )
{
    if (t->class && not )
        buf_put(t->out, STR("\\S"));
    else if (t->class)
        buf_put(t->out, STR(SPACES));
    else
        buf_fmt(t->out, "[%s%s]", not ? "^" : "", SPACES);
    return RC_OK;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static rc_t put_escape(translator_t *t)
{
    if (t->at == t->in.n)
        return refuse(t, STR("it ends in a backslash"));
    char c = t->in.p[t->at++];
    if (c == 's' || c == 'S')
        return put_space(t, c == 'S');
    if (c == 'u')
        return put_unicode(t);
    if (c == 'p' || c == 'P')
        return put_property(t, c);
    if (c == 'v') { /* a vertical tab; to PCRE2 it is a class */
        buf_put(t->out, STR("\\x0b"));
        return RC_OK;
    }
    if (is_word(c) && !strchr(SAME, c))
        return refuse(t, STR("it has an escape that ECMA-262 does not know"));
    buf_char(t->out, '\\');
    buf_char(t->out, c);
    return RC_OK;
}

/* What may follow "(": verbs, recursion, comments, conditions and options are of other dialects. */
static rc_t put_group(translator_t *t)
{
    static const str_t KNOWN[] = {STR_INIT("?:"), STR_INIT("?="), STR_INIT("?!"), STR_INIT("?<")};
    str_t rest = str_skip(t->in, t->at);
    buf_char(t->out, '(');
    if (!str_starts(rest, STR("?")) && !str_starts(rest, STR("*")))
        return RC_OK;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (str_starts(rest, KNOWN[i]))
            return RC_OK;
    return refuse(t, STR("it has a group that ECMA-262 does not know"));
}

static rc_t put_in_class(translator_t *t, char c)
{
    if (c == ']')
        t->class = false;
    if (c == '[') /* [[:alpha:]] is no name of a class here */
        buf_char(t->out, '\\');
    buf_char(t->out, c);
    return RC_OK;
}

static rc_t put_one(translator_t *t)
{
    char c = t->in.p[t->at++];
    if (c == '\\')
        return put_escape(t);
    if (t->class)
        return put_in_class(t, c);
    if (c == '(')
        return put_group(t);
    if (c == '.') {
        buf_put(t->out, STR("[^\\n\\r\\x{2028}\\x{2029}]"));
        return RC_OK;
    }
    t->class = c == '[';
    buf_char(t->out, c);
    if (t->class && t->at < t->in.n && t->in.p[t->at] == '^')
        buf_char(t->out, t->in.p[t->at++]);
    /* a++ has nothing to repeat; to PCRE2 it is possessive. */
    bool quantified = c == '*' || c == '+' || c == '?' || c == '}';
    if (quantified && t->at < t->in.n && t->in.p[t->at] == '+')
        return refuse(t, STR("it has a quantifier that ECMA-262 does not know"));
    return RC_OK;
}

rc_t mcp_pattern_translate(arena_t *a, str_t ecma, str_t *out, str_t *why)
{
    buf_t b = buf_new(a, ecma.n * GROWTH + 1);
    translator_t t = {.in = ecma, .out = &b, .why = why};
    while (t.at < ecma.n)
        TRY(put_one(&t));
    TRY(buf_done(&b, out));
    if (!str_is_set(*out))
        *out = STR("");
    return RC_OK;
}
