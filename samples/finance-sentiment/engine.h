/* The sentiment engine: financial text in, a score with its evidence out. It reads no file and
 * keeps no state; every number it gives can be traced to the words it came from. */
#ifndef SENTIMENT_ENGINE_H
#define SENTIMENT_ENGINE_H

#include "core/arena.h"

enum {
    ENGINE_TEXT_BYTES = 65536, /* longer texts are RC_LIMIT: an article has about 6 KB */
    ENGINE_TOKENS = 16384,
    ENGINE_EVIDENCE = 256, /* what is beyond it still counts, but is not listed */
};

/** The five labels of Alpha Vantage's NEWS_SENTIMENT, so that live and own scores read alike. */
typedef enum {
    SENTIMENT_BEARISH,          /* score <= -0.35 */
    SENTIMENT_SOMEWHAT_BEARISH, /* -0.35 < score <= -0.15 */
    SENTIMENT_NEUTRAL,          /* -0.15 < score < 0.15 */
    SENTIMENT_SOMEWHAT_BULLISH, /* 0.15 <= score < 0.35 */
    SENTIMENT_BULLISH,          /* score >= 0.35 */
} sentiment_label_t;

/** One reason for the score: the bytes [start, end) of the input and what they added. */
typedef struct {
    size_t start, end;
    double weight; /* after negation, hedges and emphasis; positive is good news */
    str_t rule;    /* which kind of rule spoke: static text */
} evidence_t;

typedef struct {
    double score; /* -1 (bad news) to 1 (good news) */
    sentiment_label_t label;
    const evidence_t *evidence; /* in the arena, in the order of the text */
    size_t evidence_count;
} sentiment_t;

/** Scores `text` (borrowed; UTF-8 is expected but any bytes are safe). RC_LIMIT over
 *  ENGINE_TEXT_BYTES or ENGINE_TOKENS, RC_MEMORY. An empty text is neutral without evidence. */
rc_t engine_analyze(arena_t *a, str_t text, sentiment_t *out) MUST_USE;
/** The label of a score in [-1, 1]. */
sentiment_label_t engine_label(double score);
/** The wire name of a label, e.g. "Somewhat-Bullish"; static. */
str_t engine_label_name(sentiment_label_t label);

#endif
