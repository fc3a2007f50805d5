/* News articles in the shape of Alpha Vantage's NEWS_SENTIMENT answer, from a file or the network.
 * Every text in them is a stranger's: it is cleaned and cut before anything else sees it. */
#ifndef SENTIMENT_NEWS_H
#define SENTIMENT_NEWS_H

#include "core/json.h"

enum {
    NEWS_FILE_BYTES = 8 << 20,
    NEWS_ARTICLES = 5000,
    NEWS_TICKERS = 50, /* per article */
    NEWS_TITLE_BYTES = 300,
    NEWS_SUMMARY_BYTES = 4000,
    NEWS_NAME_BYTES = 100, /* sources, tickers, labels */
    NEWS_URL_BYTES = 2000,
    NEWS_TIME = 15, /* "20260503T120000" */
};

/** One company an article speaks of. */
typedef struct {
    str_t ticker;
    double relevance; /* 0 to 1 */
    bool has_score;   /* the publisher gave a score of its own */
    double score;     /* then: -1 to 1 */
} news_ticker_t;

typedef struct {
    str_t title, summary, source;
    str_t url;  /* http or https, or unset */
    str_t time; /* UTC, NEWS_TIME characters; compares as text */
    const news_ticker_t *tickers;
    size_t ticker_count;
} article_t;

typedef struct {
    const article_t *v;
    size_t n;
} news_t;

/** What an answer of the live service was, beside news. */
typedef enum {
    NEWS_OK,
    NEWS_REFUSED,   /* HTTP 200 with "Note", "Information" or "Error Message": limit or bad key */
    NEWS_MALFORMED, /* not the shape it should have */
} news_verdict_t;

/** Reads a NEWS_SENTIMENT document. All in `a`; borrows nothing of `text` afterwards except through
 *  `a` (texts are copied while they are cleaned). Articles without title or time are left out. An
 *  "Information" that says there are no articles is NEWS_OK with none. */
rc_t news_parse(arena_t *a, str_t text, news_t *out, news_verdict_t *verdict) MUST_USE;
/** The article's entry for a ticker, or NULL. */
const news_ticker_t *news_find_ticker(const article_t *article, str_t ticker);
/** Text without control characters, bidi overrides, zero-width and other invisible formatting, and
 *  bad UTF-8; line breaks and tabs become spaces; at most `max` bytes, cut between characters. */
str_t news_clean(arena_t *a, str_t text, size_t max);
/** "20260503T1200" or "20260503T120000", or an RFC 3339 date or time in UTC, to NEWS_TIME
 *  characters in the arena; unset when it is none of them. */
str_t news_time(arena_t *a, str_t text);
/** "2026-05-03T12:00:00Z" of a news time. */
str_t news_time_text(arena_t *a, str_t time);

#endif
