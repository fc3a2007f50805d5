/* The account of who is signed in, and signing out. */
#include "web/account.h"

#include "as/browser.h"
#include "as/endpoints.h"
#include "as/page.h"
#include "oauth/parameters.h"

typedef struct {
    as_browser_t browser;
    const ask_t *users; /* how many accounts there are; of the home page */
} account_t;

static rc_t show_welcome(as_flow_t *f)
{
    const account_t *own = f->own;
    buf_t page = as_page_new(f->a);
    web_page_welcome(&page, own->users->count == 0);
    return as_page_answer(f, 200, &page);
}

static rc_t show_home(as_flow_t *f)
{
    const account_t *own = f->own;
    const user_t *user = as_browser_user(f, &own->browser);
    if (!user)
        return show_welcome(f);
    TRY(as_browser_touch(f, &own->browser));
    web_account_t view = {.username = user->name, .admin = user->admin};
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_LOGOUT, STR_UNSET, &view.logout_csrf));
    buf_t page = as_page_new(f->a);
    web_page_account(&page, &view);
    return as_page_answer(f, 200, &page);
}

static void step_home(as_flow_t *f)
{
    as_flow_settle(f, show_home(f));
}

void as_home_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_new(x, sizeof(account_t));
    if (!f)
        return;
    account_t *own = f->own;
    own->browser = as_browser_read(f);
    own->users = as_flow_ask(f, ASK_USER_COUNT);
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

void as_logout_post(http_exchange_t *x)
{
    form_t form;
    str_t token;
    oauth_reason_t reason;
    as_flow_t *f = as_flow_new(x, sizeof(account_t));
    if (!f)
        return;
    account_t *own = f->own;
    own->browser = as_browser_read(f);
    rc_t rc = oauth_parameters_read(f->a, x->body, &form, &reason);
    if (rc != RC_OK) {
        as_flow_fail(f, rc);
        return;
    }
    form_get(&form, STR(WEB_FIELD_CSRF), &token);
    if (as_browser_fits(f, &own->browser, IDENTITY_CSRF_LOGOUT, STR_UNSET, token))
        as_flow_gather(f, step_logout);
    else
        as_page_refuse_form(f, AUDIT_LOGOUT);
}
