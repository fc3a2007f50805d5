#include "engine.h"

#include "engine_rules.h"

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

static int by_place(const void *a, const void *b)
{
    const evidence_t *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* A long text is not better news for being long: the sum is damped by the sentences that speak. */
static double total(const reading_t *r, const double *weights)
{
    double sum = 0, sentences = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < r->found_count; i++) {
        sum += weights[i];
        uint32_t s = r->tokens.v[r->found[i].anchor].sentence;
        sentences += s != last && weights[i] != 0;
        last = s;
    }
    return sentences > 1 ? sum / sqrt(sentences) : sum;
}

static int by_anchor(const void *a, const void *b)
{
    const finding_t *x = a, *y = b;
    return x->anchor < y->anchor ? -1 : x->anchor > y->anchor;
}

static rc_t collect(arena_t *a, reading_t *r, sentiment_t *out)
{
    size_t n = r->found_count;
    evidence_t *e = ARENA_ARRAY(a, n + 1, evidence_t);
    double *weights = ARENA_ARRAY(a, n + 1, double);
    const clause_t *all = clauses(a, r);
    if (!e || !weights || !all)
        return RC_MEMORY;
    qsort(r->found, n, sizeof *r->found, by_anchor);
    for (size_t i = 0; i < n; i++) {
        const finding_t *f = &r->found[i];
        weights[i] = weigh(r, all, f);
        if (weights[i] == 0 || out->evidence_count == ENGINE_EVIDENCE)
            continue;
        e[out->evidence_count++] =
            (evidence_t){r->tokens.v[f->from].start, r->tokens.v[f->to].end, weights[i], f->rule};
    }
    qsort(e, out->evidence_count, sizeof *e, by_place);
    out->evidence = e;
    double sum = total(r, weights);
    out->score = sum / sqrt(1 + sum * sum);
    return RC_OK;
}

/* Without a model: the score says how sure the class is. */
static void classify(sentiment_t *out)
{
    double s = out->score, calm = 1 - fabs(s);
    out->rules = s;
    out->probability[CLASS_NEUTRAL] = calm * 0.8;
    out->probability[CLASS_POSITIVE] = calm * 0.1 + (s > 0 ? s : 0);
    out->probability[CLASS_NEGATIVE] = calm * 0.1 + (s < 0 ? -s : 0);
    out->class = out->label == SENTIMENT_NEUTRAL  ? CLASS_NEUTRAL
                 : out->label > SENTIMENT_NEUTRAL ? CLASS_POSITIVE
                                                  : CLASS_NEGATIVE;
    out->confidence = out->probability[out->class];
}

rc_t engine_analyze(arena_t *a, str_t text, sentiment_t *out)
{
    *out = (sentiment_t){.label = SENTIMENT_NEUTRAL};
    tokens_t tokens;
    reading_t r;
    TRY(engine_tokenize(a, text, &tokens));
    TRY(reading_open(a, tokens, &r));
    rules_run(&r);
    TRY(collect(a, &r, out));
    out->label = engine_label(out->score);
    classify(out);
    return RC_OK;
}

rc_t engine_analyze_target(arena_t *a, str_t text, str_list_t names, sentiment_t *out)
{
    (void)names;
    return engine_analyze(a, text, out);
}

str_t engine_card(void)
{
    return STR("{\"version\":0}");
}

str_t engine_class_name(sentiment_class_t c)
{
    static const str_t NAMES[CLASSES] = {STR_INIT("negative"), STR_INIT("neutral"),
                                         STR_INIT("positive")};
    return NAMES[c];
}

sentiment_label_t engine_label(double score)
{
    if (score <= -0.35)
        return SENTIMENT_BEARISH;
    if (score <= -0.15)
        return SENTIMENT_SOMEWHAT_BEARISH;
    if (score < 0.15)
        return SENTIMENT_NEUTRAL;
    return score < 0.35 ? SENTIMENT_SOMEWHAT_BULLISH : SENTIMENT_BULLISH;
}

str_t engine_label_name(sentiment_label_t label)
{
    static const str_t NAMES[] = {
        STR_INIT("Bearish"),          STR_INIT("Somewhat-Bearish"), STR_INIT("Neutral"),
        STR_INIT("Somewhat-Bullish"), STR_INIT("Bullish"),
    };
    return NAMES[label];
}
