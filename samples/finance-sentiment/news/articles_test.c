#include "articles_test_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define FOUR                                                                                       \
    {"Alpha wins [0.5]", "20260101T000000", "ACME:0.9", "earnings:0.4",                            \
     "A contract for sensors."},                                                                   \
        {"Beta falls [-0.5]", "20260201T000000", "ACME:0.3 ORBT:0.8", "earnings:0.9 ipo",          \
         "Shares of the maker of engines fell."},                                                  \
        {"Gamma holds [0.1]", "20260301T000000", "ORBT:0.5", "ipo:0.2", "Nothing new at all."},    \
    {                                                                                              \
        "Delta opens [0.9]", "20260401T000000", NULL, NULL, "A plant for engines and sensors."     \
    }

static void filters_hold_together(void **state)
{
    world_t *w = *state;
    PUT(w, FOUR);
    assert_int_equal(w->last.added, 4);
    assert_titles(w, (articles_query_t){0}, "Delta opens|Gamma holds|Beta falls|Alpha wins");
    str_list_t acme = world_list(w, "ACME"), both = world_list(w, "ACME ORBT");
    assert_titles(w, (articles_query_t){.tickers = acme}, "Beta falls|Alpha wins");
    assert_titles(w, (articles_query_t){.tickers = both}, "Gamma holds|Beta falls|Alpha wins");
    assert_titles(w, (articles_query_t){.tickers = both, .all_tickers = true}, "Beta falls");
    assert_titles(w, (articles_query_t){.topics = world_list(w, "ipo")}, "Gamma holds|Beta falls");
    assert_titles(w, (articles_query_t){.topics = world_list(w, "ipo earnings")},
                  "Gamma holds|Beta falls|Alpha wins");
    assert_titles(w, (articles_query_t){.topics = world_list(w, "ipo"), .tickers = acme},
                  "Beta falls");
    assert_titles(w, (articles_query_t){.tickers = world_list(w, "NONE")}, "");
    assert_titles(w, (articles_query_t){.from = STR("20260201T000000")},
                  "Delta opens|Gamma holds|Beta falls");
    assert_titles(w, (articles_query_t){.to = STR("20260201T000000")}, "Alpha wins");
    assert_titles(w, (articles_query_t){.tickers = acme, .from = STR("20260102T000000")},
                  "Beta falls");
    assert_titles(w, (articles_query_t){.limit = 1}, "Delta opens");
}

static void sorts(void **state)
{
    world_t *w = *state;
    PUT(w, FOUR);
    str_list_t acme = world_list(w, "ACME"), both = world_list(w, "ACME ORBT");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_EARLIEST},
                  "Alpha wins|Beta falls|Gamma holds|Delta opens");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_EARLIEST, .tickers = both},
                  "Alpha wins|Beta falls|Gamma holds");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_RELEVANCE, .tickers = acme},
                  "Alpha wins|Beta falls");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_RELEVANCE, .tickers = both},
                  "Alpha wins|Beta falls|Gamma holds");
    assert_titles(
        w, (articles_query_t){.sort = ARTICLES_RELEVANCE, .topics = world_list(w, "earnings")},
        "Beta falls|Alpha wins");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_RELEVANCE},
                  "Delta opens|Gamma holds|Beta falls|Alpha wins");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_BEST},
                  "Delta opens|Alpha wins|Gamma holds|Beta falls");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_WORST},
                  "Beta falls|Gamma holds|Alpha wins|Delta opens");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_BEST, .tickers = both},
                  "Alpha wins|Gamma holds|Beta falls");
    assert_titles(w, (articles_query_t){.sort = ARTICLES_WORST, .topics = world_list(w, "ipo")},
                  "Beta falls|Gamma holds");
}

static void full_text(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"engines", "Delta opens|Beta falls"},
        {"ENGINES sensors", "Delta opens"},
        {"\"engines and sensors\"", "Delta opens"},
        {"\"sensors and engines\"", ""},
        {"plant OR contract", ""}, /* OR is a word as others */
        {"fell* (", "Beta falls"}, /* the words are fell and nothing */
        {"wins", "Alpha wins"},
        {"marks:t41434d45", ""},
        {"t41434d45", ""}, /* marks are no words */
        {"title:wins", ""},
        {"nothing \"at all", "Gamma holds"},
        {"\xe2\x80\x94 wins - '", "Alpha wins"},
    };
    world_t *w = *state;
    PUT(w, FOUR);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        articles_query_t q = {.text = str_c(ROWS[i].text)};
        assert_titles(w, q, ROWS[i].want);
    }
    articles_query_t q = {.text = STR("engines"), .tickers = world_list(w, "ACME ORBT")};
    assert_titles(w, q, "Beta falls");
    q.all_tickers = true;
    assert_titles(w, q, "Beta falls");
    q.topics = world_list(w, "earnings");
    assert_titles(w, q, "Beta falls");
    q.topics = world_list(w, "none");
    assert_titles(w, q, "");
    q = (articles_query_t){.text = STR("engines"), .from = STR("20260301T000000")};
    assert_titles(w, q, "Delta opens");
    q = (articles_query_t){.text = STR("engines"), .sort = ARTICLES_WORST};
    assert_titles(w, q, "Beta falls|Delta opens");
    /* a word of the title weighs more */
    PUT(w, {"Engines everywhere", "20250101T000000", NULL, NULL, "Nothing."});
    q.sort = ARTICLES_RELEVANCE;
    assert_titles(w, q, "Engines everywhere|Delta opens|Beta falls");
}

