/* Which companies a text speaks of: a table of names, from tickers.csv beside the feed, and the
 * ways in which news write tickers. Read-only once read; any thread. */
#ifndef SENTIMENT_NAMES_H
#define SENTIMENT_NAMES_H

#include "news.h"

enum {
    NAMES_FILE_BYTES = 4 << 20,
    NAMES_MOST = 50000, /* names and aliases */
    NAMES_WORDS = 6,    /* of one name */
    NAMES_TICKER_BYTES = 20,
};

typedef struct {
    str_t ticker;
    str_t name;   /* as written, for people */
    str_t words;  /* what is looked for: lower case, single spaces */
    bool capital; /* one word, and a capital letter begins it: "Apple" is meant, not "apple" */
} name_t;

/** Sorted by `words`. All zeros: nobody is known. */
typedef struct {
    const name_t *v;
    size_t n;
    const name_t *const *by_ticker; /* the same, sorted by ticker */
} names_t;

/** Reads lines of "TICKER,Name,alias|alias"; the name is an alias, too. Fields may stand in double
 *  quotes; empty lines, lines that begin with '#', and a first line "ticker,..." are skipped. All
 * in `a`. RC_MALFORMED or RC_LIMIT with *line, RC_MEMORY. */
rc_t names_read(arena_t *a, str_t csv, names_t *out, size_t *line) MUST_USE;
/** Whether it is a ticker of the table. */
bool names_has(const names_t *names, str_t ticker);
/** Whether it is written as tickers are: 1 to NAMES_TICKER_BYTES upper-case letters, digits and
 *  . : -, with a letter. */
bool names_is_ticker(str_t text);

/** Companies found so far; tickers borrow the table or the arena. */
typedef struct {
    news_ticker_t v[NEWS_TICKERS];
    size_t n;
} names_found_t;

/** Adds the companies that a text names: by the table, as "$ACME", or as "(NYSE: ACME)". One that
 *  is there keeps the higher relevance. RC_MEMORY. */
rc_t names_in_text(arena_t *a, const names_t *names, str_t text, double relevance,
                   names_found_t *found) MUST_USE;
/** Adds the company that a category of a feed names: "$ACME", "NYSE:ACME", a ticker of the table,
 * or any ticker where `certain` (its domain says so). False: the category is another thing. */
bool names_in_category(arena_t *a, const names_t *names, str_t category, bool certain,
                       names_found_t *found);

#endif
