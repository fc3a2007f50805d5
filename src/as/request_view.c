#include "as/request_view.h"

#include "core/url.h"
#include "oauth/client_document.h"
#include "oauth/consent.h"
#include "oauth/device.h"
#include "oauth/redirect_uri.h"
#include "oauth/resource.h"
#include "oauth/scope.h"
#include "oauth/user_code.h"

web_redirect_kind_t as_request_view_redirect(arena_t *a, str_t uri, str_t *host)
{
    static const web_redirect_kind_t KINDS[] = {
        [OAUTH_REDIRECT_HTTPS] = WEB_REDIRECT_HTTPS,
        [OAUTH_REDIRECT_LOOPBACK] = WEB_REDIRECT_LOOPBACK,
        [OAUTH_REDIRECT_PRIVATE] = WEB_REDIRECT_PRIVATE,
    };
    url_t url;
    *host = uri;
    web_redirect_kind_t kind = KINDS[oauth_redirect_uri_kind(uri)];
    if (url_parse(uri, &url) != RC_OK)
        return kind;
    *host = kind == WEB_REDIRECT_PRIVATE ? url.scheme : url.host;
    if (kind != WEB_REDIRECT_PRIVATE && str_is_set(url.port))
        *host = arena_printf(a, "%" PRIstr ":%" PRIstr, STR_ARG(url.host), STR_ARG(url.port));
    return kind;
}

static rc_t scope_views(as_flow_t *f, const oauth_authorize_facts_t *facts,
                        const authz_request_t *request, web_consent_t *view)
{
    const resource_t *resource = oauth_resource_find(facts->resources, request->resource);
    str_t rest = request->scope, token;
    size_t n = 0;
    bool known = oauth_consent_is_of(facts->consent, facts->client);
    while (oauth_scope_next(&rest, &token))
        n++;
    web_scope_t *v = ARENA_ARRAY(f->a, n ? n : 1, web_scope_t);
    if (!v)
        return RC_MEMORY;
    rest = request->scope;
    for (size_t i = 0; oauth_scope_next(&rest, &token); i++)
        v[i] = (web_scope_t){
            .name = token,
            .text = resource ? oauth_resource_scope_text(resource, token) : STR_UNSET,
            .broad = oauth_scope_is_wildcard(token),
            .already = known && oauth_scope_covers(facts->consent->scope, token),
        };
    view->resource_name = resource ? resource->name : STR_UNSET;
    view->scopes = v;
    view->n_scopes = n;
    return RC_OK;
}

/* Whoever vouched for it may not be trusted any longer. */
static bool is_vouched(const oauth_settings_t *settings, const client_t *client)
{
    return str_is_set(client->vouched_by) &&
           oauth_issuer_find(&settings->issuers, client->vouched_by,
                             OAUTH_ISSUER_SOFTWARE_STATEMENT);
}

static web_client_origin_t origin_view(const oauth_settings_t *settings, const client_t *client)
{
    switch (client->origin) {
    case CLIENT_BY_ADMIN:
        return WEB_CLIENT_BY_ADMIN;
    case CLIENT_BY_DOCUMENT:
        return WEB_CLIENT_BY_HOST;
    case CLIENT_BY_REGISTRATION:
        break;
    }
    return is_vouched(settings, client) ? WEB_CLIENT_VOUCHED : WEB_CLIENT_UNVERIFIED;
}

/* An id that holds a registration says nothing to people, and would push what matters off the
 * screen: its beginning tells it from others. */
static str_t id_view(arena_t *a, const client_t *client)
{
    enum { BEGINNING = 24 };
    return client->sealed ? arena_printf(a, "%" PRIstr "\xe2\x80\xa6",
                                         STR_ARG(str_first(client->id, BEGINNING)))
                          : client->id;
}

static str_t host_view(arena_t *a, str_t id)
{
    url_t url;
    if (url_parse(id, &url) != RC_OK || !str_is_set(url.host))
        return STR_UNSET;
    return str_is_set(url.port)
               ? arena_printf(a, "%" PRIstr ":%" PRIstr, STR_ARG(url.host), STR_ARG(url.port))
               : url.host;
}

static rc_t device_view(arena_t *a, const device_t *device, str_t *user_code)
{
    *user_code = oauth_user_code_show(a, device->user_code);
    return str_is_set(*user_code) ? RC_OK : RC_MEMORY;
}

rc_t as_request_view(as_flow_t *f, const oauth_authorize_facts_t *facts,
                     const authz_request_t *request, web_consent_t *out)
{
    const client_t *client = facts->client;
    *out = (web_consent_t){
        .client_name = client->name,
        .client_id = id_view(f->a, client),
        .client_origin = origin_view(facts->settings, client),
        .client_host =
            host_view(f->a, str_is_set(client->vouched_by) ? client->vouched_by : client->id),
        .only_loopback = oauth_client_is_loopback_only(client),
        .redirect_uri = request->redirect_uri,
        .resource_uri = request->resource,
        .offline = (client->grants & GRANT_REFRESH_TOKEN) != 0,
    };
    if (oauth_device_is_for(request) && facts->device)
        TRY(device_view(f->a, facts->device, &out->user_code));
    else
        out->redirect_kind =
            as_request_view_redirect(f->a, request->redirect_uri, &out->redirect_host);
    return scope_views(f, facts, request, out);
}
