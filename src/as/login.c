/* Signing in: the form is ours, the throttle lets it through, a thread of the pool looks at the
 * password, and a fresh session begins. */
#include "identity/login.h"

#include "as/endpoints.h"
#include "as/interaction.h"
#include "as/login_page.h"
#include "as/page.h"
#include "as/request_view.h"
#include "as/upstream.h"
#include "core/buf.h"
#include "identity/username.h"
#include "oauth/acr.h"
#include "oauth/authorize.h"
#include "oauth/device.h"
#include "oauth/handle.h"
#include "oauth/parameters.h"

enum { BUSY_RETRY_S = 2 };

typedef struct {
    as_browser_t browser;
    str_t handle; /* of the interaction that waits; unset: none */
    str_t typed;  /* as the name */
    str_t name;   /* normalized; unset: no account can have it */
    secret_t password;
    const ask_t *user; /* NULL: nothing to look up, as the following */
    const ask_t *interaction;
    const ask_t *device; /* that the interaction is for */
    str_t stored;        /* the hash that the password was held against; unset: none */
    identity_throttle_who_t who;
    identity_password_cost_t cost; /* a copy: the job may outlive its worker */
    bool ours;                     /* the form came from our page in this browser */
    bool fits;                     /* the password is the right one */
    rc_t hash_rc;                  /* of the work on the pool */
} login_t;

static rc_t show(as_flow_t *f, int status, web_login_notice_t notice, uint32_t retry_after_s)
{
    login_t *own = f->own;
    const web_login_t view = {
        .interaction = own->handle,
        .username = own->typed,
        .notice = notice,
        .retry_after_s = retry_after_s,
    };
    TRY(as_login_page(f, &own->browser, status, &view));
    if (retry_after_s > 0)
        as_flow_header(f, STR("Retry-After"), arena_printf(f->a, "%u", retry_after_s));
    return RC_OK;
}

static const user_t *found_user(const login_t *own)
{
    return own->user ? own->user->u.user : NULL;
}

static void note(as_flow_t *f, const effects_t *effects, identity_login_t verdict)
{
    const login_t *own = f->own;
    const user_t *user = found_user(own);
    const audit_event_t event = {
        .kind = AUDIT_LOGIN,
        .allowed = verdict == IDENTITY_LOGIN_FINE,
        .reason = identity_login_reason(verdict),
        .detail = identity_login_about(verdict),
        .user = user ? user->id : STR_UNSET,
    };
    as_flow_take(f, effects, &event);
}

static rc_t refuse(as_flow_t *f, identity_login_t verdict, uint32_t retry_after_s)
{
    static const effects_t NONE = {.n = 0};
    bool later = verdict == IDENTITY_LOGIN_THROTTLED;
    note(f, &NONE, verdict);
    return show(f, later ? 429 : 403, later ? WEB_LOGIN_LATER : WEB_LOGIN_REFUSED, retry_after_s);
}

/* Nothing of the form is looked at. */
static rc_t refuse_form(as_flow_t *f)
{
    static const effects_t NONE = {.n = 0};
    const audit_event_t event = {
        .kind = AUDIT_LOGIN,
        .reason = STR("form_not_ours"),
        .detail = STR("the form's token does not belong to this browser and page"),
    };
    as_flow_take(f, &NONE, &event);
    return show(f, 403, WEB_LOGIN_STALE, 0);
}

static rc_t sign_in(as_flow_t *f)
{
    str_t handle;
    login_t *own = f->own;
    const as_t *as = f->w->as;
    effects_t effects = {.n = 0};
    const session_t *before = own->browser.session ? own->browser.session->u.session : NULL;
    const identity_session_login_t login = {
        .random = &as->random,
        .times = as->session_times,
        .user_id = found_user(own)->id,
        .acr = oauth_acr_value(OAUTH_ACR_PASSWORD),
        .before = before,
        .now = f->now,
    };
    if (own->interaction && own->interaction->u.interaction)
        TRY(oauth_authorize_release(f->a, own->interaction->u.interaction, before, f->now,
                                    &effects));
    TRY(identity_session_begin(f->a, &login, &effects, NULL, &handle));
    note(f, &effects, IDENTITY_LOGIN_FINE);
    as_page_see_other(f, as_login_next(f, own->handle));
    return as_browser_set(f, IDENTITY_COOKIE_SESSION, handle);
}

