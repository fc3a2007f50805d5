#include "oauth/grant.h"
#include "oauth/mint.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

/* Without a person who decides: what was asked and the client is registered for. A client that asks
 * for nothing, or for scopes of OpenID Connect alone, gets what it is registered for, or else the
 * resource's default. */
static rc_t choose_scope(arena_t *a, const oauth_token_facts_t *f, const resource_t *resource,
                         str_t *scope, oauth_token_verdict_t *out)
{
    str_t asked, allowed;
    rc_t rc = oauth_scope_parse(a, f->request->scope, &asked);
    if (rc == RC_MALFORMED || rc == RC_LIMIT) {
        out->reason = rc == RC_LIMIT ? OAUTH_SCOPE_TOO_LONG : OAUTH_SCOPE_MALFORMED;
        return RC_OK;
    }
    TRY(rc);
    TRY(oauth_resource_scope(a, resource, f->client, &allowed));
    TRY(oauth_scope_narrow(a, asked, allowed, scope));
    if (!str_is_set(*scope) && oauth_scope_is_habit(asked))
        TRY(oauth_scope_narrow(a, str_is_set(f->client->scope) ? allowed : resource->default_scope,
                               allowed, scope));
    if (!str_is_set(*scope) && resource->n_scopes > 0)
        out->reason = OAUTH_SCOPE_EMPTY;
    return RC_OK;
}

rc_t oauth_grant_client_credentials(arena_t *a, const oauth_token_facts_t *f,
                                    oauth_token_verdict_t *out)
{
    str_t scope;
    oauth_resource_verdict_t target;
    TRY(oauth_resource_resolve(a, f->resources, f->request->resources, &target));
    out->reason = target.reason;
    out->description = target.description;
    if (out->reason == OAUTH_FINE)
        TRY(choose_scope(a, f, target.resource, &scope, out));
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    const oauth_mint_t what = {
        .sub = f->client->id, .resource = target.resource->uri, .scope = scope};
    return oauth_mint_access(a, f, &what, out);
}
