/* What the link brings on its thread, until the bridge's own takes it. Bounded: whoever brings more
 * waits, and so does the server. */
#ifndef BRIDGE_INBOX_H
#define BRIDGE_INBOX_H

#include "bridge/talk.h"

typedef struct bridge_inbox bridge_inbox_t;

/** `max` bytes may wait. RC_MEMORY, RC_IO. */
rc_t bridge_inbox_new(size_t max, bridge_inbox_t **out) MUST_USE;
/** Once nobody puts. NULL is fine. */
void bridge_inbox_free(bridge_inbox_t *b);
/** Copies the fact. Waits while it is full, unless it is closed or `hurries`. False: it is closed,
 * or no memory. Any thread. */
bool bridge_inbox_put(bridge_inbox_t *b, const talk_fact_t *fact, bool hurries);
/** The oldest one; freed with bridge_inbox_done before the next is taken. NULL: nothing is there.
 */
const talk_fact_t *bridge_inbox_take(bridge_inbox_t *b);
void bridge_inbox_done(bridge_inbox_t *b);
/** Nobody waits any more, and what comes is lost. Any thread. */
void bridge_inbox_close(bridge_inbox_t *b);
/** Readable while something waits. */
int bridge_inbox_fd(const bridge_inbox_t *b);

#endif
