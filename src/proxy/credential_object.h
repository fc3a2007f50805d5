/* The parts of a credential_t that its files share: credential.c (callers), credential_flight.c
 * (one fetch for all who wait), credential_identity.c (who the caller is). */
#ifndef PROXY_CREDENTIAL_OBJECT_H
#define PROXY_CREDENTIAL_OBJECT_H

#include "proxy/credential.h"

#include <pthread.h>
#include <stdatomic.h>

#include "proxy/credential_cache.h"

/* What a fetch gave, for all who waited. */
typedef struct {
    atomic_uint refs;
    gate_token_reason_t reason;
    size_t n;
    char token[]; /* a secret */
} credential_landing_t;

/* One caller; in its own arena. */
typedef struct credential_waiter {
    struct credential_waiter *next;
    credential_t *c;
    credential_ask_t ask;
    gate_field_t *fields;
    credential_answer_t answer;
    credential_landing_t *landing; /* counted */
} credential_waiter_t;

/* A fetch under way, in its own arena. */
typedef struct credential_flight {
    struct credential_flight *next;
    credential_t *c;
    arena_t *arena;
    str_t key, scope, form;
    gate_principal_t who; /* of an exchange; what the answer is checked by */
    gate_token_ask_t ask;
    credential_waiter_t *waiters;
} credential_flight_t;

struct credential {
    credential_config_t config;
    arena_t *arena;
    str_t authorization, host; /* of the token endpoint */
    str_t secret_value;        /* of a static one: prefix and secret */
    pthread_mutex_t lock;      /* guards what follows; held for no fetch and no signature */
    credential_cache_t *tokens, *assertions;
    credential_flight_t *flights;
    size_t n_flights, n_waiters;
};

static inline int64_t credential_mono(const credential_t *c)
{
    return c->config.clock.mono_ms(c->config.clock.ctx);
}

static inline const conf_credential_t *credential_conf(const credential_t *c)
{
    return &c->config.upstream->credential;
}

void credential_add_field(credential_waiter_t *w, str_t name, str_t value);
/** The credential's field: prefix and token. */
gate_token_reason_t credential_add_secret(credential_waiter_t *w, str_t prefix, str_t token);
/** Ends the waiter: calls its done. */
void credential_answer(credential_waiter_t *w, gate_token_reason_t reason);
/** Adds the fields that say who the caller is. */
rc_t credential_add_identity(credential_waiter_t *w) MUST_USE;
/** With the lock: takes the waiter along, on a flight that is under way or new. False: too many
 * wait.
 */
bool credential_board(credential_t *c, credential_waiter_t *w, const gate_token_ask_t *ask,
                      str_t key, str_t scope);
void credential_flight_free(credential_flight_t *f);

/** Appends a part of a key behind its length. */
void credential_put_part(buf_t *b, str_t part);

#endif
