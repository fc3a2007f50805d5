/* Proof Key for Code Exchange (RFC 7636): S256 and nothing else. */
#ifndef OAUTH_PKCE_H
#define OAUTH_PKCE_H

#include "oauth/reason.h"

/** Whether an authorization request may go on: OAUTH_PKCE_MISSING, OAUTH_PKCE_METHOD (unset means
 *  plain, RFC 7636 section 4.3), OAUTH_PKCE_CHALLENGE (not 43 characters that are the canonical
 *  base64url of 32 bytes), or OAUTH_FINE. */
oauth_reason_t oauth_pkce_check_challenge(str_t challenge, str_t method);
/** Whether `verifier` is what `challenge` was made of: OAUTH_PKCE_VERIFIER_MISSING,
 *  OAUTH_PKCE_VERIFIER_MALFORMED (not 43 to 128 unreserved characters), OAUTH_PKCE_MISMATCH or
 *  OAUTH_FINE. Compares in constant time. */
oauth_reason_t oauth_pkce_check_verifier(str_t verifier, str_t challenge);

#endif
