#include "engine_token.h"

/* Scales and units that may follow a number, with or without a space. */
typedef struct {
    str_t name;
    token_unit_t unit;
    double scale;
} unit_row_t;

static const unit_row_t UNITS[] = {
    {STR_INIT("%"), UNIT_PERCENT, 1},         {STR_INIT("pct"), UNIT_PERCENT, 1},
    {STR_INIT("pc"), UNIT_PERCENT, 1},        {STR_INIT("percent"), UNIT_PERCENT, 1},
    {STR_INIT("bps"), UNIT_PERCENT, 0.01},    {STR_INIT("k"), UNIT_MONEY, 1e3},
    {STR_INIT("thousand"), UNIT_MONEY, 1e3},  {STR_INIT("lakh"), UNIT_MONEY, 1e5},
    {STR_INIT("m"), UNIT_MONEY, 1e6},         {STR_INIT("mn"), UNIT_MONEY, 1e6},
    {STR_INIT("mln"), UNIT_MONEY, 1e6},       {STR_INIT("million"), UNIT_MONEY, 1e6},
    {STR_INIT("cr"), UNIT_MONEY, 1e7},        {STR_INIT("crore"), UNIT_MONEY, 1e7},
    {STR_INIT("crores"), UNIT_MONEY, 1e7},    {STR_INIT("b"), UNIT_MONEY, 1e9},
    {STR_INIT("bn"), UNIT_MONEY, 1e9},        {STR_INIT("bln"), UNIT_MONEY, 1e9},
    {STR_INIT("billion"), UNIT_MONEY, 1e9},   {STR_INIT("tn"), UNIT_MONEY, 1e12},
    {STR_INIT("trillion"), UNIT_MONEY, 1e12}, {STR_INIT("cents"), UNIT_MONEY, 0.01},
    {STR_INIT("cent"), UNIT_MONEY, 0.01},
};

static const str_t CURRENCIES[] = {
    STR_INIT("rs"),  STR_INIT("inr"), STR_INIT("usd"), STR_INIT("eur"), STR_INIT("gbp"),
    STR_INIT("jpy"), STR_INIT("chf"), STR_INIT("cad"), STR_INIT("sek"), STR_INIT("euro"),
};

typedef struct {
    arena_t *arena;
    str_t text;
    size_t at;
    uint32_t piece, sentence;
    tokens_t *out;
} scan_t;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char peek(const scan_t *s, size_t ahead)
{
    return s->at + ahead < s->text.n ? s->text.p[s->at + ahead] : '\0';
}

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The general punctuation block of Unicode is E2 80 xx: dashes, quotes, ellipsis, bullet. */
static bool at_general_punctuation(const scan_t *s, size_t ahead)
{
    return (unsigned char)peek(s, ahead) == 0xE2 && (unsigned char)peek(s, ahead + 1) == 0x80 &&
           s->at + ahead + 2 < s->text.n;
}

static bool at_apostrophe(const scan_t *s, size_t ahead)
{
    return at_general_punctuation(s, ahead) && (unsigned char)peek(s, ahead + 2) == 0x99;
}

/* How many bytes of nothing that can be seen stand there: control characters, soft hyphens, joiners
 * and marks of direction, which must neither cut a word nor hide in one. 0: something can be seen.
 */
static size_t invisible(const scan_t *s, size_t ahead)
{
    unsigned char c = (unsigned char)peek(s, ahead);
    if ((c < ' ' && !space((char)c)) || c == 0x7F)
        return s->at + ahead < s->text.n ? 1 : 0;
    if (c < 0x80)
        return 0;
    unsigned char d = (unsigned char)peek(s, ahead + 1), e = (unsigned char)peek(s, ahead + 2);
    if (c == 0xC2 && d == 0xAD)
        return 2;
    bool mark = c == 0xE2 && d == 0x80 && ((e >= 0x8B && e <= 0x8F) || (e >= 0xAA && e <= 0xAE));
    bool joiner = c == 0xE2 && d == 0x81 && e >= 0xA0 && e <= 0xAF;
    return mark || joiner || (c == 0xEF && d == 0xBB && e == 0xBF) ? 3 : 0;
}

static bool at_hard_space(const scan_t *s, size_t ahead)
{
    return (unsigned char)peek(s, ahead) == 0xC2 && (unsigned char)peek(s, ahead + 1) == 0xA0;
}

