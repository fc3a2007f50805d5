/* Faults on order: SQLite's allocator and its file system, of which the n-th call fails. */
#ifndef STORE_SQLITE_TEST_FAULT_H
#define STORE_SQLITE_TEST_FAULT_H

#include <stdbool.h>

typedef enum {
    FAULT_MEMORY, /* an allocation */
    FAULT_OPEN,   /* opening a file */
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FULL, /* a write, and all after it: the disk is full */
    FAULT_SYNC,
    FAULT_TRUNCATE,
    FAULT_SHARED, /* mapping the shared index of the log */
    FAULT_COUNT
} fault_t;

/** Once, before SQLite is used. False: SQLite took it not. */
bool fault_install(void);
/** The call number `n` (from 0) of this kind fails from now on: once, or FAULT_FULL lastingly. */
void fault_arm(fault_t fault, int n);
/** No more faults. Whether it struck. */
bool fault_disarm(void);
/** Writes to a write-ahead log since it was synced last; syncs of one in all. */
int fault_unsynced(void);
int fault_syncs(void);

#endif
