/* What an upstream gets in place of the caller's token: a fixed secret, a token of our own, or one
 * exchanged for each caller; and who the caller is. Tokens are kept until shortly before they
 * expire, failures for seconds; one fetch serves all who wait for the same (gate/upstream_token.h
 * decides). */
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

/** RC_MEMORY, or what the random port answers. */
rc_t credential_new(const credential_config_t *config, credential_t **out) MUST_USE;
/** After the pool. NULL is fine. */
void credential_free(credential_t *c);

/** The fields to send for this caller: identity and credential. `fields` live until the exchange
 *  ends. */
typedef struct {
    rc_t rc; /* RC_OK; RC_BUSY: try again (503); RC_IO: the token endpoint refused or is away */
    str_t reason; /* a row of gate/token_reasons.def, with a failure: for the audit; static */
    const gate_field_t *fields;
    size_t n;
} credential_answer_t;
/** done(arg, answer) exactly once, within the call or later on the same worker. `token` is the
 *  caller's own, for the exchange only; it is kept nowhere. */
void credential_get(credential_t *c, http_exchange_t *x, const gate_principal_t *who, str_t token,
                    void (*done)(void *arg, const credential_answer_t *answer), void *arg);
/** The same for who has no exchange: answers come on `back`, fields live in `a`, which must live
 * and be left alone until then. */
typedef struct {
    arena_t *a;
    post_port_t back; /* .post NULL: nothing that takes time; it is RC_BUSY then */
    const gate_principal_t *who;
    str_t token;
    void (*done)(void *arg, const credential_answer_t *answer);
    void *arg;
} credential_ask_t;
void credential_ask(credential_t *c, const credential_ask_t *ask);
/** The upstream said 401: what was kept for this caller is dropped, unless it is but seconds old:
 * an upstream that refuses everything must not make the token endpoint work for each call. */
void credential_drop(credential_t *c, const gate_principal_t *who);

#endif
