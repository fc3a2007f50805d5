/* How the resource that metadata names stands to the URL that a person typed. Pure. */
#ifndef DOCTOR_RESOURCE_FIT_H
#define DOCTOR_RESOURCE_FIT_H

#include "doctor/facts.h"

typedef enum {
    DOCTOR_FIT_NONE,  /* no metadata, or no resource in it */
    DOCTOR_FIT_SAME,  /* one URL; the lone slash of a URL without a path aside */
    DOCTOR_FIT_SLASH, /* but for the last slash */
    DOCTOR_FIT_PLAIN, /* http in place of https */
    DOCTOR_FIT_ORIGIN,
    DOCTOR_FIT_WIDER, /* whole segments from the front of the path */
    DOCTOR_FIT_PATH,
} doctor_fit_t;

doctor_fit_t doctor_resource_fit(arena_t *a, const doctor_facts_t *f);

#endif
