#include "trial.h"

#include <stdlib.h>

static const double HEATS[] = {0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2};
enum { HEAT_COUNT = sizeof HEATS / sizeof *HEATS };

const char *trial_set_name(set_t set)
{
    static const char *const NAMES[SETS] = {"SEntFiN headlines", "Twitter financial news",
                                            "SEntFiN, each entity", "SEntFiN, entities disagree"};
    return NAMES[set];
}

static sentiment_class_t class_of(double sum)
{
    return sum > 0 ? CLASS_POSITIVE : sum < 0 ? CLASS_NEGATIVE : CLASS_NEUTRAL;
}

static sentiment_class_t class_of_rules(double score)
{
    sentiment_label_t l = engine_label(score);
    return class_of(l == SENTIMENT_NEUTRAL ? 0 : score);
}

static double word_sign(const lexicon_word_t *w)
{
    if (!w)
        return 0;
    if (w->role == WORD_TONE)
        return w->weight > 0 ? 1 : -1;
    if (w->role == WORD_UP || w->role == WORD_RAISE)
        return 1;
    return w->role == WORD_DOWN || w->role == WORD_CUT ? -1 : 0;
}

static rc_t class_by_lexicon(arena_t *a, str_t text, sentiment_class_t *out)
{
    tokens_t t;
    double sum = 0;
    TRY(engine_tokenize(a, text, &t));
    for (size_t i = 0; i < t.n; i++) {
        if (t.v[i].kind == TOKEN_WORD)
            sum += word_sign(lexicon_find(t.v[i].word));
    }
    *out = class_of(sum);
    return RC_OK;
}

static set_t set_of(const example_t *e)
{
    if (e->corpus == CORPUS_TWITTER)
        return SET_TWEETS;
    return str_is_set(e->entity) ? SET_DECISIONS : SET_HEADLINES;
}

static void count(trial_t *out, by_t by, const example_t *e, const sentiment_t *s)
{
    figures_add(&out->v[by][set_of(e)], e->label, s);
    if (e->split)
        figures_add(&out->v[by][SET_DISPUTED], e->label, s);
}

static rc_t run_example(const model_t *m, arena_t *a, const example_t *e, bool by_all, trial_t *out)
{
    sentiment_t s, other = {0};
    arena_reset(a);
    str_list_t names = {&e->entity, str_is_set(e->entity) ? 1 : 0};
    TRY(engine_run(m, a, e->text, names, &s));
    count(out, BY_MODEL, e, &s);
    if (!by_all)
        return RC_OK;
    other.class = class_of_rules(s.rules);
    count(out, BY_RULES, e, &other);
    TRY(class_by_lexicon(a, e->text, &other.class));
    count(out, BY_LEXICON, e, &other);
    return RC_OK;
}

rc_t trial_run(const model_t *m, const dataset_t *d, uint32_t fold, bool by_all, trial_t *out)
{
    arena_t *a = arena_new(ENGINE_ARENA_BYTES);
    rc_t rc = a ? RC_OK : RC_MEMORY;
    for (int k = 0; k < CORPUS_DRILLS; k++) {
        const corpus_file_t *c = &d->files[k];
        for (size_t i = 0; rc == RC_OK && i < c->n; i++) {
            if (fold == NO_FOLD || dataset_in_fold(&c->v[i], fold))
                rc = run_example(m, a, &c->v[i], by_all, out);
        }
    }
    arena_free(a);
    return rc;
}

static rc_t learn_folds(const dataset_t *d, packed_t *folds)
{
    for (uint32_t fold = 0; fold < DEV_FOLDS; fold++) {
        learned_t l;
        TRY(learn(d, fold, &l));
        rc_t rc = pack(d, &l, &folds[fold]);
        learned_free(&l);
        TRY(rc);
    }
    return RC_OK;
}

static rc_t run_folds(const dataset_t *d, packed_t *folds, const double heats[2], trials_t *out)
{
    out->cross = out->dev = (trial_t){0};
    for (uint32_t fold = 0; fold < DEV_FOLDS; fold++) {
        pack_heats(&folds[fold], heats[0], heats[1]);
        model_t m = pack_open(&folds[fold]);
        TRY(trial_run(&m, d, fold, true, &out->cross));
        if (fold == DEV_FOLD)
            out->dev = out->cross;
    }
    return RC_OK;
}

static double mean_loss(const figures_t *f)
{
    return f->n > 0 ? f->loss / (double)f->n : 0;
}

/* The heat that costs least over headlines and messages, and the one over decisions, of which the
 * disputed ones count as much as all: they are what a target is asked about for. Texts with and
 * without a target do not touch each other's heat, so both are tried at once. */
static rc_t find_heats(const dataset_t *d, packed_t *folds, trials_t *out)
{
    double least_text = -1, least_target = -1;
    for (int i = 0; i < HEAT_COUNT; i++) {
        TRY(run_folds(d, folds, (double[2]){HEATS[i], HEATS[i]}, out));
        const figures_t *f = out->cross.v[BY_MODEL];
        double text = mean_loss(&f[SET_HEADLINES]) + mean_loss(&f[SET_TWEETS]);
        double target = mean_loss(&f[SET_DECISIONS]) + mean_loss(&f[SET_DISPUTED]);
        if (least_text < 0 || text < least_text) {
            least_text = text;
            out->text_heat = HEATS[i];
        }
        if (least_target < 0 || target < least_target) {
            least_target = target;
            out->target_heat = HEATS[i];
        }
    }
    return RC_OK;
}

static rc_t cross(const dataset_t *d, packed_t *folds, trials_t *out)
{
    TRY(learn_folds(d, folds));
    TRY(find_heats(d, folds, out));
    return run_folds(d, folds, (double[2]){out->text_heat, out->target_heat}, out);
}

rc_t trial_cross(const dataset_t *d, trials_t *out)
{
    *out = (trials_t){0};
    packed_t *folds = calloc(DEV_FOLDS, sizeof *folds);
    rc_t rc = folds ? cross(d, folds, out) : RC_MEMORY;
    free(folds);
    return rc;
}
