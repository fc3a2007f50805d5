/* The small things that outlive a restart, and the names of companies. */
#include "articles_db.h"

rc_t articles_note(articles_t *s, arena_t *a, str_t key, str_t *out)
{
    rc_t rc = RC_OK;
    desk_t *d = desk_read(s);
    sqlite3_stmt *q = desk_ask(d, "SELECT value FROM notes WHERE key = ?", ARGS(A_T(key)));
    *out = STR_UNSET;
    if (desk_row(d, q, &rc))
        rc = desk_text(a, q, 0, out);
    desk_end(q);
    rc = desk_log(s, d, rc);
    desk_back(s, d);
    return rc;
}

static rc_t change(articles_t *s, const char *sql, args_t args)
{
    desk_t *d = desk_write(s);
    rc_t rc = desk_log(s, d, desk_run(d, sql, args));
    desk_back(s, d);
    return rc;
}

rc_t articles_set_note(articles_t *s, str_t key, str_t value)
{
    return change(s,
                  "INSERT INTO notes(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET "
                  "value = excluded.value",
                  ARGS(A_T(key), A_T(value)));
}

rc_t articles_count(articles_t *s, str_t key, str_t period, int64_t max)
{
    static const char SQL[] =
        "INSERT INTO notes(key, value, count) SELECT ?1, ?2, 1 WHERE ?3 > 0 ON CONFLICT(key) DO "
        "UPDATE SET count = CASE WHEN value = ?2 THEN count + 1 ELSE 1 END, value = ?2 "
        "WHERE value <> ?2 OR count < ?3";
    desk_t *d = desk_write(s);
    rc_t rc = desk_log(s, d, desk_run(d, SQL, ARGS(A_T(key), A_T(period), A_I(max))));
    bool counted = rc == RC_OK && sqlite3_changes(d->db) > 0;
    desk_back(s, d);
    return rc == RC_OK && !counted ? RC_LIMIT : rc;
}

rc_t articles_name(articles_t *s, str_t ticker, str_t name)
{
    return change(s,
                  "INSERT INTO tickers(ticker, name) VALUES(?, ?) ON CONFLICT(ticker) DO UPDATE "
                  "SET name = excluded.name WHERE name IS NOT excluded.name",
                  ARGS(A_T(ticker), A_T(name)));
}
