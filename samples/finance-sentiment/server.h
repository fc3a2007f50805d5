/* The whole server, put together: store, feeds and live service behind the tables of the kit. */
#ifndef SENTIMENT_SERVER_H
#define SENTIMENT_SERVER_H

#include "core/log.h"
#include "core/secret.h"
#include "options.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,  /* the world failed: disk, network */
    EXIT_USAGE = 2,   /* the command line is wrong */
    EXIT_SETTING = 3, /* a setting is wrong or unsafe; the start was refused */
};

typedef struct server server_t;

/** What it needs beside the command line. */
typedef struct {
    options_t options;
    secret_t secret;  /* of options.client_id; hidden is unset: none. Borrowed */
    secret_t key;     /* of Alpha Vantage; unset hidden: no live news. Borrowed */
    const char *data; /* an existing folder, for audit.log and the databases */
    const log_t *log;
} server_config_t;

/** Loads, checks, binds and starts; with options.stdio it only loads. EXIT_DONE, or an exit code
 *  with *why, one sentence in `a`, which must outlive the server. Threads that are started inherit
 *  the signals that are blocked now. */
int server_start(arena_t *a, const server_config_t *config, server_t **out, str_t *why);
/** Serves standard streams until the input ends; an exit code as above. */
int server_run_stdio(arena_t *a, server_t *s, str_t *why);
/** The URL of the MCP endpoint; of a server of standard streams unset. */
str_t server_url(const server_t *s);
/** Lets open calls end, and frees. NULL is fine. */
void server_stop(server_t *s);

#endif
