#include "engine_features.h"

#include <math.h>

enum {
    PREFIX_LEAST = 4, /* letters of a word's beginning that say what it is about */
    PREFIX_MOST = 6,
    SUFFIX = 3,
    ROLE_REACH = 4,
    WORD_BYTES_MOST = 64, /* what is behind them tells no word from another */
};

/* Identities of what is no word. */
enum { ID_NONE, ID_TICKER = 7, ID_QUARTER, ID_TARGET, ID_NUMBER = 16, ROLE_NUMBER = 62 };

/* What tells the kinds of features apart; variants of a kind lie VARIANT apart. */
enum {
    KIND_WORD = 1,
    KIND_NUMBER,
    KIND_PAIR,
    KIND_SKIP,
    KIND_TRIPLE,
    KIND_PREFIX,
    KIND_SUFFIX,
    KIND_ROLE,
    KIND_ROLES,
    KIND_WORD_ROLE,
    KIND_RULE,
    KIND_RULE_WORD,
    KIND_SCORE,
    KIND_QUESTION,
    KIND_NUMBERS,
    KIND_LENGTH,
    KIND_PIECES,
    KIND_LINKS,
    KIND_TAGS,
    KIND_FIRST,
    KIND_LAST,
    VARIANT = 64
};

uint32_t features_mix(uint32_t a, uint32_t b)
{
    a = (a ^ b) * 0x85ebca6bU;
    a ^= a >> 13;
    a = (a + b) * 0xc2b2ae35U;
    return a ^ (a >> 16);
}

static uint32_t mix3(uint32_t a, uint32_t b, uint32_t c)
{
    return features_mix(features_mix(a, b), c);
}

static uint32_t hash_bytes(uint32_t h, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 16777619U;
    return h;
}

static bool is_quarter(str_t w)
{
    return w.n == 2 && w.p[0] == 'q' && w.p[1] >= '1' && w.p[1] <= '4';
}

static uint32_t identity(const token_t *t)
{
    if (t->kind == TOKEN_PUNCT)
        return ID_NONE;
    if (t->kind == TOKEN_TICKER)
        return ID_TICKER;
    if (t->kind == TOKEN_NUMBER)
        return ID_NUMBER + (uint32_t)t->unit * 4 + (t->is_signed ? (t->value < 0 ? 2 : 1) : 0);
    if (is_quarter(t->word))
        return ID_QUARTER;
    str_t w = str_ends(t->word, STR("'s")) ? str_first(t->word, t->word.n - 2) : t->word;
    return hash_bytes(0x811c9dc5U, str_first(w, WORD_BYTES_MOST));
}

