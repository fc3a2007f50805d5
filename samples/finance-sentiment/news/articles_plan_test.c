/* How SQLite means to answer: what is asked often must go along an index. */
#include "articles_query.h"
#include "articles_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* The plan's steps, with a newline behind each. */
static str_t explain(world_t *w, desk_t *d, const char *sql, args_t args)
{
    buf_t b = buf_new(w->a, 65536);
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(d, arena_printf(w->a, "EXPLAIN QUERY PLAN %s", sql).p, args);
    assert_non_null(s);
    while (desk_row(d, s, &rc))
        buf_fmt(&b, "%s\n", (const char *)sqlite3_column_text(s, 3));
    assert_int_equal(rc, RC_OK);
    return buf_str(&b);
}

static str_t plan_of(world_t *w, const articles_query_t *q)
{
    plan_t p;
    articles_verdict_t verdict;
    sql_t *sql = ARENA_NEW(w->a, sql_t);
    assert_int_equal(articles_plan(w->a, q, &p, &verdict), RC_OK);
    assert_int_equal(verdict, ARTICLES_OK);
    assert_int_equal(articles_sql(w->a, &p, sql), RC_OK);
    desk_t *d = desk_read(w->s);
    str_t plan = explain(w, d, sql->sql.p, (args_t){sql->arg, sql->n});
    desk_back(w->s, d);
    return plan;
}

static void assert_along_an_index(world_t *w, articles_query_t q, bool sorts)
{
    q.limit = 10;
    str_t plan = plan_of(w, &q);
    bool scans = str_contains(plan, STR("SCAN m\n")) || str_contains(plan, STR("SCAN topics\n"));
    bool table = str_contains(plan, STR("SCAN articles\n")) || str_contains(plan, STR("SCAN a\n"));
    bool sorted = str_contains(plan, STR("TEMP B-TREE FOR ORDER BY"));
    if (scans || table || sorted != sorts)
        fail_msg("%.*s", STR_ARG(plan));
}

static void pages_go_along_indexes(void **state)
{
    world_t *w = *state;
    str_list_t one = world_list(w, "ACME"), two = world_list(w, "ACME ORBT");
    const struct {
        articles_query_t q;
        bool sorts; /* all that fit, or the first few of each name */
    } ROWS[] = {
        {{.sort = ARTICLES_LATEST}, false},
        {{.sort = ARTICLES_EARLIEST}, false},
        {{.sort = ARTICLES_BEST}, false},
        {{.sort = ARTICLES_WORST}, false},
        {{.tickers = two, .all_tickers = true, .topics = world_list(w, "ipo")}, true},
        {{.text = STR("word")}, false},
        {{.text = STR("word"), .tickers = two, .from = STR("20260101T000000")}, false},
        {{.tickers = one, .sort = ARTICLES_RELEVANCE}, true},
        {{.tickers = two, .sort = ARTICLES_BEST}, true},
        {{.topics = two, .sort = ARTICLES_WORST}, true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_along_an_index(w, ROWS[i].q, ROWS[i].sorts);
}

static void other_statements_go_along_indexes(void **state)
{
    static const char *const SQL[] = {
        "DELETE FROM articles WHERE lead = ? AND lead <> 0",
        "SELECT source FROM articles WHERE lead = ? AND lead <> 0 ORDER BY id",
        "SELECT id FROM articles WHERE identity = ?",
        "SELECT id FROM articles WHERE url = ?",
        "DELETE FROM mentions WHERE article = ?",
        "DELETE FROM topics WHERE article = ?",
        "SELECT score FROM mentions WHERE ticker = ? AND article >= 0 ORDER BY article DESC",
    };
    world_t *w = *state;
    desk_t *d = desk_write(w->s);
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        str_t plan = explain(w, d, SQL[i], ARGS(A_I(1)));
        if (!str_starts(plan, STR("SEARCH")) || str_contains(plan, STR("TEMP B-TREE")))
            fail_msg("%s: %.*s", SQL[i], STR_ARG(plan));
    }
    desk_back(w->s, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_go_along_indexes, world_setup_file, world_teardown),
        cmocka_unit_test_setup_teardown(other_statements_go_along_indexes, world_setup_file,
                                        world_teardown),
    };
    return cmocka_run_group_tests_name("articles_plan", tests, NULL, NULL);
}
