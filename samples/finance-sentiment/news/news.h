/* News articles in the shape of Alpha Vantage's NEWS_SENTIMENT answer, from a file or the network.
 * Every text in them is a stranger's: it is cleaned and cut before anything else sees it. */
#ifndef SENTIMENT_NEWS_H
#define SENTIMENT_NEWS_H

#include "core/json.h"
#include "engine.h"

enum {
    NEWS_FILE_BYTES = 16 << 20,
    NEWS_ARTICLES = 5000,
    NEWS_TICKERS = 50, /* per article */
    NEWS_TOPICS = 20,  /* per article */
    NEWS_TITLE_BYTES = 300,
    NEWS_SUMMARY_BYTES = 1500, /* 50 of them, escaped, must fit into one answer */
    NEWS_NAME_BYTES = 100,     /* sources, tickers, labels */
    NEWS_URL_BYTES = 2000,
    NEWS_HTML_BYTES = 65536, /* a whole article; its summary is in the first of it */
    NEWS_TIME = 15,          /* "20260503T120000" */
};

/** One company an article speaks of. */
typedef struct {
    str_t ticker;
    double relevance; /* 0 to 1 */
    bool has_score;   /* the publisher gave a score of its own */
    double score;     /* then: -1 to 1 */
    str_t names;      /* of the company, where the store knows them, with '|' between; else unset */
    double own;       /* of our engine, about this ticker: -1 to 1; set by the store of articles */
} news_ticker_t;

typedef struct {
    str_t name;       /* as news_topic gives it */
    double relevance; /* 0 to 1 */
} news_topic_t;

typedef struct {
    str_t title, summary, source;
    str_t url;  /* http or https, or unset */
    str_t time; /* UTC, NEWS_TIME characters; compares as text */
    const news_ticker_t *tickers;
    size_t ticker_count;
    const news_topic_t *topics;
    size_t topic_count;
    double score; /* of our engine: -1 to 1; set by the store of articles */
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

/** Reads a NEWS_SENTIMENT document; the store scores its articles. The result is all in `a` and
 * borrows nothing of `text`. Articles without title or time are left out. An "Information" that
 * says there are no articles is NEWS_OK with none. RC_MEMORY: also when `a` is too small for the
 * document. */
rc_t news_parse(arena_t *a, str_t text, news_t *out, news_verdict_t *verdict) MUST_USE;
/** The article's entry for a ticker, or NULL. */
const news_ticker_t *news_find_ticker(const article_t *article, str_t ticker);
/** Text without control characters, bidi overrides, zero-width and other invisible formatting, and
 *  bad UTF-8; line breaks and tabs become spaces; at most `max` bytes, cut between characters. */
str_t news_clean(arena_t *a, str_t text, size_t max);
/** The name of a topic as Alpha Vantage's parameter `topics` has it, e.g. "financial_markets" of
 *  "Financial Markets": lower-case letters, digits and '_', at most NEWS_NAME_BYTES. Unset when
 *  nothing is left. */
str_t news_topic(arena_t *a, str_t text);
/** "20260503T1200" or "20260503T120000", or an RFC 3339 date or time in UTC, to NEWS_TIME
 *  characters in the arena; unset when it is none of them. */
str_t news_time(arena_t *a, str_t text);
/** A date of a feed (news_date.c): RFC 822 with the years and zones of RFC 2822, or RFC 3339 with
 * any offset, to news time; unset when it is none or before 1970. */
str_t news_date(arena_t *a, str_t text);
/** Plain text of HTML (news_html.c): without tags, comments, scripts and styles, with the common
 *  entities read; then as news_clean. Reads at most NEWS_HTML_BYTES of it. */
str_t news_html(arena_t *a, str_t html, size_t max);
/** A link as it may be shown: http or https, at most NEWS_URL_BYTES; else unset. */
str_t news_url(arena_t *a, str_t text);
/** "2026-05-03T12:00:00Z" of a news time. */
str_t news_time_text(arena_t *a, str_t time);

#endif
