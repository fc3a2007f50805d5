/* What is remembered. Two verbs carry the protocol: `ask` gathers facts, `apply` makes all effects
 * of one decision durable at once. Drivers: memory, sqlite, postgres. No SQL outside a driver. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/arena.h"
#include "core/log.h"
#include "core/ports.h"
#include "model/effect.h"

typedef struct store store_t;           /* one for the process; thread-safe */
typedef struct store_conn store_conn_t; /* one for each worker; only its thread */

/* How a PostgreSQL server is reached. */
typedef struct {
    str_t conninfo; /* a URI or key/value text as libpq takes it, without a password; several hosts:
                     * the one that can be written is taken */
    str_t password; /* unset: none, or libpq's own ways (passfile, certificate) */
    uint32_t connections; /* open at most, for the whole process */
    int64_t wait_ms;      /* a call is answered by then, with RC_IO where the server was not */
} store_postgres_t;

typedef struct {
    str_t driver; /* "memory", "sqlite" or "postgres" */
    str_t path;   /* sqlite: the database file (created with mode 0600) */
    store_postgres_t postgres;
    const log_t *log; /* borrowed */
    clock_port_t clock;
} store_config_t;

/** Opens and migrates. On failure *why is one sentence with the mend (in `a`). */
rc_t store_open(arena_t *a, const store_config_t *config, store_t **out, str_t *why) MUST_USE;
/** Waits for queued writes, then closes. All connections must be closed before. */
void store_close(store_t *s);

/** A worker's own access. `post` brings completions back to its thread. */
rc_t store_connect(store_t *s, post_port_t post, store_conn_t **out) MUST_USE;
void store_disconnect(store_conn_t *c);

/** What a person approved, with the client it was for. */
typedef struct {
    const consent_t *consent;
    const client_t *client; /* NULL: it is gone */
} store_grant_t;

/* One fact asked for. ASK(NAME, key member, result type) */
typedef enum {
    ASK_CLIENT,             /* key: id -> client_t */
    ASK_USER,               /* key: id -> user_t */
    ASK_USER_BY_NAME,       /* key: name -> user_t */
    ASK_ANY_USER,           /* -> count: 1 where there is one, however many, else 0 */
    ASK_SESSION,            /* hash -> session_t, with its user */
    ASK_INTERACTION,        /* hash -> interaction_t */
    ASK_CODE,               /* hash -> code_t, with family (NULL before redemption) and user */
    ASK_REFRESH,            /* hash -> refresh_t, with its family and user */
    ASK_FAMILY,             /* key: id -> family_t, with user */
    ASK_CONSENT,            /* key: user, key2: client, key3: resource, key4: redirect URI, as
                             * consent_t -> consent_t */
    ASK_RESOURCES,          /* -> array of resource_t, by uri */
    ASK_KEYS,               /* -> array of key_record_t, oldest first */
    ASK_CLIENTS,            /* -> array of client_t, newest first, at most `limit` */
    ASK_USERS,              /* -> array of user_t by name, at most `limit` */
    ASK_REGISTRATION_TOKEN, /* hash -> registration_token_t */
    ASK_GRANTS,             /* key: user -> array of store_grant_t, at most `limit` */
    ASK_PUSHED,             /* hash -> pushed_t */
    ASK_DEVICE,             /* hash -> device_t, with its user (owner) once decided */
    ASK_DEVICE_BY_CODE,     /* key: user code -> device_t that is not past its end at `since` */
    ASK_ACCESS_TOKEN,       /* hash -> access_token_t, with its family (NULL: none) */
    ASK_REVOCATIONS,        /* seq above `since` -> array of revoked_t by seq, at most `limit`; all,
                             * where `since` is above every number that was given: whoever has seen
                             * that followed a store whose end is lost */
    ASK_REVOKED,            /* key: jti, key2: sub, key3: client, `since`: iat -> count: how many
                             * revocations fit such a token (a jti "FAMILY.x" is of FAMILY) */
} ask_kind_t;

/** A question and its answer. The caller fills the first part; the store the second, in the arena
 *  given to store_ask. A record that does not exist leaves its pointer NULL: no error. */
typedef struct {
    ask_kind_t kind;
    str_t key, key2, key3, key4;
    hash_t hash;
    uint32_t limit; /* 0: the driver's own maximum of 1000 */
    int64_t since;

    union {
        const client_t *client;
        const user_t *user;
        const session_t *session;
        const interaction_t *interaction;
        const code_t *code;
        const refresh_t *refresh;
        const family_t *family;
        const consent_t *consent;
        const registration_token_t *registration_token;
        const resource_t *resources;
        const key_record_t *keys;
        const client_t *clients;
        const user_t *users;
        const store_grant_t *grants;
        const pushed_t *pushed;
        const device_t *device;
        const access_token_t *access_token;
        const revoked_t *revoked;
    } u;
    size_t count;           /* of arrays and counts */
    const family_t *family; /* ASK_CODE, ASK_REFRESH, ASK_ACCESS_TOKEN */
    const user_t *owner;    /* ASK_CODE, ASK_REFRESH, ASK_FAMILY, ASK_SESSION, ASK_DEVICE; NULL:
                             * gone */
} ask_t;

