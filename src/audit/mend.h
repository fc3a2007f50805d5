/* What a mend put aside (hole.h), and the line of the trail that says so. The bytes lie in
 * FILE.lost until that line is on the disk, then under a name with the front of their hash.
 * Internal to the room. */
#ifndef AUDIT_MEND_H
#define AUDIT_MEND_H

#include "audit/chain.h"

enum { AUDIT_MEND_FILE_BYTES = 256 };

typedef struct {
    str_t file; /* its name without folder, once the line is there */
    int64_t bytes;
    uint8_t hash[SHA256_BYTES]; /* of all of them */
    int64_t signed_seq;         /* of the last checkpoint among them; 0: there is none */
} audit_mend_t;

/** What waits at `lost` (FILE.lost) for its line. RC_NOT_FOUND: nothing.
 *  RC_IO: errno says why. */
rc_t audit_mend_find(arena_t *a, const char *lost, audit_mend_t *out) MUST_USE;
/** The members of its line (audit_body_write). `b` must be empty. */
rc_t audit_mend_body(buf_t *b, const audit_mend_t *m, str_t time, str_t *out) MUST_USE;
/** False: it is not the line of a mend. */
bool audit_mend_read(const audit_record_t *r, audit_mend_t *out);

#endif
