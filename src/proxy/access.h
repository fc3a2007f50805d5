/* Who may come in: the tokens of one resource, judged by the resource-server library. */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H

#include "conf/conf.h"
#include "core/log.h"
#include "gate/policy.h"
#include "http/exchange.h"
#include "http/fetch.h"
#include "http/pool.h"
#include "http/server.h"
#include "model/records.h"

/** Of one resource. Shared by all workers. */
typedef struct access access_t;

/** Documents of this server itself, without a connection: metadata, keys, revocations. Returns the
 *  number of bytes written, or -1. Any thread. */
typedef struct {
    int64_t (*get)(void *ctx, str_t url, char *body, size_t cap);
    void *ctx;
} access_local_t;

/** A proof of possession that was used. */
typedef struct {
    hash_t name;
    int64_t forget_at; /* Unix seconds */
} access_proof_t;

/** Where used proofs are remembered for all nodes; fn NULL: each node remembers its own. */
typedef struct {
    /** done(arg, rc) once, within the call or later on the worker of `loop`: RC_OK, RC_CONFLICT (it
     *  was used before), or why that cannot be told. `a` lives until then. */
    void (*fn)(void *ctx, http_worker_t *loop, arena_t *a, const access_proof_t *proof,
               void (*done)(void *arg, rc_t rc), void *arg);
    void *ctx;
} access_spend_t;

typedef struct {
    const conf_upstream_t *upstream; /* borrowed for its life */
    str_t resource;                  /* canonical */
    str_t issuer;                    /* of this server */
    access_local_t local;            /* for URLs that begin with it */
    str_t initial_scopes, scopes;    /* space-separated: of the challenge, of the metadata */
    http_pool_t *pool;               /* for fetches; NULL: callers wait for them (tests) */
    http_fetch_port_t fetch;
    const log_t *log;
    clock_port_t clock;
    bool dpop_nonce;
    str_t nonce_secret; /* text that nonces are made with, the same at every node; unset: random */
    access_spend_t spend;
    bool dpop_off; /* bound tokens are refused */
    bool claims;   /* somebody asks for claims; else none are read */
} access_config_t;

rc_t access_new(arena_t *a, const access_config_t *config, access_t **out, str_t *why) MUST_USE;
void access_free(access_t *a);

/** The verdict on the credentials of one request. */
typedef struct {
    bool allowed;
    gate_principal_t who; /* where allowed; in a refusal as far as it is known */
    int status;           /* of a refusal: 400, 401 or 503 */
    str_t challenge;      /* WWW-Authenticate; unset with 503 */
    str_t body;           /* JSON; may be empty */
    str_t reason;         /* precise, for the audit only */
    int retry_after_s;    /* with 503 */
    str_t nonce;          /* of DPoP-Nonce, whatever the verdict; unset: none */
} access_verdict_t;

/** Judges; done(arg, verdict) exactly once, within the call or later on the same worker. The
 * verdict lives until the exchange ends. */
void access_check(access_t *a, http_exchange_t *x,
                  void (*done)(void *arg, const access_verdict_t *verdict), void *arg);
/** Whether who was let in may stay, for what stays open: asked every second. Never blocks. */
bool access_lives(access_t *a, const gate_principal_t *who);
/** Whether introspection is what tells of a token: it must be asked about again while a stream of
 * it is open. */
bool access_asks(const access_t *a, str_t token);
typedef enum { ACCESS_STILL, ACCESS_ENDED, ACCESS_UNSURE, ACCESS_LATER } access_still_t;
/** What introspection says of it by now; unsure until it has answered, and later where so
 *  many are asked about that this one is not: ask again soon. Never blocks. */
access_still_t access_still(access_t *a, str_t token);
/** Whether the keys of every authorization server are at hand, for readiness; has them fetched
 * where they are not. Never blocks. */
bool access_ready(access_t *a);
/** The challenge of a 403 for more scope, in the scheme of the token. In `arena`; unset without
 *  memory. */
str_t access_insufficient(access_t *a, arena_t *arena, const gate_principal_t *who, str_t needed);
/** The challenge of a 401 for a better or fresher sign-in (RFC 9470). It also names the scopes that
 *  the decision says are needed, so that nobody has to come twice. */
str_t access_step_up(access_t *a, arena_t *arena, const gate_principal_t *who,
                     const gate_decision_t *d);
/** The protected resource metadata document, JSON, and the paths it stands at (rs.h). */
str_t access_metadata(const access_t *a);
str_t access_metadata_path(const access_t *a, size_t i);

#endif
