/* The grants of the token endpoint, one file each: for token.c. Client, method and grant type were
 * checked. Each sets out->reason, and what the answer and the trail need; the rest is token.c's. */
#ifndef OAUTH_GRANT_H
#define OAUTH_GRANT_H

#include "oauth/token.h"

/** RFC 6749 section 4.1.3, RFC 7636 section 4.6. */
rc_t oauth_grant_code(arena_t *a, const oauth_token_facts_t *facts,
                      oauth_token_verdict_t *out) MUST_USE;
/** RFC 6749 section 6, OAuth 2.1 section 4.3. */
rc_t oauth_grant_refresh(arena_t *a, const oauth_token_facts_t *facts,
                         oauth_token_verdict_t *out) MUST_USE;
/** RFC 8628 section 3.4. */
rc_t oauth_grant_device(arena_t *a, const oauth_token_facts_t *facts,
                        oauth_token_verdict_t *out) MUST_USE;
/** RFC 6749 section 4.4. */
rc_t oauth_grant_client_credentials(arena_t *a, const oauth_token_facts_t *facts,
                                    oauth_token_verdict_t *out) MUST_USE;

/** RFC 8693: the server of a resource exchanges a token it was called with for one of the next
 *  resource, on behalf of the same person. */
rc_t oauth_grant_exchange(arena_t *a, const oauth_token_facts_t *facts,
                          oauth_token_verdict_t *out) MUST_USE;
/** RFC 7523 section 2.1: people by ID-JAG, and workloads (bearer.h). */
rc_t oauth_grant_jwt_bearer(arena_t *a, const oauth_token_facts_t *facts,
                            oauth_token_verdict_t *out) MUST_USE;

#endif
