#include "store/sqlite_log.h"

static int note_pages(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((sqlite_db_t *)ctx)->log_pages = pages;
    return SQLITE_OK;
}

void sqlite_log_follow(sqlite_db_t *db)
{
    sqlite3_wal_hook(db->handle, note_pages, db);
}

static bool must_be_emptied(const sqlite_db_t *db)
{
    return db->keys_went || db->log_pages >= SQLITE_LOG_PAGES_MAX;
}

sqlite_log_step_t sqlite_log_due(const sqlite_log_t *log, const sqlite_db_t *db, int64_t now_ms)
{
    if (must_be_emptied(db) && now_ms >= log->again_at)
        return SQLITE_LOG_EMPTY;
    return db->log_pages >= SQLITE_LOG_PAGES ? SQLITE_LOG_BRING : SQLITE_LOG_LEAVE;
}

int64_t sqlite_log_look_at(const sqlite_log_t *log, const sqlite_db_t *db)
{
    return must_be_emptied(db) ? log->again_at : 0;
}

/* Waits for readers no longer than it must: whoever wants to write waits too. */
static int checkpoint(sqlite_db_t *db, int mode, int64_t wait_ms)
{
    int left = -1;
    db->wait_ms = wait_ms;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &left, NULL);
    db->wait_ms = SQLITE_WAIT_MS;
    if (code == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE)
        db->log_pages = 0;
    return code;
}

static void empty(sqlite_log_t *log, sqlite_db_t *db, const log_t *l)
{
    int code = checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, SQLITE_LOG_WAIT_MS);
    if (code == SQLITE_OK) {
        db->keys_went = false;
        *log = (sqlite_log_t){0};
        return;
    }
    log->again_at = sqlite_mono_ms() + SQLITE_LOG_AGAIN_MS;
    if (log->told)
        return;
    log->told = true;
    LOG(l, LOG_WARN,
        "the database's log cannot be emptied yet; if another program reads the database for long, "
        "end it",
        LOG_S("why", str_c(sqlite3_errstr(code))), LOG_I("pages", db->log_pages));
}

void sqlite_log_look(sqlite_log_t *log, sqlite_db_t *db, const log_t *l)
{
    sqlite_log_step_t step = sqlite_log_due(log, db, sqlite_mono_ms());
    if (step == SQLITE_LOG_EMPTY)
        empty(log, db, l);
    else if (step == SQLITE_LOG_BRING)
        checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, 0);
}
