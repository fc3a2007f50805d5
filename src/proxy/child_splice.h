/* One line of a child's standard streams: what was read, byte for byte, with a few values changed.
 * Pure. */
#ifndef PROXY_CHILD_SPLICE_H
#define PROXY_CHILD_SPLICE_H

#include "core/arena.h"

enum { CHILD_PATCHES_MAX = 3 };

/** `n` bytes from `at` become `with`. */
typedef struct {
    size_t at, n;
    str_t with;
} child_patch_t;

/** At most CHILD_PATCHES_MAX, in any order. */
typedef struct {
    child_patch_t v[CHILD_PATCHES_MAX];
    size_t n;
} child_patches_t;

/** Notes that `part`, a slice of `text`, becomes `with`; an unset part notes nothing. RC_MALFORMED:
 *  it is no slice of the text. */
rc_t child_patch(child_patches_t *patches, str_t text, str_t part, str_t with) MUST_USE;
/** The text with its patches, in `a`. Line ends become spaces: in JSON they can only stand between
 *  values (MCP 2025-11-25, Transports, stdio: no embedded newlines). RC_MALFORMED: patches overlap;
 *  RC_MEMORY. */
rc_t child_splice(arena_t *a, str_t text, const child_patches_t *patches, str_t *out) MUST_USE;

#endif
