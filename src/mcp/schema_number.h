/* JSON numbers as the decimals they are written as: exact, whatever a double could hold. Pure. */
#ifndef MCP_SCHEMA_NUMBER_H
#define MCP_SCHEMA_NUMBER_H

#include "core/rc.h"
#include "core/str.h"

/** sign × DIGITS × 10^low, where DIGITS ends and begins with another digit than 0. */
typedef struct {
    bool negative;
    str_t digits; /* borrowed from the text; a '.' within is no digit; empty: zero */
    size_t n;     /* digits in it */
    int64_t low;  /* power of ten of the last digit */
    int64_t high; /* of the first */
} schema_number_t;

enum { SCHEMA_DIVISOR_DIGITS = 18 }; /* they fit in 64 bits, and their product in 128 */

/** Reads the text of a JSON number (which it must be). Exponents beyond 10^15 count as that. */
schema_number_t schema_number(str_t raw);
/** <0, 0, >0 by value. */
int schema_number_cmp(const schema_number_t *x, const schema_number_t *y);
bool schema_number_is_integer(const schema_number_t *x);
/** An integer of at least 0; what is larger than 64 bits hold is UINT64_MAX. False: it is none. */
bool schema_number_count(const schema_number_t *x, uint64_t *out);
/** Whether x / divisor is an integer. `divisor` is above 0, of at most SCHEMA_DIVISOR_DIGITS. */
bool schema_number_divides(const schema_number_t *x, const schema_number_t *divisor);
/** The same for equal values. */
uint64_t schema_number_hash(const schema_number_t *x);

#endif
