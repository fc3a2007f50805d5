/* The signing process: forked before the server locks itself in, it alone reads the key that the
 * server's keys are encrypted under and the key of the audit trail, and opens, makes and uses
 * private keys for the server (as/vault.h). It has no files, no network, and its one end: when the
 * server's end of one of its sockets closes. */
#ifndef CMD_SIGNER_PROCESS_H
#define CMD_SIGNER_PROCESS_H

#include "as/vault_remote.h"
#include "audit/checkpoint.h"
#include "cmd/settings.h"

#include <sys/types.h>

/** What is said of it in the log. */
typedef struct {
    bool system_calls; /* they are filtered */
    bool files;        /* there are none */
} signer_walls_t;

typedef struct signer_process signer_process_t;

/** Forks it, with one thread only, where the settings want it and there is a key; else *out is
 * NULL. 0, or an exit code after saying why: what kek_load and trail_load_key find, or it cannot be
 *  made. All in the arena, until signer_process_free. */
int signer_process_new(arena_t *a, const settings_t *s, signer_process_t **out);
/** After whoever signs by it. Waits for its end, for some seconds: false, it has not ended. NULL is
 *  fine. */
bool signer_process_free(signer_process_t *p);

/** Borrowed from it; any thread may use them. */
const as_vault_t *signer_process_vault(const signer_process_t *p);
const audit_signer_t *signer_process_auditor(const signer_process_t *p);
/** The name of the key for the keys (as_kek_t). */
str_t signer_process_key_name(const signer_process_t *p);
signer_walls_t signer_process_walls(const signer_process_t *p);
/** False once it is gone or did not answer: nothing is signed any more. Any thread. */
bool signer_process_lives(signer_process_t *p);
pid_t signer_process_id(const signer_process_t *p);

/* Between the two halves. */

enum {
    SIGNER_LINES_MAX = 257, /* as many workers as there can be, and one */
    SIGNER_FIRST_FD = 3,    /* of the process's own sockets, one for each of its threads */
};

/** signer_process_serve.c: its life; does not return. */
_Noreturn void signer_serve(arena_t *a, const settings_t *s, size_t n_lines, pid_t server);

#endif
