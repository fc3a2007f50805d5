/* The store of articles: SQLite with full-text search, the one source of all tools. Feeds and the
 * live service are imported into it; the same story told by several outlets is one article with
 * its other outlets beside it. Every text in it has gone through news_clean.
 *
 * Thread rule: any thread may call anything but articles_open and articles_close, at once with all
 * others; each call blocks for the disk, so none belongs on an event loop. A query takes one of a
 * few connections of its own for the time of the call; imports take the one that writes, for some
 * hundred articles at a time. Nothing that is returned belongs to the store: results are copies in
 * the caller's arena. */
#ifndef SENTIMENT_ARTICLES_H
#define SENTIMENT_ARTICLES_H

#include "core/log.h"
#include "core/ports.h"
#include "news.h"

enum {
    ARTICLES_ASKED = 10, /* tickers, and topics, of one query */
    ARTICLES_LIMIT = 100,
    ARTICLES_NAMES = 16,         /* of one company, the ticker among them */
    ARTICLES_NAMES_BYTES = 1000, /* of all of them */
    ARTICLES_TEXT_BYTES = 200,   /* of a full-text query */
    ARTICLES_TERMS = 12,         /* words of it that count */
    ARTICLES_CURSOR_BYTES = 64,
    ARTICLES_OUTLETS = 8,       /* listed for an article; the count goes on */
    ARTICLES_SERIES = 20000,    /* points of one series */
    ARTICLES_KEPT = 100000,     /* articles, by default: about 150 MB on the disk */
    ARTICLES_KEPT_DAYS = 3650,  /* by default */
    ARTICLES_WINDOW_S = 259200, /* three days: tellings of a story farther apart are two stories */
    ARTICLES_ARENA_BYTES = 16 << 20, /* enough for what any query gives */
};

typedef struct articles articles_t;

/** What the engine says of an article; asked once for each article and model. */
typedef struct {
    double score; /* of the whole: -1 to 1 */
    const double
        *scores; /* of each ticker, in the order of article_t.tickers; NULL: all as `score` */
} articles_score_t;

/** The engine as a port. `digest` tells models apart (any text): where it differs
 *  from what an article was scored with, the article is scored anew (articles_mend). `score` may be
 *  called by any thread, with an arena that is reset before each call. */
typedef struct {
    str_t digest;
    rc_t (*score)(void *ctx, arena_t *scratch, const article_t *x, articles_score_t *out);
    void *ctx;
} articles_engine_t;

/** The engine of engine.h: the whole of an article, and what it says of each company in it, by its
 *  ticker and news_ticker_t.names (articles_engine.c). */
articles_engine_t articles_engine(void);
/** What the engine looks for: `first`, then `names` ('|' between, or unset). Borrowed. */
str_list_t articles_names(str_t first, str_t names, str_t room[ARTICLES_NAMES]);

typedef struct {
    const char *path; /* of the database file, in an existing folder; NULL: in memory */
    articles_engine_t engine;
    clock_port_t clock;
    const log_t *log;
    size_t keep;      /* articles at most, oldest go first; 0: ARTICLES_KEPT */
    size_t keep_days; /* and how old; 0: ARTICLES_KEPT_DAYS */
    size_t max_pages; /* of the file, for tests of a full disk; 0: no bound */
} articles_config_t;

/** Opens or makes the store (config is copied; its strings, engine and log are borrowed for life).
 *  A file that is no sound database is moved aside to "PATH.bad-TIME", with one line in the log,
 * and a new one is begun: what it held comes again from feeds and service. RC_CONFIG: *why is one
 *  sentence (in `a`) with the mend: a file of a newer version, or one that cannot be made or moved.
 *  RC_MEMORY. */
rc_t articles_open(arena_t *a, const articles_config_t *config, articles_t **out,
                   str_t *why) MUST_USE;
/** After all who use it have ended. NULL is fine. */
void articles_close(articles_t *s);

/* --- questions --- */

typedef enum {
    ARTICLES_LATEST,
    ARTICLES_EARLIEST,
    ARTICLES_RELEVANCE, /* to the tickers, else topics, and the text that were asked for */
    ARTICLES_BEST,      /* sentiment about the tickers, else of the whole: good news first */
    ARTICLES_WORST,     /* bad news first */
} articles_sort_t;

