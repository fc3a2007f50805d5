#include "finance_ask.h"

#include "core/num.h"

#include <stdio.h>
#include <time.h>

enum { HOUR_S = 3600, DAY_S = 86400, WEEK_S = 7 * DAY_S, TIME_ROOM = 128 };

str_t finance_argument(finance_work_t *k, const char *path)
{
    return str_c(warder_mcp_string(k->call, path));
}

str_t finance_element(finance_work_t *k, const char *path, size_t i)
{
    char at[64];
    snprintf(at, sizeof at, "%s.%zu", path, i);
    return finance_argument(k, at);
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_ticker_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(".:-", c));
}

/* Without what people put around it. Unset: no ticker is in it. */
static str_t bare_ticker(str_t given)
{
    str_t t = str_trim(given, " ");
    t = str_starts(t, STR("$")) ? str_skip(t, 1) : t;
    for (size_t i = 0; i < t.n; i++) {
        if (!is_ticker_byte(to_upper(t.p[i])))
            return STR_UNSET;
    }
    return t.n > 0 && t.n <= FINANCE_TICKER_BYTES ? t : STR_UNSET;
}

bool finance_is_ticker(str_t given)
{
    return bare_ticker(given).p != NULL;
}

str_t finance_ticker(arena_t *a, str_t given)
{
    str_t t = bare_ticker(given);
    char *p = t.p ? arena_alloc(a, t.n + 1) : NULL;
    for (size_t i = 0; p && i < t.n; i++)
        p[i] = to_upper(t.p[i]);
    return str_of(p, p ? t.n : 0);
}

static bool no_ticker(finance_work_t *k)
{
    warder_mcp_error(k->call,
                     "Give each ticker as a stock symbol such as \"ACME\": 1 to 20 letters, "
                     "digits, '.', ':' or '-'.");
    return false;
}

/* Each once, at most `max`. Without memory nothing is said, which ends the call as a failure. */
static bool take_ticker(finance_work_t *k, str_t given, size_t max, str_list_t *out)
{
    if (!finance_is_ticker(given))
        return no_ticker(k);
    str_t ticker = finance_ticker(k->a, given);
    if (!ticker.p)
        return false;
    if (str_list_has(*out, ticker))
        return true;
    if (out->n == max) {
        warder_mcp_errorf(k->call, "Give at most %zu tickers.", max);
        return false;
    }
    ((str_t *)(uintptr_t)out->v)[out->n++] = ticker;
    return true;
}

/* Without memory no ticker can be copied, which take_ticker finds out. */
static str_list_t room_for(finance_work_t *k, size_t max)
{
    return (str_list_t){ARENA_ARRAY(k->a, max + 1, str_t), 0};
}

bool finance_tickers(finance_work_t *k, const char *path, size_t max, str_list_t *out)
{
    size_t n = warder_mcp_count(k->call, path);
    *out = room_for(k, max);
    for (size_t i = 0; i < n; i++) {
        if (!out->v || !take_ticker(k, finance_element(k, path, i), max, out))
            return false;
    }
    return true;
}

bool finance_split_tickers(finance_work_t *k, str_t text, size_t max, str_list_t *out)
{
    str_t part;
    *out = room_for(k, max);
    while (str_split(&text, ',', &part)) {
        if (str_trim(part, " ").n > 0 && (!out->v || !take_ticker(k, part, max, out)))
            return false;
    }
    return true;
}

bool finance_time(finance_work_t *k, const char *name, const char *also, str_t *out)
{
    str_t given = finance_argument(k, name);
    if (!given.p && also)
        given = finance_argument(k, also);
    if (!arena_alloc(k->a, TIME_ROOM)) /* or want of memory would look like a wrong time */
        return false;
    *out = given.p ? news_time(k->a, given) : STR_UNSET;
    if (!given.p || out->p)
        return true;
    warder_mcp_errorf(
        k->call,
        "Give `%s` in UTC, as \"2026-05-03\" or \"2026-05-03T12:00:00Z\", or leave it "
        "out.",
        name);
    return false;
}

str_t finance_news_time(arena_t *a, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[32];
    if (!gmtime_r(&t, &tm) || strftime(text, sizeof text, "%Y%m%dT%H%M%S", &tm) != NEWS_TIME)
        return STR_UNSET;
    return arena_dup(a, str_of(text, NEWS_TIME));
}

