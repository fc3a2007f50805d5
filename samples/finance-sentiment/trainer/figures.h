/* How well answers agree with labels: accuracy, F1, confusion, calibration. */
#ifndef SENTIMENT_FIGURES_H
#define SENTIMENT_FIGURES_H

#include "engine.h"

enum { FIGURE_BINS = 10 };

typedef struct {
    size_t hits[CLASSES][CLASSES]; /* rows are the labels, columns what was said */
    size_t n;
    double loss; /* sum of the negative logarithms of the labels' probabilities */
    size_t bin_n[FIGURE_BINS], bin_right[FIGURE_BINS]; /* by confidence */
    double bin_confidence[FIGURE_BINS];
} figures_t;

/** Counts one answer by its class, its confidence and the label's probability. */
void figures_add(figures_t *f, sentiment_class_t label, const sentiment_t *said);
/** Counts one answer that has no probability. */
void figures_add_class(figures_t *f, sentiment_class_t label, sentiment_class_t said);
double figures_accuracy(const figures_t *f);
/** Mean of the F1 of the three classes. */
double figures_macro_f1(const figures_t *f);
/** Accuracy of always answering the most frequent label. */
double figures_majority(const figures_t *f);
/** Expected calibration error: how far confidence and accuracy are apart, over ten bins. */
double figures_ece(const figures_t *f);

#endif
