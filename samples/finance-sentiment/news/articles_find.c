/* Pages of articles: the ids of the page from the plan's statement, then each article whole. */
#include "articles_query.h"

typedef struct {
    int64_t id;
    double key;
} found_t;

/* --- one article --- */

static rc_t read_tickers(desk_t *d, arena_t *a, articles_hit_t *h)
{
    static const char SQL[] =
        "SELECT m.ticker, relevance, score, publisher, t.name FROM mentions m LEFT JOIN tickers t "
        "ON t.ticker = m.ticker WHERE article = ? ORDER BY relevance DESC, m.ticker";
    news_ticker_t *v = ARENA_ARRAY(a, NEWS_TICKERS + 1, news_ticker_t);
    rc_t rc = RC_OK;
    if (!v)
        return RC_MEMORY;
    sqlite3_stmt *s = desk_ask(d, SQL, ARGS(A_I(h->id)));
    while (rc == RC_OK && h->x.ticker_count < NEWS_TICKERS && desk_row(d, s, &rc)) {
        news_ticker_t *t = &v[h->x.ticker_count++];
        rc = desk_text(a, s, 0, &t->ticker);
        rc = rc == RC_OK ? desk_text(a, s, 4, &t->names) : rc;
        t->relevance = sqlite3_column_double(s, 1);
        t->own = sqlite3_column_double(s, 2);
        t->has_score = sqlite3_column_type(s, 3) != SQLITE_NULL;
        t->score = sqlite3_column_double(s, 3);
    }
    desk_end(s);
    h->x.tickers = v;
    return rc;
}

static rc_t read_topics(desk_t *d, arena_t *a, articles_hit_t *h)
{
    static const char SQL[] =
        "SELECT topic, relevance FROM topics WHERE article = ? ORDER BY relevance DESC, topic";
    news_topic_t *v = ARENA_ARRAY(a, NEWS_TOPICS + 1, news_topic_t);
    rc_t rc = RC_OK;
    if (!v)
        return RC_MEMORY;
    sqlite3_stmt *s = desk_ask(d, SQL, ARGS(A_I(h->id)));
    while (rc == RC_OK && h->x.topic_count < NEWS_TOPICS && desk_row(d, s, &rc)) {
        news_topic_t *t = &v[h->x.topic_count++];
        rc = desk_text(a, s, 0, &t->name);
        t->relevance = sqlite3_column_double(s, 1);
    }
    desk_end(s);
    h->x.topics = v;
    return rc;
}

static rc_t read_outlets(desk_t *d, arena_t *a, articles_hit_t *h)
{
    static const char SQL[] = "SELECT source, url, id >> 20 FROM articles WHERE lead = ? AND lead "
                              "<> 0 ORDER BY id";
    articles_outlet_t *v = ARENA_ARRAY(a, ARTICLES_OUTLETS + 1, articles_outlet_t);
    rc_t rc = RC_OK;
    if (!v)
        return RC_MEMORY;
    sqlite3_stmt *s = desk_ask(d, SQL, ARGS(A_I(h->id)));
    while (rc == RC_OK && desk_row(d, s, &rc)) {
        articles_outlet_t *o = &v[h->outlet_count];
        if (h->duplicates++ >= ARTICLES_OUTLETS)
            continue;
        h->outlet_count++;
        rc = desk_text(a, s, 0, &o->source);
        rc = rc == RC_OK ? desk_text(a, s, 1, &o->url) : rc;
        o->time = news_of_seconds(a, sqlite3_column_int64(s, 2));
    }
    desk_end(s);
    h->outlets = v;
    return rc;
}

static rc_t read_columns(const articles_t *s, arena_t *a, sqlite3_stmt *q, articles_hit_t *h)
{
    TRY(desk_text(a, q, 0, &h->x.title));
    TRY(desk_text(a, q, 1, &h->x.summary));
    TRY(desk_text(a, q, 2, &h->x.source));
    TRY(desk_text(a, q, 3, &h->x.url));
    h->x.score = sqlite3_column_double(q, 4);
    h->stale_score = sqlite3_column_int64(q, 5) != s->model;
    h->fetched = news_of_seconds(a, sqlite3_column_int64(q, 6));
    TRY(desk_text(a, q, 7, &h->via));
    TRY(desk_text(a, q, 8, &h->origin));
    h->x.time = news_of_seconds(a, h->id >> ID_BITS);
    return h->x.time.p && h->fetched.p ? RC_OK : RC_MEMORY;
}

