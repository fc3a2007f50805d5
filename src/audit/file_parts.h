/* What the parts of file.h need of each other: file.c, file_mend.c, file_move.c. Internal to the
 * room. */
#ifndef AUDIT_FILE_PARTS_H
#define AUDIT_FILE_PARTS_H

#include "audit/file.h"

/* ---- file.c ---- */

/** Never waits: a process that hangs with the lock must not hang the threads of this one. RC_BUSY;
 *  RC_IO: errno. */
rc_t audit_file_take_lock(int fd) MUST_USE;
/** Sees what other processes wrote since. Nothing is read while nobody did. Locked. RC_MALFORMED:
 *  the end is none of a trail; RC_IO, RC_MEMORY. */
rc_t audit_file_catch_up(audit_file_t *f) MUST_USE;

/* ---- file_mend.c ---- */

/** Logs `msg` with the file and the number of its last line. */
void audit_file_say(const audit_file_t *f, log_level_t level, str_t msg);
/** Logs errno, and leaves it: RC_IO. The same failure is told once a second: a full disk must not
 *  fill the log too. */
rc_t audit_file_fail(audit_file_t *f, const char *what);
/** Finds the last whole line of the file of `size` bytes, and mends what stands behind it: puts it
 *  aside or cuts it off. Locked. RC_MALFORMED: it is left as it is; RC_IO, RC_MEMORY. */
rc_t audit_file_read_tail(audit_file_t *f, off_t size, audit_end_t *end) MUST_USE;

/* ---- file_move.c ---- */

/** Where nothing is at the path yet, the chain may go on from the file that was renamed last, by us
 *  or by the usual name of rotated files; this process need not have had it open. RC_NOT_FOUND: it
 *  does not. RC_BUSY must not pass for that: somebody is about to begin the new file. */
rc_t audit_file_move_to_rotated(audit_file_t *f) MUST_USE;
/** What most locks find, by one look: our file is at its path, and as long as we left it. */
bool audit_file_is_as_left(const audit_file_t *f);
/** Moves on, file by file, until the one in use is at the path; it is locked then. */
rc_t audit_file_follow_rename(audit_file_t *f) MUST_USE;

#endif
