/* Patterns of names: `*` stands for any run of characters, also none, `?` for one character (a code
 * point); every other byte stands for itself. There is no way to escape: a pattern without both is
 * a name, compared byte for byte. No answer takes more than pattern times text steps, whoever wrote
 * the text. Any thread. */
#ifndef CORE_GLOB_H
#define CORE_GLOB_H

#include "core/str.h"

enum { GLOB_BYTES = 256 }; /* of a pattern; longer ones fit nothing */

/** Whether it has `*` or `?`. */
bool glob_is_pattern(str_t s);
/** Whether the whole text fits. */
bool glob_fits(str_t pattern, str_t text);
/** Whether every text that `narrow` fits fits `wide`, too. False also where it cannot tell ("?*"
 * and
 *  "*?" say the same). `narrow` may be of any length. */
bool glob_covers(str_t wide, str_t narrow);
/** Whether some text fits both. `other` may be of any length. */
bool glob_meets(str_t pattern, str_t other);

#endif
