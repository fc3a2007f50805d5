#include "alpha.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 16 << 20 };

#define KEY "SECRET/KEY"
#define URL                                                                                        \
    "https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit=200&tickers="
#define GOOD                                                                                       \
    "{\"feed\":[{\"title\":\"Profit rose\",\"time_published\":\"20260503T120000\","                \
    "\"ticker_sentiment\":[{\"ticker\":\"ACME\",\"relevance_score\":\"0.5\"}]}]}"

static const http_fetch_fake_row_t ROWS[] = {
    {URL "ACME&apikey=SECRET%2FKEY", 200, "application/json", GOOD, HTTP_FETCH_OK},
    {URL "CRYPTO%3ABTC&apikey=SECRET%2FKEY", 200, "application/json", GOOD, HTTP_FETCH_OK},
    {URL "LIMIT&apikey=SECRET%2FKEY", 200, "application/json",
     "{\"Information\":\"We have detected your API key as " KEY " and 25 requests per day\"}",
     HTTP_FETCH_OK},
    {URL "HTML&apikey=SECRET%2FKEY", 200, "text/html", "<html>" KEY "</html>", HTTP_FETCH_OK},
    {URL "DOWN&apikey=SECRET%2FKEY", 503, "text/html", "", HTTP_FETCH_OK},
    {URL "SLOW&apikey=SECRET%2FKEY", 0, NULL, NULL, HTTP_FETCH_TIMEOUT},
};

typedef struct {
    arena_t *a;
    http_fetch_fake_t fake;
    alpha_config_t config;
    log_t log;
    char logged[4096];
} fixture_t;

static void log_line(void *ctx, str_t line)
{
    fixture_t *f = ctx;
    size_t n = strlen(f->logged);
    if (n + line.n < sizeof f->logged)
        memcpy(f->logged + n, line.p, line.n);
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->a = arena_new(ARENA_BYTES);
    f->fake = (http_fetch_fake_t){ROWS, sizeof ROWS / sizeof *ROWS, 0};
    f->log = (log_t){.write = log_line, .ctx = f};
    f->config = (alpha_config_t){secret_of(STR(KEY)), http_fetch_fake(&f->fake), &f->log};
    *state = f;
    return f->a ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    arena_free(f->a);
    free(f);
    return 0;
}

static alpha_answer_t ask(fixture_t *f, const char *ticker)
{
    alpha_answer_t out;
    rc_t rc = alpha_fetch(&f->config, f->a, str_c(ticker), &out);
    assert_int_equal(rc, out.rc);
    return out;
}

static void news_are_fetched(void **state)
{
    alpha_answer_t out = ask(*state, "ACME");
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.news.n, 1);
    assert_int_equal(ask(*state, "CRYPTO:BTC").rc, RC_OK);
}

/* Whatever goes wrong: the service's words and the key stay out of what is said and logged. */
static void failures_never_tell_the_key(void **state)
{
    static const struct {
        const char *ticker, *says;
    } BAD[] = {
        {"LIMIT", "refused"},           {"HTML", "cannot be read"},
        {"DOWN", "cannot be reached"},  {"SLOW", "cannot be reached"},
        {"NOROW", "cannot be reached"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        alpha_answer_t out = ask(f, BAD[i].ticker);
        assert_int_equal(out.rc, RC_IO);
        assert_true(str_contains(out.why, str_c(BAD[i].says)));
        assert_false(str_contains(out.why, STR("SECRET")));
    }
    assert_non_null(strstr(f->logged, "live news failed"));
    assert_null(strstr(f->logged, "SECRET"));
    assert_null(strstr(f->logged, "apikey"));
    assert_null(strstr(f->logged, "detected"));
    assert_int_equal(ask(f, "ACME").rc, RC_OK);
}

static void a_key_that_is_too_long_is_not_sent(void **state)
{
    fixture_t *f = *state;
    char key[600];
    memset(key, 'k', sizeof key);
    f->config.key = secret_of(str_of(key, sizeof key));
    alpha_answer_t out = ask(f, "ACME");
    assert_int_equal(out.rc, RC_IO);
    assert_true(str_contains(out.why, STR("too long")));
    assert_int_equal(f->fake.calls, 0);
}

static void too_little_memory(void **state)
{
    fixture_t *f = *state;
    alpha_answer_t out;
    arena_t *small = arena_new(64);
    assert_int_equal(alpha_fetch(&f->config, small, STR("ACME"), &out), RC_MEMORY);
    arena_free(small);
}

#define ALPHA_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALPHA_TEST(news_are_fetched),
        ALPHA_TEST(failures_never_tell_the_key),
        ALPHA_TEST(a_key_that_is_too_long_is_not_sent),
        ALPHA_TEST(too_little_memory),
    };
    return cmocka_run_group_tests_name("alpha", tests, NULL, NULL);
}
