/* What a loss of power may leave at the end of a file: of the lines that were not synced yet some
 * blocks were written and others read as zeros, so that whole lines may stand behind a hole. Nobody
 * was told that they stood. Internal to the room. */
#ifndef AUDIT_HOLE_H
#define AUDIT_HOLE_H

#include "audit/ends.h"

enum { AUDIT_HOLE_BYTES = 8 << 20 /* more does not wait for a sync */ };

/** Where the first line begins, among the last AUDIT_HOLE_BYTES of the file, that has a zero in it
 *  and whole lines behind it; `size`: there is none, or what stands before it is none of a trail.
 */
rc_t audit_hole_find(int fd, off_t size, arena_t *scratch, off_t *at) MUST_USE;
/** The number of the last checkpoint among the whole lines from `at` to `size`: what is before it
 * is signed. 0: there is none. Signatures are not checked. */
rc_t audit_hole_checkpoint(int fd, off_t at, off_t size, arena_t *scratch, uint64_t *seq) MUST_USE;
/** Appends the bytes from `at` to `size` to the file `to`, which is made (mode 0600) where it is
 *  missing; they are on the disk then. */
rc_t audit_hole_keep(int fd, off_t at, off_t size, const char *to) MUST_USE;

#endif
