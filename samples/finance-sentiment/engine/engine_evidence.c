#include "engine_run.h"

/* What moves the log-odds by less is not worth a line. */
static const double LEAST_WEIGHT = 0.1;

/* Features of a whole unit stand on no word. The score of the rules belongs to what they found, in
 * proportion. */
static void note_score(run_t *r, unit_t u, double weight)
{
    size_t first, end = features_findings(&r->reading, u, &first);
    double all = 0;
    for (size_t i = first; i < end; i++)
        all += r->reading.found[i].weight < 0 ? -r->reading.found[i].weight
                                              : r->reading.found[i].weight;
    for (size_t i = first; all > 0 && i < end; i++) {
        const finding_t *x = &r->reading.found[i];
        double part = (x->weight < 0 ? -x->weight : x->weight) / all;
        r->token_weights[x->anchor] += weight * part;
    }
}

void evidence_note(run_t *r, const verdict_t *v)
{
    static const model_pull_t NOTHING;
    const features_t *f = &r->features;
    double step = model_step(r->model, f->n, v->target);
    for (size_t i = 0; i < f->n; i++) {
        const feature_t *x = &f->v[i];
        if (x->family == FAMILY_SHAPE && x->from != x->to)
            continue;
        if (memcmp(&r->pulls[i], &NOTHING, sizeof NOTHING) == 0)
            continue;
        double w = step * model_steps(&r->pulls[i], v->target, v->said.message);
        if (x->family == FAMILY_SCORE) {
            note_score(r, v->unit, w);
            continue;
        }
        r->token_weights[x->from] += w / 2;
        r->token_weights[x->to] += w / 2;
    }
}

static bool worth_it(double w)
{
    return w >= LEAST_WEIGHT || w <= -LEAST_WEIGHT;
}

static void list(const run_t *r, size_t from, size_t to, str_t rule, sentiment_t *out)
{
    const token_t *t = r->reading.tokens.v;
    double w = 0;
    for (size_t i = from; i <= to; i++)
        w += r->token_weights[i];
    if (worth_it(w) && out->evidence_count < ENGINE_EVIDENCE)
        r->evidence[out->evidence_count++] = (evidence_t){t[from].start, t[to].end, w, rule};
}

/* The finding each token belongs to. Some share a metric: the first one has it. */
static const finding_t **by_token(arena_t *a, const run_t *r)
{
    size_t n = r->reading.tokens.n;
    const finding_t **owner = ARENA_ARRAY(a, n + 1, const finding_t *);
    for (size_t k = 0; owner && k < r->reading.found_count; k++) {
        const finding_t *x = &r->reading.found[k];
        for (size_t i = x->from; i <= x->to; i++)
            owner[i] = owner[i] ? owner[i] : x;
    }
    return owner;
}

rc_t evidence_list(arena_t *a, run_t *r, sentiment_t *out)
{
    size_t n = r->reading.tokens.n;
    const finding_t **owner = by_token(a, r);
    r->evidence = ARENA_ARRAY(a, (n < ENGINE_EVIDENCE ? n : ENGINE_EVIDENCE) + 1, evidence_t);
    if (!owner || !r->evidence)
        return RC_MEMORY;
    out->evidence = r->evidence;
    for (size_t i = 0, to; i < n; i = to + 1) {
        to = i;
        while (owner[i] && to + 1 < n && owner[to + 1] == owner[i])
            to++;
        if (r->reading.tokens.v[i].kind != TOKEN_PUNCT || owner[i])
            list(r, i, to, owner[i] ? owner[i]->rule : STR("learned"), out);
    }
    return RC_OK;
}
