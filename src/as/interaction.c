#include "as/interaction.h"

#include "as/login_page.h"
#include "as/page.h"
#include "core/url.h"
#include "oauth/client_document.h"
#include "oauth/device.h"
#include "oauth/redirect_uri.h"
#include "oauth/resource.h"
#include "oauth/scope.h"
#include "oauth/user_code.h"
#include "web/consent.h"
#include "web/device.h"
#include "web/leave.h"

oauth_authorize_facts_t as_interaction_facts(const as_flow_t *f, const as_browser_t *b)
{
    return (oauth_authorize_facts_t){
        .settings = &f->w->as->oauth,
        .random = &f->w->as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .session = as_browser_session(f, b),
        .user = as_browser_user(f, b),
        .client = f->client,
        .client_reason = f->client_reason,
    };
}

const ask_t *as_interaction_ask_consent(as_flow_t *f, const user_t *user,
                                        const authz_request_t *request)
{
    if (!user)
        return NULL;
    ask_t *ask = as_flow_ask(f, ASK_CONSENT);
    ask->key = user->id;
    ask->key2 = request->client_id;
    ask->key3 = request->resource;
    return ask;
}

/* Where a redirect URI leads, in the words of the pages. */
static web_redirect_kind_t redirect_view(arena_t *a, str_t uri, str_t *host)
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
            .already = facts->consent && oauth_scope_covers(facts->consent->scope, token),
        };
    view->resource_name = resource ? resource->name : STR_UNSET;
    view->scopes = v;
    view->n_scopes = n;
    return RC_OK;
}

static web_client_origin_t origin_view(const client_t *client)
{
    switch (client->origin) {
    case CLIENT_BY_ADMIN:
        return WEB_CLIENT_BY_ADMIN;
    case CLIENT_BY_DOCUMENT:
        return WEB_CLIENT_BY_HOST;
    case CLIENT_BY_REGISTRATION:
        break;
    }
    return str_is_set(client->vouched_by) ? WEB_CLIENT_VOUCHED : WEB_CLIENT_UNVERIFIED;
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

rc_t as_interaction_document(arena_t *a, const client_t *client, str_t *out)
{
    static const hash_t NONE = {{0}};
    buf_t b = buf_new(a, 64);
    *out = STR_UNSET;
    if (memcmp(client->document.b, NONE.b, sizeof NONE.b) == 0)
        return RC_OK;
    buf_b64url(&b, client->document.b, sizeof client->document.b);
    return buf_done(&b, out);
}

static rc_t device_view(arena_t *a, const device_t *device, str_t *user_code)
{
    *user_code = oauth_user_code_show(a, device->user_code);
    return str_is_set(*user_code) ? RC_OK : RC_MEMORY;
}

static rc_t show_consent(as_flow_t *f, const as_browser_t *b, const oauth_authorize_facts_t *facts,
                         const oauth_authorize_verdict_t *verdict)
{
    const authz_request_t *request = &verdict->interaction->request;
    const client_t *client = facts->client;
    web_consent_t view = {
        .interaction = verdict->handle,
        .client_name = client->name,
        .client_id = id_view(f->a, client),
        .client_origin = origin_view(client),
        .client_host =
            host_view(f->a, str_is_set(client->vouched_by) ? client->vouched_by : client->id),
        .only_loopback = oauth_client_is_loopback_only(client),
        .redirect_uri = request->redirect_uri,
        .resource_uri = request->resource,
        .offline = (client->grants & GRANT_REFRESH_TOKEN) != 0,
        .username = facts->user->name,
        .switch_href = arena_printf(f->a, "/login?interaction=%" PRIstr, STR_ARG(verdict->handle)),
    };
    TRY(as_interaction_document(f->a, client, &view.document));
    if (oauth_device_is_for(request))
        TRY(device_view(f->a, facts->device, &view.user_code));
    else
        view.redirect_kind = redirect_view(f->a, request->redirect_uri, &view.redirect_host);
    TRY(scope_views(f, facts, request, &view));
    TRY(as_browser_token(f, b, IDENTITY_CSRF_CONSENT, verdict->handle, &view.csrf));
    buf_t page = as_page_new(f->a);
    web_page_consent(&page, &view);
    return as_page_answer(f, 200, &page);
}

static rc_t show_login(as_flow_t *f, as_browser_t *b, const oauth_authorize_facts_t *facts,
                       const oauth_authorize_verdict_t *verdict)
{
    const web_login_t view = {
        .interaction = verdict->handle,
        .client_name = facts->client->name,
        .notice = facts->user ? WEB_LOGIN_AGAIN : WEB_LOGIN_PLAIN,
    };
    return as_login_page(f, b, 200, &view);
}

/* 401 would have to name a way to authenticate (RFC 9110 section 15.5.2), and a person has none. */
static int page_status(oauth_reason_t reason)
{
    int status = oauth_reason_status(reason);
    return status == 401 ? 400 : status;
}

static rc_t show_error(as_flow_t *f, const oauth_authorize_verdict_t *verdict)
{
    web_error_t view = {
        .status = page_status(verdict->reason),
        .sentence = verdict->description,
        .client_unknown = verdict->reason == OAUTH_CLIENT_NOT_REGISTERED,
        .link = verdict->redirect,
    };
    if (str_is_set(verdict->redirect))
        redirect_view(f->a, verdict->redirect, &view.link_host);
    return as_page_error(f, &view);
}

static rc_t show_leave(as_flow_t *f, const oauth_authorize_facts_t *facts,
                       const oauth_authorize_verdict_t *verdict)
{
    web_leave_t view = {
        .url = verdict->redirect,
        .client_name = facts->client ? facts->client->name : STR_UNSET,
        .approved = verdict->reason == OAUTH_FINE,
    };
    view.kind = redirect_view(f->a, verdict->redirect, &view.host);
    buf_t page = as_page_new(f->a);
    web_page_leave(&page, &view);
    return as_page_answer(f, 200, &page);
}

static rc_t show_device_done(as_flow_t *f, const oauth_authorize_facts_t *facts,
                             const oauth_authorize_verdict_t *verdict)
{
    const web_device_done_t view = {
        .client_name = facts->client ? facts->client->name : STR_UNSET,
        .approved = verdict->reason == OAUTH_FINE,
    };
    buf_t page = as_page_new(f->a);
    web_page_device_done(&page, &view);
    return as_page_answer(f, 200, &page);
}

rc_t as_interaction_answer(as_flow_t *f, as_browser_t *b, const oauth_authorize_facts_t *facts,
                           const oauth_authorize_verdict_t *verdict, as_leave_t leave)
{
    as_flow_take(f, &verdict->effects, verdict->has_event ? &verdict->event : NULL);
    TRY(as_browser_touch(f, b));
    switch (verdict->kind) {
    case OAUTH_AUTHORIZE_LOGIN:
        return show_login(f, b, facts, verdict);
    case OAUTH_AUTHORIZE_CONSENT:
        return show_consent(f, b, facts, verdict);
    case OAUTH_AUTHORIZE_PAGE:
        return show_error(f, verdict);
    case OAUTH_AUTHORIZE_DEVICE:
        return show_device_done(f, facts, verdict);
    case OAUTH_AUTHORIZE_REDIRECT:
        break;
    }
    if (leave == AS_LEAVE_PAGE)
        return show_leave(f, facts, verdict);
    as_page_see_other(f, verdict->redirect);
    return RC_OK;
}
