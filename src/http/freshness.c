#include "http/freshness.h"

#include "core/num.h"

static bool number(str_t text, size_t at, size_t n, int64_t most, int64_t *out)
{
    return num_i64(str_first(str_skip(text, at), n), 0, most, out);
}

static int64_t month_of(str_t name)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int64_t i = 0; i < 12; i++)
        if (str_eq(name, str_of(MONTHS + 3 * i, 3)))
            return i + 1;
    return 0;
}

/* Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the day that comes
 * and goes is their last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
bool http_date_parse(str_t text, int64_t *out)
{
    static const char FORM[] = "...,... ... .... ..:..:.. GMT";
    int64_t day, year, h, m, s;
    if (text.n != sizeof FORM - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (i != 4 && FORM[i] != '.' && FORM[i] != text.p[i])
            return false;
    int64_t month = month_of(str_first(str_skip(text, 8), 3));
    if (text.p[4] != ' ' || month == 0 || !number(text, 5, 2, 31, &day) || day == 0 ||
        !number(text, 12, 4, 9999, &year) || !number(text, 17, 2, 23, &h) ||
        !number(text, 20, 2, 59, &m) || !number(text, 23, 2, 60, &s))
        return false;
    *out = ((days_of(year, month, day) * 24 + h) * 60 + m) * 60 + s;
    return true;
}

/* What a Cache-Control says. Seconds are -1 where it says none. */
typedef struct {
    bool never;
    int64_t max_age, s_maxage;
} control_t;

/* Of two values the smaller counts; what is no number counts as 0, what is too large as the most
 * (RFC 9111 section 1.2.2). */
static void take_seconds(str_t value, int64_t *into)
{
    uint64_t n = 0;
    int64_t seconds = 0;
    if (num_u64(str_trim(value, "\""), UINT64_MAX, &n))
        seconds = n > INT32_MAX ? INT32_MAX : (int64_t)n;
    if (*into < 0 || seconds < *into)
        *into = seconds;
}

static void take_directive(str_t directive, control_t *c)
{
    size_t equals = str_find(directive, '=', 0);
    str_t name = str_trim(str_first(directive, equals), " \t");
    str_t value = str_trim(str_skip(directive, equals + 1), " \t");
    if (str_eq_nocase(name, STR("no-store")) || str_eq_nocase(name, STR("no-cache")))
        c->never = true;
    else if (str_eq_nocase(name, STR("max-age")))
        take_seconds(value, &c->max_age);
    else if (str_eq_nocase(name, STR("s-maxage")))
        take_seconds(value, &c->s_maxage);
}

/* A comma within quotes splits a directive that nobody looks for; its rest names none either, or
 * one that only makes the answer less fresh. */
static control_t read_control(str_t value)
{
    control_t c = {.max_age = -1, .s_maxage = -1};
    str_t directive;
    while (str_split(&value, ',', &directive))
        take_directive(str_trim(directive, " \t"), &c);
    return c;
}

static bool varies_by_all(str_t vary)
{
    str_t name;
    while (str_split(&vary, ',', &name))
        if (str_eq(str_trim(name, " \t"), STR("*")))
            return true;
    return false;
}

static int64_t until_expiry(const http_fetch_result_t *r, int64_t now)
{
    int64_t expires, date = now;
    if (!http_date_parse(r->expires, &expires))
        return 0;
    if (str_is_set(r->date) && !http_date_parse(r->date, &date))
        return 0;
    return expires - date;
}

static int64_t lifetime(const http_fetch_result_t *r, const control_t *c, int64_t now)
{
    if (c->s_maxage >= 0)
        return c->s_maxage;
    if (c->max_age >= 0)
        return c->max_age;
    return str_is_set(r->expires) ? until_expiry(r, now) : HTTP_FRESHNESS_UNSAID;
}

int64_t http_freshness(const http_fetch_result_t *r, int64_t now)
{
    control_t c = read_control(r->cache_control);
    int64_t age = 0;
    if (c.never || varies_by_all(r->vary))
        return 0;
    if (str_is_set(r->age) && !num_i64(r->age, 0, INT64_MAX, &age))
        return 0;
    int64_t seconds = lifetime(r, &c, now);
    if (seconds == HTTP_FRESHNESS_UNSAID && !str_is_set(r->expires))
        return HTTP_FRESHNESS_UNSAID;
    return seconds > age ? seconds - age : 0;
}
