/* Words of strangers, made fit for a terminal, a log or a page of plain text. */
#ifndef CLIENT_PLAIN_H
#define CLIENT_PLAIN_H

#include "core/arena.h"

/** UTF-8 without control characters (C0, C1, DEL: escape sequences die), bidirectional and other
 *  invisible marks; line ends become spaces; bad UTF-8 becomes '?'. Cut at a whole character to at
 *  most `max` bytes, with "…" where something is missing. Never unset but without memory. */
str_t client_plain(arena_t *a, str_t text, size_t max);

#endif
