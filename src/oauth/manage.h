/* The management of a registration by its client (RFC 7592).
 *
 * Who holds the registration access token may read, replace and delete the registration. An update
 * obeys the rules of registration; what people have approved they approve anew when name, redirect
 * URIs, keys, way of authentication or who vouched for it change: consents are bound to
 * client_t.document, which is then another. A client whose id is its registration gets a row by the
 * first change, and keeps its id. */
#ifndef OAUTH_MANAGE_H
#define OAUTH_MANAGE_H

#include "oauth/register.h"

typedef enum { OAUTH_MANAGE_READ, OAUTH_MANAGE_REPLACE, OAUTH_MANAGE_DELETE } oauth_manage_t;

/** The registration access token of a request: the value of one Bearer header, else unset. */
str_t oauth_manage_token(str_list_t authorization);

typedef struct {
    const oauth_settings_t *settings;
    const random_port_t *random;
    int64_t now;  /* seconds */
    int64_t ends; /* what was made until then ends with a client that is deleted; seconds */
    const oauth_resources_t *resources;
    oauth_manage_t what;
    str_t body;             /* of a replacement: the JSON, as it came */
    str_t token;            /* unset: none came */
    const client_t *client; /* of the id in the path; NULL: unknown */
    str_list_t seal_keys;
    str_t statement_keys; /* oauth_statement_facts_t.keys */
    bool statement_away;  /* oauth_statement_facts_t.away */
    bool full;            /* the quota of clients is known to be reached */
} oauth_manage_facts_t;

typedef struct {
    oauth_reason_t reason;
    int status; /* 200, 204, or that of the reason */
    str_t body; /* JSON; unset with 204 */
    str_t www_authenticate;
    effects_t effects;
    audit_event_t event;
    bool has_event; /* reading is not recorded, unless it is refused */
} oauth_manage_verdict_t;

/** Decides. The first row of a client that holds its registration in its id counts for the quota of
 *  clients, or strangers could fill the store by changing what they register. An
 * unknown client is answered as a wrong token is (section 2.1). Fails as oauth_register_decide. */
rc_t oauth_manage_decide(arena_t *a, const oauth_manage_facts_t *facts,
                         oauth_manage_verdict_t *out) MUST_USE;

#endif
