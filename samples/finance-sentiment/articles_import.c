/* News into the store: each article once, tellings of one story together. */
#include "articles_db.h"
#include "like.h"

#include "core/url.h"

#include <stdlib.h>

enum {
    AHEAD_S = 172800, /* clocks and time zones of publishers go wrong by a day; more is a trick to
                       * stand first for ever */
    CANDIDATES = 8,   /* looked at for each band: a flood under one title must not cost more */
    HOST_BYTES = 256,
    NAMED_BYTES = NEWS_TICKERS * (ARTICLES_NAMES_BYTES + 256) + 8192,
    MARKS_BYTES = 24576, /* of 50 tickers and 20 topics of 100 bytes, in hexadecimal */
};

typedef struct {
    const article_t *x;
    int64_t published;
    int64_t identity;
    bool known; /* as it was before the transaction: then it is not scored */
    double score;
    double *scores; /* one a ticker */
} row_t;

typedef struct {
    articles_t *s;
    desk_t *d;               /* within a transaction; else NULL */
    arena_t *a;              /* for the whole import */
    arena_t *scratch;        /* for one article */
    arena_t *engine, *named; /* for scoring one article */
    const articles_from_t *from;
    int64_t origin, now;
    articles_import_t *out;
} import_t;

/* --- one article, once --- */

static uint64_t hash_lower(uint64_t h, str_t s)
{
    char lower[HOST_BYTES];
    size_t n = s.n < sizeof lower ? s.n : sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return hash_text(h, str_of(lower, n));
}

/* What tells pages apart: not the scheme, the fragment, a slash at the end, or who linked there. */
static uint64_t hash_url(uint64_t h, str_t url)
{
    url_t u;
    str_t part;
    if (url_parse(url, &u) != RC_OK)
        return hash_text(h, url);
    h = hash_text(hash_lower(h, u.host),
                  str_ends(u.path, STR("/")) ? str_first(u.path, u.path.n - 1) : u.path);
    while (str_split(&u.query, '&', &part)) {
        if (!str_starts(part, STR("utm_")))
            h = hash_text(h, part);
    }
    return h;
}

/* With the outlet in it: nobody takes the place of another's article by naming its address. */
static int64_t identify(const article_t *x)
{
    char words[NEWS_TITLE_BYTES];
    uint64_t h = hash_lower(1, x->source);
    if (x->url.p)
        return (int64_t)hash_url(h, x->url);
    h = hash_text(h, str_of(words, like_words(x->title, words, sizeof words)));
    return (int64_t)hash_text(h, x->time);
}

static int by_time(const void *left, const void *right)
{
    const row_t *a = left, *b = right;
    return a->published < b->published ? -1 : a->published > b->published;
}

/* Those within the bounds of time, earliest first: ids go up, as the full text likes it. */
static rc_t gather(import_t *m, const news_t *news, int64_t floor, row_t **rows, size_t *n)
{
    bool trusted = str_eq(m->from->via, STR("builtin"));
    row_t *v = ARENA_ARRAY(m->a, news->n + 1, row_t);
    *rows = v;
    *n = 0;
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < news->n; i++) {
        const article_t *x = &news->v[i];
        int64_t t = news_seconds(x->time);
        if (t < floor || (t > m->now + AHEAD_S && !trusted))
            m->out->left++;
        else
            v[(*n)++] = (row_t){.x = x, .published = t, .identity = identify(x)};
    }
    qsort(v, *n, sizeof *v, by_time);
    return RC_OK;
}

/* --- what the engine says, before anything is locked --- */

static rc_t look_up(import_t *m, row_t *rows, size_t n)
{
    desk_t *d = desk_read(m->s);
    rc_t rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        int64_t id;
        rc = desk_number(d, "SELECT id FROM articles WHERE identity = ?",
                         ARGS(A_I(rows[i].identity)), &id);
        rows[i].known = rc == RC_OK;
        rc = rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    rc = desk_log(m->s, d, rc);
    desk_back(m->s, d);
    return rc;
}

/* The article with what its companies are called. */
static rc_t add_names(import_t *m, const article_t *x, article_t *out)
{
    news_ticker_t *v = ARENA_ARRAY(m->named, x->ticker_count + 1, news_ticker_t);
    rc_t rc = v ? RC_OK : RC_MEMORY;
    *out = *x;
    out->tickers = v;
    desk_t *d = m->d ? m->d : desk_read(m->s);
    for (size_t i = 0; i < x->ticker_count && rc == RC_OK; i++) {
        v[i] = x->tickers[i];
        sqlite3_stmt *s =
            desk_ask(d, "SELECT name FROM tickers WHERE ticker = ?", ARGS(A_T(v[i].ticker)));
        if (desk_row(d, s, &rc))
            rc = desk_text(m->named, s, 0, &v[i].names);
        desk_end(s);
    }
    if (!m->d)
        desk_back(m->s, d);
    return rc;
}

