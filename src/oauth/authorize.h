/* The authorization endpoint (RFC 6749 section 4.1.1), and the way on after each page.
 *
 *   oauth_authorize_read    the parameters: who asks? Then the shell gathers client, session, user.
 *   oauth_authorize_check   stage A, before the redirect URI is trusted: a refusal is a page.
 *                           Stage B, after: a refusal goes to the client.
 *   oauth_authorize_next    for a checked request, new or waiting: login, consent, code or error.
 *                           Before it the shell gathers the consent of user, client and resource.
 *
 * A refusal does not lead a visitor to a client that merely registered itself, unless somebody is
 * signed in: otherwise this server were an open redirector (RFC 9700 section 4.11.2). Then a page
 * is shown whose link leads there. */
#ifndef OAUTH_AUTHORIZE_H
#define OAUTH_AUTHORIZE_H

#include "core/form.h"
#include "core/ports.h"
#include "model/audit_event.h"
#include "model/effect.h"
#include "oauth/reason.h"
#include "oauth/settings.h"

typedef enum {
    OAUTH_AUTHORIZE_LOGIN,    /* show the login page for `interaction` */
    OAUTH_AUTHORIZE_CONSENT,  /* show the consent page for `interaction` */
    OAUTH_AUTHORIZE_REDIRECT, /* send the visitor to `redirect`: a code, or an error */
    OAUTH_AUTHORIZE_DEVICE,   /* decided for a device: show that the person may go back to it */
    OAUTH_AUTHORIZE_PAGE,     /* show the error page, status of the reason; if `redirect` is set
                               * with a link there */
} oauth_authorize_kind_t;

/** One verdict for every step of the authorization endpoint, and of consent.h. Lives in the arena
 *  or borrows from the facts. */
typedef struct {
    oauth_authorize_kind_t kind;
    oauth_reason_t reason; /* of an error page or redirect; else OAUTH_FINE */
    str_t description;     /* of an error, for people; else unset */
    str_t redirect;
    str_t handle;                     /* LOGIN, CONSENT: for the page's form */
    const interaction_t *interaction; /* LOGIN, CONSENT: as it will be stored */
    effects_t effects;
    bool has_event; /* pages that only ask leave no event */
    audit_event_t event;
} oauth_authorize_verdict_t;

/** The parameters of one request, taken apart. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: look client_id up; else check makes the page of it */
    str_t client_id;
    const form_t *form; /* borrowed */
    bool is_pushed;     /* all else was pushed before (RFC 9126): look `pushed` up, too */
    hash_t pushed;
} oauth_authorize_request_t;

/* What a request_uri of ours begins with; a handle follows (RFC 9126 section 2.2). */
#define OAUTH_PUSHED_URN "urn:ietf:params:oauth:request_uri:"

/** Reads who asks. `body` is NULL for a GET; parameters come from one place only. */
oauth_authorize_request_t oauth_authorize_read(const form_t *query, const form_t *body);

/** What is known. The first four are needed everywhere. */
typedef struct {
    const oauth_settings_t *settings;
    const random_port_t *random;
    int64_t now; /* seconds */
    const oauth_resources_t *resources;
    const client_t *client;       /* NULL: unknown */
    oauth_reason_t client_reason; /* then: why its document makes none; OAUTH_FINE: it has none */
    const session_t *session;     /* live; NULL: nobody is signed in */
    const user_t *user;           /* of the session; a disabled one counts as nobody */
    const consent_t *consent;     /* of user, client, the request's resource and redirect URI; NULL:
                                   * none. Not needed     by oauth_authorize_check */
    const pushed_t *pushed; /* of the request, or of the one that goes on; NULL: none, or used */
    const device_t *device; /* likewise: that waits for the one that goes on */
    const interaction_t *interaction; /* that goes on; NULL for a new request, and its handle: */
    str_t handle;
} oauth_authorize_facts_t;

/** What is wrong with the parameters of a request. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: nothing */
    bool trusted;          /* stage A is passed: the redirect URI may learn of it */
    str_t description;     /* where it says more than the reason's; else unset */
    str_t detail;          /* for the audit; unset takes the reason's */
} oauth_authorize_finding_t;

/** Both stages for facts.client, whoever brought the parameters: facts as for
 *  oauth_authorize_check. Fails as the arena does. */
rc_t oauth_authorize_judge(arena_t *a, const oauth_authorize_facts_t *facts, const form_t *form,
                           authz_request_t *request, oauth_authorize_finding_t *out) MUST_USE;
/** Only what it is for: resource and scope; for requests that go to no redirect URI. */
rc_t oauth_authorize_judge_target(arena_t *a, const oauth_authorize_facts_t *facts,
                                  const form_t *form, authz_request_t *request,
                                  oauth_authorize_finding_t *out) MUST_USE;
/** The parameters that were judged, encoded again, to be judged later: without those that say who
 *  asks. RC_LIMIT, RC_MEMORY. */
rc_t oauth_authorize_form(arena_t *a, const form_t *form, str_t *out) MUST_USE;

/**
 * Checks all parameters: those that were pushed where the request names them, and then no others
 * (RFC 9126 section 4). *request is filled and *fine true when the shell shall go on with
 * oauth_authorize_next; otherwise *out is the answer. Fails as the arena does.
 */
rc_t oauth_authorize_check(arena_t *a, const oauth_authorize_facts_t *facts,
                           const oauth_authorize_request_t *in, authz_request_t *request,
                           bool *fine, oauth_authorize_verdict_t *out) MUST_USE;

/**
 * Where a checked request goes now. With facts.interaction (after login, or when its page is loaded
 * again) `request` is &facts.interaction->request. Silent (a code without a page) only where the
 * remembered consent covers client, resource, scopes and redirect URI, the URI is https, and the
 * client is no native one (OAuth 2.1 section 7.3.1).
 */
rc_t oauth_authorize_next(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, oauth_authorize_verdict_t *out) MUST_USE;

/**
 * Whoever signs in anew takes along the request that waited for the decision of the session
 * `before` (NULL: there was none): adds INTERACTION_UPDATE, so that it waits for a login again and
 * then belongs to the new session. Adds nothing when it belongs to another one. RC_MEMORY.
 */
rc_t oauth_authorize_release(arena_t *a, const interaction_t *interaction, const session_t *before,
                             int64_t now, effects_t *effects) MUST_USE;

#endif
