/* Questions that count: series of a ticker, and what the store knows. */
#include "articles_db.h"

static rc_t read_points(desk_t *d, articles_point_t *v, size_t max, args_t args,
                        articles_series_t *out)
{
    static const char SQL[] = "SELECT article >> 20, score, relevance FROM mentions WHERE ticker = "
                              "? AND article >= ? AND article < ? ORDER BY article DESC LIMIT ?";
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(d, SQL, args);
    while (out->n < max && desk_row(d, s, &rc)) {
        /* From the end, as the latest come first. */
        v[max - ++out->n] =
            (articles_point_t){sqlite3_column_int64(s, 0), (float)sqlite3_column_double(s, 1),
                               (float)sqlite3_column_double(s, 2)};
    }
    out->cut = out->n == max && rc == RC_OK && desk_row(d, s, &rc);
    desk_end(s);
    out->v = v + max - out->n;
    return rc;
}

rc_t articles_series(articles_t *s, arena_t *a, str_t ticker, str_t from, str_t to, size_t max,
                     articles_series_t *out)
{
    max = max < ARTICLES_SERIES ? max : ARTICLES_SERIES;
    articles_point_t *v = ARENA_ARRAY(a, max + 1, articles_point_t);
    *out = (articles_series_t){.v = v};
    if (!v)
        return RC_MEMORY;
    /* Times before 1970 are negative, and have no bits to shift. */
    int64_t low = from.p ? news_seconds(from) * (1 << ID_BITS) : 0;
    int64_t high = to.p ? news_seconds(to) * (1 << ID_BITS) : INT64_MAX;
    desk_t *d = desk_read(s);
    rc_t rc =
        read_points(d, v, max, ARGS(A_T(ticker), A_I(low), A_I(high), A_I((int64_t)max + 1)), out);
    rc = desk_log(s, d, rc);
    desk_back(s, d);
    return rc;
}

static rc_t read_known(desk_t *d, arena_t *a, sqlite3_stmt *s, articles_tickers_t *out, size_t max)
{
    articles_known_t *v = ARENA_ARRAY(a, max + 1, articles_known_t);
    rc_t rc = v ? RC_OK : RC_MEMORY;
    out->v = v;
    while (rc == RC_OK && out->n < max && desk_row(d, s, &rc)) {
        articles_known_t *k = &v[out->n++];
        rc = desk_text(a, s, 0, &k->ticker);
        rc = rc == RC_OK ? desk_text(a, s, 1, &k->names) : rc;
        k->name = str_first(k->names, str_find(k->names, '|', 0));
        k->count = (size_t)sqlite3_column_int64(s, 2);
        if (sqlite3_column_type(s, 3) != SQLITE_NULL)
            k->latest = news_of_seconds(a, sqlite3_column_int64(s, 3));
    }
    desk_end(s);
    return rc;
}

static rc_t list(articles_t *s, arena_t *a, const char *sql, args_t args, articles_tickers_t *out)
{
    *out = (articles_tickers_t){0};
    size_t max = (size_t)args.v[args.n - 1].i;
    desk_t *d = desk_read(s);
    rc_t rc = desk_log(s, d, read_known(d, a, desk_ask(d, sql, args), out, max));
    desk_back(s, d);
    return rc;
}

rc_t articles_tickers(articles_t *s, arena_t *a, str_t prefix, size_t max, articles_tickers_t *out)
{
    static const char SQL[] =
        "SELECT ticker, name, count, (SELECT max(article) >> 20 FROM mentions m WHERE m.ticker = "
        "t.ticker) FROM tickers t WHERE ticker >= ?1 AND ticker < ?1 || char(1114111) "
        "ORDER BY count DESC, ticker LIMIT ?2";
    return list(s, a, SQL, ARGS(A_T(prefix.p ? prefix : STR("")), A_I((int64_t)max)), out);
}

rc_t articles_known(articles_t *s, arena_t *a, str_t ticker, articles_known_t *out)
{
    static const char SQL[] =
        "SELECT ticker, name, count, (SELECT max(article) >> 20 FROM mentions WHERE ticker = ?1) "
        "FROM tickers WHERE ticker = ?1 LIMIT ?2";
    articles_tickers_t one;
    *out = (articles_known_t){.ticker = ticker};
    TRY(list(s, a, SQL, ARGS(A_T(ticker), A_I(1)), &one));
    if (one.n > 0)
        *out = one.v[0];
    return RC_OK;
}

rc_t articles_topics(articles_t *s, arena_t *a, size_t max, articles_tickers_t *out)
{
    static const char SQL[] = "SELECT topic, NULL, count(*), max(article) >> 20 FROM topics GROUP "
                              "BY topic ORDER BY count(*) DESC, topic LIMIT ?";
    return list(s, a, SQL, ARGS(A_I((int64_t)max)), out);
}
