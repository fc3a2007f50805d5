#include "core/num.h"

#include <math.h>
#include <stdlib.h>

bool num_u64(str_t s, uint64_t max, uint64_t *out)
{
    if (s.n == 0 || s.n > 20)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (v > max)
        return false;
    *out = v;
    return true;
}

bool num_i64(str_t s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    if (!num_u64(negative ? str_skip(s, 1) : s, (uint64_t)INT64_MAX + negative, &v))
        return false;
    int64_t value = negative ? (int64_t)(0 - v) : (int64_t)v;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

static size_t digits(str_t s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at;
}

/* number = [ minus ] int [ frac ] [ exp ] (RFC 8259 section 6) */
static bool is_number(str_t s)
{
    size_t at = s.n > 0 && s.p[0] == '-';
    size_t end = digits(s, at);
    if (end == at || (s.p[at] == '0' && end > at + 1))
        return false;
    at = end;
    if (at < s.n && s.p[at] == '.') {
        end = digits(s, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
            at++;
        end = digits(s, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == s.n;
}

bool num_f64(str_t s, double *out)
{
    char text[128];
    if (s.n >= sizeof text || !is_number(s))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    double v = strtod(text, NULL);
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}
