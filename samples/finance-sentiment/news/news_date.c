/* Dates of feeds: RFC 822 as RSS writes them (with the years and zones of RFC 2822), RFC 3339 as
 * Atom does, and the shorter forms of W3C's note on dates. */
#include "news.h"

#include <stdlib.h>
#include <time.h>

#include "core/num.h"

typedef struct {
    str_t rest;
    bool bad;
} scan_t;

/* A number of `least` to `most` digits. */
static int digits(scan_t *s, size_t least, size_t most)
{
    size_t n = 0;
    int v = 0;
    while (n < s->rest.n && n < most && s->rest.p[n] >= '0' && s->rest.p[n] <= '9')
        v = v * 10 + (s->rest.p[n++] - '0');
    s->bad |= n < least;
    s->rest = str_skip(s->rest, n);
    return v;
}

static bool eat(scan_t *s, char c)
{
    bool here = s->rest.n > 0 && s->rest.p[0] == c;
    s->rest = here ? str_skip(s->rest, 1) : s->rest;
    return here;
}

static void need(scan_t *s, char c)
{
    s->bad |= !eat(s, c);
}

static void blanks(scan_t *s)
{
    while (eat(s, ' ') || eat(s, '\t')) {
    }
}

/* Seconds to be added for UTC: "+02:00", "-0500". */
static int offset(scan_t *s)
{
    bool minus = eat(s, '-');
    s->bad |= !minus && !eat(s, '+');
    int hours = digits(s, 2, 2);
    eat(s, ':');
    int minutes = digits(s, 2, 2);
    s->bad |= hours > 23 || minutes > 59;
    return (minus ? 1 : -1) * (hours * 3600 + minutes * 60);
}

/* Zones of RFC 822 by name; military letters mean nothing certain (RFC 2822 section 4.3): UTC. */
static int zone(scan_t *s)
{
    static const struct {
        str_t name;
        int hours;
    } ZONES[] = {{STR_INIT("GMT"), 0},  {STR_INIT("UTC"), 0},  {STR_INIT("UT"), 0},
                 {STR_INIT("EST"), 5},  {STR_INIT("EDT"), 4},  {STR_INIT("CST"), 6},
                 {STR_INIT("CDT"), 5},  {STR_INIT("MST"), 7},  {STR_INIT("MDT"), 6},
                 {STR_INIT("PST"), 8},  {STR_INIT("PDT"), 7},  {STR_INIT("Z"), 0},
                 {STR_INIT("CET"), -1}, {STR_INIT("CEST"), -2}};
    if (s->rest.n > 0 && (s->rest.p[0] == '+' || s->rest.p[0] == '-'))
        return offset(s);
    for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
        if (str_eq_nocase(s->rest, ZONES[i].name)) {
            s->rest = STR("");
            return ZONES[i].hours * 3600;
        }
    }
    s->bad |= s->rest.n > 1;
    s->rest = STR("");
    return 0;
}

static int month(scan_t *s)
{
    static const char NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12 && s->rest.n >= 3; i++) {
        if (str_eq_nocase(str_first(s->rest, 3), str_of(NAMES + 3 * i, 3))) {
            while (s->rest.n > 0 && s->rest.p[0] > ' ')
                s->rest = str_skip(s->rest, 1);
            return i;
        }
    }
    s->bad = true;
    return 0;
}

static int year(scan_t *s)
{
    size_t before = s->rest.n;
    int y = digits(s, 2, 4);
    size_t n = before - s->rest.n;
    return n == 2 ? y + (y < 50 ? 2000 : 1900) : n == 3 ? y + 1900 : y;
}

static int clock_of(scan_t *s, struct tm *tm)
{
    tm->tm_hour = digits(s, 1, 2);
    need(s, ':');
    tm->tm_min = digits(s, 2, 2);
    tm->tm_sec = eat(s, ':') ? digits(s, 2, 2) : 0;
    if (eat(s, '.'))
        digits(s, 1, 9);
    tm->tm_sec = tm->tm_sec == 60 ? 59 : tm->tm_sec; /* a leap second */
    return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 59;
}

/* "Sun, 03 May 2026 12:00:00 +0200" */
static int read_822(scan_t *s, struct tm *tm)
{
    size_t comma = str_find(s->rest, ',', 0);
    if (comma < s->rest.n)
        s->rest = str_skip(s->rest, comma + 1);
    blanks(s);
    tm->tm_mday = digits(s, 1, 2);
    blanks(s);
    tm->tm_mon = month(s);
    blanks(s);
    tm->tm_year = year(s) - 1900;
    blanks(s);
    s->bad |= clock_of(s, tm) != 0;
    blanks(s);
    return zone(s);
}

/* "2026-05-03T12:00:00.5+02:00", "2026-05-03T12:00Z", "2026-05-03" */
static int read_3339(scan_t *s, struct tm *tm)
{
    tm->tm_year = digits(s, 4, 4) - 1900;
    need(s, '-');
    tm->tm_mon = digits(s, 2, 2) - 1;
    need(s, '-');
    tm->tm_mday = digits(s, 2, 2);
    if (s->rest.n == 0)
        return 0;
    s->bad |= !eat(s, 'T') && !eat(s, 't') && !eat(s, ' ');
    s->bad |= clock_of(s, tm) != 0;
    return eat(s, 'Z') || eat(s, 'z') ? 0 : offset(s);
}

str_t news_date(arena_t *a, str_t text)
{
    scan_t s = {str_trim(text, " \t\r\n"), false};
    struct tm tm = {0};
    bool dashed = s.rest.n >= 10 && s.rest.p[4] == '-';
    int add = dashed ? read_3339(&s, &tm) : read_822(&s, &tm);
    s.bad |= s.rest.n > 0 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
             tm.tm_year < 70 || tm.tm_year > 8098;
    if (s.bad)
        return STR_UNSET;
    int day = tm.tm_mday;
    time_t t = timegm(&tm);
    t += add;
    if (tm.tm_mday != day || t < 0) /* the 30th of February */
        return STR_UNSET;
    gmtime_r(&t, &tm);
    return arena_printf(a, "%04d%02d%02dT%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
