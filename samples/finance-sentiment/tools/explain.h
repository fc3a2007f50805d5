/* Which words of an article made its score: what the engine found in title and summary together, as
 * spans of each. Pure. */
#ifndef SENTIMENT_EXPLAIN_H
#define SENTIMENT_EXPLAIN_H

#include "engine.h"

typedef enum { EXPLAIN_TITLE, EXPLAIN_SUMMARY } explain_field_t;

/** `start` and `end` count characters (Unicode code points) of the field, [start, end), as most
 *  languages do; bytes would cut words of readers that do not count them. */
typedef struct {
    explain_field_t field;
    size_t start, end;
    str_t text; /* borrowed from the field */
    double weight;
    str_t rule;
} explain_span_t;

typedef struct {
    sentiment_t s;               /* of both texts together: its places are none of the fields' */
    const explain_span_t *spans; /* in the order of the text */
    size_t count;
} explain_t;

/** Scores title and summary (borrowed, UTF-8) as the store of articles does. `names`: of the
 * company whose part is asked for; none: of the whole. What spans both is cut to the title.
 * RC_LIMIT, RC_MEMORY as the engine. */
rc_t explain(arena_t *a, str_t title, str_t summary, str_list_t names, explain_t *out) MUST_USE;

#endif
