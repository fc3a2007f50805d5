/* The tables that every driver has, and how a record stands in the columns of one. Internal to the
 * room. */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#include "core/rc.h"
#include "model/effect.h"

#include <stddef.h>

/* How a member of a record stands in a column. */
typedef enum {
    FIELD_STR,
    FIELD_I64,
    FIELD_U32,
    FIELD_INT, /* an enum */
    FIELD_BOOL,
    FIELD_HASH,
    FIELD_BYTES,  /* a str_t of any bytes */
    FIELD_STRS,   /* str_list_t, as list.h writes it */
    FIELD_SCOPES, /* scopes and n_scopes of a resource: a list of name, text, name, text */
} field_type_t;

typedef struct {
    const char *column;
    field_type_t type;
    size_t offset;
    int values; /* FIELD_INT: how many the enum has */
    int since;  /* format of an export (archive.h) that has it first; 0: each */
} field_t;

/* The tables, each for one kind of record. The first columns are the key. */
typedef enum {
    TABLE_CLIENT,
    TABLE_USER,
    TABLE_SESSION,
    TABLE_INTERACTION,
    TABLE_CODE,
    TABLE_FAMILY,
    TABLE_REFRESH,
    TABLE_CONSENT,
    TABLE_RESOURCE,
    TABLE_KEY,
    TABLE_REGISTRATION_TOKEN,
    TABLE_PUSHED,
    TABLE_DEVICE,
    TABLE_ACCESS_TOKEN,
    TABLE_SPENT,
    TABLE_REVOKED,
    TABLE_LEASE,
    TABLE_COUNT,
} table_id_t;

typedef struct {
    const char *name;
    const field_t *fields;
    int n_fields;
    size_t size; /* of the record */
    int n_key;   /* how many columns the key has */
} table_t;

extern const table_t TABLES[TABLE_COUNT];

/** Sets a member that is an enum. RC_IO: a newer program wrote a value that this one does not know;
 *  taken for another it would be misread. */
rc_t table_set_enum(const field_t *field, void *record, int64_t value) MUST_USE;

#endif