static rc_t score(import_t *m, row_t *r)
{
    const articles_engine_t *engine = &m->s->config.engine;
    articles_score_t said = {0};
    article_t x;
    r->scores = ARENA_ARRAY(m->a, r->x->ticker_count + 1, double);
    if (!r->scores)
        return RC_MEMORY;
    arena_reset(m->engine);
    arena_reset(m->named);
    TRY(add_names(m, r->x, &x));
    TRY(engine->score(engine->ctx, m->engine, &x, &said));
    r->score = said.score;
    for (size_t i = 0; i < x.ticker_count; i++)
        r->scores[i] = said.scores ? said.scores[i] : said.score;
    return RC_OK;
}

/* --- rows --- */

static rc_t put_origin(import_t *m)
{
    args_t names = ARGS(A_T(m->from->via), A_T(m->from->root), A_T(m->from->origin));
    rc_t rc = desk_number(m->d, "SELECT id FROM origins WHERE via = ? AND root = ? AND name = ?",
                          names, &m->origin);
    if (rc != RC_NOT_FOUND)
        return rc;
    TRY(desk_run(m->d, "INSERT INTO origins(via, root, name) VALUES(?, ?, ?)", names));
    m->origin = sqlite3_last_insert_rowid(m->d->db);
    return RC_OK;
}

/* The first free number within the second. */
static rc_t next_id(import_t *m, int64_t published, int64_t *out)
{
    int64_t first = published << ID_BITS, end = (published + 1) << ID_BITS;
    rc_t rc = desk_number(m->d, "SELECT max(id) + 1 FROM articles WHERE id >= ? AND id < ?",
                          ARGS(A_I(first), A_I(end)), out);
    *out = *out < first ? first : *out;
    return rc != RC_OK ? rc : *out < end ? RC_OK : RC_LIMIT;
}

/* What is here already was not scored again, unless it has a ticker that is new. */
static rc_t put_mention(import_t *m, row_t *r, size_t i, int64_t id)
{
    const news_ticker_t *t = &r->x->tickers[i];
    int64_t here;
    rc_t rc = desk_number(m->d, "SELECT 1 FROM mentions WHERE ticker = ? AND article = ?",
                          ARGS(A_T(t->ticker), A_I(id)), &here);
    if (rc != RC_NOT_FOUND)
        return rc;
    if (!r->scores)
        TRY(score(m, r));
    return desk_run(m->d,
                    "INSERT INTO mentions(ticker, article, relevance, score, publisher) SELECT ?1, "
                    "?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM mentions WHERE article = ?2) < ?6",
                    ARGS(A_T(t->ticker), A_I(id), A_R(t->relevance), A_R(r->scores[i]),
                         A_REAL_OR_NULL(t->has_score, t->score), A_I(NEWS_TICKERS)));
}

static rc_t put_topic(import_t *m, const news_topic_t *t, int64_t id)
{
    return desk_run(m->d,
                    "INSERT INTO topics(topic, article, relevance) SELECT ?1, ?2, ?3 WHERE NOT "
                    "EXISTS(SELECT 1 FROM topics WHERE topic = ?1 AND article = ?2)",
                    ARGS(A_T(t->name), A_I(id), A_R(t->relevance)));
}

static rc_t make_marks(import_t *m, int64_t id, str_t *out)
{
    static const char SQL[] = "SELECT 't' || hex(ticker) FROM mentions WHERE article = ?1 UNION "
                              "SELECT 'o' || hex(topic) FROM topics WHERE article = ?1";
    buf_t b = buf_new(m->scratch, MARKS_BYTES);
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(m->d, SQL, ARGS(A_I(id)));
    while (desk_row(m->d, s, &rc)) {
        buf_put(&b, str_c((const char *)sqlite3_column_text(s, 0)));
        buf_char(&b, ' ');
    }
    TRY(rc);
    return buf_done(&b, out);
}

