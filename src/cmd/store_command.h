/* What the commands of `warder store` share. */
#ifndef CMD_STORE_COMMAND_H
#define CMD_STORE_COMMAND_H

#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/store_text.h"

/** Says why a whole store could not be worked on: `why` where it is set, else `what` with the name
 *  of `rc`. Gives the exit code. */
int store_command_failed(rc_t rc, str_t why, const char *what);
/** The same after reading an export: what is wrong with which line of `path`. */
int store_command_refused(const store_text_t *text, const char *path, rc_t rc, str_t why);
/** Refuses, as another process uses the store: `who`, where that is set. Gives the exit code. */
int store_command_in_use(str_t who, const char *mend);
/** Records an event of AUDIT_STORE; `reason` is a word such as "exported". 0 or an exit code. */
int store_command_record(admin_t *admin, const char *reason, str_t detail);
/** Opens a file with secrets that must not exist yet, for its owner alone. 0, or an exit code after
 *  saying why. */
int store_command_create(const char *path, FILE **out);
/** Brings the names in the folder of `path` to the disk; false: errno says why not. */
bool store_command_sync_folder(const char *path);
/** Brings it to the disk, with its folder, and closes it. 0; or an exit code after saying why, and
 *  the file is gone. `code` not 0: only closes and removes it. */
int store_command_keep(FILE *f, const char *path, int code);
/** The one word of a command as a C string; NULL: `wants` is said. */
const char *store_command_word(admin_t *admin, const str_t *words, size_t n, const char *wants);

#endif
