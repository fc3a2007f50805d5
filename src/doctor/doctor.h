/* Walks the three phases of MCP authorization as real clients would, against any server, and says
 * what it saw, which rule that breaks, who fails on it, and the mend. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "core/buf.h"
#include "tokens/source.h"

typedef enum { DOCTOR_FINE, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_FAULT } doctor_grade_t;

typedef struct {
    str_t url;
    http_ask_port_t http; /* every request goes through it, and is counted */
    http_reach_t reach;
    unsigned budget;        /* requests at most [80] */
    bool sign_in;           /* with a sign-in: `tokens` says how; nothing else may get the token */
    tokens_config_t tokens; /* http, keep and clock are the doctor's own; zero without sign_in */
    str_t only;             /* one client's profile, by name; unset: all */
    clock_port_t clock;
    random_port_t random;
    void (*says)(void *ctx, str_t sentence); /* progress; NULL: silence */
    void *ctx;
} doctor_config_t;

typedef struct doctor_report doctor_report_t;

/** Runs all that the budget allows. The report lives in `a`. RC_MALFORMED: the URL cannot be used;
 *  RC_CONFIG: no client is called `only`; RC_MEMORY, RC_IO. */
rc_t doctor_run(arena_t *a, const doctor_config_t *config, const doctor_report_t **out) MUST_USE;
/** The worst grade in it. */
doctor_grade_t doctor_report_grade(const doctor_report_t *r);
/** Whether the endpoint gave an answer at all. */
bool doctor_report_reached(const doctor_report_t *r);
/* Written without a secret in it, into a builder with an arena. `color`: with escape sequences of a
 * terminal. */
void doctor_report_text(const doctor_report_t *r, bool color, buf_t *out);
void doctor_report_json(const doctor_report_t *r, buf_t *out);
void doctor_report_html(const doctor_report_t *r, buf_t *out);

#endif
