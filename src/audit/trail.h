/* The trail of one process, for all its threads: lines in, syncs beside. Internal to the room. */
#ifndef AUDIT_TRAIL_H
#define AUDIT_TRAIL_H

#include "audit/checkpoint.h"
#include "audit/file.h"
#include "core/ports.h"

#include <pthread.h>

/** Borrowed for the life of the trail. */
typedef struct {
    const char *path;
    const log_t *log;
    clock_port_t clock;
    const audit_signer_t *signer;           /* NULL: no checkpoints are written */
    int64_t rotate_bytes, rotate_s, keep_s; /* 0: never */
    str_t node;                             /* in each line; unset: none */
    bool mends_signed; /* what a checkpoint signs may be put aside behind a hole (hole.h) */
} audit_trail_config_t;

typedef struct {
    audit_trail_config_t config;
    pthread_mutex_t lock; /* of all below; held during a sync only by what must not be overtaken */
    audit_file_t file;
    char *batch; /* owned: lines on their way to one write */
    size_t batch_bytes;
    uint64_t checkpoints; /* written since the start */
    ino_t synced_ino;     /* the file that the last sync reached, */
    off_t synced;         /* and how much of it at least */
} audit_trail_t;

enum { AUDIT_WAIT_EVER = -1 };

/** Opens the file (audit_file_open), and records what that put aside. */
rc_t audit_trail_open(audit_trail_t *t, const audit_trail_config_t *config, arena_t *a,
                      str_t *why) MUST_USE;
void audit_trail_close(audit_trail_t *t);
/** trail_mend.c, part of the above: the line of what was put aside, and the name that it says, by
 *  one of those who start together. A crash in between leaves it to the next start, as does a file
 *  that cannot be read, which is logged. */
rc_t audit_trail_record_mend(audit_trail_t *t, arena_t *a) MUST_USE;
/** Makes lines of bodies (audit_body_write), in their order, and appends them by one write. All of
 *  them are in the file, or none is: RC_IO, RC_MEMORY, RC_BUSY (another process had the lock for
 *  `wait_ms`; AUDIT_WAIT_EVER: waits as long as it takes). The first lines of a file that continues
 * a chain follow a checkpoint. Any thread. */
rc_t audit_trail_write(audit_trail_t *t, const str_t *bodies, size_t n, int64_t wait_ms) MUST_USE;
/** The steps of the above: both locks, with room for lines of `bytes`; the lines, locked. RC_BUSY,
 *  RC_IO, RC_MEMORY: not locked. */
rc_t audit_trail_take(audit_trail_t *t, size_t bytes, int64_t wait_ms) MUST_USE;
rc_t audit_trail_append(audit_trail_t *t, const str_t *bodies, size_t n) MUST_USE;
void audit_trail_give(audit_trail_t *t);
/** All lines written before the call are on the disk after it. RC_IO: the trail is broken. One
 *  thread alone may call; writers do not wait for it. */
rc_t audit_trail_sync(audit_trail_t *t) MUST_USE;
/** The same with both locks held, where nothing may be written in between. */
rc_t audit_trail_sync_locked(audit_trail_t *t) MUST_USE;
/** Writes a checkpoint, once all that it signs is on the disk: no loss of power leaves zeros in
 *  front of one. RC_NOT_FOUND: the last line is one, or there is no line. RC_BUSY, as the next two.
 *  The thread that syncs. */
rc_t audit_trail_checkpoint(audit_trail_t *t) MUST_USE;
/** Begins a new file if this one is too large or too old: a checkpoint ends the old one, and
 * another begins the new one. The thread that syncs, and any number of processes: one of them does
 * it. */
rc_t audit_trail_rotate(audit_trail_t *t) MUST_USE;
/** Deletes rotated files whose time is over, once the lines that name them are on the disk. The
 *  thread that syncs. */
rc_t audit_trail_expire(audit_trail_t *t) MUST_USE;
audit_head_t audit_trail_head(audit_trail_t *t);
uint64_t audit_trail_checkpoints(audit_trail_t *t);

#endif
