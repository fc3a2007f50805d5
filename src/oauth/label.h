/* Names and texts that strangers register, made fit to be shown to people. */
#ifndef OAUTH_LABEL_H
#define OAUTH_LABEL_H

#include "core/arena.h"

/** UTF-8 text without characters that hide, reorder or break a line, trimmed, and cut at a whole
 *  character to at most `max` bytes. In the arena; unset when nothing is left. RC_MEMORY. */
rc_t oauth_label_clean(arena_t *a, str_t text, size_t max, str_t *out) MUST_USE;

#endif
