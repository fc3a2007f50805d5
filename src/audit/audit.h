/* The audit trail: one JSON object a line, each with the hash of the line before, durable before
 * the answer that it records goes out. Several processes may append to one file. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "core/arena.h"
#include "core/log.h"
#include "core/ports.h"
#include "model/audit_event.h"

typedef struct audit audit_t; /* one for the process; thread-safe */

typedef struct {
    str_t path;       /* made with mode 0600 where it is missing */
    const log_t *log; /* borrowed */
    clock_port_t clock;
    int64_t sync_ms; /* lines of audit_write are on the disk at most this much later; 0: 100 */
    const struct audit_signer *signer; /* of checkpoints (checkpoint.h); NULL: none are written */
    int64_t checkpoint_s;              /* between two of them; 0: 300 */
    int64_t rotate_bytes, rotate_s;    /* when a new file is begun; 0: never */
    int64_t keep_s;                    /* rotated files are deleted after that; 0: never */
    str_t node;        /* its name, in each line; borrowed; unset: it is the only one */
    bool mends_signed; /* at its start it may put aside what a checkpoint signs, where zeros stand
                          before it: else it is not opened */
    bool lenient;      /* what cannot be recorded is logged, counted, and answered all the same */
} audit_config_t;

/** On the thread of `back`; RC_OK: the line is on the disk (of a lenient trail: answer). Else it is
 *  not in the file, or nobody can tell (RC_IO): do not answer as if it were. */
typedef void (*audit_done_t)(void *ctx, rc_t rc);

/** Opens the file, mends a torn last line (a crash in the middle of a write; never acknowledged)
 *  and starts the one writing thread. RC_CONFIG, RC_IO, RC_MEMORY: *why is one sentence with the
 *  mend, in `a`. */
rc_t audit_open(arena_t *a, const audit_config_t *config, audit_t **out, str_t *why) MUST_USE;
/** Writes what waits, then ends. */
void audit_close(audit_t *t);
/** Records `e` (copied here) and calls done on the thread of `back`. All events that wait are
 *  written together, with one fdatasync. Any thread. RC_BUSY when too many wait. Without memory
 *  even for that (RC_MEMORY), done is called before this returns. */
void audit_append(audit_t *t, post_port_t back, const audit_event_t *e, audit_done_t done,
                  void *ctx);
/** Writes n events in their order by one write, on the calling thread: with RC_OK they are in the
 *  file, and on the disk at most sync_ms later. RC_IO: none of them is in the file, or the trail is
 *  broken; RC_MEMORY; RC_BUSY: another process held the file for LIMIT_AUDIT_LOCK_MS. Does not wait
 *  for a sync. Any thread. */
rc_t audit_write(audit_t *t, const audit_event_t *const *events, size_t n) MUST_USE;
/** Events and lines written, and failures, since the start, for metrics. Any thread. */
typedef struct {
    uint64_t events, failures, checkpoints;
} audit_counts_t;
audit_counts_t audit_counts(audit_t *t);

#endif
