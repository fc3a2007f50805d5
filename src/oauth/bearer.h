/* Assertions that are a grant (RFC 7523 section 2.1), of two kinds (told apart by typ, and by what
 * their issuer is trusted for):
 *
 *   an Identity Assertion JWT (ID-JAG): an identity provider vouches for a person, for one client
 *   and one resource; the client authenticates as always (enterprise-managed authorization)
 *
 *   a workload's own token: its platform vouches for it; there is no client but the rule of the
 *   settings that it fits (workload identity federation)
 *
 * Two steps: read, so that the shell can get the issuer's keys; then check against them. */
#ifndef OAUTH_BEARER_H
#define OAUTH_BEARER_H

#include "core/form.h"
#include "oauth/assertion.h"
#include "oauth/settings.h"

#define OAUTH_PROFILE_ID_JAG "urn:ietf:params:oauth:grant-profile:id-jag"

/** One assertion. Lives in the arena and borrows the form. */
typedef struct {
    oauth_reason_t reason; /* after reading: OAUTH_FINE asks for the issuer's keys; after checking:
                            * OAUTH_FINE means that its issuer says so, now, to us */
    bool checked;          /* by oauth_bearer_check */
    bool is_workload;      /* no ID-JAG */
    const oauth_assertion_t *assertion; /* NULL: it cannot be read */
    const oauth_issuer_t *issuer;       /* NULL: nobody who is trusted for this */
    str_t subject;            /* id of the person or workload here (subject.h); unset: unknown */
    const oauth_rule_t *rule; /* that a workload fits, once checked */
    client_t client;          /* the workload as a client, once checked */
    const spent_t *spend;     /* its one use, once checked; NULL: it may come again */
} oauth_bearer_t;

/** Reads the parameter assertion. RC_MEMORY. */
rc_t oauth_bearer_read(arena_t *a, const oauth_settings_t *settings, const form_t *form,
                       oauth_bearer_t *out) MUST_USE;

/** The last word: its reason, and never OAUTH_FINE before it was checked. */
oauth_reason_t oauth_bearer_verdict(const oauth_bearer_t *bearer);

typedef struct {
    const oauth_settings_t *settings;
    int64_t now;       /* seconds */
    str_t issuer_jwks; /* the keys of its issuer, a JWK Set as text; unset: there are none */
    bool keys_away;    /* they cannot be had right now */
    oauth_spent_t seen;
} oauth_bearer_facts_t;

/** Checks what was read; *out is the same with reason, spend, and for a workload rule and client.
 *  What was refused stays so. RC_MEMORY. */
rc_t oauth_bearer_check(arena_t *a, const oauth_bearer_facts_t *facts, const oauth_bearer_t *read,
                        oauth_bearer_t *out) MUST_USE;

#endif
