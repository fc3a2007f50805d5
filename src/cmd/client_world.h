/* What the client's commands stand on: the agent, where tokens are kept, the source of tokens, the
 * person at the terminal, and signals that end it all. */
#ifndef CMD_CLIENT_WORLD_H
#define CMD_CLIENT_WORLD_H

#include "cmd/client_options.h"
#include "core/log.h"

#include <pthread.h>

typedef struct {
    arena_t *a;
    client_options_t options;
    log_t log;
    http_agent_t *agent;
    tokens_folder_t *folder;   /* NULL: another keep */
    tokens_desktop_t *desktop; /* likewise */
    tokens_memory_t *memory;   /* likewise */
    tokens_source_t *source;
    http_reach_t reach;      /* for requests to the endpoint */
    bool as_json;            /* --json: failures too (client_error.h) */
    bool said;               /* that object is out */
    client_reason_t failing; /* what it is if what is being opened fails; CLIENT_FINE: any */
    _Atomic(bool) stop;      /* a signal came */
    int stop_fd;             /* readable then */
    _Atomic(bool) over;      /* for the thread of signals */
    bool has_signals;
    pthread_t signals;
} client_world_t;

/** Who may be asked for a sign-in. */
typedef enum {
    CLIENT_ASK_NOBODY,
    CLIENT_ASK_TERMINAL, /* somebody, if standard error is a terminal, or --interactive says so */
    CLIENT_ASK_ALWAYS,
} client_asks_t;

/** Opens everything for the options; also after a failure close it. EXIT_DONE, or an exit code
 * after saying why. Ends on SIGINT, SIGTERM and SIGHUP by `stop`, `stop_fd` and
 * tokens_source_stop. */
int client_world_open(client_world_t *w, const option_t *rows, str_t url, client_asks_t asks);
void client_world_close(client_world_t *w);
/** Says a failure on standard error, with the mend, and with --json on standard output as well;
 * returns its exit code. */
int client_world_fail(client_world_t *w, const client_failure_t *why);

#endif
