/* What lasts, what is let go, and what happens when the world is not as it should be. */
#include "articles_test_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define THREE                                                                                      \
    {"One [0.5]", "20260101T000000", "ACME", "ipo", "First things."},                              \
        {"Two [-0.5]", "20260201T000000", "ORBT ACME", NULL, "Second things."},                    \
    {                                                                                              \
        "Three [0.25]", "20260301T000000", "ACME", "ipo", "Third things."                          \
    }

static size_t count_rows(world_t *w, const char *table)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    size_t n = (size_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void it_outlives_a_restart(void **state)
{
    world_t *w = *state;
    struct stat st;
    PUT(w, THREE);
    unsigned scored = atomic_load(&w->scored);
    world_reopen(w);
    assert_titles(w, (articles_query_t){0}, "Three|Two|One");
    PUT(w, THREE);
    assert_int_equal(w->last.again, 3);
    assert_int_equal(articles_mend(w->s), RC_OK);
    assert_int_equal(atomic_load(&w->scored), scored);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
}

static void another_model_scores_anew(void **state)
{
    world_t *w = *state;
    PUT(w, THREE);
    assert_int_equal(articles_mend(w->s), RC_OK);
    w->config.engine.digest = STR("model-2");
    w->shift = 0.25;
    world_reopen(w);
    articles_query_t q = {.limit = 1, .tickers = world_list(w, "ACME"), .sort = ARTICLES_EARLIEST};
    articles_hit_t before = world_find(w, &q).v[0];
    assert_true(before.stale_score && before.x.score == 0.5);
    assert_int_equal(articles_mend(w->s), RC_OK);
    articles_hit_t after = world_find(w, &q).v[0];
    assert_true(!after.stale_score && after.x.score == 0.75 && after.score == 0.75);
    unsigned scored = atomic_load(&w->scored);
    assert_int_equal(articles_mend(w->s), RC_OK);
    world_reopen(w);
    assert_int_equal(articles_mend(w->s), RC_OK);
    assert_int_equal(atomic_load(&w->scored), scored);
}

static void the_oldest_go_beyond_the_bound(void **state)
{
    world_t *w = *state;
    w->config.keep = 2;
    world_reopen(w);
    PUT(w, THREE);
    assert_titles(w, (articles_query_t){0}, "Three|Two");
    /* what hung on it went, too */
    assert_titles(w, (articles_query_t){.text = STR("first")}, "");
    assert_int_equal(count_rows(w, "mentions"), 3);
    assert_int_equal(count_rows(w, "topics"), 1);
    assert_int_equal(count_rows(w, "bands WHERE article NOT IN (SELECT id FROM articles)"), 0);
    /* it does not come back to go again */
    PUT(w, THREE);
    assert_true(w->last.left == 1 && w->last.again == 2 && w->last.added == 0);
    PUT(w, {"Four", "20260401T000000", "ACME", NULL, "Fourth things."});
    assert_titles(w, (articles_query_t){0}, "Four|Three");
}

static void what_is_too_old_goes(void **state)
{
    world_t *w = *state;
    PUT(w, THREE);
    w->config.keep_days = 300; /* since the end of January 2026 */
    world_reopen(w);
    assert_int_equal(articles_mend(w->s), RC_OK);
    assert_titles(w, (articles_query_t){0}, "Three|Two");
    PUT(w, THREE);
    assert_true(w->last.left == 1 && w->last.again == 2);
}

static void what_is_dated_ahead_is_left_out(void **state)
{
    world_t *w = *state;
    PUT(w, {"Tomorrow", "20261126T000000", NULL, NULL, "A."},
        {"Next year", "20270601T000000", NULL, NULL, "B."});
    assert_true(w->last.left == 1 && w->last.added == 1);
}

static void feeds_of_other_roots_are_retired(void **state)
{
    world_t *w = *state;
    const item_t a = {"Own", "20260101T000000", "ACME", NULL, "Own things."};
    const item_t b = {"Live", "20260102T000000", "ACME", NULL, "Live things."};
    const item_t c = {"New", "20260103T000000", "ACME", NULL, "New things."};
    articles_from_t builtin = {STR("builtin"), STR("builtin"), STR("builtin")};
    articles_from_t live = {STR("alphavantage"), STR("www.alphavantage.co"),
                            STR("www.alphavantage.co")};
    world_put_from(w, &a, 1, &builtin);
    world_put_from(w, &b, 1, &live);
    world_put(w, &c, 1);
    assert_int_equal(articles_retire(w->s, STR("/feed")), RC_OK);
    assert_titles(w, (articles_query_t){0}, "New|Live");
    assert_int_equal(articles_retire(w->s, STR("/other")), RC_OK);
    assert_titles(w, (articles_query_t){0}, "Live");
}

static void notes_and_counts(void **state)
{
    world_t *w = *state;
    str_t v;
    assert_int_equal(articles_note(w->s, w->a, STR("k"), &v), RC_OK);
    assert_null(v.p);
    assert_int_equal(articles_set_note(w->s, STR("k"), STR("1")), RC_OK);
    assert_int_equal(articles_set_note(w->s, STR("k"), STR("2")), RC_OK);
    world_reopen(w);
    assert_int_equal(articles_note(w->s, w->a, STR("k"), &v), RC_OK);
    assert_true(str_eq(v, STR("2")));
    for (int i = 0; i < 3; i++)
        assert_int_equal(articles_count(w->s, STR("day"), STR("20260101"), 3), RC_OK);
    assert_int_equal(articles_count(w->s, STR("day"), STR("20260101"), 3), RC_LIMIT);
    world_reopen(w);
    assert_int_equal(articles_count(w->s, STR("day"), STR("20260101"), 3), RC_LIMIT);
    assert_int_equal(articles_count(w->s, STR("day"), STR("20260102"), 3), RC_OK);
    assert_int_equal(articles_count(w->s, STR("none"), STR("20260102"), 0), RC_LIMIT);
}

/* --- faults --- */

static void a_full_disk_is_said_and_loses_nothing(void **state)
{
    world_t *w = *state;
    news_t news;
    articles_import_t out;
    articles_from_t from = {STR("file"), STR("/feed"), STR("a.json")};
    item_t *items = calloc(2000, sizeof *items);
    char(*titles)[40] = calloc(2000, sizeof *titles);
    PUT(w, THREE);
    w->config.max_pages = 80;
    world_reopen(w);
    for (int i = 0; i < 2000; i++) {
        snprintf(titles[i], sizeof titles[i], "title%d w%d x%d", i, i * 7, i * 11);
        items[i] = (item_t){titles[i], "20260401T000000", "ACME", NULL, titles[i]};
    }
    news = world_news(w, items, 2000);
    assert_int_equal(articles_import(w->s, &news, &from, &out), RC_IO);
    assert_non_null(strstr(w->logged, "make room on the disk"));
    assert_titles(w, (articles_query_t){.to = STR("20260401T000000")}, "Three|Two|One");
    /* with room again, the same import succeeds */
    w->config.max_pages = 0;
    world_reopen(w);
    assert_int_equal(articles_import(w->s, &news, &from, &out), RC_OK);
    assert_int_equal(out.added + out.again + out.grouped, 2000);
    free(items);
    free(titles);
}

static size_t count_bad(const world_t *w)
{
    DIR *dir = opendir(w->dir);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(dir));)
        n += strstr(e->d_name, ".bad-") != NULL;
    closedir(dir);
    return n;
}

