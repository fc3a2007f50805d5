/* What was learned, as a model file: the weights that matter most, in steps of eight bits. */
#ifndef SENTIMENT_PACK_H
#define SENTIMENT_PACK_H

#include "learn.h"

typedef struct {
    uint8_t bytes[MODEL_BYTES_MOST];
    size_t n;
    size_t kept, candidates; /* weights in the file, and those that are not zero */
} packed_t;

/** Chooses, rounds and lays out. Heats are 1. RC_MEMORY. */
rc_t pack(const dataset_t *d, const learned_t *l, packed_t *out) MUST_USE;
/** Sets the heats; a heat is from 0.1 to 10. */
void pack_heats(packed_t *p, double text, double target);
/** The model in the bytes, which it borrows. */
model_t pack_open(const packed_t *p);

#endif