static void a_hit_has_all_that_is_known(void **state)
{
    world_t *w = *state;
    PUT(w, {"Beta falls [-0.5]", "20260201T000000", "ACME:0.5:0.25 ORBT:1", "ipo:0.5", "Sum.",
            "Wire", "https://n.test/1"});
    articles_query_t q = {.tickers = world_list(w, "ORBT ACME"), .limit = 5};
    articles_page_t page = world_find(w, &q);
    assert_int_equal(page.n, 1);
    const articles_hit_t *h = &page.v[0];
    assert_true(str_eq(h->x.url, STR("https://n.test/1")) && str_eq(h->x.source, STR("Wire")));
    assert_true(str_eq(h->x.summary, STR("Sum.")));
    assert_true(str_eq(h->x.time, STR("20260201T000000")));
    assert_int_equal(h->x.ticker_count, 2);
    assert_true(str_eq(h->x.tickers[0].ticker, STR("ORBT")) && !h->x.tickers[0].has_score);
    assert_true(h->x.tickers[1].has_score && h->x.tickers[1].score == 0.25);
    assert_true(h->x.tickers[1].own == -0.5 && h->x.tickers[0].own == -0.625);
    assert_true(h->x.topic_count == 1 && h->x.topics[0].relevance == 0.5);
    assert_true(h->x.score == -0.5 && h->relevance == 1);
    assert_true(h->score == (-0.5 * 0.5 + -0.625) / 1.5);
    assert_true(str_eq(h->via, STR("file")) && str_eq(h->origin, STR("a.json")));
    assert_int_equal(h->fetched.n, NEWS_TIME);
    assert_true(!h->stale_score && h->duplicates == 0 && !page.next.p);
    articles_hit_t same;
    assert_int_equal(articles_get(w->s, w->a, h->id, &same), RC_OK);
    assert_true(str_eq(same.x.title, h->x.title));
    assert_int_equal(articles_get(w->s, w->a, h->id + 1, &same), RC_NOT_FOUND);
}

static void importing_again_changes_nothing(void **state)
{
    world_t *w = *state;
    const item_t item = {"Alpha wins",
                         "20260101T000000",
                         "ACME",
                         NULL,
                         "Sum.",
                         "Wire",
                         "https://n.test/1?utm_source=x&id=7"};
    world_put(w, &item, 1);
    unsigned scored = atomic_load(&w->scored);
    world_put(w, &item, 1);
    assert_true(w->last.again == 1 && w->last.added == 0 && w->last.grouped == 0);
    /* the same page by another link, and a ticker more */
    item_t other = item;
    other.url = "http://N.test/1?id=7&utm_medium=y#top";
    other.tickers = "ACME ORBT";
    assert_int_equal(atomic_load(&w->scored), scored);
    world_put(w, &other, 1);
    assert_int_equal(w->last.again, 1);
    assert_titles(w, (articles_query_t){0}, "Alpha wins");
    assert_titles(w, (articles_query_t){.tickers = world_list(w, "ORBT")}, "Alpha wins");
    assert_titles(w, (articles_query_t){.tickers = world_list(w, "ORBT"), .text = STR("wins")},
                  "Alpha wins");
    /* another page is another article */
    other.url = "https://n.test/2?id=7";
    other.title = "Something else";
    other.summary = "Another.";
    world_put(w, &other, 1);
    assert_int_equal(w->last.added, 1);
}

#define STORY                                                                                      \
    "Acme Instruments raised its full-year sales guidance after operating profit rose in the "     \
    "third "                                                                                       \
    "quarter, helped by strong demand for laboratory sensors and an order backlog that climbed."

