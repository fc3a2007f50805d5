/* Token introspection (RFC 7662): what a resource server may learn of a token it was sent. It must
 * be registered as the server of the token's resource; to all others, and for all that is not
 * active, the answer is the same. */
#ifndef OAUTH_INTROSPECT_H
#define OAUTH_INTROSPECT_H

#include "core/form.h"
#include "model/audit_event.h"
#include "oauth/client_auth.h"
#include "oauth/own_token.h"
#include "oauth/settings.h"

/** The token that revocation and introspection are about. `token_type_hint` is not needed: tokens
 *  of all kinds are looked for at once, whatever it says (RFC 7009 section 2.1). */
typedef struct {
    oauth_reason_t reason; /* refuses once the client is known; then nothing is looked for */
    oauth_own_token_t token;
} oauth_token_query_t;

/** Reads the form. RC_MEMORY. */
rc_t oauth_token_query_read(arena_t *a, const form_t *form, const jwks_t *keys, str_t issuer,
                            oauth_token_query_t *out) MUST_USE;

typedef struct {
    str_t issuer;
    int64_t now; /* seconds */
    const oauth_client_claim_t *claim;
    const client_t *client; /* of the claim's id; NULL: unknown */
    const oauth_token_query_t *query;
    oauth_own_facts_t token;
} oauth_introspect_facts_t;

typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: active */
    int status;
    str_t body; /* JSON */
    str_t www_authenticate;
    bool quiet; /* leaves no event: it is nobody's token, and whoever calls a resource server makes
                 * as many as they like up */
    audit_event_t event;
} oauth_introspect_verdict_t;

/** Decides. Fails as the arena does. */
rc_t oauth_introspect_decide(arena_t *a, const oauth_introspect_facts_t *facts,
                             oauth_introspect_verdict_t *out) MUST_USE;

#endif
