/* How the authorization endpoint answers: for authorize.c and consent.c. */
#ifndef OAUTH_AUTHORIZE_ANSWER_H
#define OAUTH_AUTHORIZE_ANSWER_H

#include "oauth/authorize.h"

/** The person of the session, or NULL when nobody who may is signed in. */
const user_t *oauth_authorize_user(const oauth_authorize_facts_t *facts);

/** What was registered before the operator thought otherwise does not count any longer; an
 *  administrator's own clients are beyond the policy. OAUTH_REDIRECT_URI_*, or OAUTH_FINE. */
oauth_reason_t oauth_answer_check_policy(const oauth_authorize_facts_t *facts, str_t redirect_uri);
/** Whether the answer of a request that waited may still go to its redirect URI: documents and the
 *  operator's mind change while people read. Reasons as above, OAUTH_REDIRECT_URI_NOT_REGISTERED
 *  among them. */
oauth_reason_t oauth_answer_may_go(const oauth_authorize_facts_t *facts,
                                   const authz_request_t *request);
/** A page that leads nowhere: the redirect URI is not to be trusted. `detail` for the audit, unset
 *  takes the reason's. */
void oauth_answer_page(const oauth_authorize_facts_t *facts, oauth_reason_t reason, str_t detail,
                       oauth_authorize_verdict_t *out);
/** The error to the client, or, where that would make an open redirector of us, a page with the
 *  link. `description` unset takes the reason's. */
rc_t oauth_answer_error(arena_t *a, const oauth_authorize_facts_t *facts,
                        const authz_request_t *request, oauth_reason_t reason, str_t description,
                        oauth_authorize_verdict_t *out) MUST_USE;
/** The code to the client; no effects. */
rc_t oauth_answer_code(arena_t *a, const oauth_authorize_facts_t *facts,
                       const authz_request_t *request, str_t code,
                       oauth_authorize_verdict_t *out) MUST_USE;
/** The effects that make `code` redeemable, and the event of `kind`. */
rc_t oauth_answer_issue(arena_t *a, const oauth_authorize_facts_t *facts,
                        const authz_request_t *request, str_t code, audit_kind_t kind,
                        oauth_authorize_verdict_t *out) MUST_USE;
/** Nothing of it counts unless the session is still there; the client is in use from now on; and
 * the event of `kind` about the grant of that id. */
rc_t oauth_answer_granted(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, str_t family_id, audit_kind_t kind,
                          oauth_authorize_verdict_t *out) MUST_USE;

#endif
