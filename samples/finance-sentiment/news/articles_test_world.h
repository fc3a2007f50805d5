/* A store with an engine and a clock of the test's, and short ways to fill and ask it. */
#ifndef SENTIMENT_ARTICLES_TEST_WORLD_H
#define SENTIMENT_ARTICLES_TEST_WORLD_H

#include "articles_import.h"

#include <stdatomic.h>

enum { WORLD_ARENA = 256 << 20, WORLD_ITEMS = 4096 };

/* An article as tests write it: "ACME:0.9 ORBT:0.2:-0.5" is ticker, relevance, publisher's score;
 * topics likewise. The engine of tests reads a score from "[0.5]" at the title's end. */
typedef struct {
    const char *title, *time, *tickers, *topics, *summary, *source, *url;
} item_t;

typedef struct {
    arena_t *a;
    char dir[64], path[96];
    clock_fake_t clock;
    atomic_uint scored;
    double shift; /* what the engine adds: another model */
    char logged[4096];
    log_t log;
    articles_config_t config;
    articles_t *s;
    articles_import_t last; /* of put */
} world_t;

/** An open store in memory; world_setup_file: in a file. */
int world_setup(void **state);
int world_setup_file(void **state);
int world_teardown(void **state);
void world_reopen(world_t *w);

void world_put(world_t *w, const item_t *items, size_t n);
void world_put_from(world_t *w, const item_t *items, size_t n, const articles_from_t *from);
#define PUT(w, ...)                                                                                \
    world_put((w), (const item_t[]){__VA_ARGS__},                                                  \
              sizeof((const item_t[]){__VA_ARGS__}) / sizeof(item_t))

news_t world_news(world_t *w, const item_t *items, size_t n);
str_list_t world_list(world_t *w, const char *words);
articles_page_t world_find(world_t *w, const articles_query_t *q);
/** Titles of the page without their scores, with "|" between. */
str_t world_titles(world_t *w, const articles_query_t *q);
void assert_titles(world_t *w, articles_query_t q, const char *want);

#endif
