/* The sentiment engine: financial text in, a score with its evidence out. It reads no file and
 * keeps no state, so any number of threads may call it, each with its own arena. Rules read the
 * text, a linear model weighs what they found together with the words; each number it gives can be
 * traced to the bytes it came from. The same bytes give the same bits on each machine. */
#ifndef SENTIMENT_ENGINE_H
#define SENTIMENT_ENGINE_H

#include "core/arena.h"

enum {
    ENGINE_TEXT_BYTES = 65536, /* longer texts are RC_LIMIT: an article has about 6 KB */
    ENGINE_TOKENS = 16384,
    ENGINE_EVIDENCE = 256,   /* what is beyond it still counts, but is not listed */
    ENGINE_MENTIONS = 256,   /* of the target; further ones are not looked at */
    ENGINE_NAMES = 32,       /* of a target: its name, its ticker and what else it is called */
    ENGINE_NAME_BYTES = 128, /* a longer name is RC_LIMIT */
    ENGINE_ARENA_BYTES = 16 << 20, /* enough for every text that is not refused */
};

/** The five labels of Alpha Vantage's NEWS_SENTIMENT, so that live and own scores read alike. */
typedef enum {
    SENTIMENT_BEARISH,          /* score <= -0.35 */
    SENTIMENT_SOMEWHAT_BEARISH, /* -0.35 < score <= -0.15 */
    SENTIMENT_NEUTRAL,          /* -0.15 < score < 0.15 */
    SENTIMENT_SOMEWHAT_BULLISH, /* 0.15 <= score < 0.35 */
    SENTIMENT_BULLISH,          /* score >= 0.35 */
} sentiment_label_t;

/** What the model tells apart. The label of a score is always one of its class: bearish labels are
 *  CLASS_NEGATIVE, SENTIMENT_NEUTRAL is CLASS_NEUTRAL, bullish ones are CLASS_POSITIVE. */
typedef enum { CLASS_NEGATIVE, CLASS_NEUTRAL, CLASS_POSITIVE, CLASSES } sentiment_class_t;

/** One reason for the score: the bytes [start, end) of the input and what they added. */
typedef struct {
    size_t start, end;
    double weight; /* what they added to the log-odds of good news over bad ones, in their unit */
    str_t rule;    /* which kind of rule spoke, or that it was learned: static text */
} evidence_t;

/** A place where the target is named: bytes [start, end) of the input. */
typedef struct {
    size_t start, end;
} mention_t;

typedef struct {
    double score; /* -1 (bad news) to 1 (good news) */
    sentiment_label_t label;
    const evidence_t *evidence; /* in the arena, in the order of the text */
    size_t evidence_count;
    sentiment_class_t class;     /* the most probable one */
    double probability[CLASSES]; /* calibrated; their sum is 1 */
    double confidence;           /* the probability of `class` */
    double rules;                /* -1 to 1: the score of the rules alone, without the model */
    const mention_t *mentions; /* of the target, in the order of the text; none without a target */
    size_t mention_count;
} sentiment_t;

/** Scores `text` (borrowed; UTF-8 is expected but any bytes are safe). RC_LIMIT over
 *  ENGINE_TEXT_BYTES or ENGINE_TOKENS, RC_MEMORY. An empty text is neutral without evidence. */
rc_t engine_analyze(arena_t *a, str_t text, sentiment_t *out) MUST_USE;
/** Scores what `text` says about one company, index or good. `names`: what it is called, any of
 *  them may stand in the text, in any case and form ("Acme Inc.", "acme's", "$ACME"). Where none
 *  does, `mention_count` is 0 and the answer is engine_analyze's. RC_LIMIT also over ENGINE_NAMES
 *  or ENGINE_NAME_BYTES. */
rc_t engine_analyze_target(arena_t *a, str_t text, str_list_t names, sentiment_t *out) MUST_USE;
/** The label of a score in [-1, 1]. */
sentiment_label_t engine_label(double score);
/** The wire name of a label, e.g. "Somewhat-Bullish"; static. */
str_t engine_label_name(sentiment_label_t label);
/** "negative", "neutral" or "positive"; static. */
str_t engine_class_name(sentiment_class_t c);
/** The model's card, a JSON object: version, digest of the weights, sizes of the data, measured
 *  accuracies, intended use, limits; static. */
str_t engine_card(void);

#endif
