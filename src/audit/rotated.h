/* Files of the trail that were rotated by us, by their names: PATH.TIME.SEQ, with the time of the
 * rotation and the number of the last line. */
#ifndef AUDIT_ROTATED_H
#define AUDIT_ROTATED_H

#include "core/arena.h"
#include "core/buf.h"

typedef struct {
    const char *path; /* in the arena of who listed it */
    int64_t closed_ms;
    uint64_t seq;
} audit_rotated_t;

/** Writes ".20251125T150502Z.1042". */
void audit_rotated_suffix(buf_t *b, int64_t now_ms, uint64_t seq);
/** Reads a name in the folder of a trail whose own name there is `base`. False: it is none. */
bool audit_rotated_parse(str_t base, str_t name, audit_rotated_t *out);
/** The files of the trail at `path`, oldest first, in the arena. A folder that is not there has
 *  none. RC_IO, RC_LIMIT (LIMIT_AUDIT_FILES), RC_MEMORY. */
rc_t audit_rotated_list(arena_t *a, const char *path, audit_rotated_t **out, size_t *n) MUST_USE;
/** The path of the one with the greatest number, if that is at least `least`. */
bool audit_rotated_newest(const char *path, uint64_t least, char *out, size_t size);

#endif
