#include "engine.h"

#include "engine_run.h"

#include <math.h>

enum { SENTENCE_TOKENS = 16 };

/* Neutral sentences say little about a text that has others; the first one is its headline. */
static const double LEAST_PART = 0.25;
static const double FIRST_PART = 2;

static const double THRESHOLD = 0.15;

/* --- units --- */

size_t engine_units(const tokens_t *t, unit_t *out)
{
    size_t n = 0, from = 0;
    for (size_t i = 0; i < t->n; i++) {
        bool last = i + 1 == t->n, full = i + 1 - from == UNIT_TOKENS;
        bool ends = !last && t->v[i + 1].sentence != t->v[i].sentence &&
                    i + 1 - from >= SENTENCE_TOKENS && t->n > UNIT_TOKENS;
        if (!last && !full && !ends)
            continue;
        out[n++] = (unit_t){from, i + 1};
        from = i + 1;
    }
    return n;
}

/* The places of the target that lie within a unit; *next goes on behind them. */
static places_t places_in(const places_t *all, unit_t u, size_t *next)
{
    size_t first = *next;
    if (all->n == 0)
        return (places_t){0};
    while (first < all->n && all->v[first].from < u.from)
        first++;
    size_t end = first;
    while (end < all->n && all->v[end].to < u.to)
        end++;
    *next = end;
    return (places_t){all->v + first, end - first};
}

static verdict_t judge(run_t *r, unit_t u, places_t target)
{
    verdict_t v = {.unit = u, .target = target.n > 0};
    features_of(&r->features, u, target);
    model_sums_t sums = model_sums(r->model, &r->features, r->pulls);
    v.said = model_judge(r->model, &sums, r->features.n, v.target);
    v.weight = LEAST_PART + 1 - v.said.probability[CLASS_NEUTRAL];
    if (u.from == 0)
        v.weight *= FIRST_PART;
    return v;
}

/* --- the answer --- */

static sentiment_class_t most_probable(const double p[CLASSES])
{
    sentiment_class_t best = CLASS_NEUTRAL;
    if (p[CLASS_NEGATIVE] > p[best])
        best = CLASS_NEGATIVE;
    return p[CLASS_POSITIVE] > p[best] ? CLASS_POSITIVE : best;
}

/* From the neutral band outwards by the lead over the next class, so that a score, its label and
 * the class always agree. */
static double score_of(const double p[CLASSES], sentiment_class_t c)
{
    double bad = p[CLASS_NEGATIVE], good = p[CLASS_POSITIVE], calm = p[CLASS_NEUTRAL];
    if (c == CLASS_NEUTRAL)
        return THRESHOLD * 0.999 * (good - bad) / calm;
    double own = c == CLASS_POSITIVE ? good : bad, other = c == CLASS_POSITIVE ? bad : good;
    double lead = own - (other > calm ? other : calm);
    double score = THRESHOLD + (1 - THRESHOLD) * lead;
    return c == CLASS_POSITIVE ? score : -score;
}

static void answer(sentiment_t *out)
{
    out->class = most_probable(out->probability);
    out->confidence = out->probability[out->class];
    out->score = score_of(out->probability, out->class);
    out->label = engine_label(out->score);
}

static rc_t list_mentions(arena_t *a, const run_t *r, sentiment_t *out)
{
    mention_t *m = ARENA_ARRAY(a, r->places.n + 1, mention_t);
    if (!m)
        return RC_MEMORY;
    for (size_t i = 0; i < r->places.n; i++) {
        const token_t *t = r->reading.tokens.v;
        m[i] = (mention_t){t[r->places.v[i].from].start, t[r->places.v[i].to].end};
    }
    out->mentions = m;
    out->mention_count = r->places.n;
    return RC_OK;
}

/* Units that do not name the target are left out where one does. */
static rc_t judge_units(arena_t *a, run_t *r, sentiment_t *out)
{
    const tokens_t *t = &r->reading.tokens;
    unit_t *units = ARENA_ARRAY(a, t->n + 1, unit_t);
    if (!units)
        return RC_MEMORY;
    size_t n = engine_units(t, units), next = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        places_t target = places_in(&r->places, units[i], &next);
        if (r->places.n > 0 && target.n == 0)
            continue;
        verdict_t v = judge(r, units[i], target);
        for (int c = 0; c < CLASSES; c++)
            out->probability[c] += v.said.probability[c] * v.weight;
        sum += v.weight;
        evidence_note(r, &v);
    }
    for (int c = 0; c < CLASSES && sum > 0; c++)
        out->probability[c] /= sum;
    return RC_OK;
}

/* A name that only stands across the end of a unit is as good as none. */
static rc_t judge_all(arena_t *a, run_t *r, sentiment_t *out)
{
    TRY(judge_units(a, r, out));
    bool nothing = out->probability[CLASS_NEUTRAL] == 0;
    if (!nothing || r->places.n == 0)
        return RC_OK;
    r->places.n = 0;
    return judge_units(a, r, out);
}

static rc_t open_text(arena_t *a, str_t text, str_list_t names, run_t *r)
{
    tokens_t tokens;
    TRY(engine_tokenize(a, text, &tokens));
    TRY(reading_open(a, tokens, &r->reading));
    rules_run(&r->reading);
    TRY(reading_weigh(a, &r->reading));
    TRY(features_open(a, &r->reading, &r->features));
    r->token_weights = ARENA_ARRAY(a, tokens.n + 1, double);
    r->pulls = ARENA_ARRAY(a, r->features.cap, model_pull_t);
    if (!r->token_weights || !r->pulls)
        return RC_MEMORY;
    if (names.n > 0)
        TRY(target_find(a, &r->reading.tokens, names, &r->places));
    return RC_OK;
}

rc_t engine_run(const model_t *m, arena_t *a, str_t text, str_list_t names, sentiment_t *out)
{
    run_t r = {.model = m};
    *out = (sentiment_t){.label = SENTIMENT_NEUTRAL};
    TRY(open_text(a, text, names, &r));
    TRY(judge_all(a, &r, out));
    if (out->probability[CLASS_NEUTRAL] == 0)
        out->probability[CLASS_NEUTRAL] = 1; /* there was nothing to read */
    answer(out);
    out->rules = reading_score(&r.reading, 0, r.reading.tokens.n);
    TRY(list_mentions(a, &r, out));
    return evidence_list(a, &r, out);
}

rc_t engine_analyze(arena_t *a, str_t text, sentiment_t *out)
{
    model_t m = model_builtin();
    return engine_run(&m, a, text, (str_list_t){0}, out);
}

rc_t engine_analyze_target(arena_t *a, str_t text, str_list_t names, sentiment_t *out)
{
    model_t m = model_builtin();
    return engine_run(&m, a, text, names, out);
}

/* --- names --- */

sentiment_label_t engine_label(double score)
{
    if (score <= -0.35)
        return SENTIMENT_BEARISH;
    if (score <= -THRESHOLD)
        return SENTIMENT_SOMEWHAT_BEARISH;
    if (score < THRESHOLD)
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

str_t engine_class_name(sentiment_class_t c)
{
    static const str_t NAMES[CLASSES] = {STR_INIT("negative"), STR_INIT("neutral"),
                                         STR_INIT("positive")};
    return NAMES[c];
}
