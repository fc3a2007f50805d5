#include "compare.h"

#include <math.h>
#include <stdlib.h>

static int by_mean(const void *left, const void *right)
{
    const compare_row_t *l = left, *r = right;
    bool has_l = l->m.count > 0, has_r = r->m.count > 0;
    if (has_l != has_r)
        return has_l ? -1 : 1;
    if (has_l && l->m.mean != r->m.mean)
        return l->m.mean > r->m.mean ? -1 : 1;
    return str_cmp(l->ticker, r->ticker);
}

/* Welch and Satterthwaite: the degrees of freedom of a difference of means whose variances differ.
 */
static double freedom(const series_mean_t *x, const series_mean_t *y)
{
    double vx = x->error * x->error, vy = y->error * y->error;
    double under = vx * vx / (double)(x->count - 1) + vy * vy / (double)(y->count - 1);
    return under > 0 ? (vx + vy) * (vx + vy) / under : (double)(x->count + y->count - 2);
}

/* One article has no deviation, so nothing is known of chance; nor where all scores are equal. */
static bool is_clear(const series_mean_t *x, const series_mean_t *y, double behind, double error)
{
    if (x->count < 2 || y->count < 2 || !(error > 0))
        return false;
    return behind > series_student(freedom(x, y)) * error;
}

void compare_rank(compare_row_t *rows, size_t n)
{
    if (n > 0)
        qsort(rows, n, sizeof *rows, by_mean);
    for (size_t i = 0; i < n; i++) {
        compare_row_t *r = &rows[i];
        if (r->m.count == 0)
            continue;
        bool tie = i > 0 && rows[i - 1].m.mean == r->m.mean;
        r->rank = tie ? rows[i - 1].rank : i + 1;
        r->behind = rows[0].m.mean - r->m.mean;
        r->error = i == 0 ? 0 : hypot(rows[0].m.error, r->m.error);
        r->clear = is_clear(&rows[0].m, &r->m, r->behind, r->error);
    }
}
