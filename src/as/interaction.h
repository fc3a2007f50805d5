/* The way of a person through an authorization request: what the pages show of a verdict. */
#ifndef AS_INTERACTION_H
#define AS_INTERACTION_H

#include "as/browser.h"
#include "oauth/authorize.h"

/** How a verdict that leads to the client gets there. */
typedef enum {
    AS_LEAVE_REDIRECT, /* the answer to a link: 303 */
    AS_LEAVE_PAGE,     /* the answer to a form, or behind one: a page that goes on by itself */
} as_leave_t;

/** The facts that every step needs; the endpoint adds its own. */
oauth_authorize_facts_t as_interaction_facts(const as_flow_t *f, const as_browser_t *b);
/** Takes the verdict over: effects, event, and the page or redirect as the flow's answer. */
rc_t as_interaction_answer(as_flow_t *f, as_browser_t *b, const oauth_authorize_facts_t *facts,
                           const oauth_authorize_verdict_t *verdict, as_leave_t leave) MUST_USE;
/** Adds the question for what was approved before; *out NULL: nobody is signed in. RC_MEMORY. */
rc_t as_interaction_ask_consent(as_flow_t *f, const user_t *user, const authz_request_t *request,
                                const ask_t **out) MUST_USE;
/** What the consent page shows of a client that may change (client_t.document), as one word for its
 *  form; unset for others. RC_MEMORY. */
rc_t as_interaction_document(arena_t *a, const client_t *client, str_t *out) MUST_USE;

#endif
