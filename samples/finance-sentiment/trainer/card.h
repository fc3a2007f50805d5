/* The model's card: what it is, what it was learned from, how good it is, what it is for. */
#ifndef SENTIMENT_CARD_H
#define SENTIMENT_CARD_H

#include "trial.h"

/** Writes the card as JSON into the arena. `all`: what the model was learned from. */
rc_t card_write(arena_t *a, const dataset_t *d, const packed_t *p, const trials_t *t,
                str_t *out) MUST_USE;

#endif
