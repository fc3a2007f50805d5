/* The strings of the JSON reader. */
#ifndef CORE_JSON_STRING_H
#define CORE_JSON_STRING_H

#include "core/arena.h"

/** Reads the string whose opening quote *p stands on; *p moves behind its closing quote. *out
 *  borrows the input, or lives in `a` where there was an escape. RC_MALFORMED, RC_MEMORY. */
rc_t json_string_read(arena_t *a, const char **p, const char *end, str_t *out) MUST_USE;

#endif
