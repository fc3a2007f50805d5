/* Arguments of a call as they may stand in the audit trail: by opt-in, and without the values that
 * the settings name. Pure. */
#ifndef GATE_REDACT_H
#define GATE_REDACT_H

#include "core/json.h"

/**
 * Writes `arguments` with "[redacted]" in the place of every value that one of `paths` leads to:
 * names of members and indices of lists with dots between them, `*` for any of them
 * ("cards.*.number"). What a path names is redacted with all that it holds. In `a`, at most `max`
 * bytes. RC_LIMIT, RC_MEMORY.
 */
rc_t gate_redact(arena_t *a, const json_t *arguments, str_list_t paths, size_t max,
                 str_t *out) MUST_USE;

#endif
