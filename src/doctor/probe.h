/* Asks a server what the plan says, within the budget. */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include "core/ports.h"
#include "doctor/facts.h"

typedef struct {
    http_ask_port_t http;
    http_reach_t reach; /* as the person asked for it */
    clock_port_t clock;
    void (*says)(void *ctx, str_t sentence); /* NULL: silence */
    void *ctx;
} doctor_probe_t;

/** One request, counted; `beyond` in its place where the budget is used up. The answer lives in
 * `a`. RC_MEMORY, RC_IO. */
rc_t doctor_probe_ask(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f, doctor_ask_t ask,
                      const http_agent_request_t *request) MUST_USE;
/** All of the plan. Stops where the endpoint does not answer at all. RC_MEMORY, RC_IO. */
rc_t doctor_probe(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f) MUST_USE;

#endif
