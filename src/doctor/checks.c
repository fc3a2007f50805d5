#include "doctor/checks.h"

#include "doctor/look.h"

#define C(name) (1u << DOCTOR_CLIENT_##name)
#define ALL     ((1u << DOCTOR_CLIENT_COUNT) - 1)

static const struct {
    doctor_check_row_t row;
    doctor_check_end_t (*look)(look_t *l);
} ROWS[DOCTOR_CHECK_COUNT] = {
#define CHECK(name, grade, phase, sentence, rule, mend, who)                                       \
    [DOCTOR_CHECK_##name] = {{STR_INIT(#name), DOCTOR_##grade, DOCTOR_PHASE_##phase,               \
                              STR_INIT(sentence), STR_INIT(rule), STR_INIT(mend), who},            \
                             check_##name},
#include "doctor/checks.def"
#undef CHECK
};

const doctor_check_row_t *doctor_check_row(doctor_check_t check)
{
    return &ROWS[check].row;
}

doctor_check_end_t doctor_check(arena_t *a, const doctor_facts_t *f, doctor_check_t check,
                                str_t *seen)
{
    look_t l = {.a = a, .f = f};
    doctor_check_end_t end = ROWS[check].look(&l);
    *seen = l.seen;
    return end;
}
