/* The report for a terminal. */
#include "doctor/report.h"

typedef struct {
    const doctor_report_t *r;
    bool color;
    buf_t *out;
    arena_t *a; /* of the builder: names and sentences go with it */
} text_t;

static const char *paint(doctor_grade_t grade)
{
    static const char *const CODES[] = {[DOCTOR_FINE] = "\033[32m",
                                        [DOCTOR_NOTE] = "\033[36m",
                                        [DOCTOR_WARNING] = "\033[33m",
                                        [DOCTOR_FAULT] = "\033[31m"};
    return CODES[grade];
}

static void put_colored(text_t *t, doctor_grade_t grade, str_t text)
{
    if (t->color)
        buf_fmt(t->out, "%s", paint(grade));
    buf_put(t->out, text);
    if (t->color)
        buf_fmt(t->out, "\033[0m");
}

static void put_line(text_t *t, const char *name, str_t text)
{
    if (text.n)
        buf_fmt(t->out, "         %-6s %" PRIstr "\n", name, STR_ARG(text));
}

/* The clients of a set that the report is about. */
static unsigned wanted(const doctor_report_t *r, unsigned set)
{
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (!r->has_client[i])
            set &= ~(1u << i);
    return set;
}

static void put_finding(text_t *t, const doctor_finding_t *f)
{
    const doctor_check_row_t *row = doctor_check_row(f->check);
    put_colored(t, row->grade, doctor_grade_id(row->grade));
    buf_fmt(t->out, "%*s%" PRIstr " (%" PRIstr ")\n", (int)(9 - doctor_grade_id(row->grade).n), "",
            STR_ARG(row->sentence), STR_ARG(row->id));
    put_line(t, "seen", f->seen);
    put_line(t, "rule", row->rule);
    put_line(t, "mend", row->mend);
    put_line(t, "fails", doctor_client_names(t->a, wanted(t->r, f->fails)));
}

/* One line each; where, only if that is not the URL of the report. */
static void put_step(text_t *t, const doctor_step_t *s)
{
    buf_fmt(t->out, "  %-5" PRIstr " %-7" PRIstr " %" PRIstr, STR_ARG(s->outcome),
            STR_ARG(s->method), STR_ARG(doctor_ask_row(s->ask)->what));
    if (!str_eq(s->url, t->r->url))
        buf_fmt(t->out, ": %" PRIstr, STR_ARG(s->url));
    buf_char(t->out, '\n');
}

static void put_steps(text_t *t)
{
    doctor_phase_t phase = DOCTOR_PHASE_COUNT;
    for (size_t i = 0; i < t->r->n_steps; i++) {
        doctor_phase_t own = doctor_ask_row(t->r->steps[i].ask)->phase;
        if (own != phase)
            buf_fmt(t->out, "%" PRIstr "\n", STR_ARG(doctor_phase_title(own)));
        phase = own;
        put_step(t, &t->r->steps[i]);
    }
    buf_char(t->out, '\n');
}

static void put_clients(text_t *t)
{
    buf_fmt(t->out, "Clients\n");
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        if (!t->r->has_client[i])
            continue;
        const doctor_walk_t *walk = &t->r->walks[i];
        doctor_grade_t grade = walk->verdict == DOCTOR_FAILS          ? DOCTOR_FAULT
                               : walk->verdict == DOCTOR_CANNOT_REACH ? DOCTOR_NOTE
                                                                      : DOCTOR_FINE;
        buf_fmt(t->out, "  %-40" PRIstr " ", STR_ARG(doctor_client_row(i)->label));
        put_colored(t, grade, doctor_walk_sentence(t->a, walk));
        buf_char(t->out, '\n');
    }
    buf_char(t->out, '\n');
}

static void put_beyond(text_t *t)
{
    for (size_t i = 0; i < t->r->beyond.n; i++)
        buf_fmt(t->out, "not looked at, as the budget was used up: %" PRIstr "\n",
                STR_ARG(t->r->beyond.v[i]));
    if (!t->r->sign_in_tried && t->r->reached)
        buf_fmt(t->out, "not looked at: what a token does, for which somebody must sign in "
                        "(--sign-in)\n");
}

void doctor_report_text(const doctor_report_t *r, bool color, buf_t *out)
{
    text_t t = {r, color, out, out->arena};
    buf_fmt(out, "%" PRIstr "\n\n", STR_ARG(r->url));
    put_steps(&t);
    for (size_t i = 0; i < r->n_findings; i++)
        put_finding(&t, &r->findings[i]);
    if (r->n_findings)
        buf_char(out, '\n');
    put_clients(&t);
    put_beyond(&t);
    str_t counts = doctor_counts_sentence(t.a, r);
    put_colored(&t, doctor_report_grade(r), counts);
    buf_fmt(out, "; %u requests of at most %u\n", r->requests, r->budget);
}
