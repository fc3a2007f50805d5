/* News into the store: each article once, tellings of one story together. */
#include "articles_put.h"

#include "core/url.h"

#include <stdlib.h>

enum {
    AHEAD_S = 172800, /* clocks and time zones of publishers go wrong by a day; more is a trick to
                       * stand first for ever */
    HOST_BYTES = 256,
    NAMED_BYTES = NEWS_TICKERS * (ARTICLES_NAMES_BYTES + 256) + 8192,
    SCRATCH_BYTES = 2 << 20, /* marks of one story, made anew for each of its tickers */
};

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

rc_t articles_score_row(import_t *m, row_t *r)
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

/* --- in batches --- */

static rc_t put_rows(import_t *m, row_t *rows, size_t n)
{
    TRY(desk_run(m->d, "BEGIN IMMEDIATE", NO_ARGS));
    TRY(articles_put_origin(m));
    for (size_t i = 0; i < n; i++)
        TRY(articles_put_row(m, &rows[i]));
    return desk_run(m->d, "COMMIT", NO_ARGS);
}

static rc_t put_batch(import_t *m, row_t *rows, size_t n)
{
    TRY(look_up(m, rows, n));
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].known)
            TRY(articles_score_row(m, &rows[i]));
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
                  .scratch = arena_new(SCRATCH_BYTES),
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
