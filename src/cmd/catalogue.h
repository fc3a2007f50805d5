/* The file that extends the catalogue of clients. */
#ifndef CMD_CATALOGUE_H
#define CMD_CATALOGUE_H

#include "cmd/settings.h"

/** Reads client_catalogue into the settings, over what is shipped; a relative path counts from the
 *  folder of the settings file. 0, or an exit code after it has said why. */
int catalogue_load(arena_t *a, settings_t *s);

#endif