static rc_t read_article(const articles_t *s, desk_t *d, arena_t *a, articles_hit_t *h)
{
    static const char SQL[] =
        "SELECT title, summary, source, url, score, model, fetched, o.via, o.name FROM articles a "
        "JOIN origins o ON o.id = a.origin WHERE a.id = ? AND a.lead = 0";
    rc_t rc = RC_OK;
    sqlite3_stmt *q = desk_ask(d, SQL, ARGS(A_I(h->id)));
    if (!desk_row(d, q, &rc))
        return rc == RC_OK ? RC_NOT_FOUND : rc;
    rc = read_columns(s, a, q, h);
    desk_end(q);
    TRY(rc);
    TRY(read_tickers(d, a, h));
    TRY(read_topics(d, a, h));
    return read_outlets(d, a, h);
}

/* --- what was asked about it --- */

static void weigh(const articles_query_t *q, const plan_t *p, double key, articles_hit_t *h)
{
    double sum = 0, weight = 0, most = 0, mean = 0;
    size_t n = 0;
    for (size_t i = 0; i < h->x.ticker_count; i++) {
        const news_ticker_t *t = &h->x.tickers[i];
        if (!str_list_has(q->tickers, t->ticker))
            continue;
        n++;
        sum += t->own * t->relevance;
        weight += t->relevance;
        mean += t->own;
        most = t->relevance > most ? t->relevance : most;
    }
    for (size_t i = 0; i < h->x.topic_count && q->tickers.n == 0; i++) {
        const news_topic_t *t = &h->x.topics[i];
        if (str_list_has(q->topics, t->name) && t->relevance > most)
            most = t->relevance;
    }
    h->score = n == 0 ? h->x.score : weight > 0 ? sum / weight : mean / (double)n;
    h->relevance = q->tickers.n > 0 || q->topics.n > 0 ? most : 1;
    if (q->sort == ARTICLES_RELEVANCE && !p->by_id)
        h->relevance = key;
}

/* --- a page --- */

static rc_t find_ids(desk_t *d, arena_t *a, const plan_t *p, found_t **out, size_t *n)
{
    sql_t *sql = ARENA_NEW(a, sql_t);
    found_t *v = ARENA_ARRAY(a, p->q->limit + 1, found_t);
    rc_t rc = RC_OK;
    *n = 0;
    *out = v;
    if (!sql || !v)
        return RC_MEMORY;
    TRY(articles_sql(a, p, sql));
    sqlite3_stmt *s = desk_ask(d, sql->sql.p, (args_t){sql->arg, sql->n});
    while (*n <= p->q->limit && desk_row(d, s, &rc))
        v[(*n)++] = (found_t){sqlite3_column_int64(s, 0), sqlite3_column_double(s, 1)};
    desk_end(s);
    return rc;
}

static rc_t read_page(const articles_t *s, desk_t *d, arena_t *a, const plan_t *p,
                      articles_page_t *out)
{
    found_t *found;
    size_t n, limit = p->q->limit;
    TRY(find_ids(d, a, p, &found, &n));
    articles_hit_t *v = ARENA_ARRAY(a, n + 1, articles_hit_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n && i < limit; i++) {
        v[i].id = found[i].id;
        TRY(read_article(s, d, a, &v[i]));
        weigh(p->q, p, found[i].key, &v[i]);
    }
    out->v = v;
    out->n = n < limit ? n : limit;
    if (n <= limit)
        return RC_OK;
    out->next = articles_cursor(a, p->q, found[limit - 1].key, found[limit - 1].id);
    return out->next.p ? RC_OK : RC_MEMORY;
}

/* Ids and articles from one state of the store. */
static rc_t find(articles_t *s, desk_t *d, arena_t *a, const plan_t *p, articles_page_t *out)
{
    TRY(desk_run(d, "BEGIN", NO_ARGS));
    TRY(read_page(s, d, a, p, out));
    return desk_run(d, "COMMIT", NO_ARGS);
}

rc_t articles_find(articles_t *s, arena_t *a, const articles_query_t *q, articles_page_t *out,
                   articles_verdict_t *verdict)
{
    plan_t p;
    *out = (articles_page_t){0};
    TRY(articles_plan(a, q, &p, verdict));
    if (*verdict != ARTICLES_OK)
        return RC_OK;
    desk_t *d = desk_read(s);
    rc_t rc = desk_log(s, d, find(s, d, a, &p, out));
    desk_back(s, d);
    return rc;
}

rc_t articles_get(articles_t *s, arena_t *a, int64_t id, articles_hit_t *out)
{
    *out = (articles_hit_t){.id = id, .relevance = 1};
    desk_t *d = desk_read(s);
    rc_t rc = desk_run(d, "BEGIN", NO_ARGS);
    rc = rc == RC_OK ? read_article(s, d, a, out) : rc;
    rc = desk_log(s, d, rc);
    desk_back(s, d);
    out->score = out->x.score;
    return rc;
}
