/* The metadata of a protected resource as a client reads and judges it (RFC 9728). */
#ifndef CLIENT_RESOURCE_METADATA_H
#define CLIENT_RESOURCE_METADATA_H

#include "client/reason.h"
#include "core/json.h"

enum { CLIENT_ISSUERS_MAX = 16 };

/** Absent members are unset or empty. Texts as they stand in the document, never rewritten. */
typedef struct {
    str_t resource;
    str_list_t authorization_servers; /* the first CLIENT_ISSUERS_MAX */
    str_t scopes_supported; /* space-separated; unset: the member is absent; tokens that are none
                             * are left out */
    bool has_scopes;        /* the member is there, though perhaps empty */
    str_t name;             /* resource_name */
    bool dpop_required;     /* dpop_bound_access_tokens_required */
    str_t note;             /* optional members taken as absent: "scope is null"; unset: none */
    const json_t *all;
} client_resource_metadata_t;

/** How strict `resource` is compared. */
typedef enum {
    CLIENT_RESOURCE_PREFIX, /* equal, or of the same origin with a path that is whole segments of
                             * the URL's: what clients in the field take */
    CLIENT_RESOURCE_EXACT,  /* byte for byte, but for the lone slash of a URL without path */
} client_strictness_t;

/** Reads a 200 answer. CLIENT_FINE, CLIENT_RESOURCE_METADATA_BAD, CLIENT_RESOURCE_MISMATCH (other
 * than `url`, the MCP endpoint as it was typed), CLIENT_NO_AUTHORIZATION_SERVER; *why has the
 * detail. *out borrows from `body`. *rc: RC_MEMORY (the answer is CLIENT_MACHINE then). */
client_reason_t client_resource_metadata_read(arena_t *a, str_t body, str_t url,
                                              client_strictness_t strict,
                                              client_resource_metadata_t *out, str_t *why,
                                              rc_t *rc);
/** Whether `resource` may stand for `url`. Pure; see client_strictness_t. */
bool client_resource_fits(str_t resource, str_t url, client_strictness_t strict);

#endif
