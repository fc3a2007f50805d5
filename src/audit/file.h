/* The file under the trail: one lock for each batch, shared with other processes; finds its end
 * again when somebody else wrote or the file was renamed away. One thread. Internal to the room. */
#ifndef AUDIT_FILE_H
#define AUDIT_FILE_H

#include "audit/line.h"
#include "core/log.h"

#include <sys/types.h>

/* The three calls that can fail when a disk is full or broken; doubled in tests. */
typedef struct {
    ssize_t (*write)(int fd, const void *p, size_t n);
    int (*sync)(int fd);
    int (*truncate)(int fd, off_t size);
} audit_disk_t;

extern const audit_disk_t AUDIT_DISK; /* write(2), fdatasync(2), ftruncate(2) */

typedef struct {
    const char *path; /* borrowed */
    const log_t *log; /* borrowed */
    const audit_disk_t *disk;
    arena_t *scratch; /* owned */
    int fd;
    dev_t dev;
    ino_t ino;
    off_t size;        /* where the last line known to be good ends */
    audit_head_t head; /* of that line */
    bool broken;       /* leftovers of a failed write could not be removed */
} audit_file_t;

/** Opens or makes the file (mode 0600) and finds its end. RC_CONFIG, RC_IO, RC_MEMORY: *why is a
 *  sentence in `a`. f->path and f->log are set by the caller, disk may be. */
rc_t audit_file_open(audit_file_t *f, arena_t *a, str_t *why) MUST_USE;
void audit_file_close(audit_file_t *f);
/** Takes the lock of all writers and makes sure that f->head is the end of the chain: other
 *  processes' lines are seen, a torn line is cut off, a renamed file is left for the new one.
 *  Failure: not locked, nothing may be written. */
rc_t audit_file_lock(audit_file_t *f) MUST_USE;
/** Writes whole lines that follow f->head and makes them durable; `head` is that of their last.
 *  RC_IO: nothing of them is left in the file, or f->broken. Locked. */
rc_t audit_file_write(audit_file_t *f, str_t lines, const audit_head_t *head) MUST_USE;
void audit_file_unlock(audit_file_t *f);

#endif
