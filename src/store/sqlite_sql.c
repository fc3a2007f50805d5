#include "store/sqlite_sql.h"

#include "core/buf.h"
#include "store/driver.h"

typedef struct {
    int first, end;
} range_t;

/* "id,name,auth": some columns, each written as `form` says. */
static void put_columns(buf_t *b, const table_t *t, range_t which, const char *form)
{
    for (int i = which.first; i < which.end; i++) {
        if (i > which.first)
            buf_char(b, ',');
        for (const char *c = form; *c; c++) {
            if (*c == '$')
                buf_put(b, str_c(t->fields[i].column));
            else
                buf_char(b, *c);
        }
    }
}

/* What is written out here always fits: SQLITE_SQL_MAX is far above the longest. */
static void end(buf_t *b)
{
    buf_char(b, '\0');
}

static void put_insert(buf_t *b, const table_t *t)
{
    buf_fmt(b, "INSERT INTO %s(", t->name);
    put_columns(b, t, (range_t){0, t->n_fields}, "$");
    buf_put(b, STR(") VALUES("));
    put_columns(b, t, (range_t){0, t->n_fields}, "?");
    buf_char(b, ')');
}

void sqlite_sql_insert(table_id_t table, char *out, size_t size)
{
    buf_t b = buf_fixed(out, size);
    put_insert(&b, &TABLES[table]);
    end(&b);
}

void sqlite_sql_put(table_id_t table, char *out, size_t size)
{
    const table_t *t = &TABLES[table];
    buf_t b = buf_fixed(out, size);
    put_insert(&b, t);
    buf_put(&b, STR(" ON CONFLICT("));
    put_columns(&b, t, (range_t){0, t->n_key}, "$");
    buf_put(&b, STR(") DO UPDATE SET "));
    put_columns(&b, t, (range_t){t->n_key, t->n_fields}, "$=excluded.$");
    end(&b);
}

void sqlite_sql_select(table_id_t table, char *out, size_t size)
{
    const table_t *t = &TABLES[table];
    buf_t b = buf_fixed(out, size);
    buf_put(&b, STR("SELECT "));
    put_columns(&b, t, (range_t){0, t->n_fields}, "$");
    buf_fmt(&b, " FROM %s WHERE %s=?1", t->name, t->fields[0].column);
    end(&b);
}

/* What an entry of the revocation list ended is given as ended, whatever its row says: the ends of
 * codes pass by those that had expired, and an older program wrote down alive what came late. */
static const struct {
    table_id_t table;
    const char *column, *shown;
} SHOWN[] = {
    {TABLE_FAMILY, "revoked_at",
     "CASE revoked_at WHEN 0 THEN coalesce(" STORE_ENDED_AT("family") ", 0) ELSE revoked_at END"},
    {TABLE_FAMILY, "revoked_reason",
     "CASE WHEN revoked_at=0 AND " STORE_ENDED("family") " THEN " STORE_ENDED_BY(
         "family") " ELSE revoked_reason END"},
    {TABLE_DEVICE, "state",
     "CASE WHEN state=1 AND " STORE_ENDED("device") " THEN 2 ELSE state END"},
};

static void put_shown(buf_t *b, table_id_t table, const char *column)
{
    for (size_t i = 0; i < sizeof SHOWN / sizeof SHOWN[0]; i++) {
        if (SHOWN[i].table == table && strcmp(SHOWN[i].column, column) == 0)
            column = SHOWN[i].shown;
    }
    buf_put(b, str_c(column));
}

void sqlite_sql_walk(table_id_t table, char *out, size_t size)
{
    const table_t *t = &TABLES[table];
    buf_t b = buf_fixed(out, size);
    for (int i = 0; i < t->n_fields; i++) {
        buf_put(&b, i == 0 ? STR("SELECT ") : STR(","));
        put_shown(&b, table, t->fields[i].column);
    }
    buf_fmt(&b, " FROM %s", t->name);
    if (table == TABLE_CODE)
        buf_put(&b, STR(" WHERE consumed_at<>0 OR NOT " STORE_ENDED("code")));
    buf_put(&b, STR(" ORDER BY "));
    put_columns(&b, t, (range_t){0, t->n_key}, "$");
    end(&b);
}
