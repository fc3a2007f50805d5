/* Characters that are not what a reader sees: a terminal may act on them, or show nothing, or turn
 * round what stands beside them. */
#ifndef CORE_UNFIT_H
#define CORE_UNFIT_H

#include "core/buf.h"

/** The character that `text`, well-formed UTF-8 and not empty, begins with; its bytes in *n. */
uint32_t unfit_first(str_t text, size_t *n);
/** Whether a character is a control, hides, reorders or breaks a line. */
bool unfit_is(uint32_t c);
/** The character as an escape of JSON, two beyond the first plane (RFC 8259 section 7). */
void unfit_escape(buf_t *b, uint32_t c);

#endif