rc_t features_open(arena_t *a, const reading_t *r, features_t *out)
{
    size_t n = r->tokens.n;
    *out = (features_t){.reading = r};
    out->cap = ((n < UNIT_TOKENS ? n : UNIT_TOKENS) + 1) * TOKEN_FEATURES;
    out->ids = ARENA_ARRAY(a, n + 1, uint32_t);
    out->hidden = ARENA_ARRAY(a, n + 1, bool);
    out->v = ARENA_ARRAY(a, out->cap, feature_t);
    if (!out->ids || !out->hidden || !out->v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        out->ids[i] = identity(&r->tokens.v[i]);
    return RC_OK;
}

void features_add(features_t *f, family_t family, uint32_t hash, size_t from, size_t to)
{
    if (f->n < f->cap)
        f->v[f->n++] = (feature_t){hash, (uint16_t)from, (uint16_t)to, (uint8_t)family};
}

static uint32_t at_most(size_t n, uint32_t most)
{
    return n < most ? (uint32_t)n : most;
}

/* What the word of token i counts as here: the target is any target. */
static uint32_t id_of(const features_t *f, size_t i)
{
    return f->hidden[i] && f->ids[i] != ID_NONE ? ID_TARGET : f->ids[i];
}

/* --- words --- */

static uint32_t magnitude(double v)
{
    static const double STEPS[] = {1, 3, 10, 30, 100};
    uint32_t n = 0;
    while (n < sizeof STEPS / sizeof *STEPS && fabs(v) >= STEPS[n])
        n++;
    return n;
}

static void add_word(features_t *f, size_t i)
{
    const token_t *t = &f->reading->tokens.v[i];
    uint32_t id = id_of(f, i);
    features_add(f, FAMILY_WORD, features_mix(KIND_WORD, id), i, i);
    if (t->kind != TOKEN_NUMBER || t->unit == UNIT_YEAR)
        return;
    uint32_t size = magnitude(t->value);
    features_add(f, FAMILY_WORD, features_mix(KIND_NUMBER + size * VARIANT, id), i, i);
}

static void add_chars(features_t *f, size_t i)
{
    const token_t *t = &f->reading->tokens.v[i];
    if (t->kind != TOKEN_WORD || f->hidden[i])
        return;
    for (size_t n = PREFIX_LEAST; n <= PREFIX_MOST && n <= t->word.n; n++) {
        uint32_t h = hash_bytes(KIND_PREFIX, str_first(t->word, n));
        features_add(f, FAMILY_CHARS, features_mix(h, KIND_PREFIX), i, i);
    }
    if (t->word.n < SUFFIX)
        return;
    uint32_t h = hash_bytes(KIND_SUFFIX, str_skip(t->word, t->word.n - SUFFIX));
    features_add(f, FAMILY_CHARS, features_mix(h, KIND_SUFFIX), i, i);
}

/* The next token behind i that is no punctuation, or unit.to. */
static size_t next_word(const features_t *f, unit_t unit, size_t i)
{
    do
        i++;
    while (i < unit.to && f->ids[i] == ID_NONE);
    return i;
}

static void add_pairs(features_t *f, unit_t unit, size_t i)
{
    const token_t *t = f->reading->tokens.v;
    size_t k = next_word(f, unit, i);
    if (k >= unit.to)
        return;
    uint32_t id = id_of(f, i), next = id_of(f, k), apart = t[k].piece != t[i].piece;
    features_add(f, FAMILY_PAIR, mix3(KIND_PAIR + apart * VARIANT, id, next), i, k);
    size_t last = next_word(f, unit, k);
    if (last >= unit.to || t[last].piece != t[i].piece)
        return;
    uint32_t far = id_of(f, last);
    features_add(f, FAMILY_PAIR, mix3(KIND_SKIP, id, far), i, last);
    features_add(f, FAMILY_PAIR, features_mix(mix3(KIND_TRIPLE, id, next), far), i, last);
}

/* --- roles --- */

uint32_t features_role(const reading_t *r, size_t i)
{
    const lexicon_word_t *w = r->words[i];
    if (!w)
        return r->tokens.v[i].kind == TOKEN_NUMBER ? ROLE_NUMBER : 0;
    return 1 + (uint32_t)w->role * 2 + (w->weight < 0);
}

static void add_roles(features_t *f, unit_t unit, size_t i)
{
    const reading_t *r = f->reading;
    const token_t *t = r->tokens.v;
    uint32_t role = features_role(r, i);
    if (role == 0)
        return;
    features_add(f, FAMILY_ROLE, features_mix(KIND_ROLE, role), i, i);
    for (size_t k = i + 1; k < unit.to && k <= i + ROLE_REACH && t[k].piece == t[i].piece; k++) {
        uint32_t other = features_role(r, k);
        if (other == 0)
            continue;
        features_add(f, FAMILY_ROLE, mix3(KIND_ROLES, role, other), i, k);
        features_add(f, FAMILY_ROLE, mix3(KIND_WORD_ROLE, id_of(f, i), other), i, k);
        features_add(f, FAMILY_ROLE, mix3(KIND_WORD_ROLE + VARIANT, role, id_of(f, k)), i, k);
    }
}

/* --- rules --- */

uint32_t features_strength(double weight)
{
    static const double STEPS[] = {0.05, 0.25, 0.5, 0.8};
    uint32_t n = 0;
    while (n < sizeof STEPS / sizeof *STEPS && fabs(weight) >= STEPS[n])
        n++;
    return weight < 0 ? 4 - n : 4 + n;
}

size_t features_findings(const reading_t *r, unit_t unit, size_t *first)
{
    size_t low = 0, high = r->found_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->found[mid].anchor < unit.from)
            low = mid + 1;
        else
            high = mid;
    }
    *first = low;
    while (high < r->found_count && r->found[high].anchor < unit.to)
        high++;
    return high;
}

