/* The engine with a model of the caller's choice, for trainer and tests. */
#ifndef SENTIMENT_ENGINE_RUN_H
#define SENTIMENT_ENGINE_RUN_H

#include "engine_model.h"

/** engine_analyze, or with names engine_analyze_target (n > 0). */
rc_t engine_run(const model_t *m, arena_t *a, str_t text, str_list_t names,
                sentiment_t *out) MUST_USE;
/** Cuts a text into units: one if it is short, else ends of sentences, but not too short ones.
 *  Returns their number; `out` has room for one a token. */
size_t engine_units(const tokens_t *t, unit_t *out);

/** One unit that has been weighed. */
typedef struct {
    unit_t unit;
    bool target;   /* it names the target */
    double weight; /* its part in the answer */
    model_verdict_t said;
} verdict_t;

/** A text while its answer is made; all in one arena. */
typedef struct {
    const model_t *model;
    reading_t reading;
    features_t features;
    model_pull_t *pulls; /* of the features of the last unit */
    places_t places;
    evidence_t *evidence;
    double *token_weights; /* what each token added to the log-odds of good news over bad ones */
} run_t;

/** Adds what the features of the last unit said to the weights of the tokens they stand on. */
void evidence_note(run_t *r, const verdict_t *v);
/** Lists findings and learned words by their weights. RC_MEMORY. */
rc_t evidence_list(arena_t *a, run_t *r, sentiment_t *out) MUST_USE;

#endif
