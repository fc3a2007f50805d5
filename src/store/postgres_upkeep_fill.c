/* Filling an empty store by COPY, in its binary form: what a parameter of a statement has, without
 * a statement for each row. All in one transaction. */
#include "store/postgres_upkeep.h"

#include "store/postgres_effects.h"

#include <stdio.h>

enum { ROW_BYTES = 16 << 20, SQL_BYTES = 4096, FIELDS_MAX = 64 };

typedef struct {
    postgres_work_t *work;
    arena_t *scratch;
    table_id_t table; /* whose COPY is under way; TABLE_COUNT: none */
} fill_t;

static rc_t check_empty(postgres_work_t *w, table_id_t table)
{
    char sql[128];
    int64_t found = 0;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM \"%s\" LIMIT 1) AS one",
             TABLES[table].name);
    TRY(postgres_work_number(w, sql, 0, &found));
    if (found == 0)
        return RC_OK;
    *w->why = arena_printf(w->a, "the store holds records already (table %s)", TABLES[table].name);
    return RC_CONFLICT;
}

static rc_t refuse_twice(fill_t *f)
{
    *f->work->why =
        arena_printf(f->work->a, "a record comes twice in the table %s", TABLES[f->table].name);
    return RC_MALFORMED;
}

/* The result of a COPY, and of the end of its statement. */
static rc_t take_result(fill_t *f)
{
    rc_t rc = RC_OK;
    PGresult *r;
    while ((r = PQgetResult(f->work->pg))) {
        if (PQresultStatus(r) == PGRES_COMMAND_OK)
            PQclear(r);
        else if (rc == RC_OK)
            rc = postgres_work_failed(f->work, r);
        else
            PQclear(r);
    }
    return rc == RC_CONFLICT ? refuse_twice(f) : rc;
}

static rc_t send(fill_t *f, const buf_t *b)
{
    str_t bytes;
    TRY(buf_done(b, &bytes));
    return PQputCopyData(f->work->pg, bytes.p, (int)bytes.n) == 1
               ? RC_OK
               : postgres_work_failed(f->work, NULL);
}

static void put_number(buf_t *b, uint64_t n, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;)
        buf_char(b, (char)(n >> (8 * i)));
}

static rc_t end_copy(fill_t *f)
{
    char room[4];
    buf_t b = buf_fixed(room, sizeof room);
    if (f->table == TABLE_COUNT)
        return RC_OK;
    put_number(&b, 0xffff, 2); /* no more rows */
    TRY(send(f, &b));
    rc_t rc =
        PQputCopyEnd(f->work->pg, NULL) == 1 ? take_result(f) : postgres_work_failed(f->work, NULL);
    f->table = TABLE_COUNT;
    return rc;
}

static rc_t begin_copy(fill_t *f, table_id_t table)
{
    char sql[SQL_BYTES];
    buf_t b = buf_fixed(sql, sizeof sql);
    buf_fmt(&b, "COPY \"%s\"(", TABLES[table].name);
    postgres_put_columns(&b, table, TABLES[table].n_fields);
    buf_put(&b, STR(") FROM STDIN (FORMAT binary)"));
    buf_char(&b, '\0');
    PGresult *r = PQexec(f->work->pg, sql);
    if (PQresultStatus(r) != PGRES_COPY_IN)
        return postgres_work_failed(f->work, r);
    PQclear(r);
    f->table = table;
    b = buf_fixed(sql, sizeof sql);
    buf_put(&b, STR("PGCOPY\n\377\r\n"));
    buf_char(&b, '\0');
    put_number(&b, 0, 4); /* no flags */
    put_number(&b, 0, 4); /* no extension */
    return send(f, &b);
}

static void put_value(buf_t *b, const postgres_value_t *v)
{
    if (v->kind == POSTGRES_VALUE_NUMBER) {
        put_number(b, 8, 4);
        put_number(b, (uint64_t)v->i, 8);
    } else if (!str_is_set(v->s)) {
        put_number(b, UINT32_MAX, 4); /* NULL */
    } else {
        put_number(b, v->s.n, 4);
        buf_put(b, v->s);
    }
}

