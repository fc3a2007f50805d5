/* Clients that registered themselves, and consents, that nobody uses any more: deleted in batches,
 * each with its line in the trail, by the node that cleans. */
#ifndef AS_FORGET_H
#define AS_FORGET_H

#include "as/as.h"

enum { AS_FORGET_BATCH = 100, AS_FORGET_PAUSE_MS = 100 };

/** Begins, unless it is under way or client_unused_lifetime is 0, and goes on while the lease of
 *  cleaning is held. `now` is in seconds. Only the first worker's thread. */
void as_forget_begin(as_worker_t *w, int64_t now);

#endif
