/* One-time names: what is known of them when a decision is made anew. */
#ifndef OAUTH_SPENT_H
#define OAUTH_SPENT_H

#include "model/effect.h"

/** What was found when names were to be used up (EFFECT_SPEND); as the shell's as_flow_t has it. */
typedef struct {
    hash_t spent; /* a one-time name that was used before; all zero: none was found */
    bool full;    /* no further name can be remembered */
    uint64_t max; /* quota of SPEND; 0: none */
} oauth_spent_t;

/** Adds SPEND of `spent` (borrowed), within the quota. */
void oauth_spent_add(const oauth_spent_t *seen, const spent_t *spent, int64_t now,
                     effects_t *effects);

#endif
