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

static const names_t NOBODY = {0};

static void assert_refused(fixture_t *f, const char *path, const char *says)
{
    news_t news;
    str_t why = STR_UNSET;
    assert_int_equal(feed_read(f->a, path, &NOBODY, &news, &why), RC_CONFIG);
    if (!str_contains(why, str_c(path)) || !str_contains(why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(why));
}

static void builtin_feed_is_good(void **state)
{
    fixture_t *f = *state;
    news_t news;
    news_verdict_t verdict;
    names_t names;
    size_t line;
    str_t text = str_of(FEED_BUILTIN, FEED_BUILTIN_BYTES);
    assert_int_equal(news_parse(f->a, text, &news, &verdict), RC_OK);
    assert_true(verdict == NEWS_OK && news.n >= 20);
    assert_int_equal(names_read(f->a, str_of(FEED_NAMES, FEED_NAMES_BYTES), &names, &line), RC_OK);
    /* each company has its name */
    for (size_t i = 0; i < news.n; i++)
        for (size_t k = 0; k < news.v[i].ticker_count; k++)
            assert_true(names_has(&names, news.v[i].tickers[k].ticker));
}

static void files_are_told_apart_by_what_is_in_them(void **state)
{
    static const char RSS[] = "<rss><channel><item><title>A</title><pubDate>03 May 2026 12:00 GMT"
                              "</pubDate></item></channel></rss>";
    fixture_t *f = *state;
    news_t news;
    str_t why;
    const char *json = put(f, "a", ONE("A"), strlen(ONE("A")));
    assert_int_equal(feed_read(f->a, json, &NOBODY, &news, &why), RC_OK);
    assert_int_equal(news.n, 1);
    const char *rss = put(f, "b.json", RSS, sizeof RSS - 1);
    assert_int_equal(feed_read(f->a, rss, &NOBODY, &news, &why), RC_OK);
    assert_int_equal(news.n, 1);
}

static void files_that_are_no_feed_are_named(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, "/nowhere/feed", "cannot be opened");
    assert_refused(f, put(f, "a.json", "{\"feed\":[", 9), "is not a news feed");
    assert_refused(f, put(f, "b.json", "{\"Note\":\"x\"}", 12), "is not a news feed");
    assert_refused(f, put(f, "c.json", "", 0), "is not a news feed");
    assert_refused(f, put(f, "d.rss", "<rss>", 5), "well-formed");
    const char *path = put(f, "e.json", "x", 1);
    assert_int_equal(truncate(path, NEWS_FILE_BYTES + 1), 0);
    assert_refused(f, path, "larger than 16 MiB");
    news_t news;
    str_t why;
    path = put(f, "a.json", ONE("A"), strlen(ONE("A")));
    assert_int_equal(feed_read(f->a, path, &NOBODY, &news, &why), RC_OK);
}

static void what_is_no_file_is_named(void **state)
{
    fixture_t *f = *state;
    news_t news;
    names_t names;
    str_t why;
    str_t path = arena_printf(f->a, "%s/pipe.json", f->dir);
    assert_int_equal(mkfifo(path.p, 0600), 0);
    assert_refused(f, path.p, "is no file");
    assert_int_equal(feed_read_names(f->a, path.p, &names, &why), RC_CONFIG);
    path = arena_printf(f->a, "%s/endless.json", f->dir);
    assert_int_equal(symlink("/dev/zero", path.p), 0);
    assert_refused(f, path.p, "is no file");
    assert_refused(f, f->dir, "is no file");
    const char *sound = put(f, "a.json", ONE("A"), strlen(ONE("A")));
    path = arena_printf(f->a, "%s/link.json", f->dir);
    assert_int_equal(symlink(sound, path.p), 0);
    assert_int_equal(feed_read(f->a, path.p, &NOBODY, &news, &why), RC_OK);
}

static void a_table_of_names(void **state)
{
    fixture_t *f = *state;
    names_t names;
    str_t why;
    assert_int_equal(feed_read_names(f->a, "/nowhere/tickers.csv", &names, &why), RC_OK);
    assert_int_equal(names.n, 0);
    const char *path = put(f, "tickers.csv", "ACME,Acme\nnonsense\n", 19);
    assert_int_equal(feed_read_names(f->a, path, &names, &why), RC_CONFIG);
    assert_true(str_contains(why, str_c(path)) && str_contains(why, STR("line 2")));
    path = put(f, "tickers.csv", "ACME,Acme\n", 10);
    assert_int_equal(feed_read_names(f->a, path, &names, &why), RC_OK);
    assert_int_equal(names.n, 1);
}

static void no_memory(void **state)
{
    fixture_t *f = *state;
    news_t news;
    str_t why = STR_UNSET;
    const char *path = put(f, "a.json", ONE("A"), strlen(ONE("A")));
    arena_t *small = arena_new(64);
    assert_int_equal(feed_read(small, path, &NOBODY, &news, &why), RC_MEMORY);
    arena_free(small);
}

#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEED_TEST(builtin_feed_is_good),
        FEED_TEST(files_are_told_apart_by_what_is_in_them),
        FEED_TEST(files_that_are_no_feed_are_named),
        FEED_TEST(what_is_no_file_is_named),
        FEED_TEST(a_table_of_names),
        FEED_TEST(no_memory),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
