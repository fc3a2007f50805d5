/* Signs in as a client would, and looks what comes of it. Tokens go to the endpoint that the person
 * named, and nowhere else; none of the answers to requests that bear one is kept. */
#ifndef DOCTOR_SIGN_IN_H
#define DOCTOR_SIGN_IN_H

#include "doctor/doctor.h"
#include "doctor/probe.h"
#include "doctor/secrets.h"

/** Fills f->sign, and the answers of the phase TOKEN. Within the budget. RC_MEMORY, RC_IO. */
rc_t doctor_sign_in(arena_t *a, const doctor_config_t *config, const doctor_probe_t *probe,
                    doctor_facts_t *f, doctor_secrets_t *secrets) MUST_USE;

/** The authorization request `url` with another port in its loopback redirect URI, in `a`. Unset:
 * the redirect URI is none of loopback with a port, or not in the URL at all (a pushed request). */
str_t doctor_other_port(arena_t *a, str_t url);
/** What an access token says, into `out`: `claims` is JSON, or unset for an opaque token.
 * RC_MEMORY. */
rc_t doctor_read_claims(arena_t *a, str_t claims, doctor_signed_t *out) MUST_USE;

#endif