int64_t finance_seconds(str_t t)
{
    struct tm tm = {0};
    char text[NEWS_TIME + 1];
    if (t.n != NEWS_TIME)
        return -1;
    memcpy(text, t.p, NEWS_TIME);
    text[NEWS_TIME] = '\0';
    const char *end = strptime(text, "%Y%m%dT%H%M%S", &tm);
    return end && *end == '\0' ? (int64_t)timegm(&tm) : -1;
}

/* --- windows --- */

/* "30d" in seconds; the schema has checked the form. */
static int64_t length_of(str_t window)
{
    uint64_t n;
    if (window.n < 2 || !num_u64(str_first(window, window.n - 1), 9999, &n))
        return 0;
    char unit = window.p[window.n - 1];
    return (int64_t)n * (unit == 'h' ? HOUR_S : unit == 'd' ? DAY_S : unit == 'w' ? WEEK_S : 0);
}

/* Where none is asked for: a few dozen buckets. */
static series_step_t step_of(str_t bucket, int64_t length)
{
    for (int s = 0; s < SERIES_STEPS; s++) {
        if (str_eq(bucket, series_step_name((series_step_t)s)))
            return (series_step_t)s;
    }
    if (length <= 2 * DAY_S)
        return SERIES_HOUR;
    return length <= 120 * (int64_t)DAY_S ? SERIES_DAY : SERIES_WEEK;
}

static rc_t place(finance_work_t *k, int64_t to, int64_t length, finance_window_t *out)
{
    out->w.to = to;
    out->w.from = to - length;
    out->w.half_life_s = length / 4;
    out->from = finance_news_time(k->a, out->w.from);
    out->to = finance_news_time(k->a, out->w.to);
    return out->from.p && out->to.p ? RC_OK : RC_MEMORY;
}

/* A feed that has stopped still answers: its last window, marked as such. */
static rc_t anchor(finance_work_t *k, str_list_t tickers, int64_t length, finance_window_t *out)
{
    articles_page_t page;
    articles_verdict_t verdict;
    articles_query_t q = {.tickers = tickers, .limit = 1};
    TRY(articles_find(k->f->articles, k->a, &q, &page, &verdict));
    if (verdict != ARTICLES_OK || page.n == 0)
        return RC_OK;
    int64_t latest = finance_seconds(page.v[0].x.time);
    if (latest >= out->w.from)
        return RC_OK;
    out->ends = "latest_article";
    return place(k, latest + 1, length, out);
}

bool finance_window(finance_work_t *k, str_list_t tickers, finance_window_t *out, rc_t *rc)
{
    str_t window = finance_argument(k, "window"), to;
    int64_t length = length_of(window.p ? window : STR("30d"));
    *out = (finance_window_t){.ends = "now"};
    *rc = RC_OK;
    out->w.step = step_of(finance_argument(k, "bucket"), length);
    if (length / series_step_seconds(out->w.step) + 2 > SERIES_BUCKETS) {
        warder_mcp_errorf(k->call,
                          "That are more than %d buckets: give a shorter `window`, or "
                          "longer buckets (`bucket`: hour, day or week).",
                          SERIES_BUCKETS - 2);
        return false;
    }
    if (!finance_time(k, "to", NULL, &to))
        return false;
    if (to.p) {
        out->ends = "given";
        *rc = place(k, finance_seconds(to), length, out);
        return *rc == RC_OK;
    }
    *rc = place(k, clock_seconds(&k->f->clock) + 1, length, out);
    if (*rc == RC_OK)
        *rc = anchor(k, tickers, length, out);
    return *rc == RC_OK;
}

rc_t finance_points(finance_work_t *k, str_t ticker, const finance_window_t *w, series_t *out,
                    bool *cut)
{
    articles_series_t s;
    TRY(articles_series(k->f->articles, k->a, ticker, w->from, w->to, ARTICLES_SERIES, &s));
    series_point_t *v = ARENA_ARRAY(k->a, s.n + 1, series_point_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < s.n; i++)
        v[i] = (series_point_t){s.v[i].published, (double)s.v[i].score, (double)s.v[i].relevance};
    *cut = s.cut;
    return series_make(k->a, v, s.n, &w->w, out);
}

watchlist_owner_t finance_owner(finance_work_t *k)
{
    return (watchlist_owner_t){str_c(warder_mcp_issuer(k->call)),
                               str_c(warder_mcp_subject(k->call))};
}

rc_t finance_watched(finance_work_t *k, str_list_t *out)
{
    watchlist_owner_t who = finance_owner(k);
    return watchlist_get(k->f->watchlists, k->a, &who, out);
}
