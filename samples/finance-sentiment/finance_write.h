/* What both tools write. */
#ifndef SENTIMENT_FINANCE_WRITE_H
#define SENTIMENT_FINANCE_WRITE_H

#include "core/json.h"

enum { FINANCE_STRUCTURED_BYTES = 512 * 1024, FINANCE_TEXT_BYTES = 128 * 1024 };

/** "score" and "label" of a score, rounded to four decimals. */
void finance_write_score(json_writer_t *w, double score);
/** Rounded so that it reads well; never -0. */
double finance_round(double v);
/** "+0.42 Bullish" */
void finance_put_score(buf_t *b, double score);

#endif
