/* Client authentication by a signed assertion (RFC 7523 section 2.2): the step between the two of
 * client_auth.h, once the shell has found the client and its keys. */
#ifndef OAUTH_CLIENT_ASSERTION_H
#define OAUTH_CLIENT_ASSERTION_H

#include "oauth/client_auth.h"
#include "oauth/settings.h"

typedef struct {
    const oauth_settings_t *settings;
    int64_t now;            /* seconds */
    const client_t *client; /* of the claim's id; NULL: unknown */
    str_t client_jwks;      /* its keys, a JWK Set as text; unset: it has none */
    bool keys_away;         /* it has, but their host does not answer right now */
    oauth_spent_t seen;
} oauth_client_assertion_facts_t;

/** Reads type and assertion into the claim: its id is the assertion's subject. Sets claim->reason
 *  to OAUTH_CLIENT_ASSERTION_* when it cannot even be looked up. RC_MEMORY. */
rc_t oauth_client_assertion_read(arena_t *a, str_t type, str_t text,
                                 oauth_client_claim_t *claim) MUST_USE;
/** Checks it: sets claim->proof, and claim->spend when that is OAUTH_FINE. Without an assertion, or
 *  a client, nothing changes. RC_MEMORY. */
rc_t oauth_client_assertion_check(arena_t *a, const oauth_client_assertion_facts_t *facts,
                                  oauth_client_claim_t *claim) MUST_USE;

#endif
