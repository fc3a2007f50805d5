/* Files of keys that may be root's alone: opened before root becomes another (run_as), read by that
 * one. */
#ifndef CMD_BEFOREHAND_H
#define CMD_BEFOREHAND_H

#include "cmd/settings.h"

typedef enum {
    BEFOREHAND_KEY,       /* of setting key_file */
    BEFOREHAND_AUDIT_KEY, /* of setting audit_key_file */
    BEFOREHAND_COUNT,
} beforehand_t;

/** Opens what the settings name, where root is to become another; else nothing. What is wrong with
 * a file says who reads it. */
void beforehand_open(arena_t *a, const settings_t *s);
/** The descriptor, which stays this room's; -1: it was not opened. */
int beforehand_fd(beforehand_t which);
/** It is at another descriptor now. */
void beforehand_moved(beforehand_t which, int to);
/** Closes it; fine where it was not opened. */
void beforehand_shut(beforehand_t which);
void beforehand_shut_all(void);

#endif
