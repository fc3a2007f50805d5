/* What the drivers of keep.h share: names, sizes, sorted lists, times. */
#ifndef TOKENS_KEEP_PARTS_H
#define TOKENS_KEEP_PARTS_H

#include "tokens/keep.h"

/** Whether `name` is [0-9a-z-]+ and no longer than TOKENS_NAME_BYTES: such a name is never a path.
 */
bool tokens_name_is_good(str_t name);
/** RC_MALFORMED for a bad name, with *why; else RC_OK and *why unset. */
rc_t tokens_name_check(str_t name, str_t *why) MUST_USE;
/** tokens_name_check, and RC_LIMIT for a text longer than TOKENS_KEEP_BYTES. */
rc_t tokens_entry_check(str_t name, secret_t text, str_t *why) MUST_USE;
/** Sorts n names by their bytes. */
void tokens_names_sort(str_t *v, size_t n);
/** A wait within [0, a day], so that no sum of times overflows. */
int64_t tokens_wait_clamp(int64_t wait_ms);

#endif
