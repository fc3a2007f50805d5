#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct {
    arena_t *a;
    char dir[64];
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->a = arena_new(FEED_ARENA_BYTES);
    snprintf(f->dir, sizeof f->dir, "/tmp/feed-XXXXXX");
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    free(f);
    return bad;
}

static const char *put(fixture_t *f, const char *name, const char *text, size_t n)
{
    str_t path = arena_printf(f->a, "%s/%s", f->dir, name);
    FILE *file = fopen(path.p, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    fclose(file);
    return path.p;
}

#define ONE(title)                                                                                 \
    "{\"feed\":[{\"title\":\"" title "\",\"time_published\":\"20260503T120000\","                  \
    "\"ticker_sentiment\":[{\"ticker\":\"ACME\"}]}]}"

static void assert_refused(fixture_t *f, const char *path, const char *says)
{
    news_t news;
    str_t why = STR_UNSET;
    assert_int_equal(feed_load(f->a, path, &news, &why), RC_CONFIG);
    if (!str_contains(why, str_c(path)) || !str_contains(why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(why));
}

static void builtin_feed_is_good(void **state)
{
    fixture_t *f = *state;
    news_t news;
    assert_int_equal(feed_builtin(f->a, &news), RC_OK);
    assert_true(news.n >= 20);
    assert_true(str_contains(news_ticker_names(f->a, &news, 50), STR("ACME")));
}

static void one_file(void **state)
{
    fixture_t *f = *state;
    news_t news;
    str_t why;
    const char *path = put(f, "a.json", ONE("A"), strlen(ONE("A")));
    assert_int_equal(feed_load(f->a, path, &news, &why), RC_OK);
    assert_int_equal(news.n, 1);
}

static void folder_in_the_order_of_names(void **state)
{
    fixture_t *f = *state;
    news_t news;
    str_t why;
    put(f, "b.json", ONE("B"), strlen(ONE("B")));
    put(f, "a.json", ONE("A"), strlen(ONE("A")));
    put(f, "c.txt", "not read", 8);
    put(f, ".d.json", "not read", 8);
    assert_int_equal(feed_load(f->a, f->dir, &news, &why), RC_OK);
    assert_int_equal(news.n, 2);
    assert_true(str_eq(news.v[0].title, STR("A")));
    assert_true(str_eq(news.v[1].title, STR("B")));
}

static void missing_feed(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, "/nowhere/feed", "does not exist");
}

static void folder_without_files(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, f->dir, "holds no *.json file");
}

static void broken_file_is_named(void **state)
{
    fixture_t *f = *state;
    put(f, "a.json", ONE("A"), strlen(ONE("A")));
    const char *bad = put(f, "b.json", "{\"feed\":[", 9);
    assert_refused(f, bad, "is not a news feed");
    str_t why;
    news_t news;
    assert_int_equal(feed_load(f->a, f->dir, &news, &why), RC_CONFIG);
    assert_true(str_contains(why, str_c(bad)));
    unlink(bad);
    assert_int_equal(feed_load(f->a, f->dir, &news, &why), RC_OK);
}

static void refusal_of_the_service_is_no_feed(void **state)
{
    fixture_t *f = *state;
    const char *bad = put(f, "a.json", "{\"Note\":\"x\"}", 12);
    assert_refused(f, bad, "is not a news feed");
}

static void file_that_is_too_long(void **state)
{
    fixture_t *f = *state;
    const char *path = put(f, "a.json", "x", 1);
    assert_int_equal(truncate(path, NEWS_FILE_BYTES + 1), 0);
    assert_refused(f, path, "larger than 16 MiB");
}

static void no_memory(void **state)
{
    fixture_t *f = *state;
    news_t news;
    str_t why = STR_UNSET;
    const char *path = put(f, "a.json", ONE("A"), strlen(ONE("A")));
    arena_t *small = arena_new(64);
    assert_int_equal(feed_load(small, path, &news, &why), RC_MEMORY);
    assert_true(str_contains(why, STR("not enough memory")));
    arena_free(small);
}

#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEED_TEST(builtin_feed_is_good),
        FEED_TEST(one_file),
        FEED_TEST(folder_in_the_order_of_names),
        FEED_TEST(missing_feed),
        FEED_TEST(folder_without_files),
        FEED_TEST(broken_file_is_named),
        FEED_TEST(refusal_of_the_service_is_no_feed),
        FEED_TEST(file_that_is_too_long),
        FEED_TEST(no_memory),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
