/* Redirect URIs: which may be registered, which one a request means, and the answer sent there.
 *
 * Two decisions differ from the letter of MCP's text, because clients in the field need them:
 * - Private-use schemes such as cursor:// are accepted (RFC 8252 section 7.1 allows them to native
 *   applications, always with PKCE) where the operator names them. Schemes that run code, read
 *   files or lead to no application are refused in any case.
 * - The three names of this machine, 127.0.0.1, [::1] and localhost, count as one host, as the port
 *   is free on loopback anyway (RFC 8252 section 7.3): whoever can listen on one of them can listen
 *   on all. Every other spelling is refused. */
#ifndef OAUTH_REDIRECT_URI_H
#define OAUTH_REDIRECT_URI_H

#include "model/records.h"
#include "oauth/reason.h"

/** Where codes may go; what an operator decides. */
typedef struct {
    str_list_t hosts;        /* of https (core/host_list.h); empty: all */
    str_list_t denied_hosts; /* wins; one of the names of this machine stands for all three */
    str_list_t schemes;      /* private-use ones that are allowed */
} oauth_redirect_policy_t;

typedef enum {
    OAUTH_REDIRECT_HTTPS,
    OAUTH_REDIRECT_LOOPBACK, /* http to this machine */
    OAUTH_REDIRECT_PRIVATE,  /* a scheme of a native application */
} oauth_redirect_kind_t;

/** Whether `uri` may be registered under `policy` (NULL: an administrator may, whatever is sound):
 *  OAUTH_FINE and its kind, or OAUTH_REDIRECT_URI_*. */
oauth_reason_t oauth_redirect_uri_check(str_t uri, const oauth_redirect_policy_t *policy,
                                        oauth_redirect_kind_t *kind);
/** The kind of a URI that was registered. */
oauth_redirect_kind_t oauth_redirect_uri_kind(str_t uri);
/** Whether `asked` is the registered one: byte for byte, but on loopback with any port, any of the
 *  three hosts, and no path meaning "/" (OAuth 2.1 sections 2.3.1 and 8.4.2). */
bool oauth_redirect_uri_matches(str_t registered, str_t asked);
/** What consents to it are kept under: the same but on loopback, where the port is another each
 * time. Unset (a device) becomes empty. RC_MEMORY. */
rc_t oauth_redirect_uri_key(arena_t *a, str_t uri, str_t *out) MUST_USE;
/** The URI to answer to: `asked` if it matches one, or without `asked` (unset) the only one.
 *  OAUTH_REDIRECT_URI_MISSING, OAUTH_REDIRECT_URI_NOT_REGISTERED, or OAUTH_FINE and *chosen, which
 *  borrows. Never picks one of several (RFC 6749 section 3.1.2.3). */
oauth_reason_t oauth_redirect_uri_choose(str_list_t registered, str_t asked, str_t *chosen);
/** oauth_redirect_uri_choose for a client: where it is lenient, a loopback URI may have any path. A
 *  refusal of a loopback URI for its path alone leaves the registered one in *chosen, for whoever
 *  has to find the difference. */
oauth_reason_t oauth_redirect_uri_choose_for(const client_t *client, str_t asked, str_t *chosen);

/** What goes back to the client; unset members are left out. */
typedef struct {
    str_t code;
    str_t error;
    str_t error_description;
    str_t state;
    str_t iss; /* always (RFC 9207) */
} oauth_redirect_answer_t;

/** The whole URL in the arena: `uri` with its query byte for byte, then the answer's parameters,
 *  each percent-encoded. RC_LIMIT, RC_MEMORY. */
rc_t oauth_redirect_uri_answer(arena_t *a, str_t uri, const oauth_redirect_answer_t *answer,
                               str_t *out) MUST_USE;

#endif
