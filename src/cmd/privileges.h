/* As whom the server runs, and what of root's powers it keeps. */
#ifndef CMD_PRIVILEGES_H
#define CMD_PRIVILEGES_H

#include "cmd/settings.h"

#include <sys/stat.h>

/** For whoever opens the data folder: makes it where it is missing, becomes the user of the
 * settings where this process is root's, and makes no file from now on that others can read. *mask:
 * the umask before (may be NULL). 0, or an exit code after saying why. With one thread only. */
int privileges_enter(arena_t *a, const settings_t *s, mode_t *mask);
/** The same for a command that looks and makes nothing: root becomes the user of the settings, and
 * anybody else stays who they are. */
int privileges_look(arena_t *a, const settings_t *s);
/** For the server, before it has threads: of capabilities it keeps those that open its files and
 * bind its ports, and no other process of its user can look into it or have its memory written out.
 */
void privileges_narrow(void);
/** For the signing process: of capabilities it keeps none, and likewise nobody looks into it. */
void privileges_drop(void);
/** Whether this is root, and nobody asked for that. */
bool privileges_are_roots(const settings_t *s);

#endif
