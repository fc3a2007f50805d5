#include "as/interaction.h"

#include "as/login_page.h"
#include "as/page.h"
#include "as/request_view.h"
#include "oauth/redirect_uri.h"
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

rc_t as_interaction_ask_consent(as_flow_t *f, const user_t *user, const authz_request_t *request,
                                const ask_t **out)
{
    str_t place;
    *out = NULL;
    if (!user)
        return RC_OK;
    TRY(oauth_redirect_uri_key(f->a, request->redirect_uri, &place));
    ask_t *ask = as_flow_ask(f, ASK_CONSENT);
    ask->key = user->id;
    ask->key2 = request->client_id;
    ask->key3 = request->resource;
    ask->key4 = place;
    *out = ask;
    return RC_OK;
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

static rc_t show_consent(as_flow_t *f, const as_browser_t *b, const oauth_authorize_facts_t *facts,
                         const oauth_authorize_verdict_t *verdict)
{
    web_consent_t view;
    TRY(as_request_view(f, facts, &verdict->interaction->request, &view));
    view.interaction = verdict->handle;
    view.username = facts->user->name;
    view.switch_href = arena_printf(f->a, "/login?interaction=%" PRIstr, STR_ARG(verdict->handle));
    TRY(as_interaction_document(f->a, facts->client, &view.document));
    TRY(as_browser_token(f, b, IDENTITY_CSRF_CONSENT, verdict->handle, &view.csrf));
    buf_t page = as_page_new(f->a);
    web_page_consent(&page, &view);
    return as_page_answer(f, 200, &page);
}

static rc_t show_login(as_flow_t *f, as_browser_t *b, const oauth_authorize_facts_t *facts,
                       const oauth_authorize_verdict_t *verdict)
{
    web_consent_t asks;
    const web_login_t view = {
        .interaction = verdict->handle,
        .client_name = facts->client->name,
        .asks = &asks,
        .notice = facts->user ? WEB_LOGIN_AGAIN : WEB_LOGIN_PLAIN,
    };
    TRY(as_request_view(f, facts, &verdict->interaction->request, &asks));
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
        as_request_view_redirect(f->a, verdict->redirect, &view.link_host);
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
    view.kind = as_request_view_redirect(f->a, verdict->redirect, &view.host);
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