/* The password may have been changed while it was looked at: then the old one fits no longer. */
static bool fits_still(const login_t *own)
{
    const user_t *user = found_user(own);
    return own->fits && user && str_eq(user->password, own->stored);
}

static void step_end(as_flow_t *f)
{
    login_t *own = f->own;
    identity_login_t verdict = identity_login_judge(found_user(own), fits_still(own));
    if (!str_is_set(own->name))
        verdict = IDENTITY_LOGIN_NAME_MALFORMED;
    rc_t rc = verdict == IDENTITY_LOGIN_FINE ? sign_in(f) : refuse(f, verdict, 0);
    as_flow_settle(f, rc);
}

/* The machine could not look: it costs the person nothing. */
static void give_up(as_flow_t *f)
{
    login_t *own = f->own;
    as_throttle_end(f->w->as->throttle, &own->who, IDENTITY_ATTEMPT_UNDONE);
    as_flow_settle(f, show(f, 503, WEB_LOGIN_BUSY, BUSY_RETRY_S));
}

static void verify(void *arg)
{
    as_flow_t *f = arg;
    login_t *own = f->own;
    own->hash_rc = identity_password_verify(&own->cost, own->stored, own->password, &own->fits);
    if (own->password.hidden.n > 0)
        secret_wipe((void *)(uintptr_t)own->password.hidden.p, own->password.hidden.n);
}

static void verified(void *arg)
{
    as_flow_t *f = arg;
    login_t *own = f->own;
    if (own->hash_rc != RC_OK) {
        give_up(f);
        return;
    }
    bool fine = identity_login_judge(found_user(own), own->fits) == IDENTITY_LOGIN_FINE;
    as_throttle_end(f->w->as->throttle, &own->who,
                    fine ? IDENTITY_ATTEMPT_FITTED : IDENTITY_ATTEMPT_FAILED);
    as_flow_gather_again(f, step_end);
}

/* Counted only now: a store that fails before this costs the person nothing either. */
static void step_verify(as_flow_t *f)
{
    login_t *own = f->own;
    uint32_t retry_after_s = 1;
    if (!as_throttle_begin(f->w->as->throttle, &own->who, &retry_after_s)) {
        as_flow_settle(f, refuse(f, IDENTITY_LOGIN_THROTTLED, retry_after_s));
        return;
    }
    own->cost = f->w->as->password_cost;
    own->stored = found_user(own) ? found_user(own)->password : STR_UNSET;
    if (http_pool_run(f->w->as->pool, f->w->post, verify, verified, f) != RC_OK)
        give_up(f);
}

static rc_t read(as_flow_t *f)
{
    login_t *own = f->own;
    form_t form;
    str_t password, token;
    oauth_reason_t reason;
    TRY(oauth_parameters_read(f->a, f->x->body, &form, &reason));
    form_get(&form, STR(WEB_FIELD_USERNAME), &own->typed);
    form_get(&form, STR(WEB_FIELD_PASSWORD), &password);
    form_get(&form, STR(WEB_FIELD_INTERACTION), &own->handle);
    form_get(&form, STR(WEB_FIELD_CSRF), &token);
    own->password = secret_of(str_is_set(password) ? password : STR(""));
    own->browser = as_browser_read(f);
    own->ours = as_browser_fits(f, &own->browser, IDENTITY_CSRF_LOGIN, own->handle, token);
    rc_t rc = identity_username_normalize(f->a, str_is_set(own->typed) ? own->typed : STR(""),
                                          &own->name);
    if (rc == RC_MALFORMED)
        own->name = STR_UNSET;
    own->who = (identity_throttle_who_t){own->name, f->x->rate_key};
    return rc == RC_MALFORMED ? RC_OK : rc;
}

