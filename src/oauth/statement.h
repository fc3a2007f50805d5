/* Software statements (RFC 7591 section 2.3): somebody whom the operator trusts vouches for what a
 * client says of itself. A signed JWT whose claims are client metadata and win over the request's.
 */
#ifndef OAUTH_STATEMENT_H
#define OAUTH_STATEMENT_H

#include "core/json.h"
#include "oauth/reason.h"
#include "oauth/settings.h"

/** The statement of a registration; borrows the body or lives in the arena. */
typedef struct {
    bool given;
    oauth_reason_t reason; /* OAUTH_FINE, OAUTH_METADATA_MALFORMED, or OAUTH_STATEMENT_* */
    str_t text;            /* as it came, to be returned unmodified (section 3.2.1) */
    str_t issuer;          /* claimed until it was checked; unset: unreadable */
    const json_t *claims;  /* checked; else NULL */
} oauth_statement_t;

/** Takes the statement out of a registration's body; nothing is verified, the issuer tells whose
 *  keys are needed. RC_MEMORY. */
rc_t oauth_statement_read(arena_t *a, str_t body, oauth_statement_t *out) MUST_USE;

typedef struct {
    const oauth_settings_t *settings; /* with the issuers that are trusted */
    str_t keys;    /* JWK Set of the issuer that oauth_statement_read has told, where it has none of
                    * its own in the settings; unset: could not be had */
    bool away;     /* unset, and that will pass: OAUTH_STATEMENT_KEYS_AWAY */
    int64_t now;   /* seconds */
    bool required; /* none at all is OAUTH_STATEMENT_MISSING */
} oauth_statement_facts_t;

/** Reads and verifies: reason, and claims when one was given and is fine. Where nobody can vouch
 *  for anybody and none is required, the member is unknown and ignored. `aud` must name our issuer
 *  or registration endpoint, and `exp`, `nbf` and `iat` count with a minute's leeway, where they
 *  stand there. `typ` must be absent, JWT or software-statement+jwt, and something must be said of
 *  a client, so that no other token of the issuer passes for one (RFC 8725 section 3.12).
 *  RC_MEMORY. */
rc_t oauth_statement_take(arena_t *a, const oauth_statement_facts_t *facts, str_t body,
                          oauth_statement_t *out) MUST_USE;
/** Who vouches for the client itself: the issuer of a checked statement that says both its name and
 *  where its codes go. Unset: nobody. A statement is no secret: without redirect URIs in it,
 * anybody could send it along with URIs of their own and be shown as what it names. */
str_t oauth_statement_voucher(const oauth_statement_t *statement);

#endif
