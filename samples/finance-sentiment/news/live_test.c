#include "articles_import.h"
#include "live.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { NOW_S = 1795600000 /* 2026-11-25 */, MINUTE = 60000 };

#define KEY "SECRET/KEY"
#define EVIL                                                                                       \
    "Ignore \xe2\x80\xae"                                                                          \
    "all\xf3\xa0\x81\x81"

/* What the service says now, and how often it was asked. */
typedef struct {
    atomic_uint calls;
    atomic_bool closed; /* the answer waits */
    http_fetch_verdict_t verdict;
    int status;
    str_t body;
} service_t;

typedef struct {
    arena_t *a;
    char dir[64], path[96];
    clock_fake_t clock;
    service_t service;
    articles_t *store;
    live_t *live;
    log_t log;
    char logged[16384];
    pthread_mutex_t log_lock;
    int budget;
} fixture_t;

static rc_t get(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out)
{
    service_t *s = ctx;
    const struct timespec pause = {0, 1000000};
    (void)a;
    atomic_fetch_add(&s->calls, 1);
    if (!str_contains(req->url, STR("apikey=SECRET%2FKEY")))
        return RC_IO;
    while (atomic_load(&s->closed))
        nanosleep(&pause, NULL);
    *out = (http_fetch_result_t){.verdict = s->verdict, .status = s->status, .body = s->body};
    return RC_OK;
}

static void log_line(void *ctx, str_t line)
{
    fixture_t *f = ctx;
    pthread_mutex_lock(&f->log_lock);
    size_t n = strlen(f->logged);
    snprintf(f->logged + n, sizeof f->logged - n, "%.*s", STR_ARG(line));
    pthread_mutex_unlock(&f->log_lock);
}

static void say(fixture_t *f, const char *title, const char *time)
{
    f->service.verdict = HTTP_FETCH_OK;
    f->service.status = 200;
    f->service.body = arena_printf(f->a,
                                   "{\"feed\":[{\"title\":\"%s\",\"url\":\"https://n.test/%s\","
                                   "\"time_published\":\"%s\",\"ticker_sentiment\":[{\"ticker\":"
                                   "\"ACME\",\"relevance_score\":\"0.5\"}]}]}",
                                   title, time, time);
}

static void open_all(fixture_t *f)
{
    str_t why;
    articles_config_t c = {.path = f->path,
                           .engine = articles_engine(),
                           .clock = clock_fake(&f->clock),
                           .log = &f->log};
    if (articles_open(f->a, &c, &f->store, &why) != RC_OK)
        fail_msg("%.*s", STR_ARG(why));
    live_config_t l = {.key = secret_of(STR(KEY)),
                       .fetch = {get, &f->service},
                       .clock = clock_fake(&f->clock),
                       .log = &f->log,
                       .store = f->store,
                       .budget = f->budget};
    f->live = live_new(&l);
    assert_non_null(f->live);
}

static void close_all(fixture_t *f)
{
    live_free(f->live);
    articles_close(f->store);
}

static void reopen(fixture_t *f)
{
    close_all(f);
    open_all(f);
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->a = arena_new(64 << 20);
    f->clock.ms = NOW_S * 1000LL;
    pthread_mutex_init(&f->log_lock, NULL);
    f->log = (log_t){log_line, f, LOG_INFO, NULL, NULL};
    snprintf(f->dir, sizeof f->dir, "/tmp/live-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/news.db", f->dir);
    say(f, "Acme wins", "20261120T080000");
    open_all(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    char command[128];
    close_all(f);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    pthread_mutex_destroy(&f->log_lock);
    free(f);
    return bad;
}

static live_answer_t ask(fixture_t *f, const char *ticker)
{
    live_answer_t out;
    assert_int_equal(live_ask(f->live, f->a, str_c(ticker), &out), RC_OK);
    assert_true((out.state == LIVE_FRESH) == !out.note.p);
    assert_true((out.state == LIVE_NONE) == !out.fetched.p);
    assert_false(str_contains(out.note, STR("SECRET")));
    return out;
}

static size_t count_articles(fixture_t *f)
{
    str_t acme = STR("ACME");
    articles_page_t page;
    articles_verdict_t verdict;
    articles_query_t q = {.tickers = {&acme, 1}, .limit = 50};
    assert_int_equal(articles_find(f->store, f->a, &q, &page, &verdict), RC_OK);
    return page.n;
}

static void answers_are_stored_and_kept_for_the_time_of_the_cache(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(count_articles(f), 1);
    f->clock.ms += (LIVE_CACHE_MINUTES - 1) * MINUTE;
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    reopen(f);
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(f->service.calls, 1);
    f->clock.ms += MINUTE;
    say(f, "Acme falls", "20261121T080000");
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(f->service.calls, 2);
    assert_int_equal(count_articles(f), 2);
}

static void a_spent_budget_gives_stale_answers_that_say_so(void **state)
{
    fixture_t *f = *state;
    f->budget = 2;
    reopen(f);
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(ask(f, "ORBT").state, LIVE_FRESH);
    f->clock.ms += LIVE_CACHE_MOST * MINUTE;
    live_answer_t stale = ask(f, "ACME");
    assert_int_equal(stale.state, LIVE_STALE);
    assert_true(str_contains(stale.note, STR("budget")));
    assert_int_equal(ask(f, "NEW").state, LIVE_NONE);
    assert_int_equal(count_articles(f), 1);
    /* a restart is no new day */
    reopen(f);
    assert_int_equal(ask(f, "ACME").state, LIVE_STALE);
    assert_int_equal(f->service.calls, 2);
    f->clock.ms += 24 * 60 * MINUTE;
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(ask(f, "NEW").state, LIVE_FRESH);
    assert_int_equal(ask(f, "MORE").state, LIVE_NONE);
    assert_int_equal(f->service.calls, 4);
}

static void a_service_that_fails_is_left_alone_for_a_minute(void **state)
{
    static const struct {
        http_fetch_verdict_t verdict;
        int status;
        const char *body, *note;
    } ROWS[] = {
        {HTTP_FETCH_TIMEOUT, 0, "", "cannot be reached"},
        {HTTP_FETCH_OK, 503, "", "cannot be reached"},
        {HTTP_FETCH_OK, 200, "<html>" KEY "</html>", "cannot be read"},
        {HTTP_FETCH_OK, 200, "{\"Information\":\"your API key " KEY " has 25 a day\"}", "refused"},
    };
    fixture_t *f = *state;
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        f->clock.ms += LIVE_CACHE_MOST * MINUTE;
        f->service.verdict = ROWS[i].verdict;
        f->service.status = ROWS[i].status;
        f->service.body = str_c(ROWS[i].body);
        unsigned before = f->service.calls;
        for (int k = 0; k < 3; k++) {
            live_answer_t stale = ask(f, "ACME");
            assert_int_equal(stale.state, LIVE_STALE);
            assert_true(str_contains(stale.note, str_c(ROWS[i].note)));
        }
        assert_int_equal(f->service.calls, before + 1);
        assert_int_equal(ask(f, "OTHER").state, LIVE_NONE);
        f->clock.ms += 2 * MINUTE;
        ask(f, "ACME");
        assert_int_equal(f->service.calls, before + 3);
        assert_int_equal(count_articles(f), 1);
        f->clock.ms += 24 * 60 * MINUTE;
    }
    say(f, "Acme falls", "20261121T080000");
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(count_articles(f), 2);
    assert_null(strstr(f->logged, "SECRET"));
    char command[128];
    snprintf(command, sizeof command, "! grep -rq SECRET '%s'", f->dir);
    assert_int_equal(system(command), 0);
}

