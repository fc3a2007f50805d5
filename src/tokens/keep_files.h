/* Folders and files that nobody but their owner can use, and locks that are such files. */
#ifndef TOKENS_KEEP_FILES_H
#define TOKENS_KEEP_FILES_H

#include "core/arena.h"
#include "tokens/keep.h"

/** Opens the folder, after making it (mode 0700) where it is missing, with its parents. RC_CONFIG
 *  with *why for one that others can use, of another owner, or that is a symbolic link; RC_IO,
 *  RC_MEMORY. The descriptor is the caller's. */
rc_t tokens_private_folder(arena_t *a, str_t path, int *fd, str_t *why) MUST_USE;
/** Opens the regular file `name` in the folder `dir`; mode 0600 if `flags` make it. RC_NOT_FOUND
 *  without *why; RC_CONFIG as above; RC_IO. */
rc_t tokens_private_file(arena_t *a, int dir, const char *name, int flags, int *fd,
                         str_t *why) MUST_USE;
/** "what 'name': errno's words", in the arena; RC_IO. */
rc_t tokens_file_failed(arena_t *a, const char *what, const char *name, str_t *why) MUST_USE;

/** Takes the lock `name`, the file NAME.lock in `dir`: as lock of keep.h. The file stays for good,
 *  as whoever removed it could let two others in. */
rc_t tokens_file_lock(int dir, str_t name, int64_t wait_ms, tokens_lock_t **out) MUST_USE;
/** NULL is fine. */
void tokens_file_unlock(tokens_lock_t *lock);

#endif
