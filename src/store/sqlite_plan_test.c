/* Every statement prepares, and none reads a whole table but those that list or count one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "store/sqlite_db.h"
#include "store/sqlite_sql.h"

static const stmt_id_t LISTS[] = {
    STMT_ANY_USER, STMT_RESOURCE_IDS, STMT_KEY_IDS, STMT_CLIENT_IDS, STMT_USER_IDS,
    /* a handful of keys, asked when one is rotated */
    STMT_KEY_OTHER, STMT_KEY_OTHER_SEAL, STMT_KEY_COUNT, STMT_KEYS_BLANK, STMT_KEYS_CLEAR,
    /* everything ends, when an administrator says so */
    STMT_REVOKED_FAMILIES_ALL, STMT_REVOKED_DEVICES_ALL,
    /* one entry for many, after many were written */
    STMT_REVOKED_FOLD_ALL, STMT_REVOKED_FOLDED_ALL};

static bool may_scan(int id)
{
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++) {
        if ((int)LISTS[i] == id)
            return true;
    }
    return false;
}

/* SQLite's plan names each table that is read whole with SCAN; a subquery may be, and the one row
 * of a SELECT without a table; SQLite's own table of numbers has one row as well. */
static void check_plan(sqlite3 *handle, sqlite3_stmt *s)
{
    char sql[4096];
    sqlite3_stmt *plan;
    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(s));
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(plan, 3);
        if (strstr(line, "SCAN") && strcmp(line, "SCAN gone") != 0 &&
            strcmp(line, "SCAN CONSTANT ROW") != 0 && strcmp(line, "SCAN sqlite_sequence") != 0)
            fail_msg("%s: %s", line, sqlite3_sql(s));
    }
    sqlite3_finalize(plan);
}

static void no_statement_scans(void **state)
{
    arena_t *a = arena_new(65536);
    sqlite_db_t db;
    str_t why;
    assert_int_equal(sqlite_db_open(&db, a, ":memory:", SQLITE_WRITER, &why), RC_OK);
    for (int id = 0; id < STMT_COUNT; id++) {
        sqlite3_stmt *s = sqlite_fixed(&db, (stmt_id_t)id);
        assert_non_null(s);
        if (!may_scan(id) && id > STMT_ROLLBACK_TO)
            check_plan(db.handle, s);
    }
    for (int table = 0; table < TABLE_COUNT; table++) {
        assert_non_null(sqlite_insert(&db, (table_id_t)table));
        assert_non_null(sqlite_put(&db, (table_id_t)table));
        assert_non_null(sqlite_select(&db, (table_id_t)table));
        check_plan(db.handle, sqlite_select(&db, (table_id_t)table));
    }
    sqlite_db_close(&db);
    arena_free(a);
}

/* A walk reads its own table whole, in the order of an index, and looks entries up. */
static void check_walk(sqlite3 *handle, table_id_t table)
{
    char sql[SQLITE_SQL_MAX], explain[SQLITE_SQL_MAX + 32], own[64];
    sqlite3_stmt *plan;
    sqlite_sql_walk(table, sql, sizeof sql);
    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    snprintf(own, sizeof own, "SCAN %s", TABLES[table].name);
    assert_int_equal(sqlite3_prepare_v2(handle, explain, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(plan, 3);
        if ((strstr(line, "SCAN") && !strstr(line, own)) || strstr(line, "TEMP B-TREE"))
            fail_msg("%s: %s", line, sql);
    }
    sqlite3_finalize(plan);
}

static void no_walk_sorts_or_scans_another_table(void **state)
{
    arena_t *a = arena_new(65536);
    sqlite_db_t db;
    str_t why;
    assert_int_equal(sqlite_db_open(&db, a, ":memory:", SQLITE_WRITER, &why), RC_OK);
    for (int table = 0; table < TABLE_COUNT; table++)
        check_walk(db.handle, (table_id_t)table);
    sqlite_db_close(&db);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_statement_scans),
                                       cmocka_unit_test(no_walk_sorts_or_scans_another_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
