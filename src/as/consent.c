/* The consent page, when it is loaded (again), and the decision on it. */
#include "oauth/consent.h"

#include "as/endpoints.h"
#include "as/interaction.h"
#include "as/page.h"
#include "oauth/device.h"
#include "oauth/handle.h"
#include "oauth/parameters.h"
#include "oauth/pushed.h"
#include "web/form.h"

typedef struct {
    as_browser_t browser;
    form_t form;
    str_t handle;
    const ask_t *interaction;
    const ask_t *consent, *pushed, *device; /* NULL: not asked for */
} consent_page_t;

static oauth_authorize_facts_t gather_facts(const as_flow_t *f, const consent_page_t *own)
{
    oauth_authorize_facts_t facts = as_interaction_facts(f, &own->browser);
    facts.interaction = own->interaction->u.interaction;
    facts.handle = own->handle;
    facts.consent = own->consent ? own->consent->u.consent : NULL;
    facts.pushed = own->pushed ? own->pushed->u.pushed : NULL;
    facts.device = own->device ? own->device->u.device : NULL;
    return facts;
}

/* What it came from, if it did not come as it is: a pushed request, a device. */
static const ask_t *ask_origin(as_flow_t *f, bool any, ask_kind_t kind, const hash_t *hash)
{
    ask_t *ask = any ? as_flow_ask(f, kind) : NULL;
    if (ask)
        ask->hash = *hash;
    return ask;
}

/* The second round of facts: those that the interaction names. */
static void gather_rest(as_flow_t *f, as_step_t decide)
{
    rc_t rc = RC_OK;
    consent_page_t *own = f->own;
    const interaction_t *i = own->interaction->u.interaction;
    if (i) {
        const authz_request_t *request = &i->request;
        as_flow_client(f, request->client_id);
        own->pushed = ask_origin(f, oauth_pushed_is(request), ASK_PUSHED, &request->pushed);
        own->device = ask_origin(f, oauth_device_is_for(request), ASK_DEVICE, &request->device);
        rc = as_interaction_ask_consent(f, as_browser_user(f, &own->browser), request,
                                        &own->consent);
    }
    if (rc == RC_OK)
        as_flow_gather(f, decide);
    else
        as_flow_fail(f, rc);
}

static rc_t show(as_flow_t *f)
{
    consent_page_t *own = f->own;
    oauth_authorize_verdict_t verdict;
    const oauth_authorize_facts_t facts = gather_facts(f, own);
    const authz_request_t *request = facts.interaction ? &facts.interaction->request : NULL;
    TRY(oauth_authorize_next(f->a, &facts, request, &verdict));
    return as_interaction_answer(f, &own->browser, &facts, &verdict, AS_LEAVE_PAGE);
}

static void step_show(as_flow_t *f)
{
    as_flow_settle(f, show(f));
}

static void step_get(as_flow_t *f)
{
    gather_rest(f, step_show);
}

static bool is_approval(const form_t *form)
{
    str_t decision;
    return form_get(form, STR(WEB_FIELD_DECISION), &decision) == FORM_ONCE &&
           str_eq(decision, STR(WEB_DECISION_APPROVE));
}

/* The page told what it showed of the client's document; anything else was not seen. */
static rc_t read_seen(as_flow_t *f, const client_t *client, hash_t *out)
{
    const consent_page_t *own = f->own;
    str_t said, now;
    *out = (hash_t){{0}};
    if (!client)
        return RC_OK;
    TRY(as_interaction_document(f->a, client, &now));
    if (form_get(&own->form, STR(WEB_FIELD_DOCUMENT), &said) == FORM_ONCE && str_eq(said, now))
        *out = client->document;
    return RC_OK;
}

static rc_t decide(as_flow_t *f)
{
    consent_page_t *own = f->own;
    oauth_authorize_verdict_t verdict;
    const oauth_authorize_facts_t facts = gather_facts(f, own);
    oauth_decision_t decision = {is_approval(&own->form), f->snapshot->derive_key};
    TRY(read_seen(f, facts.client, &decision.seen));
    TRY(oauth_consent_decide(f->a, &facts, &decision, &verdict));
    return as_interaction_answer(f, &own->browser, &facts, &verdict, AS_LEAVE_PAGE);
}

static void step_decide(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static void step_post(as_flow_t *f)
{
    gather_rest(f, step_decide);
}

/* Reads the form (of the query or the body) and asks for session and interaction. */
static rc_t read(as_flow_t *f)
{
    consent_page_t *own = f->own;
    oauth_reason_t reason;
    TRY(oauth_parameters_read(f->a, as_flow_parameters(f), &own->form, &reason));
    form_get(&own->form, STR(WEB_FIELD_INTERACTION), &own->handle);
    if (!str_is_set(own->handle))
        own->handle = STR("");
    own->browser = as_browser_read(f);
    ask_t *ask = as_flow_ask(f, ASK_INTERACTION);
    ask->hash = oauth_handle_hash(own->handle);
    own->interaction = ask;
    return RC_OK;
}

void as_consent_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(consent_page_t), read);
    if (f)
        as_flow_gather(f, step_get);
}

static bool is_ours(const as_flow_t *f)
{
    const consent_page_t *own = f->own;
    str_t token;
    form_get(&own->form, STR(WEB_FIELD_CSRF), &token);
    return as_browser_fits(f, &own->browser, IDENTITY_CSRF_CONSENT, own->handle, token);
}

void as_consent_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(consent_page_t), read);
    if (f && is_ours(f))
        as_flow_gather(f, step_post);
    else if (f)
        as_page_refuse_form(f, AUDIT_CONSENT);
}
