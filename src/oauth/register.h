/* Dynamic client registration (RFC 7591).
 *
 * Lenient where clients in the field are careless and nothing is at stake: unknown members are
 * ignored, grants that nobody offers are left out, empty or null members are absent, bad redirect
 * URIs are dropped while good ones remain, and "web" becomes "native" where the redirect URIs say
 * so. The answer tells the effective values. Strict where it matters: see reasons.def.
 *
 * `scope` is a wish, not a bound: SDKs register with the scope of the first challenge and step up
 * later. A client that registered itself may ask for whatever a resource has, a person decides, and
 * the answer says so. What an administrator writes down for a client is a bound.
 *
 * An open registration leaves no row: its client_id holds it (sealed_client.h). What was vouched
 * for by a token or a software statement is a row, and so is what does not fit into an id. */
#ifndef OAUTH_REGISTER_H
#define OAUTH_REGISTER_H

#include "core/ports.h"
#include "model/audit_event.h"
#include "model/effect.h"
#include "oauth/reason.h"
#include "oauth/settings.h"
#include "oauth/statement.h"

/** The initial access token that came with a request. */
typedef struct {
    bool given;
    hash_t hash; /* for ASK_REGISTRATION_TOKEN, when given */
} oauth_initial_token_t;

/** Reads it from the values of all Authorization headers. Anything but one Bearer token counts as
 *  none. */
oauth_initial_token_t oauth_register_token(str_list_t authorization);

typedef struct {
    const oauth_settings_t *settings;
    const random_port_t *random;
    int64_t now; /* seconds */
    const oauth_resources_t *resources;
    str_t body; /* the JSON, as it came */
    oauth_initial_token_t token;
    const registration_token_t *registration_token; /* its record, or NULL */
    str_list_t seal_keys; /* for ids that hold the registration; empty: each one is a row */
    str_t statement_keys; /* oauth_statement_facts_t.keys */
    bool statement_away;  /* oauth_statement_facts_t.away */
    bool full; /* the quota of clients is known to be reached (CLIENT_INSERT conflicted) */
} oauth_register_facts_t;

typedef struct {
    oauth_reason_t reason;
    int status;             /* 201, or that of the reason */
    str_t body;             /* JSON; after success it holds the secret, which is nowhere else */
    str_t www_authenticate; /* unset unless the status is 401 */
    const client_t *client; /* who registered, to be counted; NULL after a refusal */
    effects_t effects;
    audit_event_t event; /* without address and request id, as everywhere in this room */
} oauth_register_verdict_t;

/** Decides. Everything in *out lives in the arena or borrows from the facts. RC_MEMORY, RC_LIMIT,
 * or what the random port answers. */
rc_t oauth_register_decide(arena_t *a, const oauth_register_facts_t *facts,
                           oauth_register_verdict_t *out) MUST_USE;

/** For clients that an administrator makes: sets id, and for clients with a secret has_secret and
 *  secret_hash; *secret is the secret, or unset. Fails as oauth_register_decide. */
rc_t oauth_client_credentials_new(arena_t *a, const random_port_t *random, client_t *client,
                                  str_t *secret) MUST_USE;

#endif
