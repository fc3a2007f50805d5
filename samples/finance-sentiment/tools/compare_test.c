#include "compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static compare_row_t row(const char *ticker, size_t count, double mean, double error)
{
    return (compare_row_t){
        .ticker = str_c(ticker),
        .m = {.count = count, .weight = (double)count, .mean = mean, .error = error}};
}

static void best_comes_first(void **state)
{
    compare_row_t v[] = {row("C", 3, -0.2, 0.1), row("Z", 0, 0, 0), row("A", 3, 0.4, 0.1),
                         row("B", 3, 0.4, 0.1)};
    compare_rank(v, 4);
    static const struct {
        const char *ticker;
        size_t rank;
    } WANT[] = {{"A", 1}, {"B", 1}, {"C", 3}, {"Z", 0}};
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_eq(v[i].ticker, str_c(WANT[i].ticker)));
        assert_int_equal(v[i].rank, WANT[i].rank);
    }
    assert_true(v[0].behind == 0 && !v[0].clear);
    assert_true(fabs(v[2].behind - 0.6) < 1e-12);
}

static void clear_is_more_than_chance(void **state)
{
    /* Errors 0.1 each: 0.1414 of the difference; Welch has 18 degrees, t 2.10, so 0.297 is the edge
     */
    compare_row_t far[] = {row("A", 10, 0.5, 0.1), row("B", 10, 0.2, 0.1)};
    compare_rank(far, 2);
    assert_true(fabs(far[1].error - 0.1 * sqrt(2)) < 1e-12);
    assert_true(far[1].clear);
    compare_row_t close[] = {row("A", 10, 0.5, 0.1), row("B", 10, 0.21, 0.1)};
    compare_rank(close, 2);
    assert_false(close[1].clear);
}

static void one_article_proves_nothing(void **state)
{
    compare_row_t v[] = {row("A", 1, 1, 0), row("B", 9, -1, 0.01)};
    compare_rank(v, 2);
    assert_false(v[1].clear);
    compare_row_t w[] = {row("A", 2, 1, 0.01), row("B", 9, -1, 0.01)};
    compare_rank(w, 2);
    assert_true(w[1].clear);
}

static void none_have_articles(void **state)
{
    compare_row_t v[] = {row("B", 0, 0, 0), row("A", 0, 0, 0)};
    compare_rank(v, 2);
    assert_true(str_eq(v[0].ticker, STR("A")));
    assert_int_equal(v[0].rank + v[1].rank, 0);
    compare_rank(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_comes_first),
        cmocka_unit_test(clear_is_more_than_chance),
        cmocka_unit_test(one_article_proves_nothing),
        cmocka_unit_test(none_have_articles),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
