/* Which request each thing that is asked takes, given what is known so far. Pure. */
#ifndef DOCTOR_PLAN_H
#define DOCTOR_PLAN_H

#include "doctor/facts.h"

/* What a browser's page would send as its origin: that of the MCP Inspector. */
#define DOCTOR_BROWSER_ORIGIN STR("http://localhost:6274")
/* A token, a client and a redirect URI that nobody knows; the host is reserved (RFC 2606). */
#define DOCTOR_BOGUS          "warder-doctor-not-a-token"
#define DOCTOR_NOBODY         "warder-doctor-nobody"
#define DOCTOR_BOGUS_REDIRECT STR("https://warder-doctor.invalid/callback")

/** The request, without its reach, in the arena. RC_NOT_FOUND: there is nothing to ask, because a
 * URL is missing or the question makes no sense for this server; RC_MEMORY. */
rc_t doctor_plan(arena_t *a, const doctor_facts_t *f, doctor_ask_t ask,
                 http_agent_request_t *out) MUST_USE;
/** The bodies that are sent to an endpoint. Static. */
str_t doctor_body_initialize(void);
str_t doctor_body_list(void);
/** Whether somebody reads the whole of a string of the document as URL; unset: absent or no string.
 */
str_t doctor_endpoint(const doctor_facts_t *f, str_t member);

#endif
