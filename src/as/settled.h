/* The time by which things may be deleted, where the clock of the day jumps. A clock that ran ahead
 * for a moment would delete codes, tokens and the names of what was spent that are good, or good
 * again, once it is right. Pure. */
#ifndef AS_SETTLED_H
#define AS_SETTLED_H

#include <stdint.h>

enum {
    AS_SETTLED_DRIFT_MS = 5000,   /* between two looks; what is slewed is no jump */
    AS_SETTLED_AFTER_MS = 3600000 /* a clock that jumped ahead is believed when it stood so long */
};

/** Zeros: nothing was seen yet. */
typedef struct {
    int64_t wall_ms, mono_ms; /* of the last look at which the clock was believed */
    int64_t ahead_since_ms;   /* monotonic; 0: it is not ahead */
} as_settled_t;

/** Unix time in ms: that of `wall_ms`, or, where that has jumped ahead, what it would be without.
 *  Never later than `wall_ms`; a clock that goes back is followed at once, and so is the first. */
int64_t as_settled_now(as_settled_t *s, int64_t wall_ms, int64_t mono_ms);

#endif
