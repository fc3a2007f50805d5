/* Multinomial logistic regression by stochastic gradients with a step for each weight (AdaGrad).
 *
 * The outcome is the same on each machine: the order of the examples comes from a generator of our
 * own with a fixed seed, one thread does all steps one after the other, arithmetic is that of IEEE
 * 754 (add, multiply, divide, square root, each rounded once; no contraction, no reassociation),
 * and the exponential is engine_math's, not libm's. */
#ifndef SENTIMENT_LEARN_H
#define SENTIMENT_LEARN_H

#include "dataset.h"

/** The weights of one feature. */
typedef struct {
    float classes[MODE_STYLE][CLASSES]; /* by mode */
    float style;
} weights_t;

typedef struct {
    weights_t *v;            /* one a feature of the data set */
    uint32_t (*seen)[MODES]; /* how many samples showed the feature in each mode */
    size_t n;
} learned_t;

enum { NO_FOLD = DEV_FOLDS }; /* nothing is left out */

/** Learns from all samples that are not in `fold`. RC_MEMORY. Free with learned_free. */
rc_t learn(const dataset_t *d, uint32_t fold, learned_t *out) MUST_USE;
void learned_free(learned_t *l);

#endif
