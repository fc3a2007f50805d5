#include "engine_math.h"

#include <math.h>

/* ln 2 in two parts, so that k * LN2_HIGH is exact for the small k that come. */
static const double LN2_HIGH = 0x1.62e42fee00000p-1;
static const double LN2_LOW = 0x1.a39ef35793c76p-33;
static const double LOG2_E = 0x1.71547652b82fep+0;
static const double MOST = 60;

enum { EXP_TERMS = 14, LOG_ROUNDS = 4 };

/* One over i!, for the series of the exponential. */
static const double OVER_FACTORIAL[EXP_TERMS] = {
    1,
    1.0 / 1,
    1.0 / 2,
    1.0 / 6,
    1.0 / 24,
    1.0 / 120,
    1.0 / 720,
    1.0 / 5040,
    1.0 / 40320,
    1.0 / 362880,
    1.0 / 3628800,
    1.0 / 39916800,
    1.0 / 479001600,
    1.0 / 6227020800,
};

double math_exp(double x)
{
    x = x > MOST ? MOST : x < -MOST ? -MOST : x;
    int k = (int)(x * LOG2_E + (x < 0 ? -0.5 : 0.5));
    double r = x - k * LN2_HIGH - k * LN2_LOW;
    double sum = 0;
    for (int i = EXP_TERMS; i-- > 0;)
        sum = sum * r + OVER_FACTORIAL[i];
    return ldexp(sum, k); /* exact */
}

/* Newton's way from the exponent: each round doubles the digits that are right. */
double math_log(double x)
{
    int k;
    double m = frexp(x, &k), y = 2 * (m - 1) / (m + 1);
    for (int i = 0; i < LOG_ROUNDS; i++)
        y += 2 * (m - math_exp(y)) / (m + math_exp(y));
    return y + k * LN2_HIGH + k * LN2_LOW;
}

void math_softmax(double *v, size_t n)
{
    double most = v[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = v[i] > most ? v[i] : most;
    for (size_t i = 0; i < n; i++) {
        v[i] = math_exp(v[i] - most);
        sum += v[i];
    }
    for (size_t i = 0; i < n; i++)
        v[i] /= sum;
}
