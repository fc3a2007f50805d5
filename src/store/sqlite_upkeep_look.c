/* Counting, and looking for what cannot be. */
#include "store/sqlite_store.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 64, DAMAGES_MAX = 100 };

static rc_t count_rows(sqlite_work_t *w, table_id_t table, uint64_t *out)
{
    char sql[NAME_MAX_BYTES];
    int64_t n;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", TABLES[table].name);
    TRY(sqlite_work_number(w, sql, 0, &n));
    *out = (uint64_t)n;
    return RC_OK;
}

/* Sums of pages by table, its indexes with it. A library that was built without dbstat cannot
 * tell: then each table has 0. */
static void count_bytes(sqlite_work_t *w, store_stats_t *out)
{
    static const char SQL[] =
        "SELECT m.tbl_name, sum(d.pgsize) FROM sqlite_master AS m JOIN dbstat AS d ON d.name=m.name"
        " WHERE d.aggregate=TRUE GROUP BY m.tbl_name";
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->db->handle, SQL, -1, &s, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        for (int t = 0; name && t < TABLE_COUNT; t++)
            if (strcmp(name, TABLES[t].name) == 0)
                out->table[t].bytes = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
}

static int64_t now_of(const sqlite_work_t *w)
{
    return clock_seconds(&w->store->clock);
}

static rc_t read_stats(sqlite_work_t *w, store_stats_t *out)
{
    int64_t pages, page, generation, revocation, schema;
    static const char OLDEST[] =
        "SELECT min(created_at) FROM family WHERE revoked_at=0 AND (expires_at=0 OR expires_at>?1)";
    for (int t = 0; t < TABLE_COUNT; t++)
        TRY(count_rows(w, (table_id_t)t, &out->table[t].rows));
    count_bytes(w, out);
    TRY(sqlite_work_number(w, "PRAGMA page_count", 0, &pages));
    TRY(sqlite_work_number(w, "PRAGMA page_size", 0, &page));
    TRY(sqlite_work_number(w, "PRAGMA user_version", 0, &schema));
    TRY(sqlite_work_number(w, "SELECT value FROM meta WHERE name='generation'", 0, &generation));
    TRY(sqlite_work_number(w, "SELECT seq FROM sqlite_sequence WHERE name='revoked'", 0,
                           &revocation));
    TRY(sqlite_work_number(w, OLDEST, now_of(w), &out->oldest));
    out->bytes = (uint64_t)pages * (uint64_t)page;
    out->generation = (uint64_t)generation;
    out->revocation = (uint64_t)revocation;
    out->schema = (int)schema;
    return RC_OK;
}

rc_t sqlite_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why)
{
    sqlite_work_t w = {.store = (sqlite_store_t *)s, .a = a, .why = why};
    *out = (store_stats_t){0};
    *why = STR_UNSET;
    rc_t rc = sqlite_work_begin(&w, SQLITE_READER);
    if (rc == RC_OK)
        rc = read_stats(&w, out);
    return sqlite_work_end(&w, rc);
}

static void tell(sqlite_work_t *w, const store_finder_t *finder, str_t sentence)
{
    finder->found(finder->ctx, str_is_set(sentence)
                                   ? sentence
                                   : STR("something is wrong, and no memory to say"));
    (void)w;
}

static rc_t check_pages(sqlite_work_t *w, const store_finder_t *finder, int64_t *damages)
{
    char sql[NAME_MAX_BYTES];
    sqlite3_stmt *s = NULL;
    snprintf(sql, sizeof sql, "PRAGMA integrity_check(%d)", DAMAGES_MAX);
    int code = sqlite3_prepare_v2(w->db->handle, sql, -1, &s, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(s);
        const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
        if (!text || strcmp(text, "ok") == 0)
            continue;
        tell(w, finder, arena_printf(w->a, "the file is damaged: %s", text));
        ++*damages;
    }
    rc_t rc = code == SQLITE_DONE ? RC_OK : sqlite_work_failed(w);
    sqlite3_finalize(s);
    return rc;
}

typedef struct {
    const char *sentence, *sql;
} invariant_t;

static const invariant_t INVARIANTS[] = {
#define CHECK(sentence, sql) {sentence, sql},
#include "store/upkeep_checks.def"
#undef CHECK
    {"%lld counts of quotas are not there",
     "SELECT 6-count(*) FROM meta WHERE name IN"
     " ('generation', 'registered', 'interactions', 'pushed', 'devices', 'spent')"},
    {"the count of registered clients is wrong by %lld",
     "SELECT abs(value-(SELECT count(*) FROM client WHERE origin=1 AND deleted_at=0))"
     " FROM meta WHERE name='registered'"},
    {"the count of interactions is wrong by %lld",
     "SELECT abs(value-(SELECT count(*) FROM interaction)) FROM meta WHERE name='interactions'"},
    {"the count of pushed requests is wrong by %lld",
     "SELECT abs(value-(SELECT count(*) FROM pushed)) FROM meta WHERE name='pushed'"},
    {"the count of devices is wrong by %lld",
     "SELECT abs(value-(SELECT count(*) FROM device)) FROM meta WHERE name='devices'"},
    {"the count of spent names is wrong by %lld",
     "SELECT abs(value-(SELECT count(*) FROM spent)) FROM meta WHERE name='spent'"},
    {"%lld revocations have a number that is still to be given",
     "SELECT count(*) FROM revoked WHERE seq<1 OR"
     " seq>coalesce((SELECT seq FROM sqlite_sequence WHERE name='revoked'), 0)"},
};

static rc_t check_invariant(sqlite_work_t *w, const store_finder_t *finder, const invariant_t *rule)
{
    int64_t n;
    char sentence[160];
    TRY(sqlite_work_number(w, rule->sql, now_of(w), &n));
    if (n == 0)
        return RC_OK;
        /* The forms stand in the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sentence, sizeof sentence, rule->sentence, (long long)n);
#pragma GCC diagnostic pop
    tell(w, finder, arena_dup(w->a, str_c(sentence)));
    return RC_OK;
}

static rc_t pass(void *ctx, table_id_t table, const void *record)
{
    (void)ctx;
    (void)table;
    (void)record;
    return RC_OK;
}

/* Every record is read as the server reads it: lists, hashes, values of enums. */
static rc_t check_records(sqlite_work_t *w, const store_finder_t *finder, table_id_t table)
{
    uint64_t bad = 0;
    const sqlite_walk_t walk = {pass, NULL, &bad};
    TRY(sqlite_work_walk(w, table, &walk));
    if (bad > 0)
        tell(w, finder,
             arena_printf(w->a, "%llu records of the table %s have a form that is not known",
                          (unsigned long long)bad, TABLES[table].name));
    return RC_OK;
}

/* What stands on damaged pages fails by itself: the rest would say nothing new. */
static rc_t check_all(sqlite_work_t *w, const store_finder_t *finder)
{
    int64_t damages = 0;
    TRY(check_pages(w, finder, &damages));
    if (damages > 0)
        return RC_OK;
    for (size_t i = 0; i < sizeof INVARIANTS / sizeof INVARIANTS[0]; i++)
        TRY(check_invariant(w, finder, &INVARIANTS[i]));
    for (int t = 0; t < TABLE_COUNT; t++)
        TRY(check_records(w, finder, (table_id_t)t));
    return RC_OK;
}

rc_t sqlite_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why)
{
    sqlite_work_t w = {.store = (sqlite_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = sqlite_work_begin(&w, SQLITE_READER);
    if (rc == RC_OK)
        rc = check_all(&w, finder);
    return sqlite_work_end(&w, rc);
}
