#include "core/core_test_util.h"

#include "core/counters.h"

#include <pthread.h>
#include <stdio.h>

enum { ROUNDS = 20000, THREADS = 3, TEXT_BYTES = 1 << 20 };

static str_t text_of(arena_t *a, counters_t *c)
{
    str_t text = STR_UNSET;
    buf_t b = buf_new(a, TEXT_BYTES);
    counters_write(c, &b);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

static void assert_holds(str_t text, const char *line)
{
    if (!str_contains(text, str_c(line)))
        fail_msg("no '%s' in:\n%" PRIstr, line, STR_ARG(text));
}

static void test_blocks_are_added_up(void **state)
{
    counters_t *c = counters_new();
    counter_block_t *one = counters_join(c), *two = counters_join(c);
    counter_add(one, COUNTER_TOKENS, 2);
    counter_add(two, COUNTER_TOKENS, 3);
    counter_add(one, COUNTER_STREAMS, 1);
    counter_add(two, COUNTER_STREAMS, -1);
    assert_int_equal(counters_sum(c, COUNTER_TOKENS), 5);
    str_t text = text_of(*state, c);
    assert_holds(text, "# TYPE warder_tokens_issued_total counter\n");
    assert_holds(text, "\nwarder_tokens_issued_total 5\n");
    assert_holds(text, "# TYPE warder_streams_open gauge\nwarder_streams_open 0\n");
    assert_holds(text, "warder_messages_total{decision=\"deny\"} 0\n");
    counters_free(c);
}

static void test_each_metric_has_one_head(void **state)
{
    counters_t *c = counters_new();
    str_t rest = text_of(*state, c), line, seen[64];
    size_t n = 0;
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("# TYPE ")))
            continue;
        for (size_t i = 0; i < n; i++)
            assert_false(str_eq(seen[i], line));
        assert_true(n < ROWS(seen));
        seen[n++] = line;
    }
    assert_true(n > 10);
    counters_free(c);
}

/* The page that operators read. */
static void test_each_metric_is_documented(void **state)
{
    counters_t *c = counters_new();
    str_t line, name, rest = text_of(*state, c);
    const char *path = test_path(*state, "WARDER_SOURCE", "docs/OPERATION.md");
    str_t page = path ? test_read_file(*state, path) : STR_UNSET;
    counters_free(c);
    if (!path)
        skip();
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("# TYPE ")))
            continue;
        line = str_skip(line, 7);
        assert_true(str_split(&line, ' ', &name));
        str_t cell =
            arena_printf(*state, "| `%" PRIstr "` | %" PRIstr " |", STR_ARG(name), STR_ARG(line));
        if (!str_contains(page, cell))
            fail_msg("docs/OPERATION.md has no row %" PRIstr, STR_ARG(cell));
    }
}

static void test_times_fall_into_buckets(void **state)
{
    counters_t *c = counters_new();
    counter_block_t *b = counters_join(c);
    counter_time(b, HISTOGRAM_REQUEST, 50);
    counter_time(b, HISTOGRAM_REQUEST, 51);
    counter_time(b, HISTOGRAM_REQUEST, 99000000);
    str_t text = text_of(*state, c);
    assert_holds(text, "warder_http_request_seconds_bucket{le=\"0.000050\"} 1\n");
    assert_holds(text, "warder_http_request_seconds_bucket{le=\"0.000100\"} 2\n");
    assert_holds(text, "warder_http_request_seconds_bucket{le=\"10.000000\"} 2\n");
    assert_holds(text, "warder_http_request_seconds_bucket{le=\"+Inf\"} 3\n");
    assert_holds(text, "warder_http_request_seconds_sum 99.000101\n");
    assert_holds(text, "warder_http_request_seconds_count 3\n");
    counters_free(c);
}

static void test_routes_and_reasons_are_named(void **state)
{
    counters_t *c = counters_new();
    counter_block_t *one = counters_join(c), *two = counters_join(c);
    counter_request(one, STR("/token"), 200);
    counter_request(two, STR("/token"), 204);
    counter_request(two, STR("/token"), 401);
    counter_request(two, STR("/mcp"), 200);
    counter_request(two, STR("/mcp"), 999);
    counter_refusal(one, STR("token_expired"));
    counter_refusal(one, STR("odd\"name"));
    str_t text = text_of(*state, c);
    assert_holds(text, "warder_http_requests_total{route=\"/token\",status=\"2xx\"} 2\n");
    assert_holds(text, "warder_http_requests_total{route=\"/token\",status=\"4xx\"} 1\n");
    assert_holds(text, "warder_http_requests_total{route=\"/mcp\",status=\"2xx\"} 1\n");
    assert_holds(text, "warder_refusals_total{reason=\"token_expired\"} 1\n");
    assert_holds(text, "warder_refusals_total{reason=\"odd\\\"name\"} 1\n");
    counters_free(c);
}

static void test_names_are_bounded(void **state)
{
    counters_t *c = counters_new();
    counter_block_t *b = counters_join(c);
    char name[24];
    for (int i = 0; i < 10 * COUNTERS_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "reason_%d", i);
        counter_refusal(b, str_c(name));
    }
    counter_refusal(b, STR_UNSET);
    str_t text = text_of(*state, c);
    assert_holds(text, "warder_refusals_total{reason=\"reason_0\"} 1\n");
    assert_holds(text, "warder_refusals_total{reason=\"reason_126\"} 1\n");
    assert_holds(text, "warder_refusals_total{reason=\"other\"} 1154\n");
    counters_free(c);
}

static void test_nothing_counts_without_a_block(void **state)
{
    (void)state;
    counter_add(NULL, COUNTER_TOKENS, 1);
    counter_time(NULL, HISTOGRAM_REQUEST, 1);
    counter_request(NULL, STR("/"), 200);
    counter_refusal(NULL, STR("no_token"));
    assert_null(counters_join(NULL));
    counters_free(NULL);
}

static void test_blocks_are_bounded(void **state)
{
    (void)state;
    counters_t *c = counters_new();
    for (int i = 0; i < COUNTERS_BLOCKS_MAX; i++)
        assert_non_null(counters_join(c));
    assert_null(counters_join(c));
    counters_free(c);
}

static void *count_on(void *arg)
{
    counter_block_t *b = counters_join(arg);
    for (int i = 0; i < ROUNDS; i++) {
        counter_add(b, COUNTER_CALL_ALLOWED, 1);
        counter_request(b, i % 2 ? STR("/mcp") : STR("/token"), 200);
        counter_time(b, HISTOGRAM_UPSTREAM, i);
    }
    return NULL;
}

static void test_is_read_while_others_count(void **state)
{
    counters_t *c = counters_new();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_on, c), 0);
    for (int i = 0; i < 20; i++)
        text_of(*state, c);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counters_sum(c, COUNTER_CALL_ALLOWED), THREADS * ROUNDS);
    assert_holds(text_of(*state, c),
                 "warder_http_requests_total{route=\"/mcp\",status=\"2xx\"} 30000\n");
    counters_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_blocks_are_added_up),
        ARENA_TEST(test_each_metric_has_one_head),
        ARENA_TEST(test_each_metric_is_documented),
        ARENA_TEST(test_times_fall_into_buckets),
        ARENA_TEST(test_routes_and_reasons_are_named),
        ARENA_TEST(test_names_are_bounded),
        cmocka_unit_test(test_nothing_counts_without_a_block),
        cmocka_unit_test(test_blocks_are_bounded),
        ARENA_TEST(test_is_read_while_others_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