static token_t *push(scan_t *s, token_kind_t kind, size_t start)
{
    token_t *t = &s->out->v[s->out->n++];
    *t = (token_t){.kind = kind, .start = start, .end = s->at};
    t->piece = s->piece;
    t->sentence = s->sentence;
    t->word = STR("");
    return t;
}

static bool at_link(const scan_t *s)
{
    str_t rest = str_skip(s->text, s->at);
    return str_starts(rest, STR("http://")) || str_starts(rest, STR("https://"));
}

/* How many bytes of a word stand at s->at + n: 0 ends it. "U.S." and "S&P" stay whole. */
static size_t word_step(const scan_t *s, size_t n)
{
    char c = peek(s, n);
    if (invisible(s, n) > 0)
        return invisible(s, n);
    if (at_hard_space(s, n))
        return 0;
    if (at_apostrophe(s, n))
        return is_letter(peek(s, n + 3)) ? 3 : 0;
    if (at_general_punctuation(s, n))
        return 0;
    if (is_letter(c) || is_digit(c))
        return 1;
    bool inner = n > 0 && is_letter(peek(s, n + 1)) && !at_general_punctuation(s, n + 1);
    if (inner && (c == '\'' || c == '&'))
        return 1;
    bool dotted = c == '.' && inner && (n == 1 || peek(s, n - 2) == '.');
    return dotted ? 1 : 0;
}

static rc_t scan_word(scan_t *s, token_kind_t kind)
{
    size_t start = s->at, n = 0, len = 0;
    for (size_t step; (step = word_step(s, n)) > 0;)
        n += step;
    char *p = arena_alloc(s->arena, n + 1);
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < n;) {
        size_t nothing = invisible(s, i);
        i += nothing;
        if (nothing > 0)
            continue;
        bool mark = at_apostrophe(s, i);
        p[len++] = mark ? '\'' : lower(peek(s, i));
        i += mark ? 3 : 1;
    }
    s->at += n;
    push(s, kind, start)->word = str_of(p, len);
    return RC_OK;
}

static const unit_row_t *unit_find(str_t name)
{
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (str_eq_nocase(UNITS[i].name, name))
            return &UNITS[i];
    }
    return NULL;
}

static size_t letters_at(const scan_t *s, size_t ahead)
{
    size_t n = 0;
    while (is_letter(peek(s, ahead + n)) && (unsigned char)peek(s, ahead + n) < 0x80)
        n++;
    return n;
}

/* A unit behind the number, with at most one space between: "4.1m", "10 per cent", "5%". */
static bool take_unit(scan_t *s, token_t *t)
{
    size_t gap = peek(s, 0) == ' ' || peek(s, 0) == '-' ? 1 : 0;
    size_t n = peek(s, gap) == '%' ? 1 : letters_at(s, gap);
    str_t name = str_of(s->text.p + s->at + gap, n);
    if (n == 3 && str_eq_nocase(name, STR("per")) && peek(s, gap + 3) == ' ' &&
        str_eq_nocase(str_first(str_skip(s->text, s->at + gap + 4), 4), STR("cent"))) {
        s->at += gap + 8;
        t->unit = UNIT_PERCENT;
        return true;
    }
    const unit_row_t *u = n > 0 && !is_digit(peek(s, gap + n)) ? unit_find(name) : NULL;
    if (!u)
        return false;
    s->at += gap + n;
    t->unit = u->unit;
    t->value *= u->scale;
    return true;
}

/* "EUR 4.1 mn": the currency in front belongs to the number. */
static bool take_currency(scan_t *s, size_t *start)
{
    tokens_t *out = s->out;
    if (out->n == 0 || out->v[out->n - 1].kind != TOKEN_WORD)
        return false;
    for (size_t i = 0; i < sizeof CURRENCIES / sizeof *CURRENCIES; i++) {
        if (!str_eq(out->v[out->n - 1].word, CURRENCIES[i]))
            continue;
        *start = out->v[--out->n].start;
        return true;
    }
    return false;
}

static double scan_digits(scan_t *s, bool *bare)
{
    double value = 0, place = 1;
    bool fraction = false;
    *bare = true;
    for (;; s->at++) {
        char c = peek(s, 0);
        if ((c == ',' || c == '.') && is_digit(peek(s, 1)) && !(fraction && c == '.')) {
            fraction |= c == '.';
            *bare = false;
            continue;
        }
        if (!is_digit(c))
            return value * place;
        value = value * 10 + (c - '0');
        place *= fraction ? 0.1 : 1;
    }
}

