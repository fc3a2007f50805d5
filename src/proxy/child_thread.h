/* The life of a keeper's thread. */
#ifndef PROXY_CHILD_THREAD_H
#define PROXY_CHILD_THREAD_H

#include "core/rc.h"

struct child_keeper;

/** RC_IO: no loop or thread; nothing is left then. */
rc_t child_thread_start(struct child_keeper *k) MUST_USE;
/** Ends all children, then the thread, and frees the keeper. Where workers go on (settings were
 *  replaced) nobody waits for the children: it returns as soon as nothing borrowed is used any
 * more. Else it waits for all. */
void child_thread_stop(struct child_keeper *k);
/** After the thread, or where it never ran. */
void child_keeper_free(struct child_keeper *k);

#endif
