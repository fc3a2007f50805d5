/* Filling an empty store: all in one transaction, which is undone by whatever fails. */
#include "store/sqlite_store.h"

#include "store/sqlite_effects.h"

#include <stdio.h>

/* The owner of an entry stands in no record: it is known by the family it ends. What stands for a
 * whole person counts anew. */
static const char OWNERS[] =
    "UPDATE revoked SET owner=(SELECT user_id FROM family WHERE family.id="
    "CASE revoked.kind WHEN 0 THEN substr(key, 1, instr(key, '.')-1) ELSE key END)"
    " WHERE kind IN (0, 1)";

/* The row is made with the first revocation. */
static const char SEQUENCE[] =
    "INSERT INTO sqlite_sequence(name, seq) SELECT 'revoked', 0"
    " WHERE NOT EXISTS(SELECT 1 FROM sqlite_sequence WHERE name='revoked')";
static const char SEQUENCE_AT_LEAST[] =
    "UPDATE sqlite_sequence SET seq=max(seq, ?1) WHERE name='revoked'";

static rc_t run(sqlite_work_t *w, const char *sql, int64_t arg)
{
    int64_t ignored;
    return sqlite_work_number(w, sql, arg, &ignored);
}

static rc_t check_empty(sqlite_work_t *w, table_id_t table)
{
    char sql[64];
    int64_t found = 0;
    snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 1", TABLES[table].name);
    TRY(sqlite_work_number(w, sql, 0, &found));
    if (found == 0)
        return RC_OK;
    *w->why = arena_printf(w->a, "the store %s holds records already (table %s)", w->store->path,
                           TABLES[table].name);
    return RC_CONFLICT;
}

static rc_t refuse_record(sqlite_work_t *w, const char *what, table_id_t table)
{
    *w->why = arena_printf(w->a, "%s%s", what,
                           table < TABLE_COUNT ? TABLES[table].name : "this program knows");
    return RC_MALFORMED;
}

static rc_t insert(sqlite_work_t *w, table_id_t table, const void *record)
{
    if (table >= TABLE_COUNT || table == TABLE_LEASE)
        return refuse_record(w, "a record is not of a table that is moved: ", table);
    rc_t rc = sqlite_insert_record(w->db, table, record);
    if (rc == RC_CONFLICT)
        return refuse_record(w, "a record comes twice in the table ", table);
    return rc == RC_OK ? RC_OK : sqlite_work_failed(w);
}

static rc_t insert_all(sqlite_work_t *w, const store_source_t *source)
{
    rc_t rc;
    table_id_t table;
    const void *record;
    while ((rc = source->next(source->ctx, &table, &record)) == RC_OK)
        TRY(insert(w, table, record));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static rc_t fill_all(sqlite_work_t *w, const store_source_t *source)
{
    for (int t = 0; t < TABLE_COUNT; t++) {
        if (t != TABLE_LEASE)
            TRY(check_empty(w, (table_id_t)t));
    }
    TRY(insert_all(w, source));
    TRY(run(w, OWNERS, 0));
    TRY(run(w, STORE_END_FAMILIES_CLIENT, 0));
    TRY(run(w, STORE_END_FAMILIES_ALL, 0));
    TRY(run(w, STORE_END_CODES, 0));
    TRY(run(w, STORE_END_DEVICES, 0));
    TRY(run(w, SEQUENCE, 0));
    TRY(run(w, SEQUENCE_AT_LEAST, source->revocation ? (int64_t)*source->revocation : 0));
    rc_t rc = sqlite_run_fixed(w->db, STMT_GENERATION_NEXT);
    return rc == RC_OK ? RC_OK : sqlite_work_failed(w);
}

rc_t sqlite_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why)
{
    sqlite_work_t w = {.store = (sqlite_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = sqlite_work_begin(&w, SQLITE_WRITER);
    if (rc == RC_OK)
        rc = fill_all(&w, source);
    return sqlite_work_end(&w, rc);
}
