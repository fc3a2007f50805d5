/* What grants have in common: tokens, and the checks of whom and what they are for. */
#ifndef OAUTH_MINT_H
#define OAUTH_MINT_H

#include "oauth/token.h"

/** What an access token says. */
typedef struct {
    str_t sub;
    str_t resource;    /* the one audience */
    str_t scope;       /* unset: none */
    str_t family_id;   /* unset: no person granted it, and it belongs to no family */
    str_t acr;         /* how the person signed in (RFC 9470); unset: unknown, or no person */
    int64_t auth_time; /* and when; 0: no person */
    str_t act;         /* JSON of who acts for sub (RFC 8693 section 4.1); unset: nobody */
    int64_t ends_at;   /* it ends then at the latest; 0: by its resource's lifetime alone */
} oauth_mint_t;

/** What an access token of `family` says, with this scope. */
oauth_mint_t oauth_mint_of(const family_t *family, str_t scope);

/** Sets out->claims (RFC 9068 section 2.2) or, where the resource wants opaque tokens,
 *  out->access_token with its ACCESS_TOKEN_INSERT; and jkt, scope, expires_in, the event's fields.
 *  Where the request proves possession of a key, the token is bound to it (RFC 9449 section 6.1).
 *  The jti of a family's token is its id, '.', and a random part, so that revocation knows the
 *  family again. */
rc_t oauth_mint_access(arena_t *a, const oauth_token_facts_t *facts, const oauth_mint_t *what,
                       oauth_token_verdict_t *out) MUST_USE;
/** When a refresh token that is used now ends. */
int64_t oauth_mint_refresh_end(const oauth_token_facts_t *facts, const family_t *family);
/** Sets out->refresh_token and adds REFRESH_INSERT for it; it ends when idle, and with its family.
 */
rc_t oauth_mint_refresh(arena_t *a, const oauth_token_facts_t *facts, const family_t *family,
                        const hash_t *parent, oauth_token_verdict_t *out) MUST_USE;
/** The tokens of a new family, a refresh token only where the client may have one; adds
 *  FAMILY_INSERT. `grant` has the id, who granted what, and how and when they signed in; client,
 *  times and key are the request's. */
rc_t oauth_mint_family(arena_t *a, const oauth_token_facts_t *facts, const family_t *grant,
                       oauth_token_verdict_t *out) MUST_USE;
/** Adds FAMILY_REVOKE, unless it is revoked. */
rc_t oauth_mint_revoke(arena_t *a, const family_t *family, oauth_reason_t why, int64_t now,
                       effects_t *effects) MUST_USE;
/** Whether a grant for `resource` may be used by its owner in this request: OAUTH_USER_GONE,
 *  OAUTH_RESOURCE_*, or OAUTH_FINE. `description` as oauth_resource_verdict_t. */
rc_t oauth_mint_check_use(arena_t *a, const oauth_token_facts_t *facts, str_t resource,
                          oauth_token_verdict_t *out) MUST_USE;

#endif