static void overwrite(const world_t *w, off_t at, size_t n)
{
    char junk[512];
    int fd = open(w->path, O_WRONLY);
    memset(junk, 'x', sizeof junk);
    for (size_t i = 0; i < n; i += sizeof junk)
        assert_int_equal(pwrite(fd, junk, sizeof junk, at + (off_t)i), sizeof junk);
    close(fd);
}

static void a_file_that_is_no_database_is_moved_aside(void **state)
{
    world_t *w = *state;
    PUT(w, THREE);
    articles_close(w->s);
    w->s = NULL;
    overwrite(w, 0, 4096);
    world_reopen(w);
    assert_int_equal(count_bad(w), 1);
    assert_non_null(strstr(w->logged, "moved aside"));
    assert_titles(w, (articles_query_t){0}, "");
    PUT(w, THREE);
    assert_titles(w, (articles_query_t){0}, "Three|Two|One");
}

static void a_damaged_page_is_found_at_the_start(void **state)
{
    world_t *w = *state;
    PUT(w, THREE);
    articles_close(w->s);
    w->s = NULL;
    overwrite(w, 4096, 8192);
    world_reopen(w);
    assert_int_equal(count_bad(w), 1);
    PUT(w, THREE);
    assert_titles(w, (articles_query_t){0}, "Three|Two|One");
}

