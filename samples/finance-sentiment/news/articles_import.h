/* How news get into the store of articles, and the small things that it keeps for their sources.
 * Thread rule as in articles.h. */
#ifndef SENTIMENT_ARTICLES_IMPORT_H
#define SENTIMENT_ARTICLES_IMPORT_H

#include "articles.h"

/** Where articles come from. */
typedef struct {
    str_t via;    /* "builtin", "file", "alphavantage" */
    str_t root;   /* what was given with --feed, or the host: articles_retire goes by it */
    str_t origin; /* shown: the file's name, or the host */
} articles_from_t;

typedef struct {
    size_t added;   /* new */
    size_t again;   /* already here */
    size_t grouped; /* new tellings of a story that is here */
    size_t left;    /* left out: older than what is kept, or dated ahead of time */
} articles_import_t;

/** Adds articles, in transactions of some hundred; importing again changes nothing. RC_IO: a full
 * or broken disk (logged); what was committed before stays. */
rc_t articles_import(articles_t *s, const news_t *news, const articles_from_t *from,
                     articles_import_t *out) MUST_USE;
/** Forgets what came by feeds (not the service) of other roots than this one. */
rc_t articles_retire(articles_t *s, str_t root) MUST_USE;
/** What a company is called: names with '|' between, at most ARTICLES_NAMES_BYTES. The first is
 * shown by articles_tickers; the engine looks for all of them in the articles that come afterwards.
 */
rc_t articles_name(articles_t *s, str_t ticker, str_t names) MUST_USE;
/** Housekeeping, in small steps: bounds of count and age, and scores by models before this one.
 *  Called by the feed's thread about once a minute. */
rc_t articles_mend(articles_t *s) MUST_USE;

/* --- small things that outlive a restart: budget and state of the live service, states of files
 * --- */

/** Reads a note; unset where there is none. The key has at most 300 bytes. */
rc_t articles_note(articles_t *s, arena_t *a, str_t key, str_t *out) MUST_USE;
rc_t articles_set_note(articles_t *s, str_t key, str_t value) MUST_USE;
/** Counts one more under `key` in `period` (e.g. a day), unless that has reached `max`: RC_OK, or
 *  RC_LIMIT. Another period begins at 0 and forgets the one before. Atomic. */
rc_t articles_count(articles_t *s, str_t key, str_t period, int64_t max) MUST_USE;

#endif