static rc_t put_words(import_t *m, int64_t id, bool had_words)
{
    str_t marks;
    TRY(make_marks(m, id, &marks));
    if (had_words)
        TRY(desk_run(m->d,
                     "INSERT INTO words(words, rowid, title, summary, marks) SELECT 'delete', id, "
                     "title, summary, marks FROM articles WHERE id = ?",
                     ARGS(A_I(id))));
    TRY(desk_run(m->d, "UPDATE articles SET marks = ? WHERE id = ?", ARGS(A_T(marks), A_I(id))));
    return desk_run(m->d,
                    "INSERT INTO words(rowid, title, summary, marks) SELECT id, title, summary, "
                    "marks FROM articles WHERE id = ?",
                    ARGS(A_I(id)));
}

static rc_t put_article(import_t *m, const row_t *r, int64_t id, int64_t lead)
{
    const article_t *x = r->x;
    return desk_run(m->d,
                    "INSERT INTO articles(id, lead, identity, title, summary, source, url, marks, "
                    "origin, fetched, model, score) VALUES(?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)",
                    ARGS(A_I(id), A_I(lead), A_I(r->identity), A_T(x->title),
                         A_T(x->summary.p ? x->summary : STR("")),
                         A_T(x->source.p ? x->source : STR("")), A_T(x->url), A_I(m->origin),
                         A_I(m->now), A_I(m->s->model), A_R(r->score)));
}

static rc_t put_lead(import_t *m, row_t *r, int64_t id, const like_t *like)
{
    int64_t bands[LIKE_BANDS];
    size_t n = like_bands(like, bands);
    TRY(put_article(m, r, id, 0));
    for (size_t i = 0; i < r->x->ticker_count; i++)
        TRY(put_mention(m, r, i, id));
    for (size_t i = 0; i < r->x->topic_count; i++)
        TRY(put_topic(m, &r->x->topics[i], id));
    for (size_t i = 0; i < n; i++)
        TRY(desk_run(m->d, "INSERT OR IGNORE INTO bands(band, article) VALUES(?, ?)",
                     ARGS(A_I(bands[i]), A_I(id))));
    m->out->added++;
    return put_words(m, id, false);
}

/* The story's tickers are those of all who tell it. */
static rc_t merge(import_t *m, row_t *r, int64_t lead)
{
    int before = sqlite3_total_changes(m->d->db);
    for (size_t i = 0; i < r->x->ticker_count; i++)
        TRY(put_mention(m, r, i, lead));
    return sqlite3_total_changes(m->d->db) == before ? RC_OK : put_words(m, lead, true);
}

/* --- tellings of one story --- */

/* Two articles about different companies are two stories, however alike their words. */
static rc_t may_be_one(import_t *m, const article_t *x, int64_t id, bool *out)
{
    size_t all = 0, shared = 0;
    rc_t rc = RC_OK;
    sqlite3_stmt *s =
        desk_ask(m->d, "SELECT ticker FROM mentions WHERE article = ?", ARGS(A_I(id)));
    while (desk_row(m->d, s, &rc)) {
        all++;
        shared += news_find_ticker(x, str_c((const char *)sqlite3_column_text(s, 0))) != NULL;
    }
    *out = all == 0 || x->ticker_count == 0 || shared > 0;
    return rc;
}

static rc_t find_in_band(import_t *m, const row_t *r, const like_t *like, int64_t band,
                         int64_t *lead)
{
    static const char SQL[] =
        "SELECT a.id, a.title, a.summary, a.source FROM bands b JOIN articles "
        "a ON a.id = b.article WHERE b.band = ? AND b.article >= ? AND "
        "b.article < ? LIMIT ?";
    rc_t rc = RC_OK;
    sqlite3_stmt *s =
        desk_ask(m->d, SQL,
                 ARGS(A_I(band), A_I((r->published - ARTICLES_WINDOW_S) << ID_BITS),
                      A_I((r->published + ARTICLES_WINDOW_S + 1) << ID_BITS), A_I(CANDIDATES)));
    while (*lead == 0 && desk_row(m->d, s, &rc)) {
        like_t other;
        bool one = false;
        like_of(str_c((const char *)sqlite3_column_text(s, 1)),
                str_c((const char *)sqlite3_column_text(s, 2)), &other);
        str_t source = str_c((const char *)sqlite3_column_text(s, 3));
        if (!like_same(like, &other, !str_eq_nocase(source, r->x->source)))
            continue;
        rc = may_be_one(m, r->x, sqlite3_column_int64(s, 0), &one);
        *lead = rc == RC_OK && one ? sqlite3_column_int64(s, 0) : 0;
    }
    desk_end(s);
    return rc;
}

