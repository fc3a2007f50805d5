/* Opening the store: its schema, and what is done with a file that cannot be used. */
#include "articles_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION = 0x464e5753, /* tells our files from those of other programs */
    VERSION = 1,
    BUSY_MS = 5000,
    CACHE_KB = 32768,
};

/* Ids are the second of publication and a number within it: their order is the order of time, in
 * each table and in the full text. `lead` is 0 for what is shown, else the id of the article that
 * tells the same story; only leads have rows in mentions, topics, bands and words. */
static const char SCHEMA[] =
    "CREATE TABLE origins(id INTEGER PRIMARY KEY, via TEXT NOT NULL, root TEXT NOT NULL,"
    " name TEXT NOT NULL, UNIQUE(via, root, name));"
    "CREATE TABLE articles(id INTEGER PRIMARY KEY, lead INTEGER NOT NULL, identity INTEGER NOT "
    "NULL,"
    " title TEXT NOT NULL, summary TEXT NOT NULL, source TEXT NOT NULL, url TEXT,"
    " marks TEXT NOT NULL, origin INTEGER NOT NULL, fetched INTEGER NOT NULL,"
    " model INTEGER NOT NULL, score REAL NOT NULL);"
    "CREATE UNIQUE INDEX articles_identity ON articles(identity);"
    "CREATE INDEX articles_lead ON articles(lead, id) WHERE lead <> 0;"
    "CREATE INDEX articles_score ON articles(score, id) WHERE lead = 0;"
    "CREATE INDEX articles_origin ON articles(origin);"
    "CREATE INDEX articles_url ON articles(url) WHERE url IS NOT NULL;"
    "CREATE TABLE mentions(ticker TEXT NOT NULL, article INTEGER NOT NULL, relevance REAL NOT NULL,"
    " score REAL NOT NULL, publisher REAL, PRIMARY KEY(ticker, article)) WITHOUT ROWID;"
    "CREATE INDEX mentions_article ON mentions(article);"
    "CREATE TABLE topics(topic TEXT NOT NULL, article INTEGER NOT NULL, relevance REAL NOT NULL,"
    " PRIMARY KEY(topic, article)) WITHOUT ROWID;"
    "CREATE INDEX topics_article ON topics(article);"
    "CREATE TABLE bands(band INTEGER NOT NULL, article INTEGER NOT NULL,"
    " PRIMARY KEY(band, article)) WITHOUT ROWID;"
    "CREATE TABLE tickers(ticker TEXT PRIMARY KEY, name TEXT, count INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE TRIGGER mention_comes AFTER INSERT ON mentions BEGIN"
    " INSERT INTO tickers(ticker, count) VALUES(new.ticker, 1)"
    " ON CONFLICT(ticker) DO UPDATE SET count = count + 1; END;"
    "CREATE TRIGGER mention_goes AFTER DELETE ON mentions BEGIN"
    " UPDATE tickers SET count = count - 1 WHERE ticker = old.ticker;"
    " DELETE FROM tickers WHERE ticker = old.ticker AND count <= 0 AND name IS NULL; END;"
    "CREATE TABLE notes(key TEXT PRIMARY KEY, value TEXT, count INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE words USING fts5(title, summary, marks, content='articles',"
    " content_rowid='id', tokenize='unicode61 remove_diacritics 2');";

static rc_t complain(arena_t *a, const char *path, const char *what, str_t *why)
{
    *why = arena_printf(a, "the store of articles %s %s", path, what);
    return why->p ? RC_CONFIG : RC_MEMORY;
}

static bool run(desk_t *d, const char *sql)
{
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Private from its first byte: what somebody reads about is their own business. */
static void make_private(const char *path)
{
    FILE *f = NULL;
    mode_t old = umask(077);
    f = fopen(path, "abe");
    umask(old);
    if (f)
        fclose(f);
}

static bool connect(desk_t *d, const articles_config_t *c, bool writer)
{
    char sql[160];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);
    if (sqlite3_open_v2(c->path ? c->path : ":memory:", &d->db, flags, NULL) != SQLITE_OK)
        return false;
    sqlite3_extended_result_codes(d->db, 1);
    sqlite3_busy_timeout(d->db, BUSY_MS);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    snprintf(sql, sizeof sql,
             "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY;"
             "PRAGMA query_only=%d",
             writer ? CACHE_KB : CACHE_KB / READERS, !writer);
    return run(d, sql) && articles_rank_init(d->db) == RC_OK;
}

static rc_t make(desk_t *d)
{
    char sql[80];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION,
             VERSION);
    if (run(d, "BEGIN IMMEDIATE") && run(d, SCHEMA) && run(d, sql) && run(d, "COMMIT"))
        return RC_OK;
    return desk_failure(d);
}

