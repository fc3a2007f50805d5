/* Token revocation (RFC 7009). A refresh token or an access token ends its whole grant: the token
 * that is revoked, its siblings and successors. Access tokens that are out are JWTs of minutes. */
#ifndef OAUTH_REVOKE_H
#define OAUTH_REVOKE_H

#include "core/ports.h"
#include "jose/jwk.h"
#include "model/audit_event.h"
#include "model/effect.h"
#include "oauth/client_auth.h"
#include "oauth/settings.h"

/** What is to be revoked. */
typedef struct {
    oauth_reason_t reason; /* refuses once the client is known */
    hash_t hash;           /* ASK_REFRESH, when fine */
    str_t family_id;       /* ASK_FAMILY, when set: the token is an access token of ours */
    str_t jti;             /* of that access token, for the audit */
} oauth_revoke_request_t;

/** Reads the form. `keys` are those that sign and signed (keyring_keys): an access token counts
 * only with a good signature, expired or not. RC_MEMORY. */
rc_t oauth_revoke_read(arena_t *a, const form_t *form, const jwks_t *keys, str_t issuer,
                       oauth_revoke_request_t *out) MUST_USE;

typedef struct {
    int64_t now; /* seconds */
    const oauth_client_claim_t *claim;
    const oauth_revoke_request_t *request;
    const client_t *client; /* of the claim's id; NULL: unknown */
    const family_t *family; /* of the refresh token or the access token; NULL: unknown token */
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
