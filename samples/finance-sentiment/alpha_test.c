#include "alpha.h"
#include "sample_test_post.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
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

/* A fetch that waits until the test opens the gate, and counts. */
typedef struct {
    http_fetch_fake_t fake;
    atomic_bool closed;
    atomic_uint calls;
} gate_t;

typedef struct {
    loop_t loop;
    gate_t gate;
    http_pool_t *pool;
    clock_fake_t clock;
    alpha_t *alpha;
    alpha_config_t config;
    log_t log;
    char logged[4096];
    unsigned answers;
    rc_t rc;
    size_t articles;
    str_t why;
} fixture_t;

static rc_t gated_get(void *ctx, arena_t *a, const http_fetch_request_t *req,
                      http_fetch_result_t *out)
{
    gate_t *g = ctx;
    http_fetch_port_t fake = http_fetch_fake(&g->fake);
    const struct timespec pause = {0, 1000000};
    atomic_fetch_add(&g->calls, 1);
    while (atomic_load(&g->closed))
        nanosleep(&pause, NULL);
    return fake.get(fake.ctx, a, req, out);
}

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
    pthread_mutex_init(&f->loop.lock, NULL);
    f->gate.fake = (http_fetch_fake_t){ROWS, sizeof ROWS / sizeof *ROWS, 0};
    f->pool = http_pool_new(1, 1);
    f->log = (log_t){.write = log_line, .ctx = f};
    f->config = (alpha_config_t){.key = secret_of(STR(KEY)),
                                 .fetch = {gated_get, &f->gate},
                                 .pool = f->pool,
                                 .clock = clock_fake(&f->clock),
                                 .log = &f->log};
    f->alpha = alpha_new(&f->config);
    *state = f;
    return f->alpha && f->pool ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    atomic_store(&f->gate.closed, false);
    http_pool_free(f->pool);
    while (loop_step(&f->loop))
        ;
    alpha_free(f->alpha);
    pthread_mutex_destroy(&f->loop.lock);
    free(f);
    return 0;
}

static void on_answer(void *arg, const alpha_answer_t *answer)
{
    fixture_t *f = arg;
    f->answers++;
    f->rc = answer->rc;
    f->why = answer->why;
    f->articles = answer->news.n;
}

static void ask(fixture_t *f, const char *ticker)
{
    alpha_ask(f->alpha, str_c(ticker), loop_port(&f->loop), on_answer, f);
}

static void ask_and_wait(fixture_t *f, const char *ticker)
{
    unsigned want = f->answers + 1;
    ask(f, ticker);
    assert_true(loop_until(&f->loop, &f->answers, want));
}

static void news_are_fetched(void **state)
{
    fixture_t *f = *state;
    ask_and_wait(f, "ACME");
    assert_int_equal(f->rc, RC_OK);
    assert_int_equal(f->articles, 1);
    ask_and_wait(f, "CRYPTO:BTC");
    assert_int_equal(f->rc, RC_OK);
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
        ask_and_wait(f, BAD[i].ticker);
        assert_int_equal(f->rc, RC_IO);
        assert_true(str_contains(f->why, str_c(BAD[i].says)));
        assert_false(str_contains(f->why, STR("SECRET")));
    }
    assert_non_null(strstr(f->logged, "live news failed"));
    assert_null(strstr(f->logged, "SECRET"));
    assert_null(strstr(f->logged, "apikey"));
    assert_null(strstr(f->logged, "detected"));
    ask_and_wait(f, "ACME");
    assert_int_equal(f->rc, RC_OK);
}

static void answers_are_cached_for_a_while(void **state)
{
    fixture_t *f = *state;
    ask_and_wait(f, "ACME");
    ask(f, "ACME"); /* at once, without the loop */
    assert_int_equal(f->answers, 2);
    assert_int_equal(f->articles, 1);
    assert_int_equal(atomic_load(&f->gate.calls), 1);
    f->clock.ms += ALPHA_CACHE_MS;
    ask_and_wait(f, "ACME");
    assert_int_equal(atomic_load(&f->gate.calls), 2);
}

static void refusals_are_cached_for_a_moment(void **state)
{
    fixture_t *f = *state;
    ask_and_wait(f, "LIMIT");
    ask(f, "LIMIT");
    assert_int_equal(f->answers, 2);
    assert_int_equal(f->rc, RC_IO);
    assert_int_equal(atomic_load(&f->gate.calls), 1);
    f->clock.ms += ALPHA_FAILED_MS;
    ask_and_wait(f, "LIMIT");
    assert_int_equal(atomic_load(&f->gate.calls), 2);
}

