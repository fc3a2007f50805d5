/* The four formats that forms may have. */
#include "mcp/schema_read.h"

#include "core/num.h"
#include "core/url.h"

enum { LOCAL_BYTES = 64, DOMAIN_BYTES = 253, LABEL_BYTES = 63 }; /* RFC 5321 section 4.5.3.1 */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* sub-domain = Let-dig [Ldh-str] (RFC 5321 section 4.1.2) */
static bool is_label(str_t s)
{
    if (s.n == 0 || s.n > LABEL_BYTES || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_domain(str_t s)
{
    str_t label;
    if (s.n == 0 || s.n > DOMAIN_BYTES)
        return false;
    while (str_split(&s, '.', &label))
        if (!is_label(label))
            return false;
    return true;
}

static bool is_atom(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0 || (!is_alnum(s.p[i]) && !strchr("!#$%&'*+-/=?^_`{|}~", s.p[i])))
            return false;
    return s.n > 0;
}

static bool is_quoted(str_t s)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
        return false;
    for (size_t i = 1; i < s.n - 1; i++) {
        if (s.p[i] < 0x20 || s.p[i] > 0x7e || s.p[i] == '"')
            return false;
        if (s.p[i] == '\\' && ++i == s.n - 1)
            return false;
    }
    return true;
}

/* A mailbox that mail can reach from elsewhere: no address literal for a domain (RFC 5321). */
static bool is_email(str_t s)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    if (at < 2 || at - 1 > LOCAL_BYTES || !is_domain(str_skip(s, at)))
        return false;
    str_t local = str_first(s, at - 1), atom;
    if (is_quoted(local))
        return true;
    while (str_split(&local, '.', &atom))
        if (!is_atom(atom))
            return false;
    return true;
}

static bool is_uri(str_t s)
{
    url_t u;
    return url_parse(s, &u) == RC_OK;
}

static bool number_at(str_t s, size_t at, size_t digits, uint64_t *out)
{
    return at + digits <= s.n && num_u64(str_of(s.p + at, digits), UINT32_MAX, out);
}

static uint64_t days(uint64_t year, uint64_t month)
{
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return DAYS[month - 1] + (month == 2 && leap);
}

/* full-date (RFC 3339 section 5.6) */
static bool is_date(str_t s)
{
    uint64_t year, month, day;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    if (!number_at(s, 0, 4, &year) || !number_at(s, 5, 2, &month) || !number_at(s, 8, 2, &day))
        return false;
    return month >= 1 && month <= 12 && day >= 1 && day <= days(year, month);
}

/* time-offset; minutes east of UTC go to *out. */
static bool is_offset(str_t s, int *out)
{
    uint64_t hours, minutes;
    *out = 0;
    if (str_eq_nocase(s, STR("Z")))
        return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
        return false;
    if (!number_at(s, 1, 2, &hours) || !number_at(s, 4, 2, &minutes))
        return false;
    *out = (int)(hours * 60 + minutes) * (s.p[0] == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

static size_t fraction(str_t s, size_t at)
{
    if (at >= s.n || s.p[at] != '.')
        return 0;
    size_t end = at + 1;
    while (end < s.n && s.p[end] >= '0' && s.p[end] <= '9')
        end++;
    return end > at + 1 ? end - at : 0;
}

/* full-time; a leap second is the last one of a day of UTC. */
static bool is_time(str_t s)
{
    uint64_t hour, minute, second;
    int offset;
    if (s.n < 9 || s.p[2] != ':' || s.p[5] != ':')
        return false;
    if (!number_at(s, 0, 2, &hour) || !number_at(s, 3, 2, &minute) || !number_at(s, 6, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60 ||
        !is_offset(str_skip(s, 8 + fraction(s, 8)), &offset))
        return false;
    int utc = ((int)(hour * 60 + minute) - offset + 2 * 1440) % 1440;
    return second < 60 || utc == 1439;
}

static bool is_date_time(str_t s)
{
    return s.n > 11 && (s.p[10] | 0x20) == 't' && is_date(str_first(s, 10)) &&
           is_time(str_skip(s, 11));
}

bool (*schema_format(str_t name))(str_t s)
{
    static const struct {
        str_t name;
        bool (*check)(str_t s);
    } FORMATS[] = {
        {STR_INIT("email"), is_email},
        {STR_INIT("uri"), is_uri},
        {STR_INIT("date"), is_date},
        {STR_INIT("date-time"), is_date_time},
    };
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (str_eq(FORMATS[i].name, name))
            return FORMATS[i].check;
    return NULL;
}
