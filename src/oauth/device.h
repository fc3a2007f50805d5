/* Device authorization (RFC 8628): a device without a browser asks, shows a short code, and waits;
 * a person types the code elsewhere, signs in, and decides there.
 *
 *   oauth_device_decide   the device asks: a device_code for it, a user code for the person
 *   oauth_device_open     the person has typed the code: the request that goes on through login and
 *                         consent like any other, but to no redirect URI (authorize.h, consent.h)
 *   oauth_device_approve, oauth_device_deny: what the decision changes
 *   grant_device.c        the device polls */
#ifndef OAUTH_DEVICE_H
#define OAUTH_DEVICE_H

#include "oauth/authorize.h"
#include "oauth/client_auth.h"
#include "oauth/dpop.h"

/** What is known when a device asks. */
typedef struct {
    const oauth_settings_t *settings;
    const random_port_t *random;
    int64_t now; /* seconds */
    const oauth_resources_t *resources;
    const oauth_client_claim_t *claim;
    const client_t *client; /* of the claim's id; NULL: unknown */
    const form_t *form;
    const oauth_dpop_t *proof; /* NULL: DPoP is off */
    oauth_spent_t seen;
    bool full; /* the quota of DEVICE_INSERT was reached */
} oauth_device_facts_t;

/** Lives in the arena or borrows from the facts. A conflict on apply means that the user code is
 *  taken: decide again. */
typedef struct {
    oauth_reason_t reason;
    int status;
    str_t body;             /* JSON (RFC 8628 section 3.2) */
    str_t www_authenticate; /* unset: none */
    effects_t effects;
    audit_event_t event;
} oauth_device_verdict_t;

/** Decides. Fails as the arena and the random port do. */
rc_t oauth_device_decide(arena_t *a, const oauth_device_facts_t *facts,
                         oauth_device_verdict_t *out) MUST_USE;

/** The request of a device whose user code was typed (NULL: there is none): OAUTH_USER_CODE_UNKNOWN
 *  unless it waits, and then nothing says why (RFC 8628 section 5.1). Borrows from it. */
oauth_reason_t oauth_device_open(const device_t *device, int64_t now, authz_request_t *request);
/** The event of a code that was typed; `client` unset: of nobody. */
audit_event_t oauth_device_event(oauth_reason_t reason, const user_t *user, str_t client);

/** Whether a device waits for the request. */
bool oauth_device_is_for(const authz_request_t *request);
/** OAUTH_DEVICE_GONE when facts.device no longer waits for `request`; else OAUTH_FINE. */
oauth_reason_t oauth_device_check_open(const oauth_authorize_facts_t *facts,
                                       const authz_request_t *request);
/** The answer to the person: OAUTH_FINE, or OAUTH_ACCESS_DENIED with its event. No effects. */
void oauth_device_answer(const oauth_authorize_facts_t *facts, const authz_request_t *request,
                         oauth_reason_t reason, oauth_authorize_verdict_t *out);
/** Adds DEVICE_DECIDE for facts.device and whoever is signed in; and the event, as of a code. */
rc_t oauth_device_approve(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, oauth_authorize_verdict_t *out) MUST_USE;
/** Adds DEVICE_DECIDE. */
rc_t oauth_device_deny(arena_t *a, const oauth_authorize_facts_t *facts,
                       effects_t *effects) MUST_USE;

#endif
