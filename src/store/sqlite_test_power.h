/* A disk that loses its power: SQLite's file system, which keeps apart what was synced and what was
 * only written. At a chosen change the power goes: from then on nothing is written any more, and of
 * what was not synced chance decides what survives, by sectors, in no order. */
#ifndef STORE_SQLITE_TEST_POWER_H
#define STORE_SQLITE_TEST_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Once, before SQLite is used. False: SQLite took it not. */
bool power_install(void);
/** Every database that is opened from now on lies on a new disk; the power goes at the change
 *  number `lose_at` (from 0: a write, a change of size, a sync, a deletion), or never (-1). Of
 *  `sync_fails` syncs one fails (0: none), and as systems do it forgets that the bytes are still to
 *  be written: a later sync that succeeds says nothing about them. Nothing may be open. */
void power_begin(uint64_t seed, int lose_at, uint32_t sync_fails);
/** Changes so far, or until the power went. */
int power_changes(void);
bool power_is_lost(void);
/** Puts the files that survived at `path` and beside it, as a database that lay at `was`, and ends
 *  the disk: what is opened from now on lies on the real one. Nothing may be open; asserts. */
void power_survive(const char *was, const char *path);
/** A number from 0 to n - 1 of the same chance that rules the disk. */
uint32_t power_chance(uint32_t n);

#endif
