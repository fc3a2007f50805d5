#include "store/sqlite_sql.h"

#include "core/buf.h"

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

void sqlite_sql_walk(table_id_t table, char *out, size_t size)
{
    const table_t *t = &TABLES[table];
    buf_t b = buf_fixed(out, size);
    buf_put(&b, STR("SELECT "));
    put_columns(&b, t, (range_t){0, t->n_fields}, "$");
    buf_fmt(&b, " FROM %s ORDER BY ", t->name);
    put_columns(&b, t, (range_t){0, t->n_key}, "$");
    end(&b);
}
