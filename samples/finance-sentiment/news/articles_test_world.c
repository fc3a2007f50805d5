#include "articles_test_world.h"

#include "core/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW_S = 1795600000 /* 2026-11-25 */ };

static double score_of(const world_t *w, str_t title)
{
    double v = 0;
    size_t at = str_find(title, '[', 0);
    if (at < title.n)
        num_f64(str_trim(str_skip(title, at), "[]"), &v);
    return v + w->shift;
}

/* Each ticker a little less than the one before. */
static rc_t score(void *ctx, arena_t *scratch, const article_t *x, articles_score_t *out)
{
    world_t *w = ctx;
    double *v = ARENA_ARRAY(scratch, x->ticker_count + 1, double);
    atomic_fetch_add(&w->scored, 1);
    if (!v)
        return RC_MEMORY;
    *out = (articles_score_t){score_of(w, x->title), v};
    for (size_t i = 0; i < x->ticker_count; i++)
        v[i] = out->score - 0.125 * (double)i;
    return RC_OK;
}

static void log_line(void *ctx, str_t line)
{
    world_t *w = ctx;
    size_t n = strlen(w->logged);
    snprintf(w->logged + n, sizeof w->logged - n, "%.*s", STR_ARG(line));
}

static void open_it(world_t *w)
{
    str_t why = STR_UNSET;
    if (articles_open(w->a, &w->config, &w->s, &why) != RC_OK)
        fail_msg("%.*s", STR_ARG(why));
}

static int setup(void **state, bool file)
{
    world_t *w = calloc(1, sizeof *w);
    w->a = arena_new(WORLD_ARENA);
    w->clock.ms = NOW_S * 1000LL;
    w->log = (log_t){log_line, w, LOG_WARN, NULL, NULL};
    snprintf(w->dir, sizeof w->dir, "/tmp/articles-XXXXXX");
    if (!mkdtemp(w->dir))
        return -1;
    snprintf(w->path, sizeof w->path, "%s/news.db", w->dir);
    w->config = (articles_config_t){.path = file ? w->path : NULL,
                                    .engine = {STR("model-1"), score, w},
                                    .clock = clock_fake(&w->clock),
                                    .log = &w->log};
    open_it(w);
    *state = w;
    return 0;
}

int world_setup(void **state)
{
    return setup(state, false);
}

int world_setup_file(void **state)
{
    return setup(state, true);
}

int world_teardown(void **state)
{
    world_t *w = *state;
    char command[128];
    articles_close(w->s);
    snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
    int bad = system(command);
    arena_free(w->a);
    free(w);
    return bad;
}

void world_reopen(world_t *w)
{
    articles_close(w->s);
    open_it(w);
}

str_list_t world_list(world_t *w, const char *words)
{
    str_t rest = str_c(words), word, *v = ARENA_ARRAY(w->a, 64, str_t);
    size_t n = 0;
    while (n < 64 && str_split(&rest, ' ', &word))
        v[n++] = word;
    return (str_list_t){v, n};
}

static news_ticker_t ticker_of(str_t text)
{
    news_ticker_t t = {.relevance = 1};
    str_t part;
    str_split(&text, ':', &t.ticker);
    if (str_split(&text, ':', &part))
        num_f64(part, &t.relevance);
    t.has_score = str_split(&text, ':', &part) && num_f64(part, &t.score);
    return t;
}

static article_t article_of(world_t *w, const item_t *i)
{
    str_list_t tickers = world_list(w, i->tickers), topics = world_list(w, i->topics);
    news_ticker_t *t = ARENA_ARRAY(w->a, tickers.n + 1, news_ticker_t);
    news_topic_t *o = ARENA_ARRAY(w->a, topics.n + 1, news_topic_t);
    for (size_t k = 0; k < tickers.n; k++)
        t[k] = ticker_of(tickers.v[k]);
    for (size_t k = 0; k < topics.n; k++) {
        news_ticker_t like = ticker_of(topics.v[k]);
        o[k] = (news_topic_t){like.ticker, like.relevance};
    }
    return (article_t){.title = str_c(i->title),
                       .summary = str_c(i->summary ? i->summary : ""),
                       .source = str_c(i->source ? i->source : "Ledger"),
                       .url = str_c(i->url),
                       .time = str_c(i->time),
                       .tickers = t,
                       .ticker_count = tickers.n,
                       .topics = o,
                       .topic_count = topics.n};
}

news_t world_news(world_t *w, const item_t *items, size_t n)
{
    article_t *v = ARENA_ARRAY(w->a, n + 1, article_t);
    for (size_t i = 0; i < n; i++)
        v[i] = article_of(w, &items[i]);
    return (news_t){v, n};
}

void world_put_from(world_t *w, const item_t *items, size_t n, const articles_from_t *from)
{
    news_t news = world_news(w, items, n);
    assert_int_equal(articles_import(w->s, &news, from, &w->last), RC_OK);
}

void world_put(world_t *w, const item_t *items, size_t n)
{
    articles_from_t from = {STR("file"), STR("/feed"), STR("a.json")};
    world_put_from(w, items, n, &from);
}

articles_page_t world_find(world_t *w, const articles_query_t *q)
{
    articles_page_t page;
    articles_verdict_t verdict;
    assert_int_equal(articles_find(w->s, w->a, q, &page, &verdict), RC_OK);
    assert_int_equal(verdict, ARTICLES_OK);
    return page;
}

str_t world_titles(world_t *w, const articles_query_t *q)
{
    articles_page_t page = world_find(w, q);
    buf_t b = buf_new(w->a, 65536);
    for (size_t i = 0; i < page.n; i++) {
        str_t title = page.v[i].x.title;
        buf_put(&b, i > 0 ? STR("|") : STR(""));
        buf_put(&b, str_trim(str_first(title, str_find(title, '[', 0)), " "));
    }
    return buf_str(&b);
}

void assert_titles(world_t *w, articles_query_t q, const char *want)
{
    q.limit = q.limit > 0 ? q.limit : 50;
    str_t got = world_titles(w, &q);
    if (!str_eq(got, str_c(want)) && (got.n > 0 || want[0]))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), want);
}
