/* What came out, ready to be written. Nothing in it holds a secret: texts went through
 * doctor_secrets_hide. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "doctor/profiles.h"

typedef struct {
    doctor_check_t check;
    str_t seen;
    unsigned fails; /* a bit for each client that cannot connect because of it */
} doctor_finding_t;

/** One thing that was asked, told to people. */
typedef struct {
    doctor_ask_t ask;
    str_t method, url; /* without its query */
    str_t outcome;     /* "401", or the end and why */
    int64_t ms;
} doctor_step_t;

struct doctor_report {
    str_t url; /* without its query */
    bool reached, signed_in, sign_in_tried;
    unsigned requests, budget;
    const doctor_step_t *steps; /* in the order in which they were asked */
    size_t n_steps;
    const doctor_finding_t *findings; /* the worst first */
    size_t n_findings;
    size_t n_grade[DOCTOR_FAULT + 1];
    bool unseen[DOCTOR_CHECK_COUNT]; /* could not be judged */
    str_list_t beyond;               /* what the budget left out, by what it is */
    bool has_client[DOCTOR_CLIENT_COUNT];
    doctor_walk_t walks[DOCTOR_CLIENT_COUNT];
};

/** Judges the facts. `only`: one client; unset: all. In `a`. RC_MEMORY; RC_CONFIG: no such client.
 */
typedef struct doctor_secrets doctor_secrets_t;
rc_t doctor_report_make(arena_t *a, const doctor_facts_t *f, str_t only,
                        const doctor_secrets_t *secrets, const doctor_report_t **out) MUST_USE;

str_t doctor_grade_id(doctor_grade_t grade);
/** What is said of a client's way in one sentence, in `a`. */
str_t doctor_walk_sentence(arena_t *a, const doctor_walk_t *walk);
/** The labels of the clients of a set, with commas between; unset: there are none. In `a`. */
str_t doctor_client_names(arena_t *a, unsigned set);
/** "1 fault, 2 warnings, no notes". In `a`. */
str_t doctor_counts_sentence(arena_t *a, const doctor_report_t *r);

#endif
