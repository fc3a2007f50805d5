/* The gate before a database: whoever opens it passes, and whoever puts another file in its place
 * keeps it shut. A lock on the database itself would not do: who waits for that has the old file
 * open, and SQLite finds the log beside it by name, so what it then wrote would be played over the
 * new one. So the lock is on a file that never moves, PATH-lock, empty and the owner's alone. It is
 * never removed while anybody may open the database. Internal to the driver. */
#ifndef STORE_SQLITE_GATE_H
#define STORE_SQLITE_GATE_H

#include "core/arena.h"

typedef enum {
    SQLITE_GATE_PASS, /* beside others that open the database */
    SQLITE_GATE_SHUT, /* alone */
    SQLITE_GATE_LOOK, /* alone, to look at who has the database open */
} sqlite_gate_way_t;

typedef struct {
    int fd; /* -1: not taken */
} sqlite_gate_t;

enum {
    SQLITE_GATE_WAIT_MS = 10000, /* a restore of many records takes seconds */
    /* For those who have it open and end by themselves, as commands do; others wait before the gate
     * meanwhile. */
    SQLITE_ALONE_WAIT_MS = 2000,
};

/** Takes the gate of the database `path`, waiting at most `wait_ms`. RC_BUSY: another has it. In a
 *  folder where this user may make no file nobody replaces one either: passing and looking there
 *  takes nothing and is RC_OK. Any failure: *why is one sentence with the mend, in `a`. */
rc_t sqlite_gate_take(sqlite_gate_t *gate, arena_t *a, const char *path, sqlite_gate_way_t way,
                      int64_t wait_ms, str_t *why) MUST_USE;
/** Gives it back; fine where nothing was taken. */
void sqlite_gate_leave(sqlite_gate_t *gate);

/** Another process that has a lock on the file at `path`: "process 4711 (warder)", in `a`; unset:
 *  there is none, or nobody can tell. */
str_t sqlite_lock_holder(arena_t *a, const char *path);
/** Likewise who has the gate of the database `path`. */
str_t sqlite_gate_holder(arena_t *a, const char *path);

#endif
