#include "mcp/schema_number.h"

enum { EXPONENT_DIGITS = 15 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent behind 'e', clamped: sums of two of them stay far from the ends of 64 bits. */
static int64_t exponent(str_t s)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            continue;
        v = v * 10 + (s.p[i] - '0');
        if (v > 1000000000000000)
            v = 1000000000000000;
    }
    return negative ? -v : v;
}

schema_number_t schema_number(str_t raw)
{
    schema_number_t x = {.negative = raw.n > 0 && raw.p[0] == '-', .digits = STR("")};
    size_t end = 0, dot = SIZE_MAX, first = SIZE_MAX, last = 0;
    for (; end < raw.n && (raw.p[end] | 0x20) != 'e'; end++) {
        if (raw.p[end] == '.')
            dot = end;
        if (raw.p[end] < '1' || raw.p[end] > '9')
            continue;
        first = first == SIZE_MAX ? end : first;
        last = end;
    }
    if (first == SIZE_MAX)
        return (schema_number_t){.digits = STR("")};
    int64_t e = exponent(str_skip(raw, end + 1));
    dot = dot == SIZE_MAX ? end : dot;
    x.digits = str_of(raw.p + first, last - first + 1);
    x.n = x.digits.n - (first < dot && dot < last);
    x.low = (last < dot ? (int64_t)(dot - last) - 1 : -(int64_t)(last - dot)) + e;
    x.high = x.low + (int64_t)x.n - 1;
    return x;
}

/* The next digit at *at, behind which *at moves; -1 at the end. */
static int next_digit(const schema_number_t *x, size_t *at)
{
    if (*at < x->digits.n && x->digits.p[*at] == '.')
        (*at)++;
    return *at < x->digits.n ? x->digits.p[(*at)++] - '0' : -1;
}

static int cmp_magnitude(const schema_number_t *x, const schema_number_t *y)
{
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    for (size_t i = 0, j = 0;;) {
        int a = next_digit(x, &i), b = next_digit(y, &j);
        if (a != b)
            return a < b ? -1 : 1;
        if (a < 0)
            return 0;
    }
}

static int sign(const schema_number_t *x)
{
    if (x->n == 0)
        return 0;
    return x->negative ? -1 : 1;
}

int schema_number_cmp(const schema_number_t *x, const schema_number_t *y)
{
    int a = sign(x), b = sign(y);
    if (a != b)
        return a < b ? -1 : 1;
    if (a == 0)
        return 0;
    return a * cmp_magnitude(x, y);
}

bool schema_number_is_integer(const schema_number_t *x)
{
    return x->n == 0 || x->low >= 0;
}

/* Digits as a number; there are at most 18. */
static uint64_t whole(const schema_number_t *x)
{
    uint64_t v = 0;
    size_t at = 0;
    for (int d; (d = next_digit(x, &at)) >= 0;)
        v = v * 10 + (uint64_t)d;
    return v;
}

bool schema_number_count(const schema_number_t *x, uint64_t *out)
{
    if (!schema_number_is_integer(x) || sign(x) < 0)
        return false;
    *out = UINT64_MAX;
    if (x->high >= SCHEMA_DIVISOR_DIGITS)
        return true;
    *out = whole(x);
    for (int64_t i = 0; i < x->low; i++)
        *out *= 10;
    return true;
}

static uint64_t times(uint64_t a, uint64_t b, uint64_t modulus)
{
    return (uint64_t)((unsigned __int128)a * b % modulus);
}

static uint64_t power_of_ten(uint64_t e, uint64_t modulus)
{
    uint64_t result = 1 % modulus, base = 10 % modulus;
    for (; e > 0; e >>= 1) {
        if (e & 1)
            result = times(result, base, modulus);
        base = times(base, base, modulus);
    }
    return result;
}

/* With x = X·10^a and divisor = D·10^b: for a < b the quotient's denominator holds a factor of ten
 * that X, whose last digit is none, cannot lend; else X·10^(a-b) mod D decides. No rounding
 * anywhere, so 0.3 is a multiple of 0.1 and 1e300 one of 7 or not. */
bool schema_number_divides(const schema_number_t *x, const schema_number_t *divisor)
{
    if (x->n == 0)
        return true;
    if (x->low < divisor->low)
        return false;
    uint64_t d = whole(divisor), rest = 0;
    size_t at = 0;
    for (int digit; (digit = next_digit(x, &at)) >= 0;)
        rest = (uint64_t)(((unsigned __int128)rest * 10 + (unsigned)digit) % d);
    return times(rest, power_of_ten((uint64_t)(x->low - divisor->low), d), d) == 0;
}

uint64_t schema_number_hash(const schema_number_t *x)
{
    uint64_t h = (uint64_t)sign(x) * 31 + (uint64_t)x->low;
    size_t at = 0;
    for (int d; (d = next_digit(x, &at)) >= 0;)
        h = (h ^ (uint64_t)d) * 0x100000001b3ull;
    return h;
}
