/* What the model weighs: features of one unit of text (a headline, a few sentences), each a hash of
 * 32 bits and the tokens it came from. Trainer and engine make them here, so they cannot differ.
 * Neither case nor quotes nor invisible characters change them. */
#ifndef SENTIMENT_ENGINE_FEATURES_H
#define SENTIMENT_ENGINE_FEATURES_H

#include "engine_target.h"
#include "engine_weigh.h"

enum {
    UNIT_TOKENS = 64,    /* a unit is cut there, wherever its sentences end */
    TOKEN_FEATURES = 64, /* what a token has at most, with its share of what a unit has */
};

typedef enum {
    FAMILY_WORD,   /* one word, or the type of a number */
    FAMILY_PAIR,   /* two or three words, also with one left out */
    FAMILY_CHARS,  /* letters at the beginning or the end of a word */
    FAMILY_ROLE,   /* roles of words in the lexicon, alone and in order */
    FAMILY_RULE,   /* what the rules found */
    FAMILY_SCORE,  /* the score of the rules over the unit */
    FAMILY_SHAPE,  /* length, question, numbers, links, first and last word */
    FAMILY_TARGET, /* what stands around the target, and where it stands */
    FAMILIES
} family_t;

typedef struct {
    uint32_t hash;
    uint16_t from, to; /* tokens [from, to] of the text it stands on */
    uint8_t family;
} feature_t;

/** A text with what all its units need. Belongs to one thread. */
typedef struct {
    const reading_t *reading;
    uint32_t *ids; /* a token's identity: the same for all forms of a word, types for numbers */
    bool *hidden;  /* tokens that name the target: their words are no reason */
    feature_t *v;  /* of the last unit */
    size_t n, cap;
} features_t;

/** Tokens [from, to). */
typedef struct {
    size_t from, to;
} unit_t;

/** Makes room and identities, in the arena. The findings must have been weighed. RC_MEMORY. */
rc_t features_open(arena_t *a, const reading_t *r, features_t *out) MUST_USE;
/** Lists the features of a unit that is not empty and has at most UNIT_TOKENS. `target`: places
 *  within it, or none. */
void features_of(features_t *f, unit_t unit, places_t target);

/* --- for the parts of features_of --- */

/** Adds one of tokens [from, to]. */
void features_add(features_t *f, family_t family, uint32_t hash, size_t from, size_t to);
/** What needs a target: the place, and all that is seen from there. */
void features_of_target(features_t *f, unit_t unit, place_t p);
uint32_t features_mix(uint32_t a, uint32_t b);
/** A weight on nine steps: 0 very bad, 4 nothing, 8 very good. */
uint32_t features_strength(double weight);
/** The role of token i with the sign of its weight; 0 for none. */
uint32_t features_role(const reading_t *r, size_t i);
/** The findings [*first, end) whose anchors are in the unit. */
size_t features_findings(const reading_t *r, unit_t unit, size_t *first);

#endif
