/* Reads a trail strictly and says the first line that does not fit, and why. Pure. */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "audit/line.h"
#include "core/json.h"
#include "jose/jwk.h"

/* FAULT(NAME, "name", "what it means") */
#define AUDIT_FAULT_TABLE(FAULT)                                                                   \
    FAULT(NONE, "none", "it fits")                                                                 \
    FAULT(LINE_MALFORMED, "line_malformed", "it is not the strict JSON of an event")               \
    FAULT(LINE_TOO_LONG, "line_too_long", "it is longer than any event")                           \
    FAULT(LINE_TORN, "line_torn",                                                                  \
          "it has no end, or zeros in it: a crash or a loss of power cut a write, which the next " \
          "start mends, or somebody cut it")                                                       \
    FAULT(SEQUENCE_GAP, "sequence_gap", "lines before it are missing")                             \
    FAULT(SEQUENCE_BACK, "sequence_back",                                                          \
          "its number stood before it: lines were swapped, repeated or put in")                    \
    FAULT(PREV_MISMATCH, "prev_mismatch",                                                          \
          "the line before it was changed, or it does not belong behind that line")                \
    FAULT(CHAIN_RESTARTED, "chain_restarted",                                                      \
          "a new chain begins here: the file before it was not continued")                         \
    FAULT(HEAD_MISMATCH, "head_mismatch", "the line of the expected number has another hash")      \
    FAULT(HEAD_MISSING, "head_missing",                                                            \
          "the line of the expected number is not there: the end was cut off")                     \
    FAULT(CHECKPOINT_MALFORMED, "checkpoint_malformed",                                            \
          "it is a checkpoint and does not sign the line before it")                               \
    FAULT(CHECKPOINT_CHAIN, "checkpoint_chain", "it is a checkpoint of another chain")             \
    FAULT(CHECKPOINT_KEY, "checkpoint_key", "it is signed with a key that was not given")          \
    FAULT(CHECKPOINT_FORGED, "checkpoint_forged",                                                  \
          "its signature is not that of the audit key: all before it may have been written anew")  \
    FAULT(UNPROVEN, "unproven",                                                                    \
          "too many lines follow the last checkpoint: it was cut off, or the end written anew")

typedef enum {
#define FAULT(name, text, about) AUDIT_FAULT_##name,
    AUDIT_FAULT_TABLE(FAULT)
#undef FAULT
        AUDIT_FAULT_COUNT
} audit_fault_t;

str_t audit_fault_name(audit_fault_t fault);  /* static */
str_t audit_fault_about(audit_fault_t fault); /* static, one sentence without its full stop */

/** One line, read. Borrows the line and the arena. */
typedef struct {
    const json_t *json;
    uint64_t seq;
    str_t time, event, decision;
    uint8_t prev[SHA256_BYTES];
} audit_record_t;

/** Reads a line with or without its newline. RC_MALFORMED, RC_MEMORY. */
rc_t audit_record_read(arena_t *a, str_t line, audit_record_t *out) MUST_USE;

/** A trail on its way through the check. Make by audit_chain_begin; read the members freely. */
typedef struct {
    arena_t *scratch;   /* borrowed; reset for each line */
    audit_head_t head;  /* of the last line that fits; before the first, seq is 0 */
    audit_head_t first; /* number of the first line, and what it names as its `prev` */
    uint64_t lines;     /* of all files so far */
    uint64_t line;      /* in this file; with a fault, the one that does not fit */
    char first_time[AUDIT_TIME_BYTES], last_time[AUDIT_TIME_BYTES];
    const audit_head_t *expect; /* borrowed; NULL: none */
    const jwks_t *keys;         /* of checkpoints; borrowed; NULL: signatures are not checked */
    uint64_t unproven_max;      /* lines behind the last checkpoint, with keys; UINT64_MAX: any; but
                                   there      must be one */
    audit_name_t chain;
    uint64_t checkpoints;
    uint64_t signed_seq; /* of the last checkpoint's line; 0: there was none */
    uint64_t deleted_by; /* of the line that says that what was before the first was deleted; 0 */
    uint64_t mends;      /* lines that say that something was put aside */
    struct {             /* the last of them */
        char file[256];
        int64_t bytes, signed_seq;
    } mend;
    uint64_t seq;        /* of the line that does not fit, as it says itself; 0: it says none */
    audit_fault_t fault; /* the first; it stays */
} audit_chain_t;

audit_chain_t audit_chain_begin(arena_t *scratch, const audit_head_t *expect);
/** The next lines are those of another file, which continues the one before. */
void audit_chain_next_file(audit_chain_t *c);
/** Checks one line with its newline (without: it is torn). RC_MEMORY says nothing about the line;
 *  whether it fits stands in c->fault. */
rc_t audit_chain_line(audit_chain_t *c, str_t line) MUST_USE;
/** After the last line: whether what was expected came, and whether enough of it is signed. */
void audit_chain_end(audit_chain_t *c);

/** Reads 64 hexadecimal digits. */
bool audit_hash_parse(str_t hex, uint8_t out[SHA256_BYTES]);
/** Reads "SEQ:HASH" (decimal, 64 hexadecimal digits). */
bool audit_head_parse(str_t text, audit_head_t *out);
/** Writes it. */
void audit_head_write(buf_t *b, const audit_head_t *head);

#endif
