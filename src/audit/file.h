/* The file under the trail: one lock for each batch, shared with other processes; finds its end
 * again when somebody else wrote or the file was renamed away. Calls one at a time, but for the
 * sync. Internal to the room. */
#ifndef AUDIT_FILE_H
#define AUDIT_FILE_H

#include "audit/ends.h"
#include "core/log.h"

#include <sys/types.h>
#include <time.h>

/* The three calls that can fail when a disk is full or broken; doubled in tests. */
typedef struct {
    ssize_t (*write)(int fd, const void *p, size_t n);
    int (*sync)(int fd);
    int (*truncate)(int fd, off_t size);
} audit_disk_t;

extern const audit_disk_t AUDIT_DISK; /* write(2), fdatasync(2), ftruncate(2) */

enum {
    AUDIT_RENAMES_MAX =
        8, /* in the middle of one lock, or between two syncs; more is no rotation */
    AUDIT_LEFT_MAX = 2 * AUDIT_RENAMES_MAX,
};

/** What must still reach the disk, in this order: files that were left for a newer one and folders
 *  whose entries changed, which the set owns; then the file in use. */
typedef struct {
    struct {
        int fd;
        bool is_folder;
    } left[AUDIT_LEFT_MAX];
    size_t n;
    int current; /* borrowed from the file: only the next call of audit_file_unsynced may end it */
} audit_unsynced_t;

typedef struct {
    const char *path; /* borrowed */
    const log_t *log; /* borrowed */
    const audit_disk_t *disk;
    arena_t *scratch; /* owned */
    int fd;
    dev_t dev;
    ino_t ino;
    off_t size;         /* where the last line known to be good ends */
    audit_head_t head;  /* of that line */
    bool at_checkpoint; /* that line is one */
    audit_name_t chain;
    int64_t began_ms;   /* of the first line; Unix time; 0: there is none */
    bool broken;        /* leftovers of a failed write could not be removed, or a sync failed */
    bool mends;         /* nobody was told of what stands behind a hole: set while it is opened */
    bool mends_signed;  /* likewise where a checkpoint stands there; set by the caller */
    bool is_cut_signed; /* that is what it was not opened for */
    audit_unsynced_t unsynced;
    const char *said; /* what was logged last as failed, and when; seconds */
    time_t said_at;
} audit_file_t;

/** Opens or makes the file (mode 0600) and finds its end. RC_CONFIG, RC_IO, RC_MEMORY: *why is a
 *  sentence in `a`. f->path and f->log are set by the caller, disk may be. */
rc_t audit_file_open(audit_file_t *f, arena_t *a, str_t *why) MUST_USE;
void audit_file_close(audit_file_t *f);
/** As long as a write takes. */
void audit_lock_pause(void);
/** Takes the lock of all writers and makes sure that f->head is the end of the chain: other
 *  processes' lines are seen, a torn line is cut off, a renamed file is left for the new one.
 *  RC_BUSY: another process has the lock; come back after audit_lock_pause. Failure: not locked,
 *  nothing may be written. */
rc_t audit_file_lock(audit_file_t *f) MUST_USE;
/** Writes whole lines that follow f->head by one write; `head` is that of their last. They are in
 *  the file, and stay when the process ends; on the disk they are after a sync. RC_IO: nothing of
 *  them is left in the file, or f->broken. Locked. */
rc_t audit_file_write(audit_file_t *f, str_t lines, const audit_head_t *head) MUST_USE;
/** Renames the file to `to`, which must not be there, and goes on in a new one, which is locked
 *  then. RC_IO, RC_BUSY: it was not renamed, or the next lock finds the new one. Locked. */
rc_t audit_file_rotate(audit_file_t *f, const char *to) MUST_USE;
void audit_file_unlock(audit_file_t *f);
/** Hands over what must reach the disk so that all lines written so far are durable. One set at a
 *  time: the one before must have been synced. Needs no flock. */
audit_unsynced_t audit_file_unsynced(audit_file_t *f);
/** Syncs and ends the set; writers go on meanwhile. RC_IO: nobody can tell what is on the disk (a
 *  second sync may succeed although the bytes are lost): call audit_file_break. */
rc_t audit_unsynced_sync(const audit_disk_t *disk, audit_unsynced_t *set) MUST_USE;
/** Nothing more is recorded until a restart. */
void audit_file_break(audit_file_t *f, const char *what);

#endif
