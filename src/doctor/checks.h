/* What can be wrong, as a table: one row and one pure function over the facts each. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "doctor/doctor.h"
#include "doctor/facts.h"

typedef enum {
#define PROFILE(name, text, label, flags) DOCTOR_CLIENT_##name,
#include "doctor/profiles.def"
#undef PROFILE
    DOCTOR_CLIENT_COUNT
} doctor_client_t;

typedef enum {
#define CHECK(name, grade, phase, sentence, rule, mend, who) DOCTOR_CHECK_##name,
#include "doctor/checks.def"
#undef CHECK
    DOCTOR_CHECK_COUNT
} doctor_check_t;

typedef struct {
    str_t id;
    doctor_grade_t grade;
    doctor_phase_t phase;
    str_t sentence, rule, mend;
    unsigned who; /* a bit for each client that cannot connect with this */
} doctor_check_row_t;
/** Static. */
const doctor_check_row_t *doctor_check_row(doctor_check_t check);

typedef enum {
    DOCTOR_CHECK_FINE,
    DOCTOR_CHECK_HIT,
    DOCTOR_CHECK_UNSEEN, /* what it looks at was not asked, or gave no answer */
} doctor_check_end_t;

/** One check. *seen: what was seen, where it hit; words of strangers in it are made plain. It may
 * be unset for lack of memory. */
doctor_check_end_t doctor_check(arena_t *a, const doctor_facts_t *f, doctor_check_t check,
                                str_t *seen);

#endif