static rc_t send_row(fill_t *f, const void *record)
{
    postgres_value_t values[FIELDS_MAX];
    int n = TABLES[f->table].n_fields;
    arena_reset(f->scratch);
    TRY(postgres_write_record(f->scratch, f->table, record, values));
    buf_t b = buf_new(f->scratch, ROW_BYTES / 2);
    put_number(&b, (uint64_t)n, 2);
    for (int i = 0; i < n; i++)
        put_value(&b, &values[i]);
    return send(f, &b);
}

static rc_t insert(fill_t *f, table_id_t table, const void *record)
{
    if (table >= TABLE_COUNT || table == TABLE_LEASE) {
        *f->work->why = STR("a record is not of a table that is moved");
        return RC_MALFORMED;
    }
    if (table != f->table) {
        TRY(end_copy(f));
        TRY(begin_copy(f, table));
    }
    return send_row(f, record);
}

static rc_t insert_all(fill_t *f, const store_source_t *source)
{
    rc_t rc;
    table_id_t table;
    const void *record;
    while ((rc = source->next(source->ctx, &table, &record)) == RC_OK)
        TRY(insert(f, table, record));
    return rc == RC_NOT_FOUND ? end_copy(f) : rc;
}

/* The owner of an entry stands in no record: it is known by the family it ends. Counts of quotas
 * begin anew in their first slots. */
static const char *const AFTER[] = {
    "UPDATE revoked SET owner=(SELECT user_id FROM family WHERE family.id="
    "CASE revoked.kind WHEN 0 THEN split_part(key, '.', 1) ELSE key END) WHERE kind IN (0, 1)",
    STORE_END_FAMILIES_CLIENT,
    STORE_END_FAMILIES_ALL,
    STORE_END_CODES,
    STORE_END_DEVICES,
    "UPDATE quota SET value=0",
    "UPDATE quota SET value=(SELECT count(*) FROM client WHERE origin=1 AND deleted_at=0)"
    " WHERE name='registered' AND slot=0",
    "UPDATE quota SET value=(SELECT count(*) FROM interaction)"
    " WHERE name='interactions' AND slot=0",
    "UPDATE quota SET value=(SELECT count(*) FROM pushed) WHERE name='pushed' AND slot=0",
    "UPDATE quota SET value=(SELECT count(*) FROM device) WHERE name='devices' AND slot=0",
    "UPDATE quota SET value=(SELECT count(*) FROM spent) WHERE name='spent' AND slot=0",
    "UPDATE meta SET value=value+1 WHERE name='generation'",
};

static rc_t finish(postgres_work_t *w, const store_source_t *source)
{
    int64_t ignored;
    for (size_t i = 0; i < sizeof AFTER / sizeof AFTER[0]; i++)
        TRY(postgres_work_run(w, AFTER[i]));
    return postgres_work_number(
        w,
        "UPDATE meta SET value=greatest(value, $1, coalesce((SELECT max(seq) FROM revoked), 0))"
        " WHERE name='revocation' RETURNING value",
        source->revocation ? (int64_t)*source->revocation : 0, &ignored);
}

static rc_t fill_all(postgres_work_t *w, const store_source_t *source)
{
    int64_t ignored;
    fill_t f = {w, arena_new(ROW_BYTES), TABLE_COUNT};
    /* One at a time: the next finds what this one has brought. */
    rc_t rc = postgres_work_number(w, "SELECT value FROM meta WHERE name='generation' FOR UPDATE",
                                   0, &ignored);
    for (int t = 0; t < TABLE_COUNT && rc == RC_OK; t++)
        rc = t == TABLE_LEASE ? RC_OK : check_empty(w, (table_id_t)t);
    if (rc == RC_OK)
        rc = f.scratch ? insert_all(&f, source) : RC_MEMORY;
    if (rc == RC_OK)
        rc = finish(w, source);
    arena_free(f.scratch);
    return rc;
}

rc_t postgres_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why)
{
    postgres_work_t w = {.store = (postgres_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = postgres_work_begin(&w, true);
    if (rc == RC_OK)
        rc = fill_all(&w, source);
    return postgres_work_end(&w, rc);
}