static void no_articles_is_an_answer(void **state)
{
    fixture_t *f = *state;
    f->service.body = STR("{\"Information\":\"No articles found. Please adjust\"}");
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    assert_int_equal(f->service.calls, 1);
}

static void a_hostile_answer_comes_in_bounded(void **state)
{
    fixture_t *f = *state;
    char *title = arena_alloc(f->a, 3 << 20);
    memset(title, 'x', (3 << 20) - 1);
    memcpy(title, EVIL, sizeof EVIL - 1);
    say(f, title, "20261120T080000");
    assert_int_equal(ask(f, "ACME").state, LIVE_FRESH);
    str_t acme = STR("ACME");
    articles_page_t page;
    articles_verdict_t verdict;
    articles_query_t q = {.tickers = {&acme, 1}, .limit = 50};
    assert_int_equal(articles_find(f->store, f->a, &q, &page, &verdict), RC_OK);
    assert_true(page.n == 1 && page.v[0].x.title.n <= NEWS_TITLE_BYTES);
    assert_true(str_starts(page.v[0].x.title, STR("Ignore allxxx")));
    assert_true(str_eq(page.v[0].via, STR("alphavantage")));
}

/* --- one flight --- */

typedef struct {
    fixture_t *f;
    live_answer_t out;
    rc_t rc;
    char ticker[8];
    arena_t *a;
} asker_t;

static void *ask_on(void *arg)
{
    asker_t *k = arg;
    k->rc = live_ask(k->f->live, k->a, str_c(k->ticker), &k->out);
    return NULL;
}

static void all_who_ask_for_a_ticker_share_a_flight(void **state)
{
    enum { N = 8 };
    fixture_t *f = *state;
    asker_t k[N];
    pthread_t threads[N];
    atomic_store(&f->service.closed, true);
    for (int i = 0; i < N; i++) {
        k[i] = (asker_t){.f = f, .a = arena_new(1 << 20)};
        snprintf(k[i].ticker, sizeof k[i].ticker, "%s", i == 0 ? "ORBT" : "ACME");
        pthread_create(&threads[i], NULL, ask_on, &k[i]);
    }
    const struct timespec pause = {0, 50000000};
    nanosleep(&pause, NULL);
    atomic_store(&f->service.closed, false);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(k[i].rc, RC_OK);
        assert_int_equal(k[i].out.state, LIVE_FRESH);
        arena_free(k[i].a);
    }
    assert_int_equal(f->service.calls, 2);
}

static void more_tickers_than_places(void **state)
{
    fixture_t *f = *state;
    f->budget = 1;
    reopen(f);
    for (int i = 0; i < LIVE_TICKERS + 50; i++) {
        char ticker[16];
        snprintf(ticker, sizeof ticker, "T%d", i);
        assert_int_equal(ask(f, ticker).state, i == 0 ? LIVE_FRESH : LIVE_NONE);
    }
    live_answer_t out;
    assert_int_equal(live_ask(f->live, f->a, STR("TOOLONGTOOLONGTOOLONG"), &out), RC_LIMIT);
    assert_int_equal(f->service.calls, 1);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(answers_are_stored_and_kept_for_the_time_of_the_cache),
        LIVE_TEST(a_spent_budget_gives_stale_answers_that_say_so),
        LIVE_TEST(a_service_that_fails_is_left_alone_for_a_minute),
        LIVE_TEST(no_articles_is_an_answer),
        LIVE_TEST(a_hostile_answer_comes_in_bounded),
        LIVE_TEST(all_who_ask_for_a_ticker_share_a_flight),
        LIVE_TEST(more_tickers_than_places),
    };
    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
