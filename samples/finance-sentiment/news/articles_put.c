/* Rows of an import: an article once, its lists, and tellings of one story together. */
#include "articles_put.h"

enum {
    CANDIDATES = 8,      /* looked at for each band: a flood under one title must not cost more */
    MARKS_BYTES = 24576, /* of 50 tickers and 20 topics of 100 bytes, in hexadecimal */
};

/* --- rows --- */

rc_t articles_put_origin(import_t *m)
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

static rc_t put_mention(import_t *m, const row_t *r, size_t i, int64_t id)
{
    const news_ticker_t *t = &r->x->tickers[i];
    return desk_run(m->d,
                    "INSERT INTO mentions(ticker, article, relevance, score, publisher) "
                    "VALUES(?, ?, ?, ?, ?)",
                    ARGS(A_T(t->ticker), A_I(id), A_R(t->relevance), A_R(r->scores[i]),
                         A_REAL_OR_NULL(t->has_score, t->score)));
}

static rc_t put_topic(import_t *m, const news_topic_t *t, int64_t id)
{
    return desk_run(m->d, "INSERT INTO topics(topic, article, relevance) VALUES(?, ?, ?)",
                    ARGS(A_T(t->name), A_I(id), A_R(t->relevance)));
}

static bool is_first_ticker(const article_t *x, size_t i)
{
    size_t k = 0;
    while (!str_eq(x->tickers[k].ticker, x->tickers[i].ticker))
        k++;
    return k == i;
}

static bool is_first_topic(const article_t *x, size_t i)
{
    size_t k = 0;
    while (!str_eq(x->topics[k].name, x->topics[i].name))
        k++;
    return k == i;
}

/* The tickers and topics of a lead, each once, as rows and as words of the full text. */
static rc_t put_lists(import_t *m, const row_t *r, int64_t id, str_t *marks)
{
    const article_t *x = r->x;
    buf_t b = buf_new(m->scratch, MARKS_BYTES);
    for (size_t i = 0; i < x->ticker_count && i < NEWS_TICKERS; i++) {
        if (!is_first_ticker(x, i))
            continue;
        TRY(put_mention(m, r, i, id));
        put_mark(&b, 't', x->tickers[i].ticker);
        buf_char(&b, ' ');
    }
    for (size_t i = 0; i < x->topic_count; i++) {
        if (!is_first_topic(x, i))
            continue;
        TRY(put_topic(m, &x->topics[i], id));
        put_mark(&b, 'o', x->topics[i].name);
        buf_char(&b, ' ');
    }
    return buf_done(&b, marks);
}

static rc_t put_article(import_t *m, const row_t *r, int64_t id, int64_t lead, str_t marks)
{
    const article_t *x = r->x;
    return desk_run(m->d,
                    "INSERT INTO articles(id, lead, identity, title, summary, source, url, marks, "
                    "origin, fetched, model, score) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    ARGS(A_I(id), A_I(lead), A_I(r->identity), A_T(x->title),
                         A_T(x->summary.p ? x->summary : STR("")),
                         A_T(x->source.p ? x->source : STR("")), A_T(x->url), A_T(marks),
                         A_I(m->origin), A_I(m->now), A_I(m->s->model), A_R(r->score)));
}

static rc_t put_lead(import_t *m, const row_t *r, int64_t id, const like_t *like)
{
    int64_t bands[LIKE_BANDS];
    const article_t *x = r->x;
    size_t n = like_bands(like, bands);
    str_t marks;
    TRY(put_lists(m, r, id, &marks));
    TRY(put_article(m, r, id, 0, marks));
    for (size_t i = 0; i < n; i++)
        TRY(desk_run(m->d, "INSERT OR IGNORE INTO bands(band, article) VALUES(?, ?)",
                     ARGS(A_I(bands[i]), A_I(id))));
    m->out->added++;
    return desk_run(
        m->d, "INSERT INTO words(rowid, title, summary, marks) VALUES(?, ?, ?, ?)",
        ARGS(A_I(id), A_T(x->title), A_T(x->summary.p ? x->summary : STR("")), A_T(marks)));
}

/* --- a story that is here gets another ticker --- */

static rc_t put_words_again(import_t *m, int64_t id, str_t ticker)
{
    buf_t b = buf_new(m->scratch, MARKS_BYTES);
    str_t mark;
    put_mark(&b, 't', ticker);
    buf_char(&b, ' ');
    TRY(buf_done(&b, &mark));
    TRY(desk_run(m->d,
                 "INSERT INTO words(words, rowid, title, summary, marks) SELECT 'delete', id, "
                 "title, summary, marks FROM articles WHERE id = ?",
                 ARGS(A_I(id))));
    TRY(desk_run(m->d, "UPDATE articles SET marks = marks || ? WHERE id = ?",
                 ARGS(A_T(mark), A_I(id))));
    return desk_run(m->d,
                    "INSERT INTO words(rowid, title, summary, marks) SELECT id, title, summary, "
                    "marks FROM articles WHERE id = ?",
                    ARGS(A_I(id)));
}

/* What is here already was not scored again, unless it has a ticker that is new. */
static rc_t add_ticker(import_t *m, row_t *r, size_t i, int64_t lead)
{
    int64_t here = 0, all = 0;
    str_t ticker = r->x->tickers[i].ticker;
    rc_t rc = desk_number(m->d, "SELECT 1 FROM mentions WHERE ticker = ? AND article = ?",
                          ARGS(A_T(ticker), A_I(lead)), &here);
    if (rc != RC_NOT_FOUND)
        return rc;
    TRY(desk_number(m->d, "SELECT count(*) FROM mentions WHERE article = ?", ARGS(A_I(lead)),
                    &all));
    if (all >= NEWS_TICKERS)
        return RC_OK;
    if (!r->scores)
        TRY(articles_score_row(m, r));
    TRY(put_mention(m, r, i, lead));
    return put_words_again(m, lead, ticker);
}

/* The story's tickers are those of all who tell it. */
static rc_t merge(import_t *m, row_t *r, int64_t lead)
{
    for (size_t i = 0; i < r->x->ticker_count; i++)
        TRY(add_ticker(m, r, i, lead));
    return RC_OK;
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
    TRY(put_article(m, r, id, lead, STR("")));
    m->out->grouped++;
    return merge(m, r, lead);
}

rc_t articles_put_row(import_t *m, row_t *r)
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
