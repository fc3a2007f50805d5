/* The decision of a person on the consent page. Idempotent: whoever clicks twice gets the same
 * answer twice, though the code is stored as a hash only. It is therefore derived from the
 * interaction's handle, which only the page holds, and a key of the server. */
#ifndef OAUTH_CONSENT_H
#define OAUTH_CONSENT_H

#include "oauth/authorize.h"

typedef struct {
    bool approve;
    str_t derive_key; /* OAUTH_DERIVE_KEY_BYTES, borrowed */
    hash_t seen;      /* client_t.document as the page showed it */
} oauth_decision_t;

/**
 * Decides for the interaction of facts.handle (facts.interaction NULL: unknown). The session must
 * be the one that the consent page was shown to. Approved: a redirect with the code, and effects
 * INTERACTION_UPDATE, CODE_INSERT, CONSENT_PUT, and CLIENT_KEEP or, for a client by document,
 * CLIENT_PUT with what was approved. A document that is not the one `seen` any more: the page
 * again. Denied: a redirect with access_denied. Decided before: the first decision's redirect
 * again, without effects, for settings.decision_replay seconds. A conflict on apply means a second
 * click was faster: gather and decide again. Fails as the arena and the random port do.
 */
rc_t oauth_consent_decide(arena_t *a, const oauth_authorize_facts_t *facts,
                          const oauth_decision_t *decision,
                          oauth_authorize_verdict_t *out) MUST_USE;

/** Whether `consent` (NULL: none) is for the client as it is now. What was approved before it
 * changed does not add up with it: the page has not shown it. */
bool oauth_consent_is_of(const consent_t *consent, const client_t *client);

#endif
