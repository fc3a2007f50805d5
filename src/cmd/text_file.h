/* Files that people write: settings, catalogues, key sets. */
#ifndef CMD_TEXT_FILE_H
#define CMD_TEXT_FILE_H

#include "core/arena.h"

/** The bytes of a file in the arena: at most `max`, and one more where there are more, so that who
 *  reads its format sees that it is too long. `path` NULL is RC_MEMORY: it could not be made.
 * RC_IO: errno says why. */
rc_t text_file_read(arena_t *a, const char *path, size_t max, str_t *out) MUST_USE;

#endif
