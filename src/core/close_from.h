/* What a process that was forked must not keep of who forked it. */
#ifndef CORE_CLOSE_FROM_H
#define CORE_CLOSE_FROM_H

#include <stdbool.h>

/** Closes all descriptors from `first` on; also where the kernel has no close_range (before Linux
 *  5.9) or a filter of system calls refuses it. Calls nothing but what a child may call that was
 *  forked beside other threads (signal-safety(7)); descriptors of other threads of the same process
 *  would be closed, too. False: some may be open still. */
bool close_from(int first);

#endif
