/* Numbers from text, checked: the whole slice, decimal, in range, or nothing. */
#ifndef CORE_NUM_H
#define CORE_NUM_H

#include "core/rc.h"
#include "core/str.h"

/** Digits only (leading zeros allowed up to 20 digits), at most `max`. */
bool num_u64(str_t s, uint64_t max, uint64_t *out);
/** Optional '-', digits, within [min, max]. */
bool num_i64(str_t s, int64_t min, int64_t max, int64_t *out);
/** A finite decimal with optional fraction and exponent (JSON's number grammar), of at most 127
 *  bytes. Too small for a double is 0. */
bool num_f64(str_t s, double *out);

#endif
