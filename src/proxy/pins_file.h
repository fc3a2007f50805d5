/* pins.json and its lock: read and written whole, under a lock that server and command share. */
#ifndef PROXY_PINS_FILE_H
#define PROXY_PINS_FILE_H

#include <sys/types.h>
#include <time.h>

#include "gate/pin.h"

/** Which file was read or written last: another one differs in at least one of these. All zero:
 * there was none. */
typedef struct {
    ino_t inode;
    off_t size;
    struct timespec changed;
} pins_stamp_t;

/** Not locked: its owner is. */
typedef struct {
    int folder, lock; /* descriptors, -1: none */
    pins_stamp_t stamp;
} pins_file_t;

/** RC_IO: the folder, or the lock in it, cannot be opened; close it all the same. */
rc_t pins_file_open(pins_file_t *f, const char *folder) MUST_USE;
void pins_file_close(pins_file_t *f);
/** Takes the lock of all processes; tries so often, 10 ms apart. */
bool pins_file_lock(pins_file_t *f, unsigned tries);
void pins_file_unlock(pins_file_t *f);
/** Whether somebody else has written it since. */
bool pins_file_is_changed(const pins_file_t *f);
/** No file is no pins. RC_IO, RC_MALFORMED, RC_LIMIT, RC_MEMORY; the stamp is then as before. */
rc_t pins_file_read(pins_file_t *f, arena_t *a, gate_pins_t *out) MUST_USE;
/** Mode 0600; durable when it returns RC_OK. */
rc_t pins_file_write(pins_file_t *f, const gate_pins_t *pins) MUST_USE;

#endif
