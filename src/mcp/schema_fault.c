/* Words for what does not fit. All of it is bounded, and names of members come without what could
 * disturb a reader; other bytes of the value never come. */
#include "mcp/schema_check.h"

#include "mcp/schema_pointer.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    AT_BYTES = 1024,
    SENTENCE_BYTES = 2048, /* more than all parts at their longest */
    NAME_BYTES = 64,
    SHOWN_AT_BYTES = 256,
    SHOWN_NUMBER_BYTES = 40,
    SHOWN_PATTERN_BYTES = 200,
    CHOICES = 12,
    WORDS_BYTES = 160,
};

static size_t whole_characters(str_t s, size_t max)
{
    if (s.n <= max)
        return s.n;
    while (max > 0 && (s.p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* C1 controls and the marks that turn the direction of text (U+200E, U+202A to U+202E, U+2066 to
 * U+2069), by their UTF-8. */
static bool is_disturbing(str_t s, size_t i)
{
    uint8_t c = (uint8_t)s.p[i], d = i + 1 < s.n ? (uint8_t)s.p[i + 1] : 0;
    uint8_t e = i + 2 < s.n ? (uint8_t)s.p[i + 2] : 0;
    if (c < 0x20 || c == 0x7f || c == '`')
        return true;
    if (c == 0xc2)
        return d < 0xa0;
    if (c != 0xe2)
        return false;
    return (d == 0x80 && ((e >= 0x8b && e <= 0x8f) || (e >= 0xa8 && e <= 0xae))) ||
           (d == 0x81 && e >= 0xa6 && e <= 0xa9);
}

static void put_text(buf_t *b, str_t s, size_t max)
{
    size_t n = whole_characters(s, max);
    for (size_t i = 0; i < n; i++) {
        if (!is_disturbing(s, i)) {
            buf_char(b, s.p[i]);
            continue;
        }
        buf_char(b, '?');
        while (i + 1 < n && (s.p[i + 1] & 0xc0) == 0x80)
            i++;
    }
    if (n < s.n)
        buf_put(b, STR("..."));
}

/* The way to the frame's value, as far as whole steps fit. A name of a member (propertyNames)
 * stands where its object does. */
static void put_place(buf_t *b, const schema_frame_t *f)
{
    if (!f->up)
        return;
    put_place(b, f->up);
    if (f->value == f->up->value || b->failed != RC_OK)
        return;
    size_t before = b->n;
    bool within = schema_pointer_find(b, f->up->value, f->value);
    if (!within || b->failed == RC_OK)
        return;
    b->n = before;
}

static str_t place(arena_t *a, const schema_frame_t *f)
{
    char bytes[AT_BYTES];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    put_place(&b, f);
    return arena_dup(a, b.n > 0 ? str_of(bytes, b.n) : STR(""));
}

static bool is_of_kind(schema_keyword_id_t id)
{
    switch (id) {
    case SCHEMA_TYPE:
    case SCHEMA_ENUM:
    case SCHEMA_CONST:
    case SCHEMA_ANY_OF:
    case SCHEMA_ONE_OF:
        return true;
    default:
        return false;
    }
}

/* Whether words are wanted; the verdict is noted in any case. */
static bool begin(schema_checker_t *c, const schema_frame_t *f, const schema_rule_t *rule,
                  bool *fits)
{
    *fits = false;
    c->fault_place = f->place;
    c->fault_of_kind = rule && is_of_kind(rule->id);
    return c->quiet == 0;
}

/* "`/a` " and room for the rest. */
static rc_t begin_sentence(schema_checker_t *c, const schema_frame_t *f, const schema_rule_t *rule,
                           buf_t *b)
{
    c->fault->at = place(c->a, f);
    c->fault->keyword = rule ? SCHEMA_KEYWORD[rule->id].name : STR("false");
    if (!c->fault->at.p)
        return RC_MEMORY;
    *b = buf_new(c->a, SENTENCE_BYTES);
    if (c->fault->at.n == 0) {
        buf_put(b, STR("The value "));
        return RC_OK;
    }
    buf_char(b, '`');
    put_text(b, c->fault->at, SHOWN_AT_BYTES);
    buf_put(b, STR("` "));
    return RC_OK;
}

static rc_t end_sentence(schema_checker_t *c, buf_t *b)
{
    buf_char(b, '.');
    return buf_done(b, &c->fault->sentence);
}

/* Words for types, in the order of their bits. */
static const struct {
    unsigned types;
    str_t words;
} TYPE_WORDS[] = {
    {TYPE_OBJECT, STR_INIT("an object")},   {TYPE_ARRAY, STR_INIT("a list")},
    {TYPE_STRING, STR_INIT("a string")},    {TYPE_NUMBER, STR_INIT("a number")},
    {TYPE_INTEGER, STR_INIT("an integer")}, {TYPE_BOOLEAN, STR_INIT("true or false")},
    {TYPE_NULL, STR_INIT("null")},
};

static void put_types(buf_t *b, unsigned types)
{
    size_t said = 0;
    for (size_t i = 0; i < sizeof TYPE_WORDS / sizeof *TYPE_WORDS; i++) {
        if (!(types & TYPE_WORDS[i].types))
            continue;
        if (said++ > 0)
            buf_put(b, STR(" or "));
        buf_put(b, TYPE_WORDS[i].words);
    }
}

static void put_type_fault(buf_t *b, const schema_frame_t *f)
{
    buf_put(b, STR("must be "));
    put_types(b, f->rule->types);
    buf_put(b, STR(", not "));
    bool fraction = f->value->type == JSON_NUMBER && (f->rule->types & TYPE_INTEGER);
    if (fraction)
        buf_put(b, STR("a fraction"));
    else
        put_types(b, 1u << f->value->type);
}

/* What stands before and behind the value of a keyword. */
static const struct {
    schema_keyword_id_t id;
    const char *before, *behind;
    size_t max;
} LIMIT_WORDS[] = {
    {SCHEMA_MINIMUM, "must be at least ", "", SHOWN_NUMBER_BYTES},
    {SCHEMA_EXCLUSIVE_MINIMUM, "must be above ", "", SHOWN_NUMBER_BYTES},
    {SCHEMA_MAXIMUM, "must be at most ", "", SHOWN_NUMBER_BYTES},
    {SCHEMA_EXCLUSIVE_MAXIMUM, "must be below ", "", SHOWN_NUMBER_BYTES},
    {SCHEMA_MULTIPLE_OF, "must be a multiple of ", "", SHOWN_NUMBER_BYTES},
    {SCHEMA_MIN_LENGTH, "must have at least ", " characters", SHOWN_NUMBER_BYTES},
    {SCHEMA_MAX_LENGTH, "must have at most ", " characters", SHOWN_NUMBER_BYTES},
    {SCHEMA_MIN_ITEMS, "must have at least ", " elements", SHOWN_NUMBER_BYTES},
    {SCHEMA_MAX_ITEMS, "must have at most ", " elements", SHOWN_NUMBER_BYTES},
    {SCHEMA_MIN_PROPERTIES, "must have at least ", " members", SHOWN_NUMBER_BYTES},
    {SCHEMA_MAX_PROPERTIES, "must have at most ", " members", SHOWN_NUMBER_BYTES},
    {SCHEMA_FORMAT, "must have the format ", "", NAME_BYTES},
    {SCHEMA_PATTERN, "must match the pattern ", "", SHOWN_PATTERN_BYTES},
};

static void put_words(buf_t *b, const schema_frame_t *f)
{
    if (f->rule->id == SCHEMA_TYPE) {
        put_type_fault(b, f);
        return;
    }
    if (f->rule->id == SCHEMA_UNIQUE_ITEMS) {
        buf_put(b, STR("must have no two equal elements"));
        return;
    }
    for (size_t i = 0; i < sizeof LIMIT_WORDS / sizeof *LIMIT_WORDS; i++) {
        if (LIMIT_WORDS[i].id != f->rule->id)
            continue;
        const json_t *v = f->rule->value;
        buf_put(b, str_c(LIMIT_WORDS[i].before));
        put_text(b, v->type == JSON_STRING ? v->str : v->raw, LIMIT_WORDS[i].max);
        buf_put(b, str_c(LIMIT_WORDS[i].behind));
    }
}

rc_t schema_fault(schema_checker_t *c, const schema_frame_t *f, bool *fits, const char *fmt, ...)
{
    buf_t b;
    if (!begin(c, f, f->rule, fits))
        return RC_OK;
    TRY(begin_sentence(c, f, f->rule, &b));
    if (fmt) {
        char words[WORDS_BYTES];
        va_list args;
        va_start(args, fmt);
        vsnprintf(words, sizeof words, fmt, args);
        va_end(args);
        buf_put(&b, str_c(words));
    } else {
        put_words(&b, f);
    }
    return end_sentence(c, &b);
}

rc_t schema_fault_missing(schema_checker_t *c, const schema_frame_t *f, bool *fits, str_t name,
                          str_t because)
{
    buf_t b;
    if (!begin(c, f, f->rule, fits))
        return RC_OK;
    TRY(begin_sentence(c, f, f->rule, &b));
    buf_put(&b, STR("must have the member `"));
    put_text(&b, name, NAME_BYTES);
    buf_char(&b, '`');
    if (because.p) {
        buf_put(&b, STR(", as it has `"));
        put_text(&b, because, NAME_BYTES);
        buf_char(&b, '`');
    }
    return end_sentence(c, &b);
}

static void put_choice(buf_t *b, const json_t *v, size_t i)
{
    if (i > 0 && i < CHOICES)
        buf_put(b, STR(", "));
    if (i < CHOICES)
        put_text(b, v->raw, NAME_BYTES);
}

static void put_more(buf_t *b, size_t n)
{
    if (n > CHOICES)
        buf_fmt(b, " or one of %zu more", n - CHOICES);
}

/* The constants of a choice whose branches are nothing else (forms write choices with titles so).
 */
static bool are_constants(const schema_rule_t *rule)
{
    for (size_t i = 0; i < rule->n; i++)
        if (!schema_rule(rule->parts[i].node, SCHEMA_CONST))
            return false;
    return true;
}

static void put_choices(buf_t *b, const schema_rule_t *rule)
{
    size_t n = 0;
    if (rule->id == SCHEMA_CONST || rule->value->count == 1 ||
        (rule->n > 0 && !are_constants(rule))) {
        buf_put(b, rule->n > 0 ? STR("must fit ") : STR("must be "));
    } else {
        buf_put(b, STR("must be one of "));
    }
    if (rule->id == SCHEMA_CONST) {
        put_choice(b, rule->value, n++);
    } else if (rule->id == SCHEMA_ENUM) {
        for (const json_t *v = rule->value->child; v; v = v->next)
            put_choice(b, v, n++);
    } else if (are_constants(rule)) {
        for (; n < rule->n; n++)
            put_choice(b, schema_rule(rule->parts[n].node, SCHEMA_CONST)->value, n);
    } else {
        buf_fmt(b, "one of %zu forms, and fits none", rule->n);
    }
    put_more(b, n);
}

rc_t schema_fault_choice(schema_checker_t *c, const schema_frame_t *f, bool *fits)
{
    buf_t b;
    if (!begin(c, f, f->rule, fits))
        return RC_OK;
    TRY(begin_sentence(c, f, f->rule, &b));
    put_choices(&b, f->rule);
    return end_sentence(c, &b);
}

static void put_known(buf_t *b, const schema_node_t *node)
{
    const schema_rule_t *known = schema_rule(node, SCHEMA_PROPERTIES);
    buf_put(b, STR("is not known"));
    for (size_t i = 0; known && i < known->n && i < CHOICES; i++) {
        buf_put(b, i == 0 ? STR("; there may be ") : STR(", "));
        put_text(b, known->parts[i].key, NAME_BYTES);
    }
    put_more(b, known ? known->n : 0);
}

static void put_refused(buf_t *b, const schema_frame_t *f)
{
    schema_keyword_id_t by = f->up && f->up->rule ? f->up->rule->id : SCHEMA_KEYWORDS;
    switch (by) {
    case SCHEMA_ADDITIONAL_PROPERTIES:
    case SCHEMA_UNEVALUATED_PROPERTIES:
        put_known(b, f->up->node);
        return;
    case SCHEMA_ITEMS:
    case SCHEMA_ITEMS_07:
    case SCHEMA_ADDITIONAL_ITEMS:
    case SCHEMA_UNEVALUATED_ITEMS:
        buf_put(b, STR("is one element too many"));
        return;
    default:
        buf_put(b, STR("must not be there"));
    }
}

rc_t schema_fault_refused(schema_checker_t *c, const schema_frame_t *f, bool *fits)
{
    const schema_rule_t *rule = f->up ? f->up->rule : NULL;
    buf_t b;
    if (!begin(c, f, rule, fits))
        return RC_OK;
    TRY(begin_sentence(c, f, rule, &b));
    put_refused(&b, f);
    return end_sentence(c, &b);
}