/** What is asked for; all of it must hold. Unset or empty parts bind nothing. */
typedef struct {
    str_list_t tickers; /* upper case, at most ARTICLES_ASKED */
    bool all_tickers;   /* articles about each of them; else about any */
    str_list_t topics;  /* any of them, as news_topic gives them; at most ARTICLES_ASKED */
    str_t from;         /* news time, inclusive */
    str_t to;           /* news time, exclusive */
    str_t text;         /* words in title or summary, all of them; "in quotes": in this order; at
                           most ARTICLES_TEXT_BYTES. It has no other syntax */
    articles_sort_t sort;
    size_t limit; /* 1 to ARTICLES_LIMIT */
    str_t cursor; /* articles_page_t.next of the page before; unset: the first page */
} articles_query_t;

/** Another outlet's telling of a story. */
typedef struct {
    str_t source, url, time;
} articles_outlet_t;

typedef struct {
    int64_t id;        /* the same for the article's life */
    article_t x;       /* with all its tickers, topics, and its score by the engine */
    double relevance;  /* what ARTICLES_RELEVANCE sorts by; 1 where nothing was asked for */
    double score;      /* about the asked tickers, by their relevance; else x.score */
    bool stale_score;  /* by a model before this one, until articles_mend comes to it */
    size_t duplicates; /* further tellings of the story by other outlets */
    const articles_outlet_t *outlets; /* of them, at most ARTICLES_OUTLETS */
    size_t outlet_count;
    str_t via;     /* provenance: "builtin", "file", "alphavantage" */
    str_t origin;  /* the file's name without its folder, or the service's host */
    str_t fetched; /* news time when it came first */
} articles_hit_t;

typedef struct {
    const articles_hit_t *v;
    size_t n;
    str_t next; /* cursor of the page behind; unset: there is none. It stays right while articles
                   are added and removed: a page begins behind the last article of the one before */
} articles_page_t;

/** Why a query was not run: a value for the caller to put into words. */
typedef enum {
    ARTICLES_OK,
    ARTICLES_BAD_CURSOR, /* not one of ours, or of another query */
    ARTICLES_BAD_TEXT,   /* no word in it, or too long */
    ARTICLES_BAD_QUERY,  /* too many tickers or topics, limit out of range, times that are none */
} articles_verdict_t;

/** One page. All in `a`. RC_OK with a verdict; RC_MEMORY; RC_IO (logged). */
rc_t articles_find(articles_t *s, arena_t *a, const articles_query_t *q, articles_page_t *out,
                   articles_verdict_t *verdict) MUST_USE;
/** One article by its id, e.g. to explain it. RC_NOT_FOUND. */
rc_t articles_get(articles_t *s, arena_t *a, int64_t id, articles_hit_t *out) MUST_USE;

/** One article by its address, as it was answered; that of another outlet's telling leads to the
 *  story it belongs to. RC_NOT_FOUND. */
rc_t articles_by_url(articles_t *s, arena_t *a, str_t url, articles_hit_t *out) MUST_USE;

/** One article of a series. */
typedef struct {
    int64_t published; /* Unix time in seconds */
    float score;       /* about the ticker, by the engine */
    float relevance;   /* to the ticker */
} articles_point_t;

typedef struct {
    const articles_point_t *v; /* earliest first */
    size_t n;
    bool cut; /* there were more than `max`: the latest are here */
} articles_series_t;

/** The articles about a ticker from (inclusive) and to (exclusive), news times or unset; `max` up
 * to ARTICLES_SERIES. A story counts once. */
rc_t articles_series(articles_t *s, arena_t *a, str_t ticker, str_t from, str_t to, size_t max,
                     articles_series_t *out) MUST_USE;

typedef struct {
    str_t ticker;
    str_t name;   /* of the company, where a table of names has it; else unset */
    str_t names;  /* it and what else the company is called, '|' between */
    size_t count; /* articles about it */
    str_t latest; /* news time of the latest; unset with count 0 */
} articles_known_t;

typedef struct {
    const articles_known_t *v;
    size_t n;
} articles_tickers_t;

/** Tickers that begin with `prefix` (upper case; unset: all), most articles first, at most `max`.
 */
rc_t articles_tickers(articles_t *s, arena_t *a, str_t prefix, size_t max,
                      articles_tickers_t *out) MUST_USE;
/** One ticker (upper case); count 0: there are no news about it. */
rc_t articles_known(articles_t *s, arena_t *a, str_t ticker, articles_known_t *out) MUST_USE;
/** Topics with their counts (in articles_known_t.ticker), most articles first. */
rc_t articles_topics(articles_t *s, arena_t *a, size_t max, articles_tickers_t *out) MUST_USE;

#endif
