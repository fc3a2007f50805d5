/* Measures the engine on labelled headlines that stand beside the project (never inside it). */
#ifndef SENTIMENT_ENGINE_MEASURE_H
#define SENTIMENT_ENGINE_MEASURE_H

#include "engine.h"

typedef enum { CORPUS_SENTFIN, CORPUS_TWITTER } corpus_t;

/** Rows are the labels, columns what the engine said. */
typedef struct {
    size_t hits[CLASSES][CLASSES];
    size_t n;
} figures_t;

/** Reads the CSV file at `path` and scores every headline whose entities agree on one label.
 *  `held_out`: the fifth that no rule was written on; otherwise the rest. Headlines are put in one
 *  part or the other by a hash of their text. RC_NOT_FOUND when there is no such file. */
rc_t measure_file(const char *path, corpus_t corpus, bool held_out, figures_t *out) MUST_USE;
double figures_accuracy(const figures_t *f);
/** Mean of the F1 of the three classes. */
double figures_macro_f1(const figures_t *f);
/** Accuracy of always answering the most frequent label. */
double figures_majority(const figures_t *f);

#endif
