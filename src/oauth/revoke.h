/* Token revocation (RFC 7009). A refresh token ends its whole grant: itself, its siblings and
 * successors, and all their access tokens. An access token ends alone; resource servers learn of it
 * from the list of revocations (revocation_list.h). */
#ifndef OAUTH_REVOKE_H
#define OAUTH_REVOKE_H

#include "model/effect.h"
#include "oauth/introspect.h"

typedef struct {
    int64_t now; /* seconds */
    const oauth_client_claim_t *claim;
    const oauth_token_query_t *query;
    const client_t *client; /* of the claim's id; NULL: unknown */
    oauth_own_facts_t token;
} oauth_revoke_facts_t;

typedef struct {
    oauth_reason_t
        reason; /* OAUTH_FINE: 200 with an empty body, whether the token was known or not */
    int status;
    str_t body; /* of a refusal: JSON; else empty */
    str_t www_authenticate;
    effects_t effects;
    audit_event_t event;
} oauth_revoke_verdict_t;

/** Decides. Fails as the arena does. */
rc_t oauth_revoke_decide(arena_t *a, const oauth_revoke_facts_t *facts,
                         oauth_revoke_verdict_t *out) MUST_USE;

#endif
