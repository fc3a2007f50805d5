/* Pages of a query: they join to the whole, whatever comes in between, and cursors are checked. */
#include "articles_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void put_many(world_t *w, int from, int to)
{
    for (int i = from; i < to; i++) {
        str_t title = arena_printf(w->a, "word%d engines [%d.%d]", i, 0, i * 7 % 10);
        str_t time = arena_printf(w->a, "2026%02d%02dT%02d0000", i % 9 + 1, i % 28 + 1, i % 3);
        str_t tickers = arena_printf(w->a, "ACME:0.%d T%d", i % 4, i % 5);
        PUT(w, {title.p, time.p, tickers.p, i % 2 ? "ipo:0.5" : "earnings:0.25", "Sum."});
    }
}

static str_t walk(world_t *w, articles_query_t q, void (*between)(world_t *w, int page))
{
    buf_t b = buf_new(w->a, 65536);
    q.limit = 7;
    for (int page = 0; page < 40; page++) {
        articles_page_t p = world_find(w, &q);
        for (size_t i = 0; i < p.n; i++)
            buf_fmt(&b, "%" PRIstr ";", STR_ARG(p.v[i].x.title));
        if (!p.next.p)
            return buf_str(&b);
        assert_int_equal(p.n, 7);
        q.cursor = p.next;
        if (between)
            between(w, page);
    }
    fail_msg("the pages do not end");
    return STR_UNSET;
}

static size_t parts(str_t s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ';';
    return n;
}

static size_t query_forms(world_t *w, articles_query_t *v)
{
    size_t n = 0;
    for (int sort = ARTICLES_LATEST; sort <= (int)ARTICLES_WORST; sort++) {
        articles_query_t q = {.sort = (articles_sort_t)sort};
        v[n++] = q;
        q.tickers = world_list(w, "ACME");
        v[n++] = q;
        q.tickers = world_list(w, "T1 T2 T3 T0 T4");
        v[n++] = q;
        q.text = STR("engines");
        v[n++] = q;
        q.tickers = (str_list_t){0};
        v[n++] = q;
        q = (articles_query_t){.sort = (articles_sort_t)sort,
                               .topics = world_list(w, "ipo earnings")};
        v[n++] = q;
        q.tickers = world_list(w, "ACME T1");
        v[n++] = q;
        q.all_tickers = true;
        v[n++] = q;
    }
    return n;
}

static void pages_join_to_the_whole(void **state)
{
    world_t *w = *state;
    articles_query_t forms[48];
    put_many(w, 0, 60);
    size_t n = query_forms(w, forms);
    for (size_t i = 0; i < n; i++) {
        articles_query_t q = forms[i];
        q.limit = 100;
        buf_t b = buf_new(w->a, 65536);
        articles_page_t all = world_find(w, &q);
        for (size_t k = 0; k < all.n; k++)
            buf_fmt(&b, "%" PRIstr ";", STR_ARG(all.v[k].x.title));
        assert_int_equal(all.n, q.all_tickers ? 12 : 60);
        str_t pages = walk(w, forms[i], NULL);
        if (!str_eq(pages, buf_str(&b)))
            fail_msg("form %zu: '%.*s' is not '%.*s'", i, STR_ARG(pages), STR_ARG(buf_str(&b)));
    }
}

static void insert_between(world_t *w, int page)
{
    put_many(w, 100 + page * 3, 103 + page * 3);
}

/* Nothing that was there is missed or comes twice when others come in between. */
static void pages_are_right_while_news_come_in(void **state)
{
    world_t *w = *state;
    articles_query_t forms[48];
    put_many(w, 0, 60);
    size_t n = query_forms(w, forms);
    for (size_t i = 0; i < n; i++) {
        str_t before = walk(w, forms[i], NULL), after = walk(w, forms[i], insert_between);
        str_t rest = before, one;
        while (str_split(&rest, ';', &one)) {
            str_t whole = arena_printf(w->a, "%" PRIstr ";", STR_ARG(one));
            size_t at = 0, times = 0;
            for (; one.n > 0 && at + whole.n <= after.n; at++)
                times += memcmp(after.p + at, whole.p, whole.n) == 0;
            if (one.n > 0 && times != 1)
                fail_msg("form %zu: %.*s comes %zu times", i, STR_ARG(one), times);
        }
        assert_true(parts(after) >= parts(before));
    }
}

