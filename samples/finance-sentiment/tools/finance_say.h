/* What answers have in common: scores, articles, provenance, and how fresh the news are; once as
 * structured content, once as text for people. */
#ifndef SENTIMENT_FINANCE_SAY_H
#define SENTIMENT_FINANCE_SAY_H

#include "core/buf.h"
#include "finance_ask.h"

/** Stands in every answer that holds texts of others, before them. */
extern const char FINANCE_PROVENANCE[];

/** Rounded to four decimals, so that it reads well; never -0. */
double finance_round(double v);

/* Structured content. */
/** An unset string writes nothing. */
void finance_put_str(finance_work_t *k, warder_json_t *w, const char *key, str_t s);
/** The same of a stranger's text, cleaned and cut. */
void finance_put_clean(finance_work_t *k, warder_json_t *w, const char *key, str_t s, size_t max);
/** A news time as people write it; unset writes nothing. */
void finance_put_time(finance_work_t *k, warder_json_t *w, const char *key, str_t news_time);
void finance_put_number(warder_json_t *w, const char *key, double v);
/** "score" and "label" */
void finance_put_score(warder_json_t *w, double score);
/** "count", "score", "label", "dispersion", "standard_error"; score and label are left out where
 *  there is no article. */
void finance_put_mean(warder_json_t *w, const series_mean_t *m);
/** "trend": an object, left out where it is not known. */
void finance_put_trend(warder_json_t *w, const series_trend_t *t);
/** "from", "to", "window_ends", "half_life_hours" */
void finance_put_window(finance_work_t *k, warder_json_t *w, const finance_window_t *window);
/** One article, as an element of a list, or with a key. */
void finance_put_article(finance_work_t *k, warder_json_t *w, const char *key,
                         const articles_hit_t *h);

/* Text. */
void finance_say_time(finance_work_t *k, buf_t *b, str_t news_time);
/** A stranger's text, cleaned and cut. */
void finance_say_clean(finance_work_t *k, buf_t *b, str_t s, size_t max);
/** "+0.42 Bullish" */
void finance_say_score(buf_t *b, double score);
void finance_say_trend(buf_t *b, const series_trend_t *t);
/** A line "N. [+0.42 Bullish] title (source, time)", and with `summary` some of its text. */
void finance_say_article(finance_work_t *k, buf_t *b, const articles_hit_t *h, size_t number,
                         bool summary);
/** Gives the text to the call. */
rc_t finance_say(finance_work_t *k, buf_t *b) MUST_USE;

/* How fresh. */
/** The live service's part in an answer: one entry for each ticker. */
typedef struct {
    str_t ticker[FINANCE_ASKED];
    live_answer_t v[FINANCE_ASKED];
    size_t n;
} finance_fresh_t;
/** Brings the store up to date; without a live service nothing. */
rc_t finance_refresh(finance_work_t *k, str_list_t tickers, finance_fresh_t *out) MUST_USE;
/** "live": how fresh it is; nothing without a service. */
void finance_put_fresh(finance_work_t *k, warder_json_t *w, const finance_fresh_t *f);
/** A line for each that is stale or missing. */
void finance_say_fresh(finance_work_t *k, buf_t *b, const finance_fresh_t *f);

#endif