/* Sound, ours, and of this version; or new. RC_MALFORMED: damaged. */
static rc_t check(arena_t *a, desk_t *d, const articles_config_t *c, str_t *why)
{
    int64_t application = 0, version = 0, tables = 0;
    if (desk_number(d, "PRAGMA application_id", NO_ARGS, &application) != RC_OK ||
        desk_number(d, "PRAGMA user_version", NO_ARGS, &version) != RC_OK ||
        desk_number(d, "SELECT count(*) FROM sqlite_schema", NO_ARGS, &tables) != RC_OK)
        return RC_MALFORMED;
    if (tables > 0 && application != APPLICATION)
        return complain(a, c->path, "is another program's database: give --data another folder",
                        why);
    if (version > VERSION)
        return complain(a, c->path,
                        "was made by a newer version of this program: use that, or give --data "
                        "another folder",
                        why);
    sqlite3_stmt *s = desk_ask(d, "PRAGMA quick_check(1)", NO_ARGS);
    rc_t rc = RC_OK;
    bool sound = desk_row(d, s, &rc) && strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
    desk_end(s);
    return !sound ? RC_MALFORMED : tables == 0 ? make(d) : RC_OK;
}

static rc_t set_up(arena_t *a, desk_t *d, const articles_config_t *c, str_t *why)
{
    char sql[64];
    rc_t rc = check(a, d, c, why);
    if (rc == RC_OK && c->path && !run(d, "PRAGMA journal_mode=WAL"))
        rc = desk_failure(d);
    if (rc == RC_OK && c->max_pages > 0) {
        snprintf(sql, sizeof sql, "PRAGMA max_page_count=%zu", c->max_pages);
        rc = run(d, sql) ? RC_OK : desk_failure(d);
    }
    return rc;
}

static rc_t why_not(const desk_t *d)
{
    int code = d->db ? sqlite3_errcode(d->db) & 0xff : SQLITE_NOMEM;
    bool damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return !d->db ? RC_MEMORY : damaged ? RC_MALFORMED : desk_failure(d);
}

rc_t desk_open(arena_t *a, desk_t *d, const articles_config_t *c, bool writer, str_t *why)
{
    if (writer && c->path)
        make_private(c->path);
    bool connected = connect(d, c, writer);
    rc_t rc = !connected ? why_not(d) : writer ? set_up(a, d, c, why) : RC_OK;
    if (rc == RC_IO || rc == RC_BUSY)
        rc = complain(a, c->path ? c->path : ":memory:",
                      rc == RC_BUSY ? "is held by another program: end that program first"
                                    : "cannot be made or written: give --data a folder with room "
                                      "that this user may write",
                      why);
    if (rc != RC_OK)
        desk_close(d);
    return rc;
}

/* The journal of a damaged file must not be played into the new one. */
static rc_t move_aside(arena_t *a, const articles_config_t *c, str_t *why)
{
    static const char *const TAILS[] = {"", "-wal", "-shm"};
    long long now = (long long)clock_seconds(&c->clock);
    for (size_t i = 0; i < sizeof TAILS / sizeof *TAILS; i++) {
        str_t from = arena_printf(a, "%s%s", c->path, TAILS[i]);
        str_t to = arena_printf(a, "%s.bad-%lld%s", c->path, now, TAILS[i]);
        if (!from.p || !to.p)
            return RC_MEMORY;
        if (rename(from.p, to.p) != 0 && errno != ENOENT)
            return complain(a, c->path, "is damaged and cannot be moved: delete it", why);
    }
    LOG(c->log, LOG_WARN,
        "the store of articles was damaged: it was moved aside, and a new one is filled",
        LOG_S("file", str_c(c->path)), LOG_I("bad", now));
    return RC_OK;
}

static rc_t open_all(arena_t *a, articles_t *s, str_t *why)
{
    const articles_config_t *c = &s->config;
    rc_t rc = desk_open(a, &s->writer, c, true, why);
    if (rc == RC_MALFORMED && c->path) {
        TRY(move_aside(a, c, why));
        rc = desk_open(a, &s->writer, c, true, why);
    }
    TRY(rc);
    s->writers.v[s->writers.n++] = &s->writer;
    s->in_memory = !c->path;
    for (size_t i = 0; i < READERS && !s->in_memory; i++) {
        TRY(desk_open(a, &s->reader[i], c, false, why));
        s->readers.v[s->readers.n++] = &s->reader[i];
    }
    return RC_OK;
}

/* Whether a model before this one has scored what is here. */
static rc_t look_at_model(articles_t *s)
{
    int64_t other = 0;
    rc_t rc = desk_number(&s->writer, "SELECT count FROM notes WHERE key = 'model' AND count = ?",
                          ARGS(A_I(s->model)), &other);
    s->mended = rc == RC_OK ? INT64_MAX : 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

rc_t articles_open(arena_t *a, const articles_config_t *config, articles_t **out, str_t *why)
{
    articles_t *s = calloc(1, sizeof *s);
    *out = NULL;
    *why = STR("there is not enough memory for the store of articles");
    if (!s)
        return RC_MEMORY;
    s->config = *config;
    s->config.keep = config->keep > 0 ? config->keep : ARTICLES_KEPT;
    s->config.keep_days = config->keep_days > 0 ? config->keep_days : ARTICLES_KEPT_DAYS;
    s->model = (int64_t)hash_text(0, config->engine.digest);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->given, NULL);
    rc_t rc = open_all(a, s, why);
    rc = rc == RC_OK ? look_at_model(s) : rc;
    if (rc == RC_OK)
        *out = s;
    else
        articles_close(s);
    return rc;
}

void articles_close(articles_t *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < READERS; i++)
        desk_close(&s->reader[i]);
    desk_close(&s->writer);
    pthread_cond_destroy(&s->given);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
