/* How the server is reached: what the operator wrote, read, completed and judged. No connection
 * here. Internal to the driver. */
#ifndef STORE_POSTGRES_SETTINGS_H
#define STORE_POSTGRES_SETTINGS_H

#include "store/store.h"

enum {
    POSTGRES_HOSTS_MAX = 16,
    POSTGRES_CONNECTIONS_MAX = 1000,
    POSTGRES_CONNECTIONS_DEFAULT = 8,
    POSTGRES_WAIT_DEFAULT_MS = 5000,
    POSTGRES_CONNECT_MS = 2000, /* one address, from the first packet to the last answer of the
                                 * sign-in: two lost packets, or a full second of a busy server */
    POSTGRES_KEYS_MAX = 64,
};

typedef struct {
    const char *host;     /* a name, an address, or the folder of a Unix socket */
    const char *hostaddr; /* its address, where the operator gave one; else NULL */
    const char *port;
} postgres_host_t;

typedef struct {
    postgres_host_t hosts[POSTGRES_HOSTS_MAX];
    size_t n_hosts;
    /* All else, for PQconnectStartParams; room for host, hostaddr, port and the end is left. */
    const char *keys[POSTGRES_KEYS_MAX], *values[POSTGRES_KEYS_MAX];
    size_t n_keys;
    uint32_t connections;
    int64_t wait_ms;
    int64_t connect_ms;
} postgres_settings_t;

/** Reads config->postgres. All in `a`, with a copy of the password that is wiped with it. RC_CONFIG
 *  with a sentence and its mend, which never holds what was given as a value. */
rc_t postgres_settings_read(arena_t *a, const store_config_t *config, postgres_settings_t *out,
                            str_t *why) MUST_USE;

/** How long the server lets one statement run: it must end, with an answer, before those who wait
 * for it give up and cut the connection. */
int64_t postgres_statement_ms(const postgres_settings_t *s);

/** Whether nothing leaves this machine on the way to `host`. */
bool postgres_is_local(str_t host);

#endif
