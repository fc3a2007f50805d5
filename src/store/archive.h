/* A whole store as lines of JSON: a head, one record a line, a tail with counts and a digest over
 * all before it, so that a file that was cut or changed is found out. Pure: bytes come and go
 * through the caller.
 *
 *   {"warder_store":1,"program":"1.2.0","at":1700000000}
 *   {"table":"client","record":{"id":"c1","name":null,...}}
 *   {"end":{"revocation":7,"counts":{"client":1,...},"sha256":"..."}}
 *
 * Texts are strings, or {"bytes":"base64url"} where they are no UTF-8; hashes and other bytes are
 * base64url; lists are arrays; what is unset is null. Tables come in the order of table_id_t. */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "core/buf.h"
#include "store/tables.h"

enum {
    ARCHIVE_FORMAT = 2, /* grows with each change of the form or of the columns */
    ARCHIVE_DIGEST = 32,
};

typedef struct {
    int64_t format;
    str_t program; /* version of the program that wrote it */
    int64_t at;    /* when, in seconds */
} archive_head_t;

typedef struct {
    uint64_t revocation; /* as store_sink_t */
    uint64_t counts[TABLE_COUNT];
    uint8_t sha256[ARCHIVE_DIGEST]; /* over all lines before, with their ends */
} archive_tail_t;

/* Each appends one line with its end. */
void archive_write_head(buf_t *b, const archive_head_t *head);
/** Fails the builder also where a record can be no line. */
void archive_write_record(buf_t *b, table_id_t table, const void *record);
void archive_write_tail(buf_t *b, const archive_tail_t *tail);

/** SHA-256 under way; `end` leaves it where it was. */
typedef struct {
    void (*more)(void *ctx, str_t bytes);
    void (*end)(void *ctx, uint8_t out[ARCHIVE_DIGEST]);
    void *ctx;
} archive_digest_t;

/* REFUSAL(NAME, sentence) */
#define ARCHIVE_REFUSALS(REFUSAL)                                                                  \
    REFUSAL(FINE, "")                                                                              \
    REFUSAL(FOREIGN, "it is no export of a store of Warder")                                       \
    REFUSAL(NEWER, "a newer program wrote it; take that program")                                  \
    REFUSAL(LINE, "a line is not what an export holds; take the file as it was written")           \
    REFUSAL(TABLE, "a line names a table that this program does not know")                         \
    REFUSAL(ORDER, "its lines are not in their order; take the file as it was written")            \
    REFUSAL(FIELD_UNKNOWN, "a record has a field that this program does not know")                 \
    REFUSAL(FIELD_MISSING, "a record lacks a field")                                               \
    REFUSAL(FIELD_FORM, "a field of a record has another form than it should")                     \
    REFUSAL(LONG, "a line is longer than any record can be")                                       \
    REFUSAL(CUT, "its end is missing; take the whole file")                                        \
    REFUSAL(BEHIND, "something stands behind its end")                                             \
    REFUSAL(COUNTS, "it does not hold as many records as its end says")                            \
    REFUSAL(CHANGED, "it was changed after it was written: its digest is another")
typedef enum {
#define REFUSAL(name, sentence) ARCHIVE_##name,
    ARCHIVE_REFUSALS(REFUSAL)
#undef REFUSAL
} archive_refusal_t;

typedef enum { ARCHIVE_LINE_HEAD, ARCHIVE_LINE_RECORD, ARCHIVE_LINE_TAIL } archive_kind_t;

/** Zero-initialize but for the digest. */
typedef struct {
    archive_digest_t digest;
    bool has_head, has_tail;
    table_id_t table; /* of the last record */
    uint64_t counts[TABLE_COUNT];
    archive_head_t head; /* in the arena of its line */
    archive_tail_t tail;
    archive_refusal_t refusal; /* after RC_MALFORMED */
    uint64_t line;             /* number of the last line that came, from 1 */
} archive_reader_t;

typedef struct {
    archive_kind_t kind;
    table_id_t table; /* of a record, as the following */
    void *record;     /* in the arena; may borrow the line */
} archive_line_t;

/** Takes one line, without its end (0x0a). RC_MALFORMED: r->refusal says why; RC_MEMORY. */
rc_t archive_read(archive_reader_t *r, arena_t *a, str_t line, archive_line_t *out) MUST_USE;
/** After the last line: RC_MALFORMED where the tail has not come. */
rc_t archive_read_end(archive_reader_t *r) MUST_USE;
/** The sentence of a refusal, without a full stop; static. */
str_t archive_refusal_text(archive_refusal_t refusal);

#endif
