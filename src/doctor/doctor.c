#include "doctor/doctor.h"

#include "doctor/probe.h"
#include "doctor/report.h"
#include "doctor/secrets.h"
#include "doctor/sign_in.h"

enum { BUDGET = 80 };

rc_t doctor_run(arena_t *a, const doctor_config_t *config, const doctor_report_t **out)
{
    doctor_facts_t *f = ARENA_NEW(a, doctor_facts_t);
    doctor_secrets_t *secrets = ARENA_NEW(a, doctor_secrets_t);
    if (!f || !secrets)
        return RC_MEMORY;
    const doctor_probe_t probe = {.http = config->http,
                                  .reach = config->reach,
                                  .clock = config->clock,
                                  .says = config->says,
                                  .ctx = config->ctx};
    TRY(doctor_facts_begin(config->url, config->budget ? config->budget : BUDGET, f));
    doctor_secrets_add(a, secrets, f->parts.query);
    TRY(doctor_probe(a, &probe, f));
    if (config->sign_in && doctor_reached(f) && !doctor_is_open(f))
        TRY(doctor_sign_in(a, config, &probe, f, secrets));
    return doctor_report_make(a, f, config->only, secrets, out);
}
