/* Statements built from the columns of a table. Internal to the driver. */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#include "store/tables.h"

enum { SQLITE_SQL_MAX = 4096 /* the longest, a put of a client, has about 1500 bytes */ };

/** INSERT of all columns. Each writes a text of at most `size` bytes. */
void sqlite_sql_insert(table_id_t table, char *out, size_t size);
/** INSERT, or UPDATE of the columns that this program knows where the key is taken: what a newer
 *  program keeps in columns of its own stays. */
void sqlite_sql_put(table_id_t table, char *out, size_t size);
/** SELECT of one row by its first column. */
void sqlite_sql_select(table_id_t table, char *out, size_t size);
/** SELECT of all rows by the key, as they are for who knows no entry of the revocation list: what
 * one ended is ended, or for an unspent code not there. */
void sqlite_sql_walk(table_id_t table, char *out, size_t size);

#endif
