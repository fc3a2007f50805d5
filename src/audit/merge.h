/* The trails of several nodes as one: each checked as a chain of its own, and their events in the
 * order of their time. Holds one line of each trail, however long they are. One thread. */
#ifndef AUDIT_MERGE_H
#define AUDIT_MERGE_H

#include "audit/chain.h"

/** Of one node. Borrowed. */
typedef struct {
    const char *path;   /* of the file in use, or the last one; those that were rotated stand
                         * beside it */
    str_t name;         /* of the node, for lines that bear none */
    const jwks_t *keys; /* of its checkpoints; NULL: signatures are not checked */
} audit_source_t;

typedef struct audit_merge audit_merge_t;

/** What comes next: a line, or in front of its place what is wrong with a trail. Lives until the
 *  next call. */
typedef struct {
    size_t source;
    str_t node;          /* that wrote it */
    str_t line;          /* with its newline; unset: a fault is told */
    audit_fault_t fault; /* AUDIT_FAULT_NONE with a line */
    const char *path; /* where the fault is: file, its line from 1 on, the number that was to come,
                       * and the one that stands there (0: none) */
    uint64_t at, due, found;
} audit_merged_t;

/** Opens the trails as they stand now. A failure is that of source *failed; errno says more.
 *  RC_NOT_FOUND, RC_IO, RC_LIMIT (rotated files), RC_MEMORY. */
rc_t audit_merge_open(const audit_source_t *v, size_t n, audit_merge_t **out,
                      size_t *failed) MUST_USE;
void audit_merge_close(audit_merge_t *m);
/** RC_NOT_FOUND: all was told. A trail goes on behind a fault, from the next line that can be
 *  trusted to be one; lines that are none are left out. */
rc_t audit_merge_next(audit_merge_t *m, audit_merged_t *out) MUST_USE;

#endif