static void tellings_of_one_story_are_one(void **state)
{
    world_t *w = *state;
    PUT(w,
        {"Acme raises guidance", "20260101T080000", "ACME", NULL, STORY, "Wire",
         "https://w.test/1"},
        {"Acme lifts its outlook", "20260101T090000", "ACME", NULL, STORY, "Post",
         "https://p.test/1"},
        {"ACME raises guidance!", "20260102T090000", "ORBT ACME", NULL, "Short.", "Times", NULL});
    assert_true(w->last.added == 1 && w->last.grouped == 2);
    articles_query_t q = {.limit = 5};
    articles_page_t page = world_find(w, &q);
    assert_int_equal(page.n, 1);
    assert_true(page.v[0].duplicates == 2 && page.v[0].outlet_count == 2);
    assert_true(str_eq(page.v[0].outlets[0].source, STR("Post")));
    assert_true(str_eq(page.v[0].outlets[0].url, STR("https://p.test/1")));
    assert_true(str_eq(page.v[0].outlets[1].source, STR("Times")));
    /* found by what another outlet said of it */
    assert_titles(w, (articles_query_t){.tickers = world_list(w, "ORBT")}, "Acme raises guidance");
    articles_series_t series;
    assert_int_equal(articles_series(w->s, w->a, STR("ACME"), STR_UNSET, STR_UNSET, 10, &series),
                     RC_OK);
    assert_int_equal(series.n, 1);
    /* again: nothing more */
    PUT(w, {"Acme lifts its outlook", "20260101T090000", "ACME", NULL, STORY, "Post",
            "https://p.test/1"});
    assert_int_equal(w->last.again, 1);
    assert_int_equal(world_find(w, &q).v[0].duplicates, 2);
}

static void other_stories_are_not_grouped(void **state)
{
    world_t *w = *state;
    PUT(w, {"Acme raises guidance", "20260101T080000", "ACME", NULL, STORY, "Wire"},
        /* about another company */
        {"Acme raises guidance", "20260101T080000", "ORBT", NULL, STORY, "Post"},
        /* a week later */
        {"Acme raises guidance", "20260108T080000", "ACME", NULL, STORY, "Post"},
        /* with a number in the title */
        {"Acme raises guidance by 5%", "20260101T080000", "ACME", NULL, STORY, "Times"});
    assert_true(w->last.added == 4 && w->last.grouped == 0);
}

static void lists_more_outlets_than_fit(void **state)
{
    world_t *w = *state;
    char sources[20][32];
    item_t items[20];
    for (int i = 0; i < 20; i++) {
        snprintf(sources[i], sizeof sources[i], "Outlet %d", i);
        items[i] = (item_t){"Acme raises", "20260101T080000", "ACME", NULL, STORY, sources[i]};
    }
    world_put(w, items, 20);
    articles_query_t q = {.limit = 5};
    articles_page_t page = world_find(w, &q);
    assert_true(page.n == 1 && page.v[0].duplicates == 19);
    assert_int_equal(page.v[0].outlet_count, ARTICLES_OUTLETS);
}

/* --- numbers --- */

static void series_of_a_ticker(void **state)
{
    world_t *w = *state;
    articles_series_t s;
    PUT(w, FOUR);
    assert_int_equal(articles_series(w->s, w->a, STR("ACME"), STR_UNSET, STR_UNSET, 10, &s), RC_OK);
    assert_true(s.n == 2 && !s.cut);
    assert_int_equal(s.v[0].published, 1767225600);
    assert_true(s.v[0].score == 0.5f && s.v[0].relevance == 0.9f);
    assert_true(s.v[1].score == -0.5f && s.v[1].published > s.v[0].published);
    assert_int_equal(articles_series(w->s, w->a, STR("ACME"), STR_UNSET, STR_UNSET, 1, &s), RC_OK);
    assert_true(s.n == 1 && s.cut && s.v[0].score == -0.5f);
    assert_int_equal(articles_series(w->s, w->a, STR("ORBT"), STR("20260201T000000"),
                                     STR("20260301T000000"), 10, &s),
                     RC_OK);
    assert_true(s.n == 1 && s.v[0].score == -0.625f);
    assert_int_equal(articles_series(w->s, w->a, STR("NONE"), STR_UNSET, STR_UNSET, 10, &s), RC_OK);
    assert_true(s.n == 0 && !s.cut);
}

