/* What the spawner (proxy/child_spawner.h) may run: the commands of the settings, as its own
 * process reads them. */
#ifndef CMD_CHILDREN_H
#define CMD_CHILDREN_H

#include "cmd/settings.h"
#include "proxy/child_spawner.h"

#include <sys/stat.h>

/** Forks it. `settings` are as this process started; `rows` are read again, with the file, when a
 *  command is asked for that is not among what is known. `mask`: the umask of children. */
rc_t children_new(const option_t *rows, const settings_t *settings, mode_t mask,
                  child_spawner_t **out) MUST_USE;

#endif
