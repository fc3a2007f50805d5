#include "doctor/report.h"

#include "client/plain.h"
#include "doctor/secrets.h"

enum { SHOWN_BYTES = 320 };

str_t doctor_grade_id(doctor_grade_t grade)
{
    static const str_t IDS[] = {[DOCTOR_FINE] = STR_INIT("fine"),
                                [DOCTOR_NOTE] = STR_INIT("note"),
                                [DOCTOR_WARNING] = STR_INIT("warning"),
                                [DOCTOR_FAULT] = STR_INIT("fault")};
    return IDS[grade];
}

doctor_grade_t doctor_report_grade(const doctor_report_t *r)
{
    doctor_grade_t worst = DOCTOR_FAULT;
    while (worst > DOCTOR_FINE && r->n_grade[worst] == 0)
        worst--;
    return worst;
}

bool doctor_report_reached(const doctor_report_t *r)
{
    return r->reached;
}

str_t doctor_walk_sentence(arena_t *a, const doctor_walk_t *walk)
{
    switch (walk->verdict) {
    case DOCTOR_CONNECTS:
        return STR("would connect");
    case DOCTOR_CONNECTS_OPEN:
        return STR("would connect, without a token");
    case DOCTOR_CANNOT_REACH:
        return STR("calls from its own cloud, where this address leads nowhere");
    default:
        break;
    }
    str_t title = doctor_phase_title(walk->phase);
    if (walk->check == DOCTOR_CHECK_COUNT)
        return arena_printf(a, "fails at: %" PRIstr, STR_ARG(title));
    return arena_printf(a, "fails at: %" PRIstr ", because of %" PRIstr, STR_ARG(title),
                        STR_ARG(doctor_check_row(walk->check)->id));
}

str_t doctor_client_names(arena_t *a, unsigned set)
{
    str_t names = STR_UNSET;
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        if (!(set & (1u << i)))
            continue;
        str_t label = doctor_client_row(i)->label;
        names = str_is_set(names)
                    ? arena_printf(a, "%" PRIstr ", %" PRIstr, STR_ARG(names), STR_ARG(label))
                    : label;
    }
    return names;
}

static str_t counted(arena_t *a, size_t n, const char *what)
{
    return n == 0 ? arena_printf(a, "no %ss", what)
                  : arena_printf(a, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

str_t doctor_counts_sentence(arena_t *a, const doctor_report_t *r)
{
    return arena_printf(a, "%" PRIstr ", %" PRIstr ", %" PRIstr,
                        STR_ARG(counted(a, r->n_grade[DOCTOR_FAULT], "fault")),
                        STR_ARG(counted(a, r->n_grade[DOCTOR_WARNING], "warning")),
                        STR_ARG(counted(a, r->n_grade[DOCTOR_NOTE], "note")));
}

/* One report on its way. */
typedef struct {
    arena_t *a;
    const doctor_facts_t *f;
    const doctor_secrets_t *secrets;
    doctor_report_t *r;
    bool hit[DOCTOR_CHECK_COUNT];
    str_t seen[DOCTOR_CHECK_COUNT];
} making_t;

static str_t shown(const making_t *m, str_t text)
{
    return client_plain(m->a, doctor_secrets_hide(m->a, m->secrets, text), SHOWN_BYTES);
}

static void judge(making_t *m)
{
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
        str_t seen = STR_UNSET;
        doctor_check_end_t end = doctor_check(m->a, m->f, i, &seen);
        m->r->unseen[i] = end == DOCTOR_CHECK_UNSEEN;
        m->hit[i] = end == DOCTOR_CHECK_HIT;
        m->seen[i] = shown(m, seen);
    }
}

static rc_t walk(making_t *m, str_t only)
{
    doctor_client_t one = DOCTOR_CLIENT_COUNT;
    if (str_is_set(only) && !doctor_client_find(only, &one))
        return RC_CONFIG;
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        m->r->has_client[i] = one == DOCTOR_CLIENT_COUNT || i == one;
        m->r->walks[i] = doctor_walk(m->a, m->f, m->hit, i);
    }
    return RC_OK;
}

/* Whom the row names, and whose way ends at it. */
static unsigned who_fails(const doctor_report_t *r, doctor_check_t check)
{
    unsigned set = doctor_check_row(check)->who;
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (r->walks[i].verdict == DOCTOR_FAILS && r->walks[i].check == check)
            set |= 1u << i;
    return set;
}

static rc_t list_findings(making_t *m)
{
    doctor_finding_t *list = ARENA_ARRAY(m->a, DOCTOR_CHECK_COUNT, doctor_finding_t);
    size_t n = 0;
    if (!list)
        return RC_MEMORY;
    for (doctor_grade_t grade = DOCTOR_FAULT; grade > DOCTOR_FINE; grade--)
        for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
            if (!m->hit[i] || doctor_check_row(i)->grade != grade)
                continue;
            list[n++] = (doctor_finding_t){i, m->seen[i], who_fails(m->r, i)};
            m->r->n_grade[grade]++;
        }
    m->r->findings = list;
    m->r->n_findings = n;
    return RC_OK;
}

static str_t outcome(const making_t *m, const doctor_exchange_t *x)
{
    if (x->answer.end == HTTP_AGENT_DONE)
        return arena_printf(m->a, "%d", x->answer.status);
    str_t end = http_agent_end_name(x->answer.end);
    return x->answer.why.n ? shown(m, arena_printf(m->a, "%" PRIstr ": %" PRIstr, STR_ARG(end),
                                                   STR_ARG(x->answer.why)))
                           : end;
}

static rc_t list_steps(making_t *m)
{
    doctor_step_t *steps = ARENA_ARRAY(m->a, DOCTOR_ASK_COUNT, doctor_step_t);
    str_t *beyond = ARENA_ARRAY(m->a, DOCTOR_ASK_COUNT, str_t);
    if (!steps || !beyond)
        return RC_MEMORY;
    m->r->steps = steps;
    m->r->beyond = (str_list_t){beyond, 0};
    for (doctor_ask_t i = 0; i < DOCTOR_ASK_COUNT; i++) {
        const doctor_exchange_t *x = &m->f->at[i];
        if (x->beyond)
            beyond[m->r->beyond.n++] = doctor_ask_row(i)->what;
        if (!x->asked || x->copied)
            continue;
        steps[m->r->n_steps++] = (doctor_step_t){
            i, x->method, shown(m, doctor_shown_url(m->a, x->url)), outcome(m, x), x->ms};
    }
    return RC_OK;
}

rc_t doctor_report_make(arena_t *a, const doctor_facts_t *f, str_t only,
                        const doctor_secrets_t *secrets, const doctor_report_t **out)
{
    making_t *m = ARENA_NEW(a, making_t);
    if (!m || !(m->r = ARENA_NEW(a, doctor_report_t)))
        return RC_MEMORY;
    m->a = a;
    m->f = f;
    m->secrets = secrets;
    m->r->url = shown(m, doctor_shown_url(a, f->url));
    m->r->reached = doctor_reached(f);
    m->r->sign_in_tried = f->sign.tried;
    m->r->signed_in = f->sign.signed_in;
    m->r->requests = f->requests;
    m->r->budget = f->budget;
    judge(m);
    TRY(walk(m, only));
    TRY(list_findings(m));
    TRY(list_steps(m));
    *out = m->r;
    return RC_OK;
}
