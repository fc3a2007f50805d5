#include "learn.h"

#include "engine_math.h"

#include <math.h>
#include <stdlib.h>

enum { EPOCHS = 12, SEED = 12345 };

static const float STEP = 0.1F;
static const float DECAY = 6e-4F; /* pulls weights of what is seen back to zero */
static const float STYLE_DECAY = 1e-4F;
static const float NOTHING = 1e-8F; /* keeps the first division from being one by zero */

/* Sums of squared gradients lie beside the weights they slow down. */
typedef struct {
    const dataset_t *data;
    weights_t *w, *squares;
    uint32_t random;
} learner_t;

/* Xorshift of 32 bits (Marsaglia). */
static uint32_t next_random(learner_t *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random;
}

static void shuffle(learner_t *l, uint32_t *order, size_t n)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = next_random(l) % (i + 1);
        uint32_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

static model_mode_t mode_of(const sample_t *s)
{
    if (s->target)
        return MODE_TARGET;
    return s->example->corpus == CORPUS_TWITTER ? MODE_MESSAGE : MODE_HEADLINE;
}

static bool has_style(const sample_t *s)
{
    return !s->target && s->example->corpus != CORPUS_DRILLS;
}

static void step(float *w, float *square, float gradient)
{
    *square += gradient * gradient;
    *w -= STEP * gradient / sqrtf(*square + NOTHING);
}

static void learn_class(learner_t *l, const sample_t *s, float scale)
{
    const uint32_t *ids = l->data->ids + s->first;
    model_mode_t mode = mode_of(s);
    float sums[CLASSES] = {0};
    for (uint32_t i = 0; i < s->n; i++) {
        const weights_t *w = &l->w[ids[i]];
        for (int c = 0; c < CLASSES; c++)
            sums[c] += w->classes[MODE_SHARED][c] + w->classes[mode][c];
    }
    double p[CLASSES];
    for (int c = 0; c < CLASSES; c++)
        p[c] = sums[c] * scale;
    math_softmax(p, CLASSES);
    float g[CLASSES];
    for (int c = 0; c < CLASSES; c++)
        g[c] = ((float)p[c] - (c == (int)s->example->label)) * scale;
    for (uint32_t i = 0; i < s->n; i++) {
        weights_t *w = &l->w[ids[i]], *q = &l->squares[ids[i]];
        for (int c = 0; c < CLASSES; c++) {
            float *shared = &w->classes[MODE_SHARED][c], *own = &w->classes[mode][c];
            step(shared, &q->classes[MODE_SHARED][c], g[c] + DECAY * *shared);
            step(own, &q->classes[mode][c], g[c] + DECAY * *own);
        }
    }
}

static void learn_style(learner_t *l, const sample_t *s, float scale)
{
    const uint32_t *ids = l->data->ids + s->first;
    float sum = 0;
    for (uint32_t i = 0; i < s->n; i++)
        sum += l->w[ids[i]].style;
    float p = (float)(1 / (1 + math_exp(-(double)(sum * scale))));
    float g = (p - (s->example->corpus == CORPUS_TWITTER)) * scale;
    for (uint32_t i = 0; i < s->n; i++) {
        float *w = &l->w[ids[i]].style;
        step(w, &l->squares[ids[i]].style, g + STYLE_DECAY * *w);
    }
}

static void learn_all(learner_t *l, uint32_t *order, size_t n)
{
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        shuffle(l, order, n);
        for (size_t i = 0; i < n; i++) {
            const sample_t *s = &l->data->v[order[i]];
            float scale = 1 / sqrtf((float)s->n);
            learn_class(l, s, scale);
            if (has_style(s) && epoch < EPOCHS / 2)
                learn_style(l, s, scale);
        }
    }
}

static void count_seen(learned_t *out, const dataset_t *d, const sample_t *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t *seen = out->seen[d->ids[s->first + i]];
        seen[MODE_SHARED]++;
        seen[mode_of(s)]++;
        seen[MODE_STYLE] += has_style(s);
    }
}

rc_t learn(const dataset_t *d, uint32_t fold, learned_t *out)
{
    *out = (learned_t){.n = d->features};
    out->v = calloc(d->features + 1, sizeof *out->v);
    out->seen = calloc(d->features + 1, sizeof *out->seen);
    learner_t l = {.data = d, .w = out->v, .random = SEED};
    l.squares = calloc(d->features + 1, sizeof *l.squares);
    uint32_t *order = calloc(d->n + 1, sizeof *order);
    rc_t rc = out->v && out->seen && l.squares && order ? RC_OK : RC_MEMORY;
    size_t n = 0;
    for (size_t i = 0; rc == RC_OK && i < d->n; i++) {
        if (dataset_in_fold(d->v[i].example, fold))
            continue;
        order[n++] = (uint32_t)i;
        count_seen(out, d, &d->v[i]);
    }
    if (rc == RC_OK && n > 0)
        learn_all(&l, order, n);
    free(order);
    free(l.squares);
    if (rc != RC_OK)
        learned_free(out);
    return rc;
}

void learned_free(learned_t *l)
{
    free(l->v);
    free(l->seen);
    *l = (learned_t){0};
}
