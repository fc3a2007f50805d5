/* What a loss of power may leave at the end of a file: of the lines that were not synced yet some
 * blocks were written and others read as zeros, so that whole lines may stand behind a hole, or
 * zeros up to the end. Nobody was told that they stood. Internal to the room. */
#ifndef AUDIT_HOLE_H
#define AUDIT_HOLE_H

#include "audit/ends.h"

enum { AUDIT_HOLE_BYTES = 8 << 20 /* more does not wait for a sync */ };

/** Where the first line begins, among the last AUDIT_HOLE_BYTES of the file, that has a zero in it,
 *  whether lines stand behind it or not; `size`: there is none, or what stands there or before it
 * is none of a trail. */
rc_t audit_hole_find(int fd, off_t size, arena_t *scratch, off_t *at) MUST_USE;
/** The number of the last checkpoint that begins behind the first line of the bytes from `at` to
 *  `size`: lines in front of it are signed. Its event alone tells it, so what is left of a damaged
 *  one counts, too; 1 at least, where its number is gone. 0: there is none. A damaged one right at
 *  `at` signs nothing of these bytes, and a loss of power may leave it. */
rc_t audit_hole_checkpoint(int fd, off_t at, off_t size, uint64_t *seq) MUST_USE;
/** Appends the bytes from `at` to `size` to the file `to`, which is made (mode 0600) where it is
 *  missing; they are on the disk then. */
rc_t audit_hole_keep(int fd, off_t at, off_t size, const char *to) MUST_USE;

#endif
