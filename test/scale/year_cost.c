/* What the database does for an act, in a measure that no other program on the machine changes:
 * steps of SQLite's machine. */
#include "year_cost.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>

/* SQLite calls for each connection and knows nothing of a year. */
static atomic_uint_fast64_t steps, scanned;

static int count(unsigned type, void *ctx, void *statement, void *ns)
{
    (void)type, (void)ctx, (void)ns;
    sqlite3_stmt *s = statement;
    atomic_fetch_add(&steps, (uint64_t)sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1));
    atomic_fetch_add(&scanned,
                     (uint64_t)sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1));
    return 0;
}

static int watch(sqlite3 *db, char **why, const struct sqlite3_api_routines *api)
{
    (void)why, (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count, NULL);
}

void year_cost_watch(void)
{
    /* The type that SQLite declares stands for any; the one above is what it calls. */
    sqlite3_auto_extension((void (*)(void))watch);
}

year_cost_t year_cost(void)
{
    return (year_cost_t){atomic_load(&steps), atomic_load(&scanned)};
}
