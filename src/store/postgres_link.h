/* Making one connection, from the name of a host to prepared statements. Blocks, but never longer
 * than it is told: a server that is silent must not hold up whoever connects. Internal to the
 * driver. */
#ifndef STORE_POSTGRES_LINK_H
#define STORE_POSTGRES_LINK_H

#include "store/postgres_settings.h"

#include <libpq-fe.h>
#include <stdatomic.h>

/* A connection that may be used. */
typedef struct {
    PGconn *pg;
    bool direct;   /* no proxy that pools transactions stands in between */
    bool prepared; /* those of the pool are, and others may be */
} postgres_link_t;

/* In the place of a code of the server: it is older than what is supported. */
#define POSTGRES_TOO_OLD "<13.0"

/* Why there is none. */
typedef struct {
    char why[400]; /* libpq's or the server's words, one line; never a password */
    char sqlstate[6];
    bool reached; /* the server answered */
} postgres_fault_t;

/** Connects to the host number `i` of the settings, at one address after the other, and sets the
 *  session up for the pool: pipeline mode, non-blocking. `stop`: ends early where it is set. */
bool postgres_link(const postgres_settings_t *s, size_t i, const atomic_bool *stop,
                   postgres_link_t *out, postgres_fault_t *fault) MUST_USE;
/** Connects to the first host that will do, number *host, for one who blocks: no pipeline, nothing
 *  prepared. */
PGconn *postgres_link_plain(const postgres_settings_t *s, size_t *host,
                            postgres_fault_t *fault) MUST_USE;
/** Sets such a connection up as postgres_link does. Takes it over: false closes it. */
bool postgres_link_of(const postgres_settings_t *s, PGconn *pg, postgres_link_t *out,
                      postgres_fault_t *fault) MUST_USE;

/** A fault in one sentence with its mend. */
str_t postgres_explain(arena_t *a, const postgres_fault_t *fault);

#endif
