/* What the token and revocation endpoints do about the client that asks. */
#ifndef AS_CLIENT_H
#define AS_CLIENT_H

#include "as/flow.h"
#include "oauth/client_auth.h"

/** The body as a form and the client's claim from it and the headers. The flow is asked for its
 *  record (as_flow_client), and writes into the claim why a document makes none. */
typedef struct as_client {
    form_t form;
    oauth_client_claim_t claim;
    const as_flow_t *flow; /* NULL: the claim is refused already, and no record is asked for */
    str_t rate_key;
} as_client_t;

/** Reads all of it and asks for the client. `out` must live as long as the flow. RC_MEMORY. */
rc_t as_client_read(as_flow_t *f, as_client_t *out) MUST_USE;
/** Between facts and decision (client_source.c): checks the assertion of the flow's client against
 *  its keys; its one use is spent with whatever is decided. Sets *again when a key is missing that
 *  may have been published since: gather again first. RC_MEMORY. */
rc_t as_client_prove(as_flow_t *f, bool *again) MUST_USE;
/** The record, or NULL. */
const client_t *as_client_record(const as_client_t *c);
/** In a step: whether it has proved who it is. What costs the check of a signature waits for that:
 *  the ids that requests are counted by are made up as easily as tokens. */
bool as_client_is_proved(const as_flow_t *f, const as_client_t *c);
/** Whether it may ask (again) now; false: answered with 429. */
bool as_client_may_ask(as_flow_t *f, const as_client_t *c, as_rate_t rate);
/** Counts a refusal that was about the client itself, or of who is none: a workload, or one whose
 *  document cannot be had. False: this address has made up too many clients; the answer is 429 now,
 *  and nothing is recorded, or strangers could fill the trail. */
bool as_client_count(as_flow_t *f, const as_client_t *c, oauth_reason_t reason) MUST_USE;

#endif
