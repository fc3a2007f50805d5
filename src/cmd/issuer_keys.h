/* The keys of trusted issuers that stand in files. */
#ifndef CMD_ISSUER_KEYS_H
#define CMD_ISSUER_KEYS_H

#include "cmd/settings.h"

/** Reads each jwks_file into the settings; a relative path counts from the folder of the settings
 *  file. 0, or an exit code after it has said why. */
int issuer_keys_load(arena_t *a, settings_t *s);

#endif