static void ask_interaction(as_flow_t *f, login_t *own)
{
    ask_t *interaction = as_flow_ask(f, ASK_INTERACTION);
    interaction->hash = oauth_handle_hash(own->handle);
    own->interaction = interaction;
}

static void ask(as_flow_t *f, login_t *own)
{
    if (str_is_set(own->name)) {
        ask_t *user = as_flow_ask(f, ASK_USER_BY_NAME);
        user->key = own->name;
        own->user = user;
    }
    if (str_is_set(own->handle))
        ask_interaction(f, own);
}

/* The form is checked and read. */
static void attempt(as_flow_t *f)
{
    ask(f, f->own);
    as_flow_gather(f, step_verify);
}

void as_login_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(login_t), read);
    const login_t *own = f ? f->own : NULL;
    if (own && f->w->as->conf->login_only)
        as_flow_settle(f, refuse(f, IDENTITY_LOGIN_PASSWORD_OFF, 0));
    else if (own && own->ours)
        attempt(f);
    else if (own)
        as_flow_settle(f, refuse_form(f));
}

/* By itself, or for an interaction: somebody else wants to sign in ("not you?"). */
static rc_t show_get(as_flow_t *f)
{
    const login_t *own = f->own;
    if (!str_is_set(own->handle) && as_browser_user(f, &own->browser)) {
        as_page_see_other(f, STR(WEB_PATH_HOME));
        return RC_OK;
    }
    return show(f, 200, WEB_LOGIN_PLAIN, 0);
}

/* With what waits, which whoever is led to a provider must have seen. Of what is gone, or cannot be
 * shown now, the consent page says so. */
static rc_t show_waiting(as_flow_t *f)
{
    web_consent_t asks;
    login_t *own = f->own;
    const interaction_t *i = own->interaction->u.interaction;
    if (!i || f->now >= i->expires_at || !f->client) {
        as_page_see_other(f, as_login_next(f, own->handle));
        return RC_OK;
    }
    oauth_authorize_facts_t facts = as_interaction_facts(f, &own->browser);
    facts.device = own->device ? own->device->u.device : NULL;
    const web_login_t view = {
        .interaction = own->handle, .client_name = f->client->name, .asks = &asks};
    TRY(as_request_view(f, &facts, &i->request, &asks));
    return as_login_page(f, &own->browser, 200, &view);
}

static void step_waiting(as_flow_t *f)
{
    as_flow_settle(f, show_waiting(f));
}

static void ask_waiting(as_flow_t *f, login_t *own, const authz_request_t *request)
{
    as_flow_client(f, request->client_id);
    if (oauth_device_is_for(request)) {
        ask_t *device = as_flow_ask(f, ASK_DEVICE);
        device->hash = request->device;
        own->device = device;
    }
}

static void step_get(as_flow_t *f)
{
    login_t *own = f->own;
    if (!own->interaction) {
        as_flow_settle(f, show_get(f));
        return;
    }
    if (own->interaction->u.interaction)
        ask_waiting(f, own, &own->interaction->u.interaction->request);
    as_flow_gather(f, step_waiting);
}

static rc_t read_get(as_flow_t *f)
{
    form_t form;
    oauth_reason_t reason;
    login_t *own = f->own;
    TRY(oauth_parameters_read(f->a, as_flow_parameters(f), &form, &reason));
    form_get(&form, STR(WEB_FIELD_INTERACTION), &own->handle);
    own->browser = as_browser_read(f);
    if (str_is_set(own->handle) && str_is_set(as_upstream_name(f->w->as)))
        ask_interaction(f, own);
    return RC_OK;
}

void as_login_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(login_t), read_get);
    if (f)
        as_flow_gather(f, step_get);
}
