/* Keeping house: what is too old or too much goes, and what an earlier model scored is scored by
 * this one. All in small transactions, so that queries and imports get their turn. */
#include "articles_db.h"
#include "like.h"

enum { DELETED = 200 /* at once */, ROUNDS = 1000 /* a call */ };

/* --- deleting --- */

static rc_t delete_bands(desk_t *d, int64_t id)
{
    int64_t bands[LIKE_BANDS];
    size_t n = 0;
    rc_t rc = RC_OK;
    sqlite3_stmt *s =
        desk_ask(d, "SELECT title, summary FROM articles WHERE id = ?", ARGS(A_I(id)));
    if (desk_row(d, s, &rc)) {
        like_t like;
        like_of(str_c((const char *)sqlite3_column_text(s, 0)),
                str_c((const char *)sqlite3_column_text(s, 1)), &like);
        n = like_bands(&like, bands);
    }
    desk_end(s);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = desk_run(d, "DELETE FROM bands WHERE band = ? AND article = ?",
                      ARGS(A_I(bands[i]), A_I(id)));
    return rc;
}

static rc_t delete_lead(desk_t *d, int64_t id)
{
    static const char UNWORD[] =
        "INSERT INTO words(words, rowid, title, summary, marks) SELECT 'delete', id, title, "
        "summary, marks FROM articles WHERE id = ?";
    static const char *const STEPS[] = {
        UNWORD,
        "DELETE FROM mentions WHERE article = ?",
        "DELETE FROM topics WHERE article = ?",
        "DELETE FROM articles WHERE lead = ? AND lead <> 0",
        "DELETE FROM articles WHERE id = ?",
    };
    TRY(delete_bands(d, id));
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        TRY(desk_run(d, STEPS[i], ARGS(A_I(id))));
    return RC_OK;
}

typedef struct {
    int64_t v[DELETED];
    size_t n;
} ids_t;

static rc_t read_ids(desk_t *d, const char *sql, args_t args, ids_t *out)
{
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(d, sql, args);
    out->n = 0;
    while (out->n < DELETED && desk_row(d, s, &rc))
        out->v[out->n++] = sqlite3_column_int64(s, 0);
    desk_end(s);
    return rc;
}

/* One transaction: up to DELETED leads that `sql` names. */
static rc_t delete_some(desk_t *d, const char *sql, args_t args, size_t *deleted)
{
    ids_t ids;
    TRY(desk_run(d, "BEGIN IMMEDIATE", NO_ARGS));
    TRY(read_ids(d, sql, args, &ids));
    for (size_t i = 0; i < ids.n; i++)
        TRY(delete_lead(d, ids.v[i]));
    *deleted = ids.n;
    return desk_run(d, "COMMIT", NO_ARGS);
}

static rc_t delete_all(articles_t *s, const char *sql, args_t args)
{
    size_t n = 1;
    rc_t rc = RC_OK;
    for (int i = 0; i < ROUNDS && n > 0 && rc == RC_OK; i++) {
        desk_t *d = desk_write(s);
        rc = desk_log(s, d, delete_some(d, sql, args, &n));
        desk_back(s, d);
    }
    return rc;
}

static rc_t count_leads(articles_t *s, int64_t *out)
{
    desk_t *d = desk_read(s);
    rc_t rc = desk_log(
        s, d, desk_number(d, "SELECT count(*) FROM articles WHERE lead = 0", NO_ARGS, out));
    desk_back(s, d);
    return rc;
}

rc_t articles_trim(articles_t *s)
{
    static const char SQL[] = "SELECT id FROM articles WHERE lead = 0 ORDER BY id LIMIT ?";
    int64_t leads = 0, keep = (int64_t)s->config.keep;
    rc_t rc = count_leads(s, &leads);
    while (rc == RC_OK && leads > keep) {
        size_t n = 0;
        int64_t most = leads - keep < DELETED ? leads - keep : DELETED;
        desk_t *d = desk_write(s);
        rc = desk_log(s, d, delete_some(d, SQL, ARGS(A_I(most)), &n));
        desk_back(s, d);
        leads = n > 0 ? leads - (int64_t)n : 0;
    }
    return rc;
}

rc_t articles_retire(articles_t *s, str_t root)
{
    /* Tellings by others first, then the stories; the live service has a root of its own. */
    static const char TOLD[] =
        "DELETE FROM articles WHERE lead <> 0 AND origin IN (SELECT id FROM origins WHERE via IN "
        "('builtin', 'file') AND root <> ?)";
    static const char LEADS[] =
        "SELECT id FROM articles WHERE lead = 0 AND origin IN (SELECT id FROM origins WHERE via IN "
        "('builtin', 'file') AND root <> ?) LIMIT 200";
    desk_t *d = desk_write(s);
    rc_t rc = desk_log(s, d, desk_run(d, TOLD, ARGS(A_T(root))));
    desk_back(s, d);
    TRY(rc);
    return delete_all(s, LEADS, ARGS(A_T(root)));
}