static void what_is_known(void **state)
{
    world_t *w = *state;
    articles_tickers_t t;
    articles_known_t one;
    PUT(w, FOUR);
    PUT(w, {"Epsilon", "20260501T000000", "ORBT", "ipo", "Other."});
    assert_int_equal(articles_name(w->s, STR("ACME"), STR("Acme Instruments|Acme")), RC_OK);
    assert_int_equal(articles_name(w->s, STR("NONE"), STR("Nobody")), RC_OK);
    assert_int_equal(articles_tickers(w->s, w->a, STR_UNSET, 10, &t), RC_OK);
    assert_int_equal(t.n, 3);
    assert_true(str_eq(t.v[0].ticker, STR("ORBT")) && t.v[0].count == 3 && !t.v[0].name.p);
    assert_true(str_eq(t.v[0].latest, STR("20260501T000000")));
    assert_true(str_eq(t.v[1].name, STR("Acme Instruments")) && t.v[1].count == 2);
    assert_true(t.v[2].count == 0 && !t.v[2].latest.p);
    assert_int_equal(articles_tickers(w->s, w->a, STR("AC"), 10, &t), RC_OK);
    assert_int_equal(t.n, 1);
    assert_int_equal(articles_tickers(w->s, w->a, STR_UNSET, 1, &t), RC_OK);
    assert_int_equal(t.n, 1);
    assert_int_equal(articles_known(w->s, w->a, STR("ACME"), &one), RC_OK);
    assert_true(one.count == 2 && str_eq(one.name, STR("Acme Instruments")));
    assert_true(str_eq(one.names, STR("Acme Instruments|Acme")));
    assert_int_equal(articles_known(w->s, w->a, STR("AC"), &one), RC_OK);
    assert_true(one.count == 0 && str_eq(one.ticker, STR("AC")) && !one.names.p);
    assert_int_equal(articles_topics(w->s, w->a, 10, &t), RC_OK);
    assert_true(t.n == 2 && str_eq(t.v[0].ticker, STR("ipo")) && t.v[0].count == 3);
}

/* --- threads --- */

typedef struct {
    world_t *w;
    int from;
    atomic_bool *stop;
    size_t found;
    bool bad;
} worker_t;

static void *read_on(void *arg)
{
    worker_t *k = arg;
    arena_t *a = arena_new(ARTICLES_ARENA_BYTES);
    str_t acme = STR("ACME");
    while (!atomic_load(k->stop)) {
        articles_page_t page;
        articles_verdict_t v;
        articles_query_t q = {.tickers = {&acme, 1}, .limit = 20};
        arena_reset(a);
        k->bad |= articles_find(k->w->s, a, &q, &page, &v) != RC_OK || page.n < k->found;
        k->found = page.n;
    }
    arena_free(a);
    return NULL;
}

static void *write_on(void *arg)
{
    worker_t *k = arg;
    articles_from_t from = {STR("file"), STR("/feed"), STR("b.json")};
    for (int i = 0; i < 40; i++) {
        char title[64], time[32];
        news_ticker_t ticker = {.ticker = STR("ACME"), .relevance = 1};
        snprintf(title, sizeof title, "title%d of%d", k->from + i, k->from);
        snprintf(time, sizeof time, "20260101T00%02d%02d", i, k->from % 60);
        article_t x = {.title = str_c(title),
                       .time = str_c(time),
                       .summary = STR(""),
                       .source = STR("S"),
                       .tickers = &ticker,
                       .ticker_count = 1};
        news_t news = {&x, 1};
        articles_import_t out;
        k->bad |= articles_import(k->w->s, &news, &from, &out) != RC_OK || out.added != 1;
    }
    return NULL;
}

static void threads_read_and_write_at_once(void **state)
{
    enum { READ = 6, WRITE = 2 };
    world_t *w = *state;
    atomic_bool stop = false;
    pthread_t readers[READ], writers[WRITE];
    worker_t r[READ], k[WRITE];
    for (int i = 0; i < READ; i++) {
        r[i] = (worker_t){.w = w, .stop = &stop};
        pthread_create(&readers[i], NULL, read_on, &r[i]);
    }
    for (int i = 0; i < WRITE; i++) {
        k[i] = (worker_t){.w = w, .from = 100 * (i + 1)};
        pthread_create(&writers[i], NULL, write_on, &k[i]);
    }
    for (int i = 0; i < WRITE; i++) {
        pthread_join(writers[i], NULL);
        assert_false(k[i].bad);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READ; i++) {
        pthread_join(readers[i], NULL);
        assert_false(r[i].bad);
    }
    articles_tickers_t t;
    assert_int_equal(articles_tickers(w->s, w->a, STR_UNSET, 10, &t), RC_OK);
    assert_int_equal(t.v[0].count, 40 * WRITE);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
#define FILE_TEST(name)  cmocka_unit_test_setup_teardown(name, world_setup_file, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(filters_hold_together),
        STORE_TEST(sorts),
        STORE_TEST(full_text),
        STORE_TEST(a_hit_has_all_that_is_known),
        STORE_TEST(importing_again_changes_nothing),
        STORE_TEST(tellings_of_one_story_are_one),
        STORE_TEST(other_stories_are_not_grouped),
        STORE_TEST(lists_more_outlets_than_fit),
        STORE_TEST(series_of_a_ticker),
        STORE_TEST(what_is_known),
        STORE_TEST(threads_read_and_write_at_once),
        FILE_TEST(threads_read_and_write_at_once),
        FILE_TEST(filters_hold_together),
    };
    return cmocka_run_group_tests_name("articles", tests, NULL, NULL);
}
