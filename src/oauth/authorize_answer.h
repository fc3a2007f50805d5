/* How the authorization endpoint answers: for authorize.c and consent.c. */
#ifndef OAUTH_AUTHORIZE_ANSWER_H
#define OAUTH_AUTHORIZE_ANSWER_H

#include "oauth/authorize.h"

/** The person of the session, or NULL when nobody who may is signed in. */
const user_t *oauth_authorize_user(const oauth_authorize_facts_t *facts);

/** Whether the client still has the redirect URI of a request that waited: documents change while
 *  people read. */
bool oauth_answer_may_go(const client_t *client, const authz_request_t *request);
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
/** The client is in use from now on; and the event of `kind` about the grant of that id. */
void oauth_answer_granted(const oauth_authorize_facts_t *facts, const authz_request_t *request,
                          str_t family_id, audit_kind_t kind, oauth_authorize_verdict_t *out);

#endif
