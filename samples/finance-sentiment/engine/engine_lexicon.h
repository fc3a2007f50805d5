/* The words the engine knows, each in one role, and the phrases. Written for this program. */
#ifndef SENTIMENT_ENGINE_LEXICON_H
#define SENTIMENT_ENGINE_LEXICON_H

#include "core/str.h"

typedef enum {
    WORD_UP,      /* something goes up by itself: "profit rose"; weight: strength */
    WORD_DOWN,    /* something goes down */
    WORD_RAISE,   /* somebody moves it up: "raises guidance" */
    WORD_CUT,     /* somebody moves it down: "trims losses" */
    WORD_METRIC,  /* what moves; weight 1: more is better, -1: less is better */
    WORD_TONE,    /* good or bad news on its own; weight: how much */
    WORD_NOT,     /* negation; weight: factor */
    WORD_SCALE,   /* emphasis or its opposite; weight: factor */
    WORD_HEDGE,   /* not a fact yet; weight: factor */
    WORD_BUT,     /* what follows counts for more */
    WORD_DESPITE, /* what follows counts for less; weight: factor */
} word_role_t;

typedef struct {
    uint64_t key; /* the first eight bytes, as a number that sorts like the word */
    str_t word;
    word_role_t role;
    double weight;
} lexicon_word_t;

typedef struct {
    uint64_t key; /* as above */
    str_t words;  /* one space between; '*' is any one word */
    double weight;
} lexicon_phrase_t;

/** The entry of a lower-case word, also by its stem ("slipping", "costs"); NULL when unknown. */
const lexicon_word_t *lexicon_find(str_t word);
/** The phrases that begin with a lower-case word, in their order; none is NULL and 0. */
const lexicon_phrase_t *lexicon_phrases_of(str_t word, size_t *n);
/** The whole tables, for tests. */
const lexicon_word_t *lexicon_words(size_t *n);
const lexicon_phrase_t *lexicon_phrases(size_t *n);

#endif
