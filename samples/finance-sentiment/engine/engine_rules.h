/* The rules that find evidence. Each marks the tokens it used, so that nothing counts twice; the
 * order is the order of trust: phrases, comparisons, directions, signed numbers, single words. */
#ifndef SENTIMENT_ENGINE_RULES_H
#define SENTIMENT_ENGINE_RULES_H

#include "engine_lexicon.h"
#include "engine_token.h"

/** Evidence before negation and emphasis: tokens [from, to] and their raw weight. */
typedef struct {
    size_t from, to;
    size_t anchor; /* the token that carries the meaning; modifiers stand around it */
    double weight;
    str_t rule;
} finding_t;

/** A text under reading. `words` and `used` run parallel to the tokens. */
typedef struct {
    tokens_t tokens;
    const lexicon_word_t **words; /* NULL where the lexicon is silent */
    bool *used;
    finding_t *found; /* room for one per token */
    size_t found_count;
} reading_t;

/** Looks every word up and makes room for findings; all in the arena. */
rc_t reading_open(arena_t *a, tokens_t tokens, reading_t *out) MUST_USE;
/** Runs every rule; findings come out in no order. */
void rules_run(reading_t *r);
/** Whether token i plays `role` (false beyond the ends). */
bool reading_is(const reading_t *r, size_t i, word_role_t role);

#endif
