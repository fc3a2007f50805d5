#include "news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 64 << 20 };

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static news_t parse(arena_t *a, const char *text, news_verdict_t want)
{
    news_t news;
    news_verdict_t verdict;
    assert_int_equal(news_parse(a, str_c(text), &news, &verdict), RC_OK);
    assert_int_equal(verdict, want);
    return news;
}

static const char *feed_of(arena_t *a, const char *members)
{
    return arena_printf(a,
                        "{\"feed\":[{\"title\":\"T\",\"time_published\":\"20260503T120000\"%s}]}",
                        members)
        .p;
}

static void assert_str(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), want);
}

static void numbers_arrive_as_strings(void **state)
{
    news_t n = parse(*state,
                     feed_of(*state, ",\"ticker_sentiment\":[{\"ticker\":\"ACME\",\"relevance_"
                                     "score\":\"0.25\",\"ticker_sentiment_score\":\"-0.5\"},"
                                     "{\"ticker\":\"B\",\"relevance_score\":0.5},"
                                     "{\"ticker\":\"C\",\"relevance_score\":\"7\",\"ticker_"
                                     "sentiment_score\":\"x\"},{\"relevance_score\":\"1\"},3]"),
                     NEWS_OK);
    assert_int_equal(n.n, 1);
    const article_t *x = &n.v[0];
    assert_int_equal(x->ticker_count, 3);
    assert_true(x->tickers[0].relevance == 0.25 && x->tickers[0].score == -0.5);
    assert_true(x->tickers[0].has_score);
    assert_true(x->tickers[1].relevance == 0.5 && !x->tickers[1].has_score);
    assert_true(x->tickers[2].relevance == 1 && !x->tickers[2].has_score);
    assert_ptr_equal(news_find_ticker(x, STR("acme")), &x->tickers[0]);
    assert_null(news_find_ticker(x, STR("ACM")));
}

static void what_is_no_ticker_is_left_out(void **state)
{
    news_t n = parse(*state,
                     feed_of(*state, ",\"ticker_sentiment\":[{\"ticker\":\"acme\"},{\"ticker\":"
                                     "\"Ignore all\"},{\"ticker\":\"\"},{\"ticker\":\"1\"},"
                                     "{\"ticker\":\"TOOLONGTOOLONGTOOLONG\"},{\"ticker\":"
                                     "\"CRYPTO:BTC\"}]"),
                     NEWS_OK);
    assert_int_equal(n.v[0].ticker_count, 2);
    assert_str(n.v[0].tickers[0].ticker, "ACME");
    assert_str(n.v[0].tickers[1].ticker, "CRYPTO:BTC");
}

static void topics_have_the_names_of_the_service(void **state)
{
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        {"Financial Markets", "financial_markets"},
        {"Economy - Monetary", "economy_monetary"},
        {"Mergers & Acquisitions", "mergers_and_acquisitions"},
        {"Real Estate & Construction", "real_estate"},
        {"IPO", "ipo"},
        {" --IPO!! ", "ipo"},
        {"\xe2\x80\xae", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t got = news_topic(*state, str_c(ROWS[i].in));
        if (!str_eq(got, str_c(ROWS[i].out)))
            fail_msg("%s gave %.*s", ROWS[i].in, STR_ARG(got));
    }
    news_t n = parse(*state,
                     feed_of(*state, ",\"topics\":[{\"topic\":\"Earnings\",\"relevance_score\":"
                                     "\"0.5\"},{\"topic\":\"!\"},{\"topic\":\"IPO\"},7]"),
                     NEWS_OK);
    assert_int_equal(n.v[0].topic_count, 2);
    assert_true(n.v[0].topics[0].relevance == 0.5 && n.v[0].topics[1].relevance == 1);
}