static void assert_refused(world_t *w, const char *says)
{
    str_t why;
    articles_t *s;
    assert_int_equal(articles_open(w->a, &w->config, &s, &why), RC_CONFIG);
    assert_null(s);
    if (!str_contains(why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(why));
}

static void change(const world_t *w, const char *path, const char *sql)
{
    sqlite3 *db;
    (void)w;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void files_that_are_not_ours_are_refused(void **state)
{
    world_t *w = *state;
    str_t other = arena_printf(w->a, "%s/other.db", w->dir);
    change(w, other.p, "CREATE TABLE t(x)");
    const char *path = w->config.path;
    w->config.path = other.p;
    assert_refused(w, "another program's");
    assert_int_equal(count_bad(w), 0);
    w->config.path = path;
    articles_close(w->s);
    w->s = NULL;
    change(w, path, "PRAGMA user_version=99");
    assert_refused(w, "newer version");
    w->config.path = "/nowhere/at/all.db";
    assert_refused(w, "cannot be made");
    w->config.path = path;
    change(w, path, "PRAGMA user_version=1");
    world_reopen(w);
}

static void no_memory_is_said(void **state)
{
    world_t *w = *state;
    size_t failed = 0, good = 0;
    PUT(w, THREE);
    for (size_t budget = 64; budget < 65536; budget += 512) {
        articles_page_t page;
        articles_verdict_t verdict;
        articles_query_t q = {.limit = 3, .tickers = world_list(w, "ACME"), .text = STR("things")};
        arena_t *a = arena_new(budget);
        rc_t rc = articles_find(w->s, a, &q, &page, &verdict);
        assert_true(rc == RC_MEMORY || rc == RC_OK);
        failed += rc == RC_MEMORY;
        good += rc == RC_OK;
        arena_free(a);
    }
    assert_true(failed > 0 && good > 0);
}

/* SQLite runs out of memory at every depth: nothing breaks, and with memory all goes on. */
static void sqlite_without_memory(void **state)
{
    world_t *w = *state;
    size_t failed = 0;
    articles_from_t from = {STR("file"), STR("/feed"), STR("a.json")};
    const item_t items[] = {THREE};
    news_t news = world_news(w, items, 3);
    articles_query_t q = {.limit = 3, .text = STR("things"), .tickers = world_list(w, "ACME")};
    for (int64_t room = 0; room < 400000; room += 8000) {
        articles_page_t page;
        articles_verdict_t verdict;
        articles_import_t out;
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + room + 1);
        rc_t in = articles_import(w->s, &news, &from, &out);
        rc_t found = articles_find(w->s, w->a, &q, &page, &verdict);
        sqlite3_hard_heap_limit64(0);
        assert_true(in == RC_OK || in == RC_MEMORY || in == RC_IO);
        assert_true(found == RC_OK || found == RC_MEMORY || found == RC_IO);
        failed += in != RC_OK;
    }
    assert_true(failed > 0);
    PUT(w, THREE);
    assert_titles(w, (articles_query_t){.text = STR("things")}, "Three|Two|One");
    assert_int_equal(articles_mend(w->s), RC_OK);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup_file, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(it_outlives_a_restart),
        FILE_TEST(another_model_scores_anew),
        FILE_TEST(the_oldest_go_beyond_the_bound),
        FILE_TEST(what_is_too_old_goes),
        FILE_TEST(what_is_dated_ahead_is_left_out),
        FILE_TEST(feeds_of_other_roots_are_retired),
        FILE_TEST(notes_and_counts),
        FILE_TEST(a_full_disk_is_said_and_loses_nothing),
        FILE_TEST(a_file_that_is_no_database_is_moved_aside),
        FILE_TEST(a_damaged_page_is_found_at_the_start),
        FILE_TEST(files_that_are_not_ours_are_refused),
        FILE_TEST(no_memory_is_said),
        FILE_TEST(sqlite_without_memory),
    };
    return cmocka_run_group_tests_name("articles_fault", tests, NULL, NULL);
}
