/* Which protected resource a request means (RFC 8707). */
#ifndef OAUTH_RESOURCE_H
#define OAUTH_RESOURCE_H

#include "oauth/reason.h"
#include "oauth/settings.h"

typedef struct {
    oauth_reason_t reason;      /* OAUTH_FINE, or OAUTH_RESOURCE_* */
    const resource_t *resource; /* when fine; borrowed from `known` */
    str_t description; /* for the wire: names what is accepted where that helps; else unset */
} oauth_resource_verdict_t;

/**
 * Resolves the values of `resource`; `out` is in the arena. In this order a value means the
 * resource with that identifier, with that alias, with that identifier but for one '/' at the end,
 * or the only resource at that origin when the value is a bare origin (clients in the field send
 * all of these). Scheme, host and default port are compared as RFC 3986 section 6.2 says, the rest
 * byte for byte. Several values are fine when they mean the same resource. None: the default one.
 * RC_MEMORY.
 */
rc_t oauth_resource_resolve(arena_t *a, const oauth_resources_t *known, str_list_t values,
                            oauth_resource_verdict_t *out) MUST_USE;
/** The resource with exactly this identifier, or NULL. */
const resource_t *oauth_resource_find(const oauth_resources_t *known, str_t uri);
/** All scopes that can be granted to `client` at `resource`, space-separated: the resource's, those
 *  of them that the client is registered for. Unset when there is none. RC_MEMORY, RC_LIMIT. */
rc_t oauth_resource_scope(arena_t *a, const resource_t *resource, const client_t *client,
                          str_t *out) MUST_USE;
/** The scopes of all resources. Unset when there is none. RC_MEMORY, RC_LIMIT. */
rc_t oauth_resource_scope_all(arena_t *a, const oauth_resources_t *known, str_t *out) MUST_USE;
/** The sentence for people for one granted scope, or unset. */
str_t oauth_resource_scope_text(const resource_t *resource, str_t token);

#endif
