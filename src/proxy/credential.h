/* What an upstream gets in place of the caller's token: a fixed secret, a token of our own, or one
 * exchanged for each caller. Tokens are kept until shortly before they expire. */
#ifndef PROXY_CREDENTIAL_H
#define PROXY_CREDENTIAL_H

#include "conf/conf.h"
#include "core/log.h"
#include "gate/identity.h"
#include "http/exchange.h"
#include "http/fetch.h"
#include "http/pool.h"

/** Of one upstream. Shared by all workers; locks itself. */
typedef struct credential credential_t;

typedef struct {
    const conf_upstream_t *upstream; /* borrowed for its life */
    http_pool_t *pool;
    http_fetch_port_t fetch;
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    /** Signs claims as a JWT of this server with `typ`; into `a`. NULL: no identity: jwt. */
    rc_t (*sign)(void *ctx, arena_t *a, str_t typ, str_t claims, str_t *jwt);
    void *sign_ctx;
    str_t issuer; /* of this server */
} credential_config_t;

rc_t credential_new(const credential_config_t *config, credential_t **out) MUST_USE;
/** NULL is fine. */
void credential_free(credential_t *c);

/** The fields to send for this caller: identity and credential. `fields` live until the exchange
 *  ends. */
typedef struct {
    rc_t rc; /* RC_OK; RC_BUSY: try again (503); RC_IO: the token endpoint refused or is away */
    str_t reason; /* for the audit, with a failure */
    const gate_field_t *fields;
    size_t n;
} credential_answer_t;
/** done(arg, answer) exactly once, within the call or later on the same worker. `token` is the
 *  caller's own, for the exchange only; it is kept nowhere. */
void credential_get(credential_t *c, http_exchange_t *x, const gate_principal_t *who, str_t token,
                    void (*done)(void *arg, const credential_answer_t *answer), void *arg);
/** The upstream said 401: what was kept for this caller is dropped. */
void credential_drop(credential_t *c, const gate_principal_t *who);

#endif
