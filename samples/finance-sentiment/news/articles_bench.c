/* How fast the store is: articles-bench DIR [ARTICLES] fills DIR/bench.db and asks it, and prints
 * milliseconds. Articles are made of words by a fixed rule. */
#include "articles_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORDS = 3000, PART = 5000, ASKS = 200, TICKERS = 500 };

static uint32_t seed = 1;

static uint32_t roll(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

/* Low numbers are frequent, as words are. */
static uint32_t skewed(uint32_t n)
{
    return roll(roll(n) + 1);
}

static str_t words(arena_t *a, size_t n)
{
    buf_t b = buf_new(a, 4096);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%sword%u", i ? " " : "", skewed(WORDS));
    return buf_str(&b);
}

static article_t make(arena_t *a, size_t number)
{
    size_t n = 1 + roll(3);
    news_ticker_t *t = ARENA_ARRAY(a, n, news_ticker_t);
    news_topic_t *o = ARENA_ARRAY(a, 1, news_topic_t);
    for (size_t i = 0; i < n; i++)
        t[i] = (news_ticker_t){.ticker = arena_printf(a, "T%u", skewed(TICKERS)),
                               .relevance = (1 + roll(100)) / 101.0};
    o[0] = (news_topic_t){arena_printf(a, "topic_%u", roll(15)), 0.5};
    return (article_t){.title = words(a, 9),
                       .summary = words(a, 40),
                       .source = arena_printf(a, "Outlet %u", roll(30)),
                       .url = arena_printf(a, "https://news.example/%zu", number),
                       .time = arena_printf(a, "2026%02u%02uT%02u%02u%02u", 1 + roll(11),
                                            1 + roll(28), roll(24), roll(60), roll(60)),
                       .tickers = t,
                       .ticker_count = n,
                       .topics = o,
                       .topic_count = 1};
}

/* Wall time in microseconds; *cpu gets that of the processor. */
static int64_t fill(articles_t *s, size_t count, clock_t *cpu)
{
    int64_t spent = 0;
    *cpu = 0;
    for (size_t at = 0; at < count; at += PART) {
        arena_t *a = arena_new(256 << 20);
        article_t *v = ARENA_ARRAY(a, PART, article_t);
        articles_from_t from = {STR("file"), STR("/bench"), STR("bench.json")};
        articles_import_t out;
        for (size_t i = 0; i < PART; i++)
            v[i] = make(a, at + i);
        news_t news = {v, PART};
        int64_t start = clock_micros();
        clock_t before = clock();
        if (articles_import(s, &news, &from, &out) != RC_OK)
            exit(1);
        *cpu += clock() - before;
        spent += clock_micros() - start;
        arena_free(a);
    }
    return spent;
}

typedef struct {
    const char *name;
    articles_query_t q;
} ask_t;

static void measure(articles_t *s, const ask_t *k)
{
    int64_t sum = 0, most = 0;
    size_t n = 0;
    arena_t *a = arena_new(64 << 20);
    for (int i = 0; i < ASKS; i++) {
        articles_page_t page;
        articles_verdict_t v;
        arena_reset(a);
        int64_t start = clock_micros();
        if (articles_find(s, a, &k->q, &page, &v) != RC_OK || v != ARTICLES_OK)
            exit(1);
        int64_t spent = clock_micros() - start;
        sum += spent;
        most = spent > most ? spent : most;
        n = page.n;
    }
    printf("%-34s %3zu hits  mean %7.3f ms  most %7.3f ms\n", k->name, n, (double)sum / ASKS / 1000,
           (double)most / 1000);
    arena_free(a);
}

static void ask_all(articles_t *s)
{
    static const str_t HOT[] = {STR_INIT("T1"), STR_INIT("T2"), STR_INIT("T3")};
    static const str_t COLD[] = {STR_INIT("T450")}, TOPIC[] = {STR_INIT("topic_3")};
    const ask_t ASK[] = {
        {"latest of all", {.limit = 50}},
        {"latest of a frequent ticker", {.tickers = {HOT, 1}, .limit = 50}},
        {"latest of a rare ticker", {.tickers = {COLD, 1}, .limit = 50}},
        {"latest of any of 3", {.tickers = {HOT, 3}, .limit = 50}},
        {"latest of all of 2", {.tickers = {HOT, 2}, .all_tickers = true, .limit = 50}},
        {"latest of a topic", {.topics = {TOPIC, 1}, .limit = 50}},
        {"ticker and topic", {.tickers = {HOT, 1}, .topics = {TOPIC, 1}, .limit = 50}},
        {"relevance to a frequent ticker",
         {.tickers = {HOT, 1}, .sort = ARTICLES_RELEVANCE, .limit = 50}},
        {"relevance to any of 3", {.tickers = {HOT, 3}, .sort = ARTICLES_RELEVANCE, .limit = 50}},
        {"best of any of 3", {.tickers = {HOT, 3}, .sort = ARTICLES_BEST, .limit = 50}},
        {"worst of all", {.sort = ARTICLES_WORST, .limit = 50}},
        {"text, frequent word, latest", {.text = STR("word5"), .limit = 50}},
        {"text, rare words, latest", {.text = STR("word2900 word2500"), .limit = 50}},
        {"text and ticker, latest", {.text = STR("word5"), .tickers = {HOT, 1}, .limit = 50}},
        {"text and ticker, by relevance",
         {.text = STR("word5"), .tickers = {HOT, 1}, .sort = ARTICLES_RELEVANCE, .limit = 50}},
        {"text, frequent word, by relevance",
         {.text = STR("word5"), .sort = ARTICLES_RELEVANCE, .limit = 50}},
        {"text, rare word, by relevance",
         {.text = STR("word2900"), .sort = ARTICLES_RELEVANCE, .limit = 50}},
    };
    for (size_t i = 0; i < sizeof ASK / sizeof *ASK; i++)
        measure(s, &ASK[i]);
}

static void count_all(articles_t *s)
{
    arena_t *a = arena_new(64 << 20);
    articles_series_t series;
    articles_tickers_t known;
    int64_t start = clock_micros();
    if (articles_series(s, a, STR("T1"), STR_UNSET, STR_UNSET, ARTICLES_SERIES, &series) != RC_OK)
        exit(1);
    int64_t middle = clock_micros();
    if (articles_tickers(s, a, STR_UNSET, 500, &known) != RC_OK)
        exit(1);
    printf("series of %zu points %.3f ms, %zu tickers %.3f ms\n", series.n,
           (double)(middle - start) / 1000, known.n, (double)(clock_micros() - middle) / 1000);
    arena_free(a);
}

int main(int argc, char **argv)
{
    char path[512];
    str_t why;
    articles_t *s;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    arena_t *a = arena_new(1 << 20);
    snprintf(path, sizeof path, "%s/bench.db", argc > 1 ? argv[1] : ".");
    articles_config_t c = {
        .path = path, .engine = articles_engine(), .clock = clock_system(), .keep = 5000000};
    int64_t start = clock_micros();
    if (!a || articles_open(a, &c, &s, &why) != RC_OK)
        return 1;
    printf("open %.1f ms\n", (double)(clock_micros() - start) / 1000);
    clock_t cpu;
    int64_t spent = fill(s, count, &cpu);
    printf("%zu articles in %.1f s, %.1f s of the processor, scored by the engine\n", count,
           (double)spent / 1e6, (double)cpu / CLOCKS_PER_SEC);
    if (argc <= 3) /* a third argument: only fill */
        ask_all(s);
    count_all(s);
    articles_close(s);
    arena_free(a);
    return 0;
}
