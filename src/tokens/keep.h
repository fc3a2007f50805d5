/* Where tokens and registrations are kept between runs: named secrets, and a lock for each name
 * that other processes see. Names are hashes of issuer and resource, so that they tell nothing. */
#ifndef TOKENS_KEEP_H
#define TOKENS_KEEP_H

#include "core/ports.h"
#include "core/secret.h"

enum { TOKENS_KEEP_BYTES = 65536, TOKENS_NAME_BYTES = 64 };

typedef struct tokens_lock tokens_lock_t;

/** Blocking; any thread, also several at once: whoever waits for a lock hinders nobody. Names are
 *  [0-9a-z-]+, at most TOKENS_NAME_BYTES: RC_MALFORMED; a text has at most TOKENS_KEEP_BYTES:
 * RC_LIMIT. Failures: RC_IO with one sentence in *why (static, or in `a`), RC_MEMORY. */
typedef struct {
    /** RC_NOT_FOUND: nothing is kept under this name. What cannot be opened with the key at hand is
     *  as if it were not there, and is never overwritten without `write`. */
    rc_t (*read)(void *ctx, arena_t *a, str_t name, secret_t *out, str_t *why);
    /** Whole or not at all, and on the disk when it returns. */
    rc_t (*write)(void *ctx, arena_t *a, str_t name, secret_t text, str_t *why);
    /** RC_NOT_FOUND: nothing was kept under this name. */
    rc_t (*erase)(void *ctx, arena_t *a, str_t name, str_t *why);
    /** All names there are, sorted. */
    rc_t (*names)(void *ctx, arena_t *a, str_list_t *out, str_t *why);
    /** Waits until no other thread or process holds `name`, at most wait_ms: RC_BUSY. Ends with the
     *  process, however it ends. Not to be taken twice by one holder. */
    rc_t (*lock)(void *ctx, str_t name, int64_t wait_ms, tokens_lock_t **out);
    void (*unlock)(void *ctx, tokens_lock_t *lock);
    str_t place; /* for people: "the secret service", or the folder */
    void *ctx;
} tokens_keep_t;

/** A folder of mode 0700: NAME.sealed of mode 0600, each sealed (jose/seal.h) under `key` in the
 * same folder, which is made on first use; replaced by rename after fsync; locks beside. A folder
 * or file that others may read or write is refused, and so is one of another owner. RC_CONFIG with
 * *why. */
typedef struct tokens_folder tokens_folder_t;
rc_t tokens_folder_open(arena_t *a, str_t path, tokens_folder_t **out, str_t *why) MUST_USE;
void tokens_folder_close(tokens_folder_t *f);
tokens_keep_t tokens_folder_keep(tokens_folder_t *f);

/** The desktop's secret service (org.freedesktop.secrets over D-Bus); locks are files in `folder`,
 *  made with mode 0700. RC_NOT_FOUND: there is no session bus, nobody answers there, or the
 *  collection is locked and cannot be asked about without a person. */
typedef struct tokens_desktop tokens_desktop_t;
rc_t tokens_desktop_open(arena_t *a, str_t folder, tokens_desktop_t **out, str_t *why) MUST_USE;
void tokens_desktop_close(tokens_desktop_t *d);
tokens_keep_t tokens_desktop_keep(tokens_desktop_t *d);

/** In memory, for one run, and for tests. Locks are between threads. */
typedef struct tokens_memory tokens_memory_t;
rc_t tokens_memory_new(tokens_memory_t **out) MUST_USE;
void tokens_memory_free(tokens_memory_t *m);
tokens_keep_t tokens_memory_keep(tokens_memory_t *m);

/** $XDG_STATE_HOME/warder/client, or ~/.local/state/warder/client: the folder above is what a
 * server of this machine may have its data in. RC_CONFIG where neither is known. */
rc_t tokens_folder_default(arena_t *a, str_t *out) MUST_USE;

#endif