static void one_flight_for_all_who_ask(void **state)
{
    fixture_t *f = *state;
    atomic_store(&f->gate.closed, true);
    for (int i = 0; i < 5; i++)
        ask(f, "ACME");
    assert_int_equal(f->answers, 0);
    atomic_store(&f->gate.closed, false);
    assert_true(loop_until(&f->loop, &f->answers, 5));
    assert_int_equal(atomic_load(&f->gate.calls), 1);
    assert_int_equal(f->rc, RC_OK);
}

static void await_call(fixture_t *f)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < 5000 && atomic_load(&f->gate.calls) == 0; i++)
        nanosleep(&pause, NULL);
}

static void full_pool_is_busy(void **state)
{
    fixture_t *f = *state;
    atomic_store(&f->gate.closed, true);
    ask(f, "ACME");
    await_call(f);
    ask(f, "DOWN"); /* waits in the queue of one */
    assert_int_equal(f->answers, 0);
    ask(f, "SLOW");
    assert_int_equal(f->answers, 1);
    assert_int_equal(f->rc, RC_BUSY);
    assert_true(f->why.n > 0);
    atomic_store(&f->gate.closed, false);
    assert_true(loop_until(&f->loop, &f->answers, 3));
}

static void loop_that_has_ended_is_forgotten(void **state)
{
    fixture_t *f = *state;
    atomic_store(&f->gate.closed, true);
    ask(f, "ACME");
    f->loop.refuse = RC_IO;
    atomic_store(&f->gate.closed, false);
    http_pool_free(f->pool);
    f->pool = NULL;
    assert_int_equal(f->answers, 0); /* and nothing leaks: the sanitizer looks */
}

static void pool_that_ends_first_leaves_nothing(void **state)
{
    fixture_t *f = *state;
    atomic_store(&f->gate.closed, true);
    ask(f, "ACME");
    await_call(f);
    ask(f, "DOWN");
    assert_int_equal(f->answers, 0); /* the sanitizer looks for what the teardown leaves */
}

static void cache_is_bounded(void **state)
{
    fixture_t *f = *state;
    char ticker[8];
    for (int i = 0; i <= ALPHA_CACHE; i++) {
        snprintf(ticker, sizeof ticker, "T%d", i);
        f->clock.ms = i;
        f->loop.n = f->loop.ran = 0;
        ask_and_wait(f, ticker);
        while (loop_step(&f->loop))
            ;
    }
    unsigned calls = atomic_load(&f->gate.calls);
    ask_and_wait(f, "T1"); /* still there; T0, the oldest, made room */
    assert_int_equal(atomic_load(&f->gate.calls), calls);
    ask_and_wait(f, "T0");
    assert_int_equal(atomic_load(&f->gate.calls), calls + 1);
}

static void key_or_ticker_too_long(void **state)
{
    fixture_t *f = *state;
    char key[600];
    alpha_answer_t out;
    arena_t *a = arena_new(ARENA_BYTES);
    memset(key, 'k', sizeof key);
    f->config.key = secret_of(str_of(key, sizeof key));
    assert_int_equal(alpha_fetch(&f->config, a, STR("ACME"), &out), RC_IO);
    assert_true(str_contains(out.why, STR("too long")));
    assert_int_equal(atomic_load(&f->gate.calls), 0);
    ask(f, "A23456789012345678901"); /* one more than a ticker has */
    assert_int_equal(f->rc, RC_MEMORY);
    arena_free(a);
}

static void too_little_memory(void **state)
{
    fixture_t *f = *state;
    alpha_answer_t out;
    arena_t *a = arena_new(64);
    assert_int_equal(alpha_fetch(&f->config, a, STR("ACME"), &out), RC_MEMORY);
    arena_free(a);
}

#define ALPHA_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALPHA_TEST(news_are_fetched),
        ALPHA_TEST(failures_never_tell_the_key),
        ALPHA_TEST(answers_are_cached_for_a_while),
        ALPHA_TEST(refusals_are_cached_for_a_moment),
        ALPHA_TEST(one_flight_for_all_who_ask),
        ALPHA_TEST(full_pool_is_busy),
        ALPHA_TEST(loop_that_has_ended_is_forgotten),
        ALPHA_TEST(pool_that_ends_first_leaves_nothing),
        ALPHA_TEST(cache_is_bounded),
        ALPHA_TEST(key_or_ticker_too_long),
        ALPHA_TEST(too_little_memory),
    };
    return cmocka_run_group_tests_name("alpha", tests, NULL, NULL);
}
