/* Arguments, made into what the store and the engine take. The schemas have been checked, so what
 * is left are questions of meaning; each refusal says in one sentence what to send instead, and
 * repeats nothing of what was sent. */
#ifndef SENTIMENT_FINANCE_ASK_H
#define SENTIMENT_FINANCE_ASK_H

#include "finance_work.h"

enum { FINANCE_TICKER_BYTES = 20 };

/** A string argument in the arena; unset: it is not there. */
str_t finance_argument(finance_work_t *k, const char *path);
/** Element number i of the list at `path`. */
str_t finance_element(finance_work_t *k, const char *path, size_t i);
bool finance_is_ticker(str_t given);
/** A ticker as the store has it: "$acme " is "ACME". Unset: it is none, or there is no memory. */
str_t finance_ticker(arena_t *a, str_t given);
/** The list at `path`, each once, at most `max`. False: one of them is no ticker, or they are too
 *  many (then the call has its error). RC_MEMORY through *rc. */
bool finance_tickers(finance_work_t *k, const char *path, size_t max, str_list_t *out);
/** Tickers with commas between. False as above. */
bool finance_split_tickers(finance_work_t *k, str_t text, size_t max, str_list_t *out);

/** A time argument of one of two names, as news time; unset: neither is there. False: it is no time
 *  (the call has its error). */
bool finance_time(finance_work_t *k, const char *name, const char *also, str_t *out);
/** News time of Unix seconds, and back; unset and -1 where it is none. */
str_t finance_news_time(arena_t *a, int64_t seconds);
int64_t finance_seconds(str_t news_time);

/** The window of a series: arguments `window`, `bucket`, `to`. */
typedef struct {
    series_window_t w;
    str_t from, to;   /* news times */
    const char *ends; /* "now", "given", "latest_article"; static */
} finance_window_t;
/** False: its parts do not fit each other (the call has its error). `tickers`: where no end was
 * asked for and nothing was written about any of them in it, it ends with the latest article. */
bool finance_window(finance_work_t *k, str_list_t tickers, finance_window_t *out, rc_t *rc);

/** Points of the store about a ticker. */
rc_t finance_points(finance_work_t *k, str_t ticker, const finance_window_t *w, series_t *out,
                    bool *cut) MUST_USE;
/** The caller's watchlist. */
rc_t finance_watched(finance_work_t *k, str_list_t *out) MUST_USE;
watchlist_owner_t finance_owner(finance_work_t *k);

#endif
