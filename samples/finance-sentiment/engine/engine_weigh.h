/* What stands around a finding changes its weight: negation, hedges, emphasis, contrast. */
#ifndef SENTIMENT_ENGINE_WEIGH_H
#define SENTIMENT_ENGINE_WEIGH_H

#include "engine_rules.h"

/** Gives each finding its final weight and puts all in the order of their anchors, in time
 *  proportional to the text. RC_MEMORY. */
rc_t reading_weigh(arena_t *a, reading_t *r) MUST_USE;
/** The score, -1 to 1, of the findings whose anchors are tokens [from, to). */
double reading_score(const reading_t *r, size_t from, size_t to);

#endif
