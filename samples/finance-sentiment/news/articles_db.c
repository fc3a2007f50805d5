/* The statements of a connection, and who may use it when. */
#include "articles_db.h"

#include <time.h>

/* --- connections --- */

static desk_t *take(articles_t *s, desks_t *pool)
{
    pthread_mutex_lock(&s->lock);
    uint64_t mine = pool->ticket++;
    while (pool->serving != mine || pool->n == 0)
        pthread_cond_wait(&s->given, &s->lock);
    pool->serving++;
    desk_t *d = pool->v[--pool->n];
    pthread_cond_broadcast(&s->given);
    pthread_mutex_unlock(&s->lock);
    return d;
}

desk_t *desk_read(articles_t *s)
{
    return take(s, s->in_memory ? &s->writers : &s->readers);
}

desk_t *desk_write(articles_t *s)
{
    return take(s, &s->writers);
}

void desk_back(articles_t *s, desk_t *d)
{
    desks_t *pool = d == &s->writer ? &s->writers : &s->readers;
    if (!sqlite3_get_autocommit(d->db))
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_lock(&s->lock);
    pool->v[pool->n++] = d;
    pthread_cond_broadcast(&s->given);
    pthread_mutex_unlock(&s->lock);
}

void desk_close(desk_t *d)
{
    for (size_t i = 0; i < DESK_STATEMENTS; i++)
        sqlite3_finalize(d->kept[i]);
    sqlite3_close(d->db);
    *d = (desk_t){0};
}

/* --- statements --- */

static sqlite3_stmt *find_kept(const desk_t *d, const char *sql, uint64_t hash)
{
    for (size_t i = 0; i < DESK_STATEMENTS; i++) {
        sqlite3_stmt *s = d->kept[i];
        if (s && d->hash[i] == hash && strcmp(sqlite3_sql(s), sql) == 0)
            return s;
    }
    return NULL;
}

static sqlite3_stmt *prepare(desk_t *d, const char *sql)
{
    uint64_t hash = hash_text(0, str_c(sql));
    sqlite3_stmt *s = find_kept(d, sql, hash);
    if (s)
        return s;
    if (sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        return NULL;
    size_t at = d->next++ % DESK_STATEMENTS;
    while (d->kept[at] && sqlite3_stmt_busy(d->kept[at]))
        at = d->next++ % DESK_STATEMENTS;
    sqlite3_finalize(d->kept[at]);
    d->kept[at] = s;
    d->hash[at] = hash;
    return s;
}

static int bind(sqlite3_stmt *s, int at, const arg_t *v)
{
    if (v->type == ARG_INT)
        return sqlite3_bind_int64(s, at, v->i);
    if (v->type == ARG_REAL)
        return sqlite3_bind_double(s, at, v->real);
    if (v->type == ARG_NULL || !v->text.p)
        return sqlite3_bind_null(s, at);
    return sqlite3_bind_text64(s, at, v->text.p, v->text.n, SQLITE_STATIC, SQLITE_UTF8);
}

sqlite3_stmt *desk_ask(desk_t *d, const char *sql, args_t args)
{
    sqlite3_stmt *s = prepare(d, sql);
    for (int i = 0; s && i < args.n; i++) {
        if (bind(s, i + 1, &args.v[i]) != SQLITE_OK)
            return NULL;
    }
    return s;
}

void desk_end(sqlite3_stmt *s)
{
    if (!s)
        return;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

bool desk_row(desk_t *d, sqlite3_stmt *s, rc_t *rc)
{
    int got = s ? sqlite3_step(s) : SQLITE_ERROR;
    if (got == SQLITE_ROW)
        return true;
    *rc = got == SQLITE_DONE ? RC_OK : desk_failure(d);
    desk_end(s);
    return false;
}

rc_t desk_run(desk_t *d, const char *sql, args_t args)
{
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(d, sql, args);
    while (desk_row(d, s, &rc)) {
    }
    return rc;
}

rc_t desk_number(desk_t *d, const char *sql, args_t args, int64_t *out)
{
    rc_t rc = RC_OK;
    sqlite3_stmt *s = desk_ask(d, sql, args);
    if (!desk_row(d, s, &rc))
        return rc == RC_OK ? RC_NOT_FOUND : rc;
    *out = sqlite3_column_int64(s, 0);
    desk_end(s);
    return RC_OK;
}

rc_t desk_failure(const desk_t *d)
{
    int code = sqlite3_errcode(d->db) & 0xff;
    return code == SQLITE_NOMEM ? RC_MEMORY : code == SQLITE_BUSY ? RC_BUSY : RC_IO;
}

rc_t desk_log(const articles_t *s, const desk_t *d, rc_t rc)
{
    int code = sqlite3_errcode(d->db) & 0xff;
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        return rc;
    LOG(s->config.log, LOG_ERROR, "the store of articles failed", LOG_S("rc", str_c(rc_name(rc))),
        LOG_S("why", str_c(sqlite3_errmsg(d->db))),
        LOG_S("mend", code == SQLITE_FULL      ? STR("make room on the disk")
                      : code == SQLITE_CORRUPT ? STR("restart: the file is moved aside then")
                                               : STR("see the system's log, then try again")));
    return rc;
}

rc_t desk_text(arena_t *a, sqlite3_stmt *s, int column, str_t *out)
{
    const void *p = sqlite3_column_text(s, column);
    *out = STR_UNSET;
    if (!p)
        return sqlite3_column_type(s, column) == SQLITE_NULL ? RC_OK : RC_MEMORY;
    *out = arena_dup(a, str_of(p, (size_t)sqlite3_column_bytes(s, column)));
    return out->p ? RC_OK : RC_MEMORY;
}

/* --- small change --- */

/* FNV-1a, with a finish that spreads (MurmurHash3's). */
uint64_t hash_text(uint64_t from, str_t text)
{
    uint64_t h = from ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static int number(const char *p, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++)
        v = v * 10 + (p[i] - '0');
    return v;
}

int64_t news_seconds(str_t t)
{
    struct tm tm = {.tm_year = number(t.p, 4) - 1900,
                    .tm_mon = number(t.p + 4, 2) - 1,
                    .tm_mday = number(t.p + 6, 2),
                    .tm_hour = number(t.p + 9, 2),
                    .tm_min = number(t.p + 11, 2),
                    .tm_sec = number(t.p + 13, 2)};
    return timegm(&tm);
}

str_t news_of_seconds(arena_t *a, int64_t seconds)
{
    struct tm tm;
    time_t t = seconds;
    if (!gmtime_r(&t, &tm))
        return STR_UNSET;
    return arena_printf(a, "%04d%02d%02dT%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void put_mark(buf_t *b, char kind, str_t name)
{
    buf_char(b, kind);
    buf_hex(b, (const uint8_t *)name.p, name.n);
}
