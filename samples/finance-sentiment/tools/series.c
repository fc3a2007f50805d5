#include "series.h"

#include <math.h>

enum { HOUR_S = 3600, DAY_S = 86400, WEEK_S = 7 * 86400, MONDAY_S = 4 * 86400 };

static const struct {
    str_t name;
    int64_t seconds;
    int64_t first; /* a moment at which one begins: 1970-01-05 was a Monday */
} STEPS[SERIES_STEPS] = {
    [SERIES_HOUR] = {STR_INIT("hour"), HOUR_S, 0},
    [SERIES_DAY] = {STR_INIT("day"), DAY_S, 0},
    [SERIES_WEEK] = {STR_INIT("week"), WEEK_S, MONDAY_S},
};

str_t series_step_name(series_step_t step)
{
    return STEPS[step].name;
}

int64_t series_step_seconds(series_step_t step)
{
    return STEPS[step].seconds;
}

str_t series_direction_name(series_direction_t d)
{
    static const str_t NAMES[] = {[SERIES_NO_TREND] = STR_INIT("none"),
                                  [SERIES_RISING] = STR_INIT("rising"),
                                  [SERIES_FALLING] = STR_INIT("falling")};
    return NAMES[d];
}

/* Rounds down, before 1970 too. */
static int64_t start_of(int64_t at, series_step_t step)
{
    int64_t length = STEPS[step].seconds, past = (at - STEPS[step].first) % length;
    return at - (past < 0 ? past + length : past);
}

static double weight_of(const series_point_t *p, const series_window_t *w)
{
    double half_lives = w->half_life_s > 0 ? (double)(w->to - p->at) / (double)w->half_life_s : 0;
    return p->relevance * exp2(-half_lives);
}

/* Sums of a mean; deviations are summed in a second pass, as differences of large sums lose digits.
 */
typedef struct {
    double w, ww, wx, wdd;
} sums_t;

static void add_first(series_mean_t *m, sums_t *s, double weight, double score)
{
    m->count++;
    s->w += weight;
    s->ww += weight * weight;
    s->wx += weight * score;
    m->weight = s->w;
    m->mean = s->w > 0 ? s->wx / s->w : 0;
}

static void add_second(const series_mean_t *m, sums_t *s, double weight, double score)
{
    s->wdd += weight * (score - m->mean) * (score - m->mean);
}

/* The variance is free of bias for weights that say how much an article counts. */
static void finish(series_mean_t *m, const sums_t *s)
{
    if (m->count < 2 || s->w <= 0)
        return;
    double equals = s->w * s->w / s->ww; /* as many of equal weight */
    double freedom = s->w - s->ww / s->w;
    if (freedom <= 0 || equals <= 1)
        return;
    m->deviation = sqrt(s->wdd / freedom);
    m->error = m->deviation / sqrt(equals);
}

/* The points of the window, with their weights and buckets. */
typedef struct {
    double weight, score, day; /* days before the window's end, negative */
    size_t bucket;
} use_t;

typedef struct {
    use_t *v;
    size_t n;
} uses_t;

static rc_t pick(arena_t *a, const series_point_t *points, size_t n, const series_window_t *w,
                 uses_t *out)
{
    int64_t first = start_of(w->from, w->step);
    *out = (uses_t){.v = ARENA_ARRAY(a, n + 1, use_t)};
    if (!out->v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const series_point_t *p = &points[i];
        double weight = weight_of(p, w);
        if (p->at < w->from || p->at >= w->to || !(weight > 0))
            continue;
        out->v[out->n++] = (use_t){weight, p->score, (double)(p->at - w->to) / DAY_S,
                                   (size_t)((p->at - first) / STEPS[w->step].seconds)};
    }
    return RC_OK;
}