static rc_t scan_number(scan_t *s, bool money, int sign)
{
    size_t start = s->at, first = s->at;
    if (sign != 0 || money)
        start = s->at - (sign != 0) - (money ? 1 : 0);
    bool bare, currency = !money && sign == 0 && take_currency(s, &start);
    double value = scan_digits(s, &bare);
    size_t digits = s->at - first;
    token_t *t = push(s, TOKEN_NUMBER, start);
    t->value = sign < 0 ? -value : value;
    t->is_signed = sign != 0;
    t->unit = money || currency ? UNIT_MONEY : UNIT_PLAIN;
    bool unit = take_unit(s, t);
    if (!unit && letters_at(s, 0) > 0) { /* "3rd", "52w": a word that begins with digits */
        s->out->n--;
        s->at = first;
        return scan_word(s, TOKEN_WORD);
    }
    if (t->unit == UNIT_PLAIN && bare && digits == 4 && value >= 1900 && value < 2100)
        t->unit = UNIT_YEAR;
    t->end = s->at;
    t->word = str_of(s->text.p + first, s->at - first);
    return RC_OK;
}

static void scan_punct(scan_t *s, char c, size_t bytes)
{
    size_t start = s->at;
    s->at += bytes;
    push(s, TOKEN_PUNCT, start)->punct = c;
    if (memchr(",;:.?!()-|", c, 10))
        s->piece++;
    if (memchr(".?!;|", c, 5))
        s->sentence++;
}

/* A sign or a currency mark directly before a digit, at a word's beginning. */
static bool scan_marked_number(scan_t *s, rc_t *rc)
{
    int sign = peek(s, 0) == '+' ? 1 : peek(s, 0) == '-' ? -1 : 0;
    bool begins = s->at == 0 || space(s->text.p[s->at - 1]) || s->text.p[s->at - 1] == '(';
    if (sign != 0 && !begins)
        return false;
    size_t skip = sign != 0;
    bool money = peek(s, skip) == '$';
    if ((!money && sign == 0) || !is_digit(peek(s, skip + money)))
        return false;
    s->at += skip + money;
    *rc = scan_number(s, money, sign);
    return true;
}

static rc_t scan_mark(scan_t *s)
{
    rc_t rc = RC_OK;
    char c = peek(s, 0);
    if (scan_marked_number(s, &rc))
        return rc;
    s->out->tags += (c == '#' || c == '@') && is_letter(peek(s, 1));
    if (c == '$' && is_letter(peek(s, 1))) {
        s->at++;
        return scan_word(s, TOKEN_TICKER);
    }
    bool joins = c == '-' && s->at > 0 && !space(s->text.p[s->at - 1]) && is_letter(peek(s, 1));
    if (joins || !memchr(",;:.?!()-|/", c, 11)) {
        s->at++;
        return RC_OK;
    }
    scan_punct(s, c, 1);
    return RC_OK;
}

static rc_t scan_one(scan_t *s)
{
    char c = peek(s, 0);
    if (at_link(s)) {
        s->out->links++;
        while (s->at < s->text.n && !space(peek(s, 0)))
            s->at++;
        return RC_OK;
    }
    if (invisible(s, 0) > 0 || at_hard_space(s, 0)) {
        s->at += at_hard_space(s, 0) ? 2 : invisible(s, 0);
        return RC_OK;
    }
    if (at_general_punctuation(s, 0)) {
        unsigned char third = (unsigned char)peek(s, 2);
        if (third == 0x93 || third == 0x94)
            scan_punct(s, '-', 3);
        else
            s->at += 3;
        return RC_OK;
    }
    if (is_digit(c))
        return scan_number(s, false, 0);
    if (is_letter(c))
        return scan_word(s, TOKEN_WORD);
    return scan_mark(s);
}

rc_t engine_tokenize(arena_t *a, str_t text, tokens_t *out)
{
    if (text.n > ENGINE_TEXT_BYTES)
        return RC_LIMIT;
    size_t most = text.n < ENGINE_TOKENS ? text.n + 1 : ENGINE_TOKENS;
    *out = (tokens_t){.v = ARENA_ARRAY(a, most, token_t)};
    if (!out->v)
        return RC_MEMORY;
    scan_t s = {.arena = a, .text = text, .out = out};
    while (s.at < text.n) {
        if (out->n == most)
            return RC_LIMIT;
        TRY(scan_one(&s));
    }
    return RC_OK;
}
