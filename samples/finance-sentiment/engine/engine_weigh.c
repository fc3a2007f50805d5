#include "engine_weigh.h"

#include <math.h>
#include <stdlib.h>

enum { NOT_REACH = 3, HEDGE_REACH = 4, SCALE_REACH = 2, DESPITE_REACH = 12 };

static const double BEFORE_BUT = 0.6;
static const double AFTER_BUT = 1.2;
static const double OFF_TOPIC = 0.3;
static const double QUESTION = 0.5;

/* The factor of the nearest word of `role` at most `reach` tokens before i, in its piece. */
static double factor_before(const reading_t *r, size_t i, size_t reach, word_role_t role)
{
    const token_t *t = r->tokens.v;
    for (size_t k = i; k-- > 0 && i - k <= reach && t[k].piece == t[i].piece;) {
        if (reading_is(r, k, role) && (!r->used[k] || role != WORD_SCALE))
            return r->words[k]->weight;
    }
    return 1;
}

/* "did not fall" stands between metric and direction, "no profit growth" before both. */
static double factor_on(const reading_t *r, const finding_t *f, size_t reach, word_role_t role)
{
    double near = factor_before(r, f->anchor, reach, role);
    return near != 1 ? near : factor_before(r, f->from, reach, role);
}

static double factor_around(const reading_t *r, const finding_t *f)
{
    double before = factor_before(r, f->anchor, SCALE_REACH, WORD_SCALE);
    if (before != 1)
        return before;
    for (size_t k = f->to + 1; k <= f->to + SCALE_REACH; k++) {
        if (reading_is(r, k, WORD_SCALE) && !r->used[k])
            return r->words[k]->weight;
    }
    return 1;
}

/* What stands behind "despite" up to the next comma counts for little. */
static double factor_despite(const reading_t *r, size_t i)
{
    return factor_before(r, i, DESPITE_REACH, WORD_DESPITE);
}

/* What all findings of a sentence share, gathered in one pass: the cost of a text must stay in
 * proportion to its length, whatever a stranger writes. */
typedef struct {
    size_t but;    /* the first "but" that is not the first token, or NOWHERE */
    size_t topics; /* tokens that speak of money */
    bool question;
} clause_t;

enum { NOWHERE = ENGINE_TOKENS };

static bool is_topic(const reading_t *r, size_t i)
{
    const token_t *t = &r->tokens.v[i];
    return t->kind == TOKEN_TICKER || reading_is(r, i, WORD_METRIC) ||
           (t->kind == TOKEN_NUMBER && t->unit != UNIT_YEAR);
}

static clause_t *clauses(arena_t *a, const reading_t *r)
{
    const tokens_t *t = &r->tokens;
    clause_t *v = ARENA_ARRAY(a, t->n > 0 ? t->v[t->n - 1].sentence + 1 : 1, clause_t);
    for (size_t i = 0; v && i < t->n; i++) {
        clause_t *c = &v[t->v[i].sentence];
        bool first = i == 0 || t->v[i - 1].sentence != t->v[i].sentence;
        if (first)
            c->but = NOWHERE;
        if (i > 0 && c->but == NOWHERE && reading_is(r, i, WORD_BUT))
            c->but = i;
        c->topics += is_topic(r, i);
        c->question |= t->v[i].punct == '?';
    }
    return v;
}

static double factor_but(const clause_t *c, size_t i)
{
    if (c->but == NOWHERE)
        return 1;
    return c->but > i ? BEFORE_BUT : AFTER_BUT;
}

/* Words of tone only speak of money where money is spoken of. */
static double factor_topic(const reading_t *r, const clause_t *c, const finding_t *f)
{
    if (!str_eq(f->rule, STR("word")) && !str_eq(f->rule, STR("direction")))
        return 1;
    return c->topics > (is_topic(r, f->anchor) ? 1U : 0U) ? 1 : OFF_TOPIC;
}

static double weigh(const reading_t *r, const clause_t *all, const finding_t *f)
{
    const clause_t *c = &all[r->tokens.v[f->anchor].sentence];
    size_t first = f->from;
    double w = f->weight;
    w *= factor_on(r, f, NOT_REACH, WORD_NOT);
    w *= factor_on(r, f, HEDGE_REACH, WORD_HEDGE);
    w *= factor_around(r, f);
    w *= factor_despite(r, first);
    w *= factor_but(c, first);
    w *= factor_topic(r, c, f);
    return w * (c->question ? QUESTION : 1);
}

/* A long text is not better news for being long: the sum is damped by the sentences that speak. */
double reading_score(const reading_t *r, size_t from, size_t to)
{
    double sum = 0, sentences = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < r->found_count; i++) {
        const finding_t *f = &r->found[i];
        if (f->anchor < from || f->anchor >= to)
            continue;
        uint32_t s = r->tokens.v[f->anchor].sentence;
        sum += f->weight;
        sentences += s != last && f->weight != 0;
        last = s;
    }
    if (sentences > 1)
        sum /= sqrt(sentences);
    return sum / sqrt(1 + sum * sum);
}

static int by_anchor(const void *a, const void *b)
{
    const finding_t *x = a, *y = b;
    return x->anchor < y->anchor ? -1 : x->anchor > y->anchor;
}

rc_t reading_weigh(arena_t *a, reading_t *r)
{
    const clause_t *all = clauses(a, r);
    if (!all)
        return RC_MEMORY;
    qsort(r->found, r->found_count, sizeof *r->found, by_anchor);
    for (size_t i = 0; i < r->found_count; i++)
        r->found[i].weight = weigh(r, all, &r->found[i]);
    return RC_OK;
}
