/* The upstreams of one state of the settings, made ready: a snapshot that is replaced whole. */
#ifndef PROXY_ROUTE_H
#define PROXY_ROUTE_H

#include "gate/policy.h"
#include "proxy/access.h"
#include "proxy/credential.h"
#include "proxy/upstream.h"

#include <stdatomic.h>

/** What the relay asks access.h and credential.h; doubles in tests. */
typedef struct {
    void (*check)(access_t *a, http_exchange_t *x,
                  void (*done)(void *arg, const access_verdict_t *verdict), void *arg);
    bool (*lives)(access_t *a, const gate_principal_t *who);
    bool (*asks)(const access_t *a, str_t token); /* NULL: of no token */
    access_still_t (*still)(access_t *a, str_t token);
    bool (*ready)(access_t *a);
    str_t (*insufficient)(access_t *a, arena_t *arena, const gate_principal_t *who, str_t needed);
    str_t (*step_up)(access_t *a, arena_t *arena, const gate_principal_t *who,
                     const gate_decision_t *d);
    str_t (*metadata)(const access_t *a);
    str_t (*metadata_path)(const access_t *a, size_t i);
    void (*credential)(credential_t *c, http_exchange_t *x, const gate_principal_t *who,
                       str_t token, void (*done)(void *arg, const credential_answer_t *answer),
                       void *arg);
    void (*drop)(credential_t *c, const gate_principal_t *who);
} route_ports_t;

/** What changes of a route; any thread. */
typedef struct {
    atomic_llong away_ms; /* monotonic: when it could last not be reached; 0: it answered since */
} route_state_t;

/** One upstream. Read-only, but for `state` and what locks itself. */
typedef struct {
    const conf_upstream_t *conf;
    str_t resource; /* canonical: what tokens are for */
    str_t host;     /* of it, without port: what Host may say */
    bool local;     /* that is a loopback name */
    const gate_policy_t *policy;
    const gate_policy_t *shadow; /* NULL: none */
    access_t *access;
    credential_t *credential; /* NULL: the upstream gets nothing */
    const route_ports_t *ports;
    upstream_port_t upstream;
    upstream_hooks_t hooks; /* NULL members: none */
    route_state_t *state;
} route_t;

typedef struct route_set route_set_t;
/** A snapshot; counted. */
struct route_set {
    atomic_uint refs;
    const route_t *v;
    size_t n;
    void (*end)(route_set_t *s); /* the last user is gone; any thread */
};

static inline void route_set_hold(route_set_t *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}
/** NULL is fine. */
static inline void route_set_drop(route_set_t *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        s->end(s);
}

/** The upstream behind a decoded path: exactly its own, or its own with a slash more at the end,
 *  which names the same resource (RFC 9728 leaves it open; rs.h serves the metadata of both). NULL:
 *  none. */
const route_t *route_find(const route_set_t *s, str_t path);
/** The upstream whose metadata document stands at the path; NULL: none. The document at the root
 *  belongs to the only upstream there is. */
const route_t *route_find_metadata(const route_set_t *s, str_t path);

#endif
