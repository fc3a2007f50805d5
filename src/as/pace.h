/* How fast what has expired is deleted: in batches that are short for whoever else writes, with
 * pauses between them, and faster only when that is not enough. Pure. */
#ifndef AS_PACE_H
#define AS_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one batch, in rows. */
enum { AS_PACE_LEAST = 50, AS_PACE_FIRST = 200, AS_PACE_MOST = 1000 };
/* Between two batches. A run of this many full ones is behind, and halves its pauses. */
enum { AS_PACE_PAUSE_MS = 100, AS_PACE_BEHIND = 50 };

/** One run of cleaning. */
typedef struct {
    uint32_t rows;    /* of the next batch, at most */
    int64_t pause_ms; /* before it */
    unsigned full;    /* batches that were full, one after the other */
} as_pace_t;

as_pace_t as_pace_begin(void);
/** After a batch that deleted so many rows and held up others for `held_ms`. False: nothing is
 * left, the run is over. A pause is never shorter than that, so that others have half of the time
 * at least. What the batch itself waited for does not count: a slow disk would make batches small,
 * and rows would end faster than they go. */
bool as_pace_next(as_pace_t *p, size_t deleted, int64_t held_ms);

#endif
