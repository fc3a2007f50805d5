/* The write-ahead log: when what stands in it is brought into the database, so that neither it nor
 * what was deleted stays for long. The writer's thread alone. Internal to the driver.
 *
 * From SQLITE_LOG_PAGES on it is brought over without waiting for anybody, and then begun again
 * from its start. That takes a moment in which nobody reads; where none comes, because workers read
 * all the time or another program reads for long, the log grows. From SQLITE_LOG_PAGES_MAX on, and
 * after keys that went, it is emptied: readers are waited for, a little, and once a second. So the
 * file is not larger than the most of that, of what is written while one reader stays, and of one
 * batch. */
#ifndef STORE_SQLITE_LOG_H
#define STORE_SQLITE_LOG_H

#include "store/sqlite_db.h"

enum {
    SQLITE_LOG_PAGES = 4000,      /* of 4 KiB */
    SQLITE_LOG_PAGES_MAX = 16384, /* 64 MiB, as much as an emptied log may keep */
    SQLITE_LOG_WAIT_MS = 50,      /* for readers; nothing is written meanwhile */
    SQLITE_LOG_AGAIN_MS = 1000,
};

typedef enum {
    SQLITE_LOG_LEAVE, /* nothing is to be done */
    SQLITE_LOG_BRING, /* as much as can be, without waiting */
    SQLITE_LOG_EMPTY, /* all, and nothing stays in the file */
} sqlite_log_step_t;

typedef struct {
    int64_t again_at; /* when it may be emptied next; monotonic ms; 0: any time */
    bool told;        /* that somebody keeps it from being emptied */
} sqlite_log_t;

/** Lets db->log_pages follow the commits of this connection. */
void sqlite_log_follow(sqlite_db_t *db);
/** What is due at `now_ms` (monotonic). */
sqlite_log_step_t sqlite_log_due(const sqlite_log_t *log, const sqlite_db_t *db, int64_t now_ms);
/** When to look again although nothing is written; 0: no need. */
int64_t sqlite_log_look_at(const sqlite_log_t *log, const sqlite_db_t *db);
/** Does what is due. What fails is tried again; `l` hears of a reader that stays, once. */
void sqlite_log_look(sqlite_log_t *log, sqlite_db_t *db, const log_t *l);

#endif
