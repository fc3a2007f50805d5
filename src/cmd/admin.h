/* What the administrative commands share: the store and the audit trail of the data folder, opened
 * beside a running server, and one way to apply effects and record them. */
#ifndef CMD_ADMIN_H
#define CMD_ADMIN_H

#include "audit/audit.h"
#include "cmd/once.h"
#include "cmd/settings.h"
#include "store/store.h"

typedef struct {
    arena_t *a;
    settings_t settings;
    log_t log;
    store_t *store;
    store_conn_t *conn;
    audit_t *audit;
    once_t once;
    int64_t now; /* seconds */
    random_port_t random;
} admin_t;

/** The rows of a command plus those of the settings; ended by NULL, in the arena. */
option_t *admin_options(arena_t *a, const option_t *own, size_t n_own);
/** Opens everything by the settings. 0, or an exit code after saying why. */
int admin_open(admin_t *admin, arena_t *a, const option_t *rows);
void admin_close(admin_t *admin);
/** Answers one question; RC_OK or the failure (said). */
rc_t admin_ask(admin_t *admin, ask_t *ask) MUST_USE;
/** Applies, then records `event`. EXIT_DONE; EXIT_REFUSED with `conflict` said when a precondition
 *  did not hold; EXIT_FAILED. */
int admin_apply(admin_t *admin, const effects_t *effects, const audit_event_t *event,
                const char *conflict);
/** A text of `bytes` random bytes in base64url behind `prefix`; unset without memory. */
str_t admin_random_text(admin_t *admin, const char *prefix, size_t bytes);

/** The frame of a command: parses, opens, runs, closes. */
typedef int (*admin_run_t)(admin_t *admin, const option_t *rows, const str_t *words,
                           size_t n_words);
int admin_command(int argc, char **argv, const option_t *own, size_t n_own, size_t max_words,
                  admin_run_t run);

#endif
