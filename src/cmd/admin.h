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

/** Answers one question; RC_OK or the failure (said). */
rc_t admin_ask(admin_t *admin, ask_t *ask) MUST_USE;
/** When that happens which ends what was made before: store_moment of now, not of when the command
 * began, which may have waited for a password. Seconds. */
int64_t admin_moment(const admin_t *admin);
/** Applies, then records `event`. EXIT_DONE; EXIT_REFUSED with `conflict` said when a precondition
 *  did not hold; EXIT_FAILED. */
int admin_apply(admin_t *admin, const effects_t *effects, const audit_event_t *event,
                const char *conflict);
/** The same without a word about a conflict: RC_CONFLICT, nothing recorded. Other failures are
 *  said. */
rc_t admin_try(admin_t *admin, const effects_t *effects, const audit_event_t *event) MUST_USE;
/** Records `event` of something that is done; 0 or an exit code after saying why. */
int admin_record(admin_t *admin, const audit_event_t *event);
/** A text of `bytes` random bytes in base64url behind `prefix`. RC_MEMORY, RC_IO. */
rc_t admin_random_text(admin_t *admin, const char *prefix, size_t bytes, str_t *out) MUST_USE;
/** A text for people (a name, a sentence) as it came, unset when empty; refused when it holds what
 *  hides or breaks lines, or more than `max` bytes. `what` is the option. 0 or an exit code. */
int admin_text(admin_t *admin, const char *what, str_t text, size_t max, str_t *out);
/** The identifier of a resource in its canonical form; `what` is the option. 0 or an exit code. */
int admin_resource_uri(admin_t *admin, const char *what, str_t text, str_t *out);

/** The frame of a command: parses, opens, runs, closes. */
typedef int (*admin_run_t)(admin_t *admin, const option_t *rows, const str_t *words,
                           size_t n_words);
int admin_command(int argc, char **argv, const option_t *own, size_t n_own, size_t max_words,
                  admin_run_t run);
/** The same without the store: `run` opens whichever it wants. */
int admin_command_without_store(int argc, char **argv, const option_t *own, size_t n_own,
                                size_t max_words, admin_run_t run);

#endif
