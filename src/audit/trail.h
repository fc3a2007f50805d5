/* The trail of one process, for all its threads: lines in, syncs beside. Internal to the room. */
#ifndef AUDIT_TRAIL_H
#define AUDIT_TRAIL_H

#include "audit/file.h"
#include "core/ports.h"

#include <pthread.h>

typedef struct {
    pthread_mutex_t lock; /* of all below; never held during a sync */
    audit_file_t file;
    char *batch; /* owned: lines on their way to one write */
    size_t batch_bytes;
} audit_trail_t;

/** Opens the file (audit_file_open). `path` and `log` are borrowed. */
rc_t audit_trail_open(audit_trail_t *t, const char *path, const log_t *log, arena_t *a,
                      str_t *why) MUST_USE;
void audit_trail_close(audit_trail_t *t);
/** Makes lines of bodies (audit_body_write), in their order, and appends them by one write. All of
 *  them are in the file, or none is: RC_IO, RC_MEMORY. Any thread. */
rc_t audit_trail_write(audit_trail_t *t, const str_t *bodies, size_t n) MUST_USE;
/** All lines written before the call are on the disk after it. RC_IO: the trail is broken. One
 *  thread alone may call; writers do not wait for it. */
rc_t audit_trail_sync(audit_trail_t *t) MUST_USE;
audit_head_t audit_trail_head(audit_trail_t *t);

#endif
