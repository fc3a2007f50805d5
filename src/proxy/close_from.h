/* What a process that was forked must not keep of who forked it. */
#ifndef PROXY_CLOSE_FROM_H
#define PROXY_CLOSE_FROM_H

#include <stdbool.h>

/** Closes all descriptors from `first` on; also where the kernel has no close_range (before Linux
 *  5.9) or a filter of system calls refuses it. For a process with one thread. False: some may be
 *  open still. */
bool close_from(int first);

#endif