static rc_t find_lead(import_t *m, const row_t *r, const like_t *like, int64_t *lead)
{
    int64_t bands[LIKE_BANDS];
    size_t n = like_bands(like, bands);
    *lead = 0;
    for (size_t i = 0; i < n && *lead == 0; i++)
        TRY(find_in_band(m, r, like, bands[i], lead));
    return RC_OK;
}

static rc_t put_new(import_t *m, row_t *r)
{
    like_t like;
    int64_t id = 0, lead;
    like_of(r->x->title, r->x->summary, &like);
    TRY(find_lead(m, r, &like, &lead));
    TRY(next_id(m, r->published, &id));
    if (lead == 0)
        return put_lead(m, r, id, &like);
    TRY(put_article(m, r, id, lead));
    m->out->grouped++;
    return merge(m, r, lead);
}

static rc_t put_row(import_t *m, row_t *r)
{
    int64_t lead;
    arena_reset(m->scratch);
    rc_t rc = desk_number(m->d,
                          "SELECT CASE lead WHEN 0 THEN id ELSE lead END FROM articles WHERE "
                          "identity = ?",
                          ARGS(A_I(r->identity)), &lead);
    if (rc == RC_NOT_FOUND)
        return put_new(m, r);
    TRY(rc);
    m->out->again++;
    return merge(m, r, lead);
}

/* --- in batches --- */

static rc_t put_rows(import_t *m, row_t *rows, size_t n)
{
    TRY(desk_run(m->d, "BEGIN IMMEDIATE", NO_ARGS));
    TRY(put_origin(m));
    for (size_t i = 0; i < n; i++)
        TRY(put_row(m, &rows[i]));
    return desk_run(m->d, "COMMIT", NO_ARGS);
}

static rc_t put_batch(import_t *m, row_t *rows, size_t n)
{
    TRY(look_up(m, rows, n));
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].known)
            TRY(score(m, &rows[i]));
    }
    articles_import_t before = *m->out;
    m->d = desk_write(m->s);
    rc_t rc = desk_log(m->s, m->d, put_rows(m, rows, n));
    desk_back(m->s, m->d);
    m->d = NULL;
    if (rc != RC_OK)
        *m->out = before;
    return rc;
}

/* What would be deleted at once is not taken in: the oldest article of a full store, or the age. */
static rc_t find_floor(import_t *m, int64_t *out)
{
    const articles_config_t *c = &m->s->config;
    int64_t leads = 0, oldest = 0;
    desk_t *d = desk_read(m->s);
    rc_t rc = desk_number(d, "SELECT count(*) FROM articles WHERE lead = 0", NO_ARGS, &leads);
    if (rc == RC_OK && leads >= (int64_t)c->keep)
        rc = desk_number(d, "SELECT min(id) FROM articles", NO_ARGS, &oldest);
    rc = desk_log(m->s, d, rc);
    desk_back(m->s, d);
    *out = m->now - (int64_t)c->keep_days * 86400;
    *out = *out > oldest >> ID_BITS ? *out : oldest >> ID_BITS;
    *out = *out < 0 ? 0 : *out;
    return rc;
}

static rc_t import(import_t *m, const news_t *news)
{
    row_t *rows;
    size_t n;
    int64_t floor;
    TRY(find_floor(m, &floor));
    TRY(gather(m, news, floor, &rows, &n));
    for (size_t i = 0; i < n; i += BATCH)
        TRY(put_batch(m, rows + i, n - i < BATCH ? n - i : BATCH));
    return articles_trim(m->s);
}

rc_t articles_import(articles_t *s, const news_t *news, const articles_from_t *from,
                     articles_import_t *out)
{
    size_t scores = news->n * (sizeof(row_t) + (NEWS_TICKERS + 2) * sizeof(double));
    import_t m = {.s = s,
                  .a = arena_new(scores + 65536),
                  .scratch = arena_new(4 * MARKS_BYTES),
                  .engine = arena_new(ENGINE_BYTES),
                  .named = arena_new(NAMED_BYTES),
                  .from = from,
                  .now = clock_seconds(&s->config.clock),
                  .out = out};
    *out = (articles_import_t){0};
    rc_t rc = m.a && m.scratch && m.engine && m.named ? import(&m, news) : RC_MEMORY;
    arena_free(m.a);
    arena_free(m.scratch);
    arena_free(m.engine);
    arena_free(m.named);
    return rc;
}