static articles_verdict_t verdict_of(world_t *w, articles_query_t q)
{
    articles_page_t page;
    articles_verdict_t v;
    q.limit = q.limit > 0 ? q.limit : 3;
    assert_int_equal(articles_find(w->s, w->a, &q, &page, &v), RC_OK);
    return v;
}

static void cursors_are_checked(void **state)
{
    world_t *w = *state;
    put_many(w, 0, 9);
    articles_query_t q = {.tickers = world_list(w, "ACME"), .sort = ARTICLES_RELEVANCE, .limit = 3};
    str_t good = world_find(w, &q).next;
    assert_true(good.p && good.n <= ARTICLES_CURSOR_BYTES);
    for (size_t i = 0; i < good.n; i++) {
        char *bad = arena_cstr(w->a, good);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        q.cursor = str_c(bad);
        assert_int_equal(verdict_of(w, q), ARTICLES_BAD_CURSOR);
    }
    static const char *const BAD[] = {"", "x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        q.cursor = str_c(BAD[i]);
        assert_int_equal(verdict_of(w, q), ARTICLES_BAD_CURSOR);
    }
    q.cursor = good;
    articles_query_t other = q;
    other.tickers = world_list(w, "T1");
    assert_int_equal(verdict_of(w, other), ARTICLES_BAD_CURSOR);
    other = q;
    other.sort = ARTICLES_BEST;
    assert_int_equal(verdict_of(w, other), ARTICLES_BAD_CURSOR);
    other = q;
    other.limit = 2; /* may change from page to page */
    assert_int_equal(verdict_of(w, other), ARTICLES_OK);
    assert_int_equal(verdict_of(w, q), ARTICLES_OK);
}

static void queries_out_of_bounds(void **state)
{
    world_t *w = *state;
    char text[ARTICLES_TEXT_BYTES + 2] = {0};
    memset(text, 'a', sizeof text - 1);
    articles_query_t q = {.limit = ARTICLES_LIMIT + 1};
    assert_int_equal(verdict_of(w, q), ARTICLES_BAD_QUERY);
    assert_int_equal(verdict_of(w, (articles_query_t){.tickers = world_list(w, "A B C D E F G H I "
                                                                               "J K")}),
                     ARTICLES_BAD_QUERY);
    assert_int_equal(verdict_of(w, (articles_query_t){.from = STR("yesterday")}),
                     ARTICLES_BAD_QUERY);
    assert_int_equal(verdict_of(w, (articles_query_t){.text = str_c(text)}), ARTICLES_BAD_TEXT);
    assert_int_equal(verdict_of(w, (articles_query_t){.text = STR("- \" '")}), ARTICLES_BAD_TEXT);
    assert_int_equal(verdict_of(w, (articles_query_t){.text = STR("")}), ARTICLES_BAD_TEXT);
    assert_int_equal(verdict_of(w, (articles_query_t){.text = STR("a")}), ARTICLES_OK);
    /* the most that may be asked for */
    articles_query_t most = {.tickers = world_list(w, "A B C D E F G H I J"),
                             .topics = world_list(w, "a b c d e f g h i j"),
                             .from = STR("20260101T000000"),
                             .to = STR("20270101T000000")};
    for (int sort = 0; sort <= (int)ARTICLES_WORST; sort++) {
        most.sort = (articles_sort_t)sort;
        most.text = STR_UNSET;
        assert_int_equal(verdict_of(w, most), ARTICLES_OK);
        most.text = STR("a b c d e f g h i j k l m n");
        assert_int_equal(verdict_of(w, most), ARTICLES_OK);
    }
}

#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(pages_join_to_the_whole),
        PAGE_TEST(pages_are_right_while_news_come_in),
        PAGE_TEST(cursors_are_checked),
        PAGE_TEST(queries_out_of_bounds),
    };
    return cmocka_run_group_tests_name("articles_page", tests, NULL, NULL);
}
