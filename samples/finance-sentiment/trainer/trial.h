/* Trials: a model's answers to what it has not learned from, beside simpler ones. */
#ifndef SENTIMENT_TRIAL_H
#define SENTIMENT_TRIAL_H

#include "figures.h"
#include "pack.h"

/** What is measured apart. Headlines are those whose entities agree; decisions are those about one
 *  entity each, disputed ones those in headlines whose entities do not agree. */
typedef enum { SET_HEADLINES, SET_TWEETS, SET_DECISIONS, SET_DISPUTED, SETS } set_t;

typedef enum {
    BY_MODEL,
    BY_RULES,   /* the rules alone, which see no target */
    BY_LEXICON, /* good words less bad words of the lexicon */
    BYS
} by_t;

typedef struct {
    figures_t v[BYS][SETS];
} trial_t;

/** Lets the model answer all examples of a fold, or all there are (NO_FOLD), and adds the figures
 * to `out`. `by_all`: lets rules and lexicon answer, too. RC_MEMORY. */
rc_t trial_run(const model_t *m, const dataset_t *d, uint32_t fold, bool by_all,
               trial_t *out) MUST_USE;

typedef struct {
    double text_heat, target_heat;
    trial_t dev, cross; /* one fold, which is DEV_FOLD, and all folds in turn */
} trials_t;

/** Five times learns from four fifths and answers the fifth; the heats are those that make the five
 *  together least wrong. RC_MEMORY. */
rc_t trial_cross(const dataset_t *d, trials_t *out) MUST_USE;

/** "SEntFiN headlines", ...; static. */
const char *trial_set_name(set_t set);

#endif
