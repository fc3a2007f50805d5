/* Pushed authorization requests (RFC 9126): the client sends the parameters by itself, all of them
 * are checked at once, and the browser carries only a reference to them. */
#ifndef OAUTH_PUSHED_H
#define OAUTH_PUSHED_H

#include "oauth/authorize.h"
#include "oauth/client_auth.h"
#include "oauth/dpop.h"

/**
 * Whether facts.pushed (NULL: no such request) may be begun with by facts.client now:
 * OAUTH_PUSHED_UNKNOWN, OAUTH_PUSHED_OTHER_CLIENT, OAUTH_PUSHED_EXPIRED, or OAUTH_FINE. It stays
 * until the person has decided, so that its page can be loaded again (RFC 9126 section 4); how long
 * that may take is the interaction's matter.
 */
oauth_reason_t oauth_pushed_check(const oauth_authorize_facts_t *facts);
/** Whether `request` was pushed. */
bool oauth_pushed_is(const authz_request_t *request);
/** Whether `request`, begun before, is still to be answered: OAUTH_FINE, or OAUTH_PUSHED_UNKNOWN
 *  when another window has ended the pushed request that it came from. */
oauth_reason_t oauth_pushed_check_open(const oauth_authorize_facts_t *facts,
                                       const authz_request_t *request);
/** Adds PUSHED_CONSUME if `request` was pushed: it is answered. Borrows from it. */
void oauth_pushed_end(const authz_request_t *request, int64_t now, effects_t *effects);

/** What is known when a request is pushed. */
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
    bool full; /* the quota of PUSHED_INSERT was reached */
} oauth_pushed_facts_t;

/** Lives in the arena or borrows from the facts. */
typedef struct {
    oauth_reason_t reason;
    int status;             /* 201 when fine (RFC 9126 section 2.2) */
    str_t body;             /* JSON */
    str_t www_authenticate; /* unset: none */
    effects_t effects;
    audit_event_t event;
} oauth_pushed_verdict_t;

/** Decides. Fails as the arena and the random port do. */
rc_t oauth_pushed_decide(arena_t *a, const oauth_pushed_facts_t *facts,
                         oauth_pushed_verdict_t *out) MUST_USE;

#endif
