/* Records to parameters, and rows to records, by the fields of their tables. */
#include "store/postgres_effects.h"

#include "store/list.h"

#include <stdlib.h>

static rc_t write_list(arena_t *a, const field_t *f, const void *record, postgres_value_t *out)
{
    str_t bytes;
    const str_list_t *list = (const str_list_t *)((const char *)record + f->offset);
    TRY(f->type == FIELD_SCOPES ? store_scopes_write(record, &bytes)
                                : store_list_write(*list, &bytes));
    *out = VALUE_S(arena_dup(a, bytes));
    free((void *)(uintptr_t)bytes.p);
    return str_is_set(out->s) ? RC_OK : RC_MEMORY;
}

static rc_t write_field(arena_t *a, const field_t *f, const void *record, postgres_value_t *out)
{
    const void *p = (const char *)record + f->offset;
    switch (f->type) {
    case FIELD_STR:
    case FIELD_BYTES:
        *out = VALUE_S(*(const str_t *)p);
        break;
    case FIELD_I64:
        *out = VALUE_I(*(const int64_t *)p);
        break;
    case FIELD_U32:
        *out = VALUE_I(*(const uint32_t *)p);
        break;
    case FIELD_INT:
        *out = VALUE_I(*(const int *)p);
        break;
    case FIELD_BOOL:
        *out = VALUE_I(*(const bool *)p);
        break;
    case FIELD_HASH:
        *out = VALUE_H((const hash_t *)p);
        break;
    case FIELD_STRS:
    case FIELD_SCOPES:
        return write_list(a, f, record, out);
    }
    return RC_OK;
}

rc_t postgres_write_record(arena_t *a, table_id_t table, const void *record, postgres_value_t *out)
{
    for (int i = 0; i < TABLES[table].n_fields; i++)
        TRY(write_field(a, &TABLES[table].fields[i], record, &out[i]));
    return RC_OK;
}

/* What stands in a cell; false: there is no such cell. Unset: NULL. */
static bool read_cell(postgres_cell_t at, str_t *out)
{
    *out = STR_UNSET;
    if (at.row >= PQntuples(at.r) || at.column >= PQnfields(at.r))
        return false;
    if (!PQgetisnull(at.r, at.row, at.column))
        *out = str_of(PQgetvalue(at.r, at.row, at.column),
                      (size_t)PQgetlength(at.r, at.row, at.column));
    return true;
}

rc_t postgres_read_number(postgres_cell_t at, int64_t *out)
{
    str_t bytes;
    if (!read_cell(at, &bytes) || bytes.n != sizeof *out)
        return RC_IO;
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof value; i++)
        value = value << 8 | (uint8_t)bytes.p[i];
    *out = (int64_t)value;
    return RC_OK;
}

static rc_t read_within(postgres_cell_t at, int64_t least, int64_t most, int64_t *out)
{
    TRY(postgres_read_number(at, out));
    return *out >= least && *out <= most ? RC_OK : RC_IO;
}

static rc_t read_bytes(arena_t *a, postgres_cell_t at, str_t *out)
{
    str_t bytes;
    if (!read_cell(at, &bytes))
        return RC_IO;
    *out = arena_dup(a, bytes);
    return str_is_set(bytes) && !str_is_set(*out) ? RC_MEMORY : RC_OK;
}

static rc_t read_hash(postgres_cell_t at, hash_t *out)
{
    str_t bytes;
    if (!read_cell(at, &bytes) || bytes.n != sizeof *out)
        return RC_IO;
    memcpy(out, bytes.p, sizeof *out);
    return RC_OK;
}

static rc_t read_list(arena_t *a, postgres_cell_t at, const field_t *f, void *record)
{
    str_t bytes;
    str_list_t list;
    TRY(read_bytes(a, at, &bytes));
    if (!str_is_set(bytes))
        return RC_IO;
    rc_t rc = store_list_read(a, bytes, &list);
    if (rc != RC_OK)
        return rc == RC_MALFORMED ? RC_IO : rc;
    if (f->type == FIELD_SCOPES)
        return store_scopes_read(a, list, record);
    *(str_list_t *)((char *)record + f->offset) = list;
    return RC_OK;
}

static rc_t read_field(arena_t *a, postgres_cell_t at, const field_t *f, void *record)
{
    int64_t number = 0;
    void *p = (char *)record + f->offset;
    switch (f->type) {
    case FIELD_STR:
    case FIELD_BYTES:
        return read_bytes(a, at, p);
    case FIELD_I64:
        return postgres_read_number(at, p);
    case FIELD_U32:
        TRY(read_within(at, 0, UINT32_MAX, &number));
        *(uint32_t *)p = (uint32_t)number;
        return RC_OK;
    case FIELD_INT:
        TRY(postgres_read_number(at, &number));
        return table_set_enum(f, record, number);
    case FIELD_BOOL:
        TRY(read_within(at, 0, 1, &number));
        *(bool *)p = number != 0;
        return RC_OK;
    case FIELD_HASH:
        return read_hash(at, p);
    case FIELD_STRS:
    case FIELD_SCOPES:
        return read_list(a, at, f, record);
    }
    return RC_IO;
}

rc_t postgres_read_record(arena_t *a, postgres_cell_t at, table_id_t table, void **out)
{
    str_t key;
    const table_t *t = &TABLES[table];
    *out = NULL;
    if (!read_cell(at, &key))
        return RC_IO;
    if (!str_is_set(key))
        return RC_OK;
    void *record = arena_alloc(a, t->size);
    if (!record)
        return RC_MEMORY;
    for (int i = 0; i < t->n_fields; i++)
        TRY(read_field(a, (postgres_cell_t){at.r, at.row, at.column + i}, &t->fields[i], record));
    if (table == TABLE_CLIENT)
        ((client_t *)record)->stored = true;
    *out = record;
    return RC_OK;
}
