/* The account of who is signed in, with the clients that may act for them, and signing out. */
#include "web/account.h"

#include "as/browser.h"
#include "as/endpoints.h"
#include "as/page.h"
#include "oauth/parameters.h"
#include "oauth/resource.h"

enum { GRANTS_MAX = 500 }; /* more than a page has room for */

typedef struct {
    as_browser_t browser;
    const ask_t *users;  /* how many accounts there are; of the home page, as the following */
    const ask_t *grants; /* NULL: nobody is signed in */
    bool revoked;        /* one was just taken back */
    str_t token;         /* of the form that signs out */
} account_t;

static rc_t show_welcome(as_flow_t *f)
{
    const account_t *own = f->own;
    buf_t page = as_page_new(f->a);
    web_page_welcome(&page, own->users->count == 0);
    return as_page_answer(f, 200, &page);
}

static rc_t grant_views(as_flow_t *f, web_account_t *view)
{
    str_t csrf;
    const account_t *own = f->own;
    const ask_t *ask = own->grants;
    web_grant_t *v = ARENA_ARRAY(f->a, ask->count ? ask->count : 1, web_grant_t);
    if (!v)
        return RC_MEMORY;
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_REVOKE, STR_UNSET, &csrf));
    for (size_t i = 0; i < ask->count; i++) {
        const consent_t *consent = ask->u.grants[i].consent;
        const client_t *client = ask->u.grants[i].client;
        const resource_t *resource =
            oauth_resource_find(&f->snapshot->resources, consent->resource);
        v[i] = (web_grant_t){
            .client_id = consent->client_id,
            .client_name = client ? client->name : STR_UNSET,
            .resource_uri = consent->resource,
            .resource_name = resource ? resource->name : STR_UNSET,
            .redirect_uri = consent->redirect_uri,
            .scope = consent->scope,
            .granted_at = consent->granted_at,
            .csrf = csrf,
        };
    }
    view->grants_known = true;
    view->grants = v;
    view->n_grants = ask->count;
    return RC_OK;
}

static rc_t show_account(as_flow_t *f, const user_t *user)
{
    const account_t *own = f->own;
    web_account_t view = {.username = user->name, .admin = user->admin, .revoked = own->revoked};
    TRY(as_browser_touch(f, &own->browser));
    TRY(grant_views(f, &view));
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_LOGOUT, STR_UNSET, &view.logout_csrf));
    buf_t page = as_page_new(f->a);
    web_page_account(&page, &view);
    return as_page_answer(f, 200, &page);
}

static void step_show(as_flow_t *f)
{
    const account_t *own = f->own;
    const user_t *user = as_browser_user(f, &own->browser);
    as_flow_settle(f, user && own->grants ? show_account(f, user) : show_welcome(f));
}

static void step_home(as_flow_t *f)
{
    account_t *own = f->own;
    const user_t *user = as_browser_user(f, &own->browser);
    if (user) {
        ask_t *grants = as_flow_ask(f, ASK_GRANTS);
        grants->key = user->id;
        grants->limit = GRANTS_MAX;
        own->grants = grants;
    }
    as_flow_gather(f, step_show);
}

void as_home_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_new(x, sizeof(account_t));
    if (!f)
        return;
    account_t *own = f->own;
    own->browser = as_browser_read(f);
    own->users = as_flow_ask(f, ASK_ANY_USER);
    own->revoked = str_eq(x->query, STR("revoked"));
    as_flow_gather(f, step_home);
}

static rc_t show_logout(as_flow_t *f)
{
    const account_t *own = f->own;
    const user_t *user = as_browser_user(f, &own->browser);
    if (!user) {
        as_page_see_other(f, STR(WEB_PATH_HOME));
        return RC_OK;
    }
    web_logout_t view = {.username = user->name};
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_LOGOUT, STR_UNSET, &view.csrf));
    buf_t page = as_page_new(f->a);
    web_page_logout(&page, &view);
    return as_page_answer(f, 200, &page);
}

static void step_show_logout(as_flow_t *f)
{
    as_flow_settle(f, show_logout(f));
}

void as_logout_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_new(x, sizeof(account_t));
    if (!f)
        return;
    account_t *own = f->own;
    own->browser = as_browser_read(f);
    as_flow_gather(f, step_show_logout);
}

static rc_t log_out(as_flow_t *f)
{
    const account_t *own = f->own;
    effects_t effects = {.n = 0};
    const session_t *session = own->browser.session ? own->browser.session->u.session : NULL;
    if (session)
        effects_add(&effects, EFFECT_SESSION_DELETE, f->now)->u.hash = &session->id;
    const audit_event_t event = {
        .kind = AUDIT_LOGOUT,
        .allowed = true,
        .reason = STR("allowed"),
        .user = session ? session->user_id : STR_UNSET,
    };
    as_flow_take(f, &effects, &event);
    buf_t page = as_page_new(f->a);
    web_page_signed_out(&page);
    TRY(as_page_answer(f, 200, &page));
    return as_browser_clear(f, IDENTITY_COOKIE_SESSION);
}

static void step_logout(as_flow_t *f)
{
    as_flow_settle(f, log_out(f));
}

static rc_t read_logout(as_flow_t *f)
{
    form_t form;
    oauth_reason_t reason;
    account_t *own = f->own;
    own->browser = as_browser_read(f);
    TRY(oauth_parameters_read(f->a, f->x->body, &form, &reason));
    form_get(&form, STR(WEB_FIELD_CSRF), &own->token);
    return RC_OK;
}

void as_logout_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(account_t), read_logout);
    const account_t *own = f ? f->own : NULL;
    if (!own)
        return;
    if (as_browser_fits(f, &own->browser, IDENTITY_CSRF_LOGOUT, STR_UNSET, own->token))
        as_flow_gather(f, step_logout);
    else
        as_page_refuse_form(f, AUDIT_LOGOUT);
}
