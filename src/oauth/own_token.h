/* Tokens of ours that come back: to be revoked, introspected or exchanged. One record says what an
 * access token says, whether it carries that itself (a JWT) or the store has it (opaque). */
#ifndef OAUTH_OWN_TOKEN_H
#define OAUTH_OWN_TOKEN_H

#include "jose/jwk.h"
#include "model/records.h"

/** A token as far as it can be read without the store. */
typedef struct {
    bool is_jwt;           /* an access token with a good signature of ours, expired or not */
    access_token_t access; /* then: what it says; id is not set */
    hash_t hash;           /* else: what to look for among opaque and refresh tokens */
} oauth_own_token_t;

/** Reads any text. `keys` are those that sign and signed (keyring_keys). Borrows the token.
 * RC_MEMORY.
 */
rc_t oauth_own_token_read(arena_t *a, str_t token, const jwks_t *keys, str_t issuer,
                          oauth_own_token_t *out) MUST_USE;

/** What the store knows of it. All NULL: nobody's token. */
typedef struct {
    const access_token_t *access; /* ASK_ACCESS_TOKEN by the hash, or that of a JWT */
    const refresh_t *refresh;     /* ASK_REFRESH by the hash */
    const family_t *family;       /* of either (ASK_FAMILY) */
    const user_t *owner;          /* of the family */
    size_t revoked;               /* ASK_REVOKED for the access token */
} oauth_own_facts_t;

/** Whether an access token still counts: it has not ended, was not revoked, and whoever granted it
 *  is there. */
bool oauth_own_access_lives(const oauth_own_facts_t *facts, int64_t now);
/** Whether a refresh token does: it was not used, its grant lives, and whoever granted it is there.
 */
bool oauth_own_refresh_lives(const oauth_own_facts_t *facts, int64_t now);

#endif
