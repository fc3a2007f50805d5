#include "watchlist.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BUSY_MS = 5000,
    APPLICATION_ID = 0x46534c57, /* "FSLW": another program's file is refused */
    VERSION = 1,
};

typedef enum {
    Q_BEGIN,
    Q_COMMIT,
    Q_ROLLBACK,
    Q_LIST,
    Q_COUNT,
    Q_PEOPLE,
    Q_ADD,
    Q_REMOVE,
    Q_CLEAR,
    Q_RENAME,
    QUERIES
} query_t;

/* Where there is an owner, it is ?1 and ?2. */
static const char *const SQL[QUERIES] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_LIST] = "SELECT ticker FROM watched WHERE issuer = ?1 AND subject = ?2 ORDER BY place",
    [Q_COUNT] = "SELECT count(*) FROM watched WHERE issuer = ?1 AND subject = ?2",
    [Q_PEOPLE] = "SELECT count(*) FROM (SELECT DISTINCT issuer, subject FROM watched)",
    [Q_ADD] = ("INSERT INTO watched (issuer, subject, ticker, place) VALUES (?1, ?2, ?3, (SELECT "
               "coalesce(max(place), 0) + 1 FROM watched WHERE issuer = ?1 AND subject = ?2)) ON "
               "CONFLICT (issuer, subject, ticker) DO NOTHING"),
    [Q_REMOVE] = "DELETE FROM watched WHERE issuer = ?1 AND subject = ?2 AND ticker = ?3",
    [Q_CLEAR] = "DELETE FROM watched WHERE issuer = ?1 AND subject = ?2",
    [Q_RENAME] = ("UPDATE watched SET ticker = ?4 WHERE issuer = ?1 AND subject = ?2 AND ticker = "
                  "?3"),
};

struct watchlists {
    pthread_mutex_t lock; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *statements[QUERIES];
    const log_t *log;
};

static rc_t failed(watchlists_t *w, int code)
{
    LOG(w->log, LOG_ERROR, "the watchlists cannot be used",
        LOG_S("reason", str_c(sqlite3_errmsg(w->db))));
    return code == SQLITE_NOMEM ? RC_MEMORY : RC_IO;
}

