/* Files that people write: settings, catalogues, key sets. */
#ifndef CMD_TEXT_FILE_H
#define CMD_TEXT_FILE_H

#include "core/arena.h"

#include <stdio.h>

/** The bytes of a file in the arena: at most `max`, and one more where there are more, so that who
 *  reads its format sees that it is too long. `path` NULL is RC_MEMORY: it could not be made.
 * RC_IO: errno says why. */
rc_t text_file_read(arena_t *a, const char *path, size_t max, str_t *out) MUST_USE;
/** The same of what is open: of standard input, which may be a socket and have no path to open. */
rc_t text_stream_read(arena_t *a, FILE *f, size_t max, str_t *out) MUST_USE;

#endif
