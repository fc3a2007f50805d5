#include "cmd/ops.h"

#include "http/direct.h"
#include "store/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct {
    clock_fake_t clock;
    bool store, upstreams;
    unsigned looks;
    counters_t *counters;
    ops_t *ops;
    arena_t *a;
} fixture_t;

static bool store_works(void *ctx)
{
    fixture_t *f = ctx;
    f->looks++;
    return f->store;
}

static bool upstreams_work(void *ctx)
{
    return ((fixture_t *)ctx)->upstreams;
}

static void more_metrics(void *ctx, buf_t *b)
{
    (void)ctx;
    buf_put(b, STR("warder_more 7\n"));
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->clock.ms = 1000000;
    f->store = f->upstreams = true;
    f->counters = counters_new();
    f->a = arena_new(4 << 20);
    const ops_config_t config = {
        .clock = clock_fake(&f->clock),
        .counters = f->counters,
        .parts = {{"store", store_works, f, false}, {"upstreams", upstreams_work, f, true}},
        .n_parts = 2,
        .metrics = more_metrics,
    };
    f->ops = ops_new(&config);
    *state = f;
    return f->ops && f->a ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    ops_free(f->ops);
    counters_free(f->counters);
    arena_free(f->a);
    free(f);
    return 0;
}

static http_direct_answer_t ask(fixture_t *f, const http_app_t *app, const char *path)
{
    http_direct_t *d = http_direct_new(app, NULL);
    http_direct_answer_t r =
        http_direct_run(d, f->a, arena_printf(f->a, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path));
    r.body = arena_dup(f->a, r.body);
    http_direct_free(d);
    return r;
}

static void assert_ready(fixture_t *f, int status, const char *body)
{
    http_direct_answer_t r = ask(f, ops_app(f->ops), "/readyz");
    assert_int_equal(r.status, status);
    if (!str_eq(r.body, str_c(body)))
        fail_msg("%" PRIstr, STR_ARG(r.body));
}

static void ready_names_what_fails(void **state)
{
    fixture_t *f = *state;
    assert_ready(f, 200, "{\"status\":\"ready\"}");
    f->store = false;
    f->clock.ms += 1000;
    assert_ready(f, 503, "{\"status\":\"unavailable\",\"failed\":[\"store\"]}");
    f->upstreams = false;
    f->clock.ms += 1000;
    assert_ready(f, 503, "{\"status\":\"unavailable\",\"failed\":[\"store\",\"upstreams\"]}");
    f->store = f->upstreams = true;
    f->clock.ms += 1000;
    assert_ready(f, 200, "{\"status\":\"ready\"}");
}

/* Whoever asks all the time asks the store once a second. */
static void a_look_counts_for_a_second(void **state)
{
    fixture_t *f = *state;
    for (int i = 0; i < 20; i++)
        assert_ready(f, 200, "{\"status\":\"ready\"}");
    assert_int_equal(f->looks, 1);
    f->clock.ms += 999;
    assert_ready(f, 200, "{\"status\":\"ready\"}");
    assert_int_equal(f->looks, 1);
    f->clock.ms += 1;
    assert_ready(f, 200, "{\"status\":\"ready\"}");
    assert_int_equal(f->looks, 2);
}

static void metrics_are_for_their_own_listener(void **state)
{
    fixture_t *f = *state;
    counter_add(counters_join(f->counters), COUNTER_TOKENS, 3);
    assert_int_equal(ask(f, ops_app(f->ops), "/metrics").status, 404);
    http_direct_answer_t r = ask(f, ops_own_app(f->ops), "/metrics");
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("warder_tokens_issued_total 3\n")));
    assert_true(str_ends(r.body, STR("warder_more 7\n")));
    assert_int_equal(ask(f, ops_own_app(f->ops), "/healthz").status, 200);
    assert_int_equal(ask(f, ops_own_app(f->ops), "/readyz").status, 200);
    assert_int_equal(ask(f, ops_own_app(f->ops), "/token").status, 404);
}

static void tell_health(store_t *s, store_health_t *out)
{
    (void)s;
    *out = (store_health_t){.up = false,
                            .connections = 1,
                            .connections_wanted = 8,
                            .waiting = 2,
                            .reconnects = 3,
                            .retries = 4,
                            .unsure = 5,
                            .timeouts = 6};
}

static const store_driver_t TELLING = {.name = "telling", .health = tell_health};

static void metrics_tell_how_the_store_is(void **state)
{
    static const char *const LINES[] = {
        "warder_store_up 0\n",
        "warder_store_connections 1\n",
        "warder_store_connections_wanted 8\n",
        "warder_store_waiting 2\n",
        "warder_store_reconnects_total 3\n",
        "warder_store_retries_total 4\n",
        "warder_store_unsure_total 5\n",
        "warder_store_timeouts_total 6\n",
    };
    fixture_t *f = *state;
    store_t store = {&TELLING};
    const ops_config_t config = {
        .clock = clock_fake(&f->clock), .counters = f->counters, .store = &store};
    ops_t *ops = ops_new(&config);
    http_direct_answer_t r = ask(f, ops_own_app(ops), "/metrics");
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++)
        if (!str_contains(r.body, str_c(LINES[i])))
            fail_msg("no line %s in %" PRIstr, LINES[i], STR_ARG(r.body));
    ops_free(ops);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ready_names_what_fails),
        TEST(a_look_counts_for_a_second),
        TEST(metrics_are_for_their_own_listener),
        TEST(metrics_tell_how_the_store_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