static int bind_text(sqlite3_stmt *s, int at, str_t text)
{
    return sqlite3_bind_text64(s, at, text.n > 0 ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

/* A statement with its owner bound; NULL: it cannot be. */
static sqlite3_stmt *prepare(watchlists_t *w, query_t q, const watchlist_owner_t *who)
{
    sqlite3_stmt *s = w->statements[q];
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (!who)
        return s;
    bool good =
        bind_text(s, 1, who->issuer) == SQLITE_OK && bind_text(s, 2, who->subject) == SQLITE_OK;
    return good ? s : NULL;
}

/* Runs what gives no rows. */
static rc_t finish(watchlists_t *w, sqlite3_stmt *s)
{
    int code = s ? sqlite3_step(s) : SQLITE_NOMEM;
    if (s)
        sqlite3_reset(s);
    return code == SQLITE_DONE ? RC_OK : failed(w, code);
}

static rc_t run(watchlists_t *w, query_t q, const watchlist_owner_t *who)
{
    return finish(w, prepare(w, q, who));
}

static rc_t run_on(watchlists_t *w, query_t q, const watchlist_owner_t *who, str_t ticker)
{
    sqlite3_stmt *s = prepare(w, q, who);
    if (s && bind_text(s, 3, ticker) != SQLITE_OK)
        s = NULL;
    return finish(w, s);
}

static rc_t number(watchlists_t *w, query_t q, const watchlist_owner_t *who, int64_t *out)
{
    sqlite3_stmt *s = prepare(w, q, who);
    int code = s ? sqlite3_step(s) : SQLITE_NOMEM;
    if (code != SQLITE_ROW)
        return failed(w, code);
    *out = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return RC_OK;
}

/* --- the file --- */

static const char SCHEMA[] = "CREATE TABLE watched (issuer TEXT NOT NULL, subject TEXT NOT NULL, "
                             "ticker TEXT NOT NULL, place INTEGER NOT NULL, "
                             "PRIMARY KEY (issuer, subject, ticker)) STRICT, WITHOUT ROWID;"
                             "PRAGMA application_id = 1179864151;"
                             "PRAGMA user_version = 1;";
_Static_assert(APPLICATION_ID == 1179864151, "SCHEMA names it");

static bool pragma(sqlite3 *db, const char *sql, int *out)
{
    sqlite3_stmt *s = NULL;
    bool good =
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    if (good)
        *out = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return good;
}

/* Made here, so that nobody else may read it from its first moment. */
static bool touch(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool execute(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Makes the table in a new file. False: it is a file of something else, or cannot be used. */
static bool set_up(sqlite3 *db)
{
    int id = 0, version = 0, tables = 0;
    if (!execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE"))
        return false;
    bool good = pragma(db, "PRAGMA application_id", &id) &&
                pragma(db, "PRAGMA user_version", &version) &&
                pragma(db, "SELECT count(*) FROM sqlite_schema", &tables);
    bool fresh = id == 0 && version == 0 && tables == 0;
    good = good && (fresh ? execute(db, SCHEMA) : id == APPLICATION_ID && version == VERSION);
    return execute(db, good ? "COMMIT" : "ROLLBACK") && good;
}

static bool open_file(watchlists_t *w, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if ((path && !touch(path)) ||
        sqlite3_open_v2(path ? path : ":memory:", &w->db, flags, NULL) != SQLITE_OK)
        return false;
    sqlite3_busy_timeout(w->db, BUSY_MS);
    if (!set_up(w->db))
        return false;
    for (int q = 0; q < QUERIES; q++) {
        if (sqlite3_prepare_v3(w->db, SQL[q], -1, SQLITE_PREPARE_PERSISTENT, &w->statements[q],
                               NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

rc_t watchlists_open(arena_t *a, const watchlists_config_t *config, watchlists_t **out, str_t *why)
{
    watchlists_t *w = calloc(1, sizeof *w);
    *out = NULL;
    *why = STR("there is not enough memory");
    if (!w)
        return RC_MEMORY;
    w->log = config->log;
    pthread_mutex_init(&w->lock, NULL);
    if (open_file(w, config->path)) {
        *out = w;
        return RC_OK;
    }
    str_t said = arena_printf(
        a, "the watchlists in %s cannot be used (%s); move the file away, or mend its folder",
        config->path ? config->path : "memory",
        w->db && sqlite3_errcode(w->db) != SQLITE_OK ? sqlite3_errmsg(w->db)
                                                     : "it belongs to something else");
    watchlists_close(w);
    if (!str_is_set(said))
        return RC_MEMORY;
    *why = said;
    return RC_CONFIG;
}

void watchlists_close(watchlists_t *w)
{
    if (!w)
        return;
    for (int q = 0; q < QUERIES; q++)
        sqlite3_finalize(w->statements[q]);
    sqlite3_close(w->db);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* --- questions and changes --- */

static rc_t read_list(watchlists_t *w, arena_t *a, const watchlist_owner_t *who, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(a, WATCHLIST_TICKERS, str_t);
    sqlite3_stmt *s = prepare(w, Q_LIST, who);
    int code = SQLITE_NOMEM;
    size_t n = 0;
    if (!v || !s)
        return RC_MEMORY;
    while (n < WATCHLIST_TICKERS && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const void *text = sqlite3_column_text(s, 0);
        v[n] = arena_dup(a, str_of(text, (size_t)sqlite3_column_bytes(s, 0)));
        if (!str_is_set(v[n++]))
            break;
    }
    bool whole = n == 0 || str_is_set(v[n - 1]);
    sqlite3_reset(s);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return failed(w, code);
    *out = (str_list_t){v, n};
    return whole ? RC_OK : RC_MEMORY;
}

rc_t watchlist_get(watchlists_t *w, arena_t *a, const watchlist_owner_t *who, str_list_t *out)
{
    *out = (str_list_t){0};
    pthread_mutex_lock(&w->lock);
    rc_t rc = read_list(w, a, who, out);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* A change within a transaction; each returns how many rows it has changed. */
typedef rc_t (*change_t)(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                         size_t *changed);

/* A commit that fails may leave its transaction open. */
static rc_t end_change(watchlists_t *w, rc_t rc)
{
    if (rc == RC_OK)
        rc = run(w, Q_COMMIT, NULL);
    if (sqlite3_get_autocommit(w->db))
        return rc;
    rc_t undone = run(w, Q_ROLLBACK, NULL);
    return rc == RC_OK ? undone : rc;
}

static rc_t change(watchlists_t *w, change_t what, const watchlist_owner_t *who, str_list_t tickers,
                   size_t *changed)
{
    *changed = 0;
    pthread_mutex_lock(&w->lock);
    rc_t rc = run(w, Q_BEGIN, NULL);
    if (rc == RC_OK) {
        rc = what(w, who, tickers, changed);
        rc = end_change(w, rc);
    }
    pthread_mutex_unlock(&w->lock);
    if (rc != RC_OK)
        *changed = 0;
    return rc;
}

static rc_t each(watchlists_t *w, query_t q, const watchlist_owner_t *who, str_list_t tickers,
                 size_t *changed)
{
    for (size_t i = 0; i < tickers.n; i++) {
        TRY(run_on(w, q, who, tickers.v[i]));
        *changed += (size_t)sqlite3_changes(w->db);
    }
    return RC_OK;
}

static rc_t add(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers, size_t *changed)
{
    int64_t had, has, people;
    if (who->issuer.n + who->subject.n > WATCHLIST_OWNER_BYTES)
        return RC_LIMIT;
    TRY(number(w, Q_COUNT, who, &had));
    TRY(each(w, Q_ADD, who, tickers, changed));
    TRY(number(w, Q_COUNT, who, &has));
    if (has > WATCHLIST_TICKERS)
        return RC_LIMIT;
    if (had > 0 || has == 0)
        return RC_OK;
    TRY(number(w, Q_PEOPLE, NULL, &people));
    return people > WATCHLIST_PEOPLE ? RC_LIMIT : RC_OK;
}

static rc_t take_away(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                      size_t *changed)
{
    return each(w, Q_REMOVE, who, tickers, changed);
}

static rc_t empty(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                  size_t *changed)
{
    TRY(run(w, Q_CLEAR, who));
    *changed = (size_t)sqlite3_changes(w->db);
    return RC_OK;
}

/* tickers: the old one and the new one. */
static rc_t give_name(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                      size_t *changed)
{
    sqlite3_stmt *s = prepare(w, Q_RENAME, who);
    if (!s || bind_text(s, 3, tickers.v[0]) != SQLITE_OK ||
        bind_text(s, 4, tickers.v[1]) != SQLITE_OK)
        return RC_MEMORY;
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    if (code == SQLITE_CONSTRAINT)
        return RC_CONFLICT;
    if (code != SQLITE_DONE)
        return failed(w, code);
    *changed = (size_t)sqlite3_changes(w->db);
    return *changed > 0 ? RC_OK : RC_NOT_FOUND;
}

rc_t watchlist_add(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                   size_t *changed)
{
    return change(w, add, who, tickers, changed);
}

rc_t watchlist_remove(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                      size_t *changed)
{
    return change(w, take_away, who, tickers, changed);
}

rc_t watchlist_clear(watchlists_t *w, const watchlist_owner_t *who, size_t *changed)
{
    return change(w, empty, who, (str_list_t){0}, changed);
}

rc_t watchlist_rename(watchlists_t *w, const watchlist_owner_t *who, str_t from, str_t to)
{
    size_t changed;
    str_t both[] = {from, to};
    return change(w, give_name, who, (str_list_t){both, 2}, &changed);
}