/** RC_OK: applied or answered. RC_CONFLICT: nothing was changed; `failed` is the index of the
 *  effect whose precondition did not hold. RC_LIMIT: likewise, its quota is reached. RC_MEMORY,
 *  RC_BUSY: nothing was changed. RC_IO: nothing was changed, as far as can be told: a server that
 *  went away between our commit and its answer, and did not come back in time, may have it. */
typedef void (*store_done_t)(void *ctx, rc_t rc, size_t failed);

/**
 * Answers all questions from one consistent view. `asks` and `a` must live until done, which runs
 * on the connection's thread, either before this returns or later. Reads see every write that was
 * acknowledged before.
 */
void store_ask(store_conn_t *c, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx);

/**
 * Applies all effects in order, in one transaction, and calls done after they are durable (a crash
 * right after loses nothing). Effects are borrowed until done. Later effects see earlier ones. When
 * too many wait (LIMIT_STORE_JOBS), done says RC_BUSY before this returns.
 */
void store_apply(store_conn_t *c, const effects_t *effects, store_done_t done, void *ctx);

/** A number that changes when resources or keys change, by any process: for caches. It is never
 *  older than the view of the last store_ask on this connection; without one, another process's
 *  change shows within STORE_GENERATION_MS. Cheap: asks the disk no more often. */
enum { STORE_GENERATION_MS = 100 };
uint64_t store_generation(store_conn_t *c);

/** What has expired at `now`, in seconds, and how much of it goes at once. */
typedef struct {
    int64_t now;
    uint32_t limit;

    int64_t held_ms; /* the answer: how long whoever else writes was held up by it, at most. On
                      * SQLite without the wait for those before it and for the disk, which is the
                      * same for one row and a thousand. */
} store_expire_t;

/** Deletes at most `limit` expired rows (sessions, interactions, codes an hour after expiry, pushed
 *  requests, devices, opaque access tokens, spent names, revocations,
 *  families past their end with their refresh tokens, unused clients, registration tokens). A
 *  refresh token past its own idle end stays known until its family's: reuse must end the family.
 *  After RC_OK the `failed` of done is how many were deleted: `limit` of them means that more may
 *  wait. `expire` must live until done. */
void store_expire(store_conn_t *c, store_expire_t *expire, store_done_t done, void *ctx);

/** The time of what ends all that was made before it, where that is decided at `now_s`. A store
 * that several machines share holds what was made by the clock of another one: there it is
 *  STORE_CLOCKS_S ahead. Rather something of the next moments ends, too, than that a node which is
 *  ahead keeps something alive. Seconds. */
enum { STORE_CLOCKS_S = 2 };
int64_t store_moment(const store_t *s, int64_t now_s);

/** What nobody uses any more, and what of it was deleted. */
typedef struct {
    str_t client_id;
    str_t user_id, resource; /* of a consent; unset: it is the client */
} store_forgotten_t;
typedef struct {
    int64_t now;
    int64_t before; /* what was used since then stays; below `now` */
    uint32_t limit; /* of consents and of clients that are looked at */
    arena_t *a;     /* for the answer; like this struct it must live until done */

    const store_forgotten_t *gone; /* the answer */
    size_t n;
} store_forget_t;

/** Deletes consents that were not used since `before`, then clients that registered themselves
 *  (CLIENT_BY_REGISTRATION, in use, not gone) and were not. What a grant or a code that lives
 *  rests on is in use; a client also by a consent. Of who has no used_at yet it is set.
 *  The cleaning notes the use as well, when it deletes a grant: nobody else writes for it. After
 *  RC_OK the `failed` of done is how many were looked at: `limit` of them means that more may
 *  wait. */
void store_forget(store_conn_t *c, store_forget_t *forget, store_done_t done, void *ctx);

/** How the store is, for readiness and metrics. The counts grow from the opening on. */
typedef struct {
    bool up; /* a call made now may be answered; false: it would fail at once (RC_IO) */
    uint32_t connections; /* to a server, that are up now; drivers without one: 0, as all below */
    uint32_t connections_wanted;
    uint32_t waiting;    /* calls that no answer has come to, sent or not */
    uint64_t reconnects; /* connections made anew for one that was lost */
    uint64_t retries;    /* calls sent again: the connection was lost, or a transaction gave way */
    uint64_t unsure;   /* writes that nobody knows of whether they came about: their connection was
                        * lost   after they were sent, and no server told in time */
    uint64_t timeouts; /* calls that failed because their time was over */
} store_health_t;

/** Any thread; never waits. */
void store_health(store_t *s, store_health_t *out);

#endif
