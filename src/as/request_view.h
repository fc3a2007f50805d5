/* What an authorization request that waits for a person asks for, in the words of the pages. */
#ifndef AS_REQUEST_VIEW_H
#define AS_REQUEST_VIEW_H

#include "as/flow.h"
#include "oauth/authorize.h"
#include "web/consent.h"

/** Fills what is true whoever signs in: client, where the access goes, resource, scopes. Needs
 *  facts->client, and facts->device where the request is for one. RC_MEMORY. */
rc_t as_request_view(as_flow_t *f, const oauth_authorize_facts_t *facts,
                     const authz_request_t *request, web_consent_t *out) MUST_USE;
/** Where a redirect URI leads; *host as in web_consent_t.redirect_host. */
web_redirect_kind_t as_request_view_redirect(arena_t *a, str_t uri, str_t *host);

#endif