static void refusals_come_as_http_200(void **state)
{
    parse(*state, "{\"Note\":\"5 calls per minute\"}", NEWS_REFUSED);
    parse(*state, "{\"Information\":\"25 requests per day\"}", NEWS_REFUSED);
    parse(*state, "{\"Error Message\":\"Invalid inputs\"}", NEWS_REFUSED);
    assert_int_equal(parse(*state, "{\"Information\":\"No articles found. Please\"}", NEWS_OK).n,
                     0);
    assert_int_equal(parse(*state, "{\"feed\":[]}", NEWS_OK).n, 0);
}

static void other_shapes_are_malformed(void **state)
{
    static const char *const BAD[] = {
        "",      "{", "[]", "{}", "{\"feed\":1}", "{\"feed\":{}}", "{\"feed\":[],\"feed\":[]}",
        "<html>"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        parse(*state, BAD[i], NEWS_MALFORMED);
}

static void too_many_articles_are_malformed(void **state)
{
    buf_t b = buf_new(*state, 1 << 20);
    buf_put(&b, STR("{\"feed\":[0"));
    for (int i = 0; i < NEWS_ARTICLES; i++)
        buf_put(&b, STR(",0"));
    buf_put(&b, STR("]}"));
    buf_char(&b, '\0');
    parse(*state, buf_str(&b).p, NEWS_MALFORMED);
}

static void articles_without_title_or_time_are_left_out(void **state)
{
    assert_int_equal(parse(*state,
                           "{\"feed\":[{\"title\":\"T\"},{\"time_published\":\"20260503T120000\"},"
                           "{\"title\":\" \\u200b\",\"time_published\":\"20260503T120000\"},null,"
                           "{\"title\":\"T\",\"time_published\":\"20261303T120000\"}]}",
                           NEWS_OK)
                         .n,
                     0);
}

static void only_web_addresses_are_links(void **state)
{
    static const char *const BAD[] = {"javascript:alert(1)",
                                      "file:///etc/passwd",
                                      "//x",
                                      "",
                                      "https://x/\\u202e",
                                      "data:text/html,x",
                                      "https://bank.example@x.example/"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        str_t member = arena_printf(*state, ",\"url\":\"%s\"", BAD[i]);
        assert_null(parse(*state, feed_of(*state, member.p), NEWS_OK).v[0].url.p);
    }
    news_t n = parse(*state, feed_of(*state, ",\"url\":\"https://news.example/a?b=c\""), NEWS_OK);
    assert_str(n.v[0].url, "https://news.example/a?b=c");
}

static void hostile_text_is_cleaned(void **state)
{
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        {"plain", "plain"},
        {"  a \t\r\n b  ", "a b"},
        {"a\x1b[31mred", "a[31mred"},
        {"\xe2\x80\xaegnp.exe", "gnp.exe"},       /* right-to-left override */
        {"a\xe2\x81\xa6x\xe2\x81\xa9", "ax"},     /* isolates */
        {"a\xe2\x80\x8b\xef\xbb\xbfz", "az"},     /* zero width, BOM */
        {"a\xf3\xa0\x81\x81z", "az"},             /* a tag character */
        {"a\xf3\xa0\x84\x80z", "az"},             /* a variation selector of the supplement */
        {"a\xef\xb8\x8fz", "az"},                 /* variation selector 16 */
        {"a\xef\xbf\xb9z\xef\xbf\xbb", "az"},     /* interlinear annotation */
        {"a\xee\x80\x80\xf4\x80\x80\x80z", "az"}, /* private use */
        {"a\xef\xb7\x90\xf0\x9f\xbf\xbez", "az"}, /* noncharacters */
        {"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81z",
         "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81z"}, /* a heap of accents */
        {"a\xe2\x80\xa8z", "a z"},              /* line separator */
        {"a\xc2\x85z", "az"},                   /* C1 control */
        {"a\xff\xc3(z", "a(z"},                 /* bad UTF-8 */
        {"a\xc0\xafz\xed\xa0\x80", "az"},       /* overlong, surrogate */
        {"\xe2\x82\xac"
         "5 \xf0\x9f\x93\x88",
         "\xe2\x82\xac"
         "5 \xf0\x9f\x93\x88"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_str(news_clean(*state, str_c(ROWS[i].in), 100), ROWS[i].out);
}

static void long_text_is_cut_between_characters(void **state)
{
    assert_str(news_clean(*state, STR("ab\xe2\x82\xac"), 4), "ab");
    assert_str(news_clean(*state, STR("ab\xe2\x82\xac"), 5), "ab\xe2\x82\xac");
    assert_str(news_clean(*state, STR("ab cd"), 3), "ab");
    char *text = arena_alloc(*state, 2 * NEWS_TITLE_BYTES + 1);
    memset(text, 'x', 2 * NEWS_TITLE_BYTES);
    str_t doc = arena_printf(*state,
                             "{\"feed\":[{\"title\":\"%s\",\"time_published\":"
                             "\"20260503T120000\"}]}",
                             text);
    assert_int_equal(parse(*state, doc.p, NEWS_OK).v[0].title.n, NEWS_TITLE_BYTES);
}

static void times(void **state)
{
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        {"20260503T120000", "20260503T120000"},
        {"20260503T1200", "20260503T120000"},
        {"2026-05-03", "20260503T000000"},
        {"2026-05-03T12:00Z", "20260503T120000"},
        {"2026-05-03T12:00:01Z", "20260503T120001"},
        {"2026-05-03T12:00:01+02:00", NULL},
        {"2026-13-03", NULL},
        {"2026-02-29", NULL},
        {"2024-02-29", "20240229T000000"},
        {"20260431T120000", NULL},
        {"2100-02-29", NULL},
        {"20260503", NULL},
        {"20260503T240000", NULL},
        {"20260503T126000", NULL},
        {"", NULL},
        {"now", NULL},
        {"2026-05-03Z", NULL},
        {"20260503T1200Z", NULL},
        {"20260503T12000", NULL},
        {"2026050\xc2\xb2T120000", NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t got = news_time(*state, str_c(ROWS[i].in));
        if (!str_eq(got, str_c(ROWS[i].out)))
            fail_msg("%s gave %.*s", ROWS[i].in, STR_ARG(got));
    }
    assert_str(news_time_text(*state, STR("20260503T120001")), "2026-05-03T12:00:01Z");
}

static const char *const FEED =
    "{\"feed\":[{\"title\":\"old\",\"time_published\":\"20260101T000000\",\"url\":\"https://n.test/"
    "1\","
    "\"ticker_sentiment\":[{\"ticker\":\"ACME\"}]},{\"title\":\"new\",\"time_published\":"
    "\"20260301T000000\",\"ticker_sentiment\":[{\"ticker\":\"ACME\"},{\"ticker\":\"ORBT\"}]}]}";

static void no_memory_is_said(void **state)
{
    news_t n;
    news_verdict_t v;
    size_t failed = 0;
    (void)state;
    for (size_t budget = 16; budget < 4096; budget += 16) {
        arena_t *a = arena_new(budget);
        rc_t rc = news_parse(a, str_c(FEED), &n, &v);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        if (rc == RC_OK)
            assert_true(v == NEWS_OK && n.n <= 4);
        failed += rc == RC_MEMORY;
        arena_free(a);
    }
    assert_true(failed > 0);
}

#define NEWS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEWS_TEST(numbers_arrive_as_strings),
        NEWS_TEST(what_is_no_ticker_is_left_out),
        NEWS_TEST(topics_have_the_names_of_the_service),
        NEWS_TEST(refusals_come_as_http_200),
        NEWS_TEST(other_shapes_are_malformed),
        NEWS_TEST(too_many_articles_are_malformed),
        NEWS_TEST(articles_without_title_or_time_are_left_out),
        NEWS_TEST(only_web_addresses_are_links),
        NEWS_TEST(hostile_text_is_cleaned),
        NEWS_TEST(long_text_is_cut_between_characters),
        NEWS_TEST(times),
        NEWS_TEST(no_memory_is_said),
    };
    return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
