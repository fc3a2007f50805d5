/* Files that hold a secret: read only where nobody else can. */
#ifndef CMD_SECRET_FILE_H
#define CMD_SECRET_FILE_H

#include "cmd/command.h"
#include "core/secret.h"

enum { SECRET_FILE_BYTES_MAX = 16384 };

/** What is read, for messages, and who answers for its mode. */
typedef struct {
    const char *path;
    const char *what;   /* "key file" */
    bool any_mode;      /* the service manager guards it */
    refusal_t *refusal; /* command.h; NULL: standard error */
} secret_file_t;

/** The bytes as they are, in the arena and wiped with it. 0, or an exit code after saying why: it
 *  cannot be read, is no regular file, is too long, or others can use it (a group may read, where
 * the file belongs to another account than this process's). */
int secret_file_read(arena_t *a, const secret_file_t *file, secret_t *out);
/** Of a file that was opened before, at its begin; `fd` stays open. */
int secret_file_read_open(arena_t *a, const secret_file_t *file, int fd, secret_t *out);

#endif
