/* Taking back what a client was granted: the consent goes, and its grants end. */
#include "as/browser.h"
#include "as/endpoints.h"
#include "as/page.h"
#include "oauth/parameters.h"
#include "web/form.h"

typedef struct {
    as_browser_t browser;
    str_t client_id, resource, redirect_uri, token; /* of the form */
    const ask_t *consent;                           /* NULL: nobody is signed in */
} revoke_t;

static rc_t take_back(as_flow_t *f, const consent_t *consent)
{
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_CONSENT_DELETE, f->now)->u.consent = consent;
    const audit_event_t event = {
        .kind = AUDIT_REVOKE,
        .allowed = true,
        .reason = STR("consent_withdrawn"),
        .detail = STR("by the person, on the account page"),
        .user = consent->user_id,
        .client = consent->client_id,
        .resource = consent->resource,
        .scope = consent->scope,
    };
    as_flow_take(f, &effects, &event);
    as_page_see_other(f, STR(WEB_PATH_HOME "?revoked"));
    return RC_OK;
}

/* Gone already, or somebody was faster: the account page shows what is left. */
static void step_decide(as_flow_t *f)
{
    const revoke_t *own = f->own;
    const consent_t *consent = own->consent ? own->consent->u.consent : NULL;
    if (consent) {
        as_flow_settle(f, take_back(f, consent));
        return;
    }
    as_page_see_other(f, STR(WEB_PATH_HOME));
    as_flow_finish(f);
}

static void step_ask(as_flow_t *f)
{
    revoke_t *own = f->own;
    const user_t *user = as_browser_user(f, &own->browser);
    if (user) {
        ask_t *ask = as_flow_ask(f, ASK_CONSENT);
        ask->key = user->id;
        ask->key2 = own->client_id;
        ask->key3 = own->resource;
        ask->key4 = own->redirect_uri;
        own->consent = ask;
    }
    as_flow_gather(f, step_decide);
}

static rc_t read(as_flow_t *f)
{
    form_t form;
    oauth_reason_t reason;
    revoke_t *own = f->own;
    TRY(oauth_parameters_read(f->a, f->x->body, &form, &reason));
    form_get(&form, STR(WEB_FIELD_CSRF), &own->token);
    form_get(&form, STR(WEB_FIELD_CLIENT), &own->client_id);
    form_get(&form, STR(WEB_FIELD_RESOURCE), &own->resource);
    form_get(&form, STR(WEB_FIELD_REDIRECT), &own->redirect_uri);
    own->browser = as_browser_read(f);
    return RC_OK;
}

void as_grant_revoke_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(revoke_t), read);
    const revoke_t *own = f ? f->own : NULL;
    if (!own)
        return;
    if (as_browser_fits(f, &own->browser, IDENTITY_CSRF_REVOKE, STR_UNSET, own->token))
        as_flow_gather(f, step_ask);
    else
        as_page_refuse_form(f, AUDIT_REVOKE);
}