static rc_t delete_old(articles_t *s)
{
    int64_t oldest = clock_seconds(&s->config.clock) - (int64_t)s->config.keep_days * 86400;
    if (oldest <= 0)
        return RC_OK;
    return delete_all(s, "SELECT id FROM articles WHERE lead = 0 AND id < ? LIMIT 200",
                      ARGS(A_I(oldest << ID_BITS)));
}

/* --- scoring anew --- */

typedef struct {
    articles_t *s;
    arena_t *a, *scratch;
    articles_hit_t hit;
    articles_score_t said;
} mend_t;

static rc_t next_lead(articles_t *s, int64_t behind, int64_t *id)
{
    desk_t *d = desk_read(s);
    rc_t rc = desk_number(d,
                          "SELECT id FROM articles WHERE id > ? AND lead = 0 AND model <> ? "
                          "ORDER BY id LIMIT 1",
                          ARGS(A_I(behind), A_I(s->model)), id);
    rc = desk_log(s, d, rc);
    desk_back(s, d);
    return rc;
}

static rc_t write_scores(mend_t *m, desk_t *d)
{
    const article_t *x = &m->hit.x;
    TRY(desk_run(d, "BEGIN IMMEDIATE", NO_ARGS));
    TRY(desk_run(d, "UPDATE articles SET score = ?, model = ? WHERE id = ?",
                 ARGS(A_R(m->said.score), A_I(m->s->model), A_I(m->hit.id))));
    for (size_t i = 0; i < x->ticker_count; i++) {
        double score = m->said.scores ? m->said.scores[i] : m->said.score;
        TRY(desk_run(d, "UPDATE mentions SET score = ? WHERE ticker = ? AND article = ?",
                     ARGS(A_R(score), A_T(x->tickers[i].ticker), A_I(m->hit.id))));
    }
    return desk_run(d, "COMMIT", NO_ARGS);
}

static rc_t rescore(mend_t *m, int64_t id)
{
    const articles_engine_t *engine = &m->s->config.engine;
    arena_reset(m->a);
    arena_reset(m->scratch);
    TRY(articles_get(m->s, m->a, id, &m->hit));
    TRY(engine->score(engine->ctx, m->scratch, &m->hit.x, &m->said));
    desk_t *d = desk_write(m->s);
    rc_t rc = desk_log(m->s, d, write_scores(m, d));
    desk_back(m->s, d);
    return rc;
}

static void set_mended(articles_t *s, int64_t id)
{
    pthread_mutex_lock(&s->lock);
    s->mended = id;
    pthread_mutex_unlock(&s->lock);
}

static int64_t get_mended(articles_t *s)
{
    pthread_mutex_lock(&s->lock);
    int64_t id = s->mended;
    pthread_mutex_unlock(&s->lock);
    return id;
}

static rc_t note_model(articles_t *s)
{
    desk_t *d = desk_write(s);
    rc_t rc = desk_run(d, "INSERT OR REPLACE INTO notes(key, count) VALUES('model', ?)",
                       ARGS(A_I(s->model)));
    rc = desk_log(s, d, rc);
    desk_back(s, d);
    if (rc == RC_OK)
        set_mended(s, INT64_MAX);
    return rc;
}

static rc_t rescore_all(mend_t *m)
{
    int64_t id = get_mended(m->s);
    rc_t rc = RC_OK;
    while (rc == RC_OK) {
        rc = next_lead(m->s, id, &id);
        if (rc == RC_NOT_FOUND)
            return note_model(m->s);
        TRY(rc);
        rc = rescore(m, id);
        rc = rc == RC_NOT_FOUND ? RC_OK : rc; /* deleted meanwhile */
        set_mended(m->s, id);
    }
    return rc;
}

rc_t articles_mend(articles_t *s)
{
    TRY(delete_old(s));
    TRY(articles_trim(s));
    if (get_mended(s) == INT64_MAX)
        return RC_OK;
    mend_t m = {.s = s, .a = arena_new(ARTICLES_ARENA_BYTES), .scratch = arena_new(ENGINE_BYTES)};
    rc_t rc = m.a && m.scratch ? rescore_all(&m) : RC_MEMORY;
    arena_free(m.a);
    arena_free(m.scratch);
    return rc;
}
