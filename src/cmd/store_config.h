/* The store as the settings want it. */
#ifndef CMD_STORE_CONFIG_H
#define CMD_STORE_CONFIG_H

#include "cmd/settings.h"
#include "store/store.h"

/** Fills *out, with the password of postgres_password_file where store is postgres; all of it lives
 *  as long as the settings and the arena. 0, or an exit code after saying why. */
int store_config_make(arena_t *a, const settings_t *s, const log_t *log, store_config_t *out);
/** Opens it. The same. */
int store_config_open(arena_t *a, const settings_t *s, const log_t *log, store_t **out);

#endif
