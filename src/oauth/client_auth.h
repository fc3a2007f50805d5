/* Client authentication at the token and revocation endpoints (RFC 6749 section 2.3).
 *
 * Two steps: read what the request claims, so that the shell can ask the store for that client;
 * then check the claim against the client. Between them an assertion is checked against the
 * client's keys (client_assertion.h). Both halves of Basic credentials are form-decoded (RFC
 * 6749 section 2.3.1). Clients that send them plain are understood too, because ids and secrets
 * have unreserved characters only, which decode to themselves; and no encoding of one client's id
 * can be read as another's. */
#ifndef OAUTH_CLIENT_AUTH_H
#define OAUTH_CLIENT_AUTH_H

#include "core/form.h"
#include "core/secret.h"
#include "model/records.h"
#include "oauth/assertion.h"
#include "oauth/reason.h"
#include "oauth/settings.h"

/** What a request says about its client. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: look client_id up; else refuse with it */
    bool basic_tried;      /* an Authorization header came: a 401 must name Basic */
    client_auth_t method;  /* how it tries to authenticate */
    str_t client_id;
    secret_t secret;                    /* hidden is unset without a secret */
    const oauth_assertion_t *assertion; /* NULL: none came, or it is refused already */
    oauth_reason_t proof;               /* what the check of the assertion said */
    const spent_t *spend; /* its one use, to be remembered with the decision; NULL: none */
} oauth_client_claim_t;

/** Reads all Authorization headers (their values, in order) and the form. The claim borrows from
 *  both, or lives in the arena. RC_MEMORY. */
rc_t oauth_client_auth_read(arena_t *a, str_list_t authorization, const form_t *form,
                            oauth_client_claim_t *out) MUST_USE;

/**
 * Checks a claim whose reason is OAUTH_FINE against the client of that id, NULL when there is none:
 * OAUTH_CLIENT_UNKNOWN (also for a registration that expired unused at `now`),
 * OAUTH_CLIENT_AUTH_METHOD (only the registered method counts, RFC 7591 section 2),
 * OAUTH_CLIENT_AUTH_SECRET, what the check of its assertion said, or OAUTH_FINE. Takes the same
 * path and time whether the client exists or not.
 */
oauth_reason_t oauth_client_auth_check(const oauth_client_claim_t *claim, const client_t *client,
                                       int64_t now);

/** The WWW-Authenticate value for a refusal by `r`: Basic where RFC 6749 section 5.2 demands it
 * (401 after an Authorization header), else unset: clients treat a 401 with that header as a matter
 * of HTTP and no longer read the error of the body. Static. */
str_t oauth_client_auth_challenge(const oauth_client_claim_t *claim, oauth_reason_t r);

/** The grants that the client may use now, as bits: of one that registered itself none that a
 * stranger may not register for any longer, as ids that hold their registration never expire. */
uint32_t oauth_client_grants(const oauth_settings_t *settings, const client_t *client);

#endif
