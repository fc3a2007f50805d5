/* Whole stores as files of text (store/archive.h), and their digests. */
#ifndef CMD_STORE_TEXT_H
#define CMD_STORE_TEXT_H

#include "jose/digest.h"
#include "store/archive.h"
#include "store/upkeep.h"

#include <stdio.h>

/** What came of records so far: how many of each table, and the digest of their lines. Make with
 *  store_tally_begin, free with store_tally_free. */
typedef struct {
    arena_t *scratch;
    sha256_t digest;
    uint64_t counts[TABLE_COUNT];
    FILE *out; /* where the lines go; NULL: nowhere */
} store_tally_t;

/** RC_MEMORY. */
rc_t store_tally_begin(store_tally_t *t, FILE *out) MUST_USE;
void store_tally_free(store_tally_t *t);
/** Counts a record, and writes its line. RC_IO: errno says why. RC_LIMIT: no line can hold it. */
rc_t store_tally_add(store_tally_t *t, table_id_t table, const void *record) MUST_USE;
/** Whether two saw the same records in the same order. */
bool store_tally_same(const store_tally_t *a, const store_tally_t *b);
uint64_t store_tally_sum(const store_tally_t *t);

/** Writes the whole store to `out`, which stays open. *t is begun here; free it after any result.
 *  RC_IO with *why unset: errno says what became of `out`. */
rc_t store_text_write(store_t *store, arena_t *a, int64_t now, FILE *out, store_tally_t *t,
                      str_t *why) MUST_USE;

/** Such a file under way. Make with store_text_open, free with store_text_close. */
typedef struct {
    FILE *in;
    char *line; /* LIMIT_ARCHIVE_LINE_BYTES + 1 */
    arena_t *scratch, *head;
    archive_reader_t reader;
    sha256_t digest;
    bool failed; /* the file could not be read; errno says why */
} store_text_t;

/** Takes `in`, which stays the caller's to close. RC_MEMORY. */
rc_t store_text_open(store_text_t *t, FILE *in) MUST_USE;
void store_text_close(store_text_t *t);
/** Gives the records; RC_NOT_FOUND only after an end that fits all before. RC_MALFORMED:
 *  t->reader.refusal says why. */
store_source_t store_text_source(store_text_t *t);

#endif
