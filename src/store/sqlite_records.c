/* Records to columns and back, by the fields of their tables. */
#include "store/sqlite_db.h"

#include "store/list.h"

#include <stdlib.h>

static int bind_list(sqlite3_stmt *s, int at, const field_t *f, const void *record)
{
    str_t bytes;
    const str_list_t *list = (const str_list_t *)((const char *)record + f->offset);
    rc_t rc = f->type == FIELD_SCOPES ? store_scopes_write(record, &bytes)
                                      : store_list_write(*list, &bytes);
    return rc == RC_OK ? sqlite3_bind_blob64(s, at, bytes.p, bytes.n, free) : SQLITE_NOMEM;
}

static int bind_field(sqlite3_stmt *s, int at, const field_t *f, const void *record)
{
    const void *p = (const char *)record + f->offset;
    const str_t *str = p;
    switch (f->type) {
    case FIELD_STR:
        return sqlite3_bind_text64(s, at, str->p, str->n, SQLITE_STATIC, SQLITE_UTF8);
    case FIELD_BYTES:
        return sqlite3_bind_blob64(s, at, str->p, str->n, SQLITE_STATIC);
    case FIELD_I64:
        return sqlite3_bind_int64(s, at, *(const int64_t *)p);
    case FIELD_U32:
        return sqlite3_bind_int64(s, at, *(const uint32_t *)p);
    case FIELD_INT:
        return sqlite3_bind_int(s, at, *(const int *)p);
    case FIELD_BOOL:
        return sqlite3_bind_int(s, at, *(const bool *)p);
    case FIELD_HASH:
        return sqlite3_bind_blob(s, at, p, sizeof(hash_t), SQLITE_STATIC);
    case FIELD_STRS:
    case FIELD_SCOPES:
        return bind_list(s, at, f, record);
    }
    return SQLITE_MISUSE;
}

rc_t sqlite_bind_record(sqlite3_stmt *s, table_id_t table, const void *record)
{
    for (int i = 0; i < TABLES[table].n_fields; i++) {
        int code = bind_field(s, i + 1, &TABLES[table].fields[i], record);
        if (code != SQLITE_OK)
            return code == SQLITE_NOMEM ? RC_MEMORY : RC_IO;
    }
    return RC_OK;
}

static str_t column_bytes(arena_t *a, sqlite3_stmt *s, int at)
{
    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return STR_UNSET;
    const void *p = sqlite3_column_blob(s, at);
    return arena_dup(a, str_of(p ? p : "", (size_t)sqlite3_column_bytes(s, at)));
}

static rc_t read_list(arena_t *a, sqlite3_stmt *s, int at, const field_t *f, void *record)
{
    str_t bytes = column_bytes(a, s, at);
    str_list_t list;
    if (!str_is_set(bytes))
        return sqlite3_column_type(s, at) == SQLITE_NULL ? RC_IO : RC_MEMORY;
    rc_t rc = store_list_read(a, bytes, &list);
    if (rc != RC_OK)
        return rc == RC_MALFORMED ? RC_IO : rc;
    if (f->type == FIELD_SCOPES)
        return store_scopes_read(a, list, record);
    *(str_list_t *)((char *)record + f->offset) = list;
    return RC_OK;
}

static rc_t read_field(arena_t *a, sqlite3_stmt *s, int at, const field_t *f, void *record)
{
    void *p = (char *)record + f->offset;
    switch (f->type) {
    case FIELD_STR:
    case FIELD_BYTES: {
        str_t v = column_bytes(a, s, at);
        if (!str_is_set(v) && sqlite3_column_type(s, at) != SQLITE_NULL)
            return RC_MEMORY;
        *(str_t *)p = v;
        break;
    }
    case FIELD_I64:
        *(int64_t *)p = sqlite3_column_int64(s, at);
        break;
    case FIELD_U32:
        *(uint32_t *)p = (uint32_t)sqlite3_column_int64(s, at);
        break;
    case FIELD_INT:
        return table_set_enum(f, record, sqlite3_column_int64(s, at));
    case FIELD_BOOL:
        *(bool *)p = sqlite3_column_int(s, at) != 0;
        break;
    case FIELD_HASH: {
        const void *blob = sqlite3_column_blob(s, at);
        if (!blob || sqlite3_column_bytes(s, at) != (int)sizeof(hash_t))
            return RC_IO;
        memcpy(p, blob, sizeof(hash_t));
        break;
    }
    case FIELD_STRS:
    case FIELD_SCOPES:
        return read_list(a, s, at, f, record);
    }
    return RC_OK;
}

rc_t sqlite_read_record(arena_t *a, sqlite3_stmt *s, table_id_t table, void **out)
{
    *out = NULL;
    void *record = arena_alloc(a, TABLES[table].size);
    if (!record)
        return RC_MEMORY;
    for (int i = 0; i < TABLES[table].n_fields; i++)
        TRY(read_field(a, s, i, &TABLES[table].fields[i], record));
    if (table == TABLE_CLIENT)
        ((client_t *)record)->stored = true;
    *out = record;
    return RC_OK;
}
