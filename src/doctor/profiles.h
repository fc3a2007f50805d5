/* The ways of real clients, walked over the facts. Pure. */
#ifndef DOCTOR_PROFILES_H
#define DOCTOR_PROFILES_H

#include "doctor/checks.h"

typedef enum {
    DOCTOR_CONNECTS,
    DOCTOR_CONNECTS_OPEN, /* no token is needed */
    DOCTOR_FAILS,
    DOCTOR_CANNOT_REACH, /* it calls from elsewhere, where this address leads nowhere */
    DOCTOR_VERDICT_COUNT,
} doctor_verdict_t;
/** "connects" …; static. */
str_t doctor_verdict_id(doctor_verdict_t verdict);

typedef struct {
    doctor_verdict_t verdict;
    doctor_phase_t phase; /* where it fails */
    doctor_check_t check; /* because of this; DOCTOR_CHECK_COUNT: no check tells */
} doctor_walk_t;

typedef struct {
    str_t name, label;
} doctor_client_row_t;
/** Static. */
const doctor_client_row_t *doctor_client_row(doctor_client_t client);
/** False: no client of that name. */
bool doctor_client_find(str_t name, doctor_client_t *out);

/** The way of one client. `hit`: of each check whether it hit. */
doctor_walk_t doctor_walk(arena_t *a, const doctor_facts_t *f, const bool hit[DOCTOR_CHECK_COUNT],
                          doctor_client_t client);

#endif