static void add_rules(features_t *f, unit_t unit)
{
    const reading_t *r = f->reading;
    size_t i, end = features_findings(r, unit, &i);
    for (; i < end; i++) {
        const finding_t *x = &r->found[i];
        uint32_t strength = features_strength(x->weight), good = x->weight > 0;
        uint32_t rule = features_mix(KIND_RULE, hash_bytes(strength, x->rule));
        uint32_t word = features_mix(KIND_RULE_WORD + good * VARIANT, id_of(f, x->anchor));
        features_add(f, FAMILY_RULE, rule, x->anchor, x->anchor);
        features_add(f, FAMILY_RULE, word, x->anchor, x->anchor);
    }
    double score = reading_score(r, unit.from, unit.to);
    uint32_t step = (uint32_t)((score + 1) * 7.99);
    size_t from = unit.from, to = unit.to - 1;
    features_add(f, FAMILY_SCORE, features_mix(KIND_SCORE, step), from, to);
    features_add(f, FAMILY_SCORE, features_mix(KIND_SCORE + VARIANT, features_strength(score)),
                 from, to);
}

/* --- shape --- */

static void add_shape(features_t *f, unit_t unit)
{
    const tokens_t *all = &f->reading->tokens;
    const token_t *t = all->v;
    size_t from = unit.from, to = unit.to - 1, numbers = 0, words = 0, first = to, last = from;
    bool question = false;
    for (size_t i = unit.from; i < unit.to; i++) {
        question |= t[i].punct == '?';
        numbers += t[i].kind == TOKEN_NUMBER;
        if (f->ids[i] == ID_NONE)
            continue;
        first = words++ == 0 ? i : first;
        last = i;
    }
    const uint32_t v[] = {
        features_mix(KIND_QUESTION, question),
        features_mix(KIND_NUMBERS, at_most(numbers, 3)),
        features_mix(KIND_LENGTH, (uint32_t)words / 4),
        features_mix(KIND_PIECES, at_most(t[last].piece - t[first].piece, 4)),
        features_mix(KIND_LINKS, at_most(all->links, 2)),
        features_mix(KIND_TAGS, at_most(all->tags, 3)),
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        features_add(f, FAMILY_SHAPE, v[i], from, to);
    if (words == 0)
        return;
    features_add(f, FAMILY_SHAPE, features_mix(KIND_FIRST, id_of(f, first)), first, first);
    features_add(f, FAMILY_SHAPE, features_mix(KIND_LAST, id_of(f, last)), last, last);
}

static void hide(features_t *f, unit_t unit, const places_t *target)
{
    memset(f->hidden + unit.from, 0, unit.to - unit.from);
    for (size_t k = 0; k < target->n; k++) {
        const place_t *p = &target->v[k];
        for (size_t i = p->from; i <= p->to && i < unit.to; i++)
            f->hidden[i] = true;
    }
}

void features_of(features_t *f, unit_t unit, places_t target)
{
    f->n = 0;
    hide(f, unit, &target);
    add_shape(f, unit);
    add_rules(f, unit);
    for (size_t i = unit.from; i < unit.to; i++) {
        if (f->ids[i] == ID_NONE)
            continue;
        add_word(f, i);
        add_pairs(f, unit, i);
        add_chars(f, i);
        add_roles(f, unit, i);
    }
    if (target.n > 0)
        features_of_target(f, unit, target.v[0]);
}