static void average(const uses_t *u, series_bucket_t *buckets, sums_t *sums, series_t *out)
{
    sums_t all = {0};
    for (size_t i = 0; i < u->n; i++) {
        const use_t *p = &u->v[i];
        add_first(&out->all, &all, p->weight, p->score);
        add_first(&buckets[p->bucket].m, &sums[p->bucket], p->weight, p->score);
    }
    for (size_t i = 0; i < u->n; i++) {
        const use_t *p = &u->v[i];
        add_second(&out->all, &all, p->weight, p->score);
        add_second(&buckets[p->bucket].m, &sums[p->bucket], p->weight, p->score);
    }
    finish(&out->all, &all);
    for (size_t i = 0; i < out->n; i++)
        finish(&buckets[i].m, &sums[i]);
}

/* Cornish and Fisher's expansion around the normal quantile (Abramowitz and Stegun, 26.7.5). Below
 * three degrees it is too coarse, and there the quantiles are few. */
double series_student(double v)
{
    static const double Z = 1.959963984540054, ONE = 12.706204736, TWO = 4.302652730;
    if (v < 1.5)
        return ONE;
    if (v < 2.5)
        return TWO;
    double z3 = Z * Z * Z, z5 = z3 * Z * Z, z7 = z5 * Z * Z;
    return Z + (z3 + Z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * v * v) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * v * v * v);
}

/* Weights say what an article counts, not how exact its score is, so the error of the slope is
 * taken from the residuals themselves (White's estimator). */
static void draw_line(const uses_t *u, const series_mean_t *all, series_trend_t *out)
{
    double w = 0, wt = 0, tt = 0, tx = 0, spread = 0, n = (double)u->n;
    for (size_t i = 0; i < u->n; i++) {
        w += u->v[i].weight;
        wt += u->v[i].weight * u->v[i].day;
    }
    double mean_day = w > 0 ? wt / w : 0;
    for (size_t i = 0; i < u->n; i++) {
        double t = u->v[i].day - mean_day;
        tt += u->v[i].weight * t * t;
        tx += u->v[i].weight * t * (u->v[i].score - all->mean);
    }
    if (u->n < SERIES_TREND_LEAST || !(tt / w > 1e-9))
        return;
    out->known = true;
    out->per_day = tx / tt;
    for (size_t i = 0; i < u->n; i++) {
        double t = u->v[i].day - mean_day;
        double miss = u->v[i].weight * t * (u->v[i].score - all->mean - out->per_day * t);
        spread += miss * miss;
    }
    out->error = sqrt(spread * n / (n - 2)) / tt;
}

static void judge(size_t count, series_trend_t *t)
{
    double reach = series_student((double)count - 2) * t->error;
    t->low = t->per_day - reach;
    t->high = t->per_day + reach;
    if (t->low > 0)
        t->direction = SERIES_RISING;
    else if (t->high < 0)
        t->direction = SERIES_FALLING;
}

rc_t series_make(arena_t *a, const series_point_t *points, size_t n, const series_window_t *window,
                 series_t *out)
{
    *out = (series_t){0};
    if (window->to <= window->from)
        return RC_LIMIT;
    int64_t length = STEPS[window->step].seconds, first = start_of(window->from, window->step);
    int64_t count = (window->to - first + length - 1) / length;
    if (count > SERIES_BUCKETS)
        return RC_LIMIT;
    series_bucket_t *buckets = ARENA_ARRAY(a, (size_t)count, series_bucket_t);
    sums_t *sums = ARENA_ARRAY(a, (size_t)count, sums_t);
    uses_t used;
    if (!buckets || !sums)
        return RC_MEMORY;
    TRY(pick(a, points, n, window, &used));
    for (int64_t i = 0; i < count; i++)
        buckets[i].start = first + i * length;
    out->v = buckets;
    out->n = (size_t)count;
    average(&used, buckets, sums, out);
    draw_line(&used, &out->all, &out->trend);
    if (out->trend.known)
        judge(used.n, &out->trend);
    return RC_OK;
}
