/* Text to tokens: lower-case words, punctuation, and numbers that know their unit and scale. */
#ifndef SENTIMENT_ENGINE_TOKEN_H
#define SENTIMENT_ENGINE_TOKEN_H

#include "engine.h"

typedef enum { TOKEN_WORD, TOKEN_TICKER, TOKEN_NUMBER, TOKEN_PUNCT } token_kind_t;

typedef enum {
    UNIT_PLAIN,
    UNIT_MONEY,   /* a currency or a scale word stood with it: $4.1m, Rs 216 crore, 3 million */
    UNIT_PERCENT, /* %, pct, pc, per cent, bps */
    UNIT_YEAR,    /* four bare digits from 1900 to 2099 */
} token_unit_t;

typedef struct {
    token_kind_t kind;
    token_unit_t unit; /* of TOKEN_NUMBER */
    bool is_signed;    /* '+' or '-' was written in front */
    char punct;        /* of TOKEN_PUNCT; dashes of every length are '-' */
    uint32_t piece;    /* counts up at every , ; : . ? ! ( ) and dash */
    uint32_t sentence; /* counts up at . ? ! and ; */
    double value;      /* of TOKEN_NUMBER, scaled: "4.1m" is 4100000 */
    size_t start, end; /* bytes of the input */
    str_t word;        /* lower case, typographic apostrophes made plain; of a number, its bytes */
} token_t;

typedef struct {
    token_t *v;
    size_t n;
    size_t links, tags; /* web addresses, and words with # or @ in front */
} tokens_t;

/** Splits `text`. Web addresses are dropped; hyphenated words come apart. RC_LIMIT, RC_MEMORY. */
rc_t engine_tokenize(arena_t *a, str_t text, tokens_t *out) MUST_USE;

#endif
