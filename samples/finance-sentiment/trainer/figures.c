#include "figures.h"

#include "engine_math.h"

#include <math.h>

static const double LEAST = 1e-12; /* what a probability counts as at least in the loss */

void figures_add_class(figures_t *f, sentiment_class_t label, sentiment_class_t said)
{
    f->hits[label][said]++;
    f->n++;
}

void figures_add(figures_t *f, sentiment_class_t label, const sentiment_t *said)
{
    double p = said->probability[label];
    int bin = (int)(said->confidence * FIGURE_BINS);
    bin = bin < FIGURE_BINS ? bin : FIGURE_BINS - 1;
    figures_add_class(f, label, said->class);
    f->loss -= math_log(p > LEAST ? p : LEAST);
    f->bin_n[bin]++;
    f->bin_right[bin] += label == said->class;
    f->bin_confidence[bin] += said->confidence;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

double figures_accuracy(const figures_t *f)
{
    size_t right = 0;
    for (int i = 0; i < CLASSES; i++)
        right += f->hits[i][i];
    return ratio((double)right, (double)f->n);
}

double figures_macro_f1(const figures_t *f)
{
    double sum = 0;
    for (int i = 0; i < CLASSES; i++) {
        size_t labelled = 0, said = 0;
        for (int k = 0; k < CLASSES; k++) {
            labelled += f->hits[i][k];
            said += f->hits[k][i];
        }
        sum += ratio(2 * (double)f->hits[i][i], (double)(labelled + said));
    }
    return sum / CLASSES;
}

double figures_majority(const figures_t *f)
{
    size_t most = 0;
    for (int i = 0; i < CLASSES; i++) {
        size_t labelled = f->hits[i][0] + f->hits[i][1] + f->hits[i][2];
        most = labelled > most ? labelled : most;
    }
    return ratio((double)most, (double)f->n);
}

double figures_ece(const figures_t *f)
{
    double sum = 0;
    for (int i = 0; i < FIGURE_BINS; i++)
        sum += fabs((double)f->bin_right[i] - f->bin_confidence[i]);
    return ratio(sum, (double)f->n);
}
