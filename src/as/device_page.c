/* A person types the code that their device shows (RFC 8628 section 3.3). From here on it is an
 * authorization request like any other: login, consent, decision. */
#include "web/device.h"

#include "as/endpoints.h"
#include "as/interaction.h"
#include "as/page.h"
#include "oauth/device.h"
#include "oauth/parameters.h"
#include "oauth/user_code.h"

typedef struct {
    as_browser_t browser;
    str_t typed; /* unset: nothing */
    str_t code;  /* normalized; unset: no device can have it */
    str_t token;
    const ask_t *device; /* NULL: not asked for */
    authz_request_t request;
} device_page_t;

static rc_t show(as_flow_t *f, int status, str_t problem)
{
    bool is_new;
    device_page_t *own = f->own;
    web_device_t view = {
        .user_code = own->typed,
        .from_link = str_is_set(own->typed) && f->x->method == HTTP_GET,
        .problem = problem,
    };
    TRY(as_browser_bind(f, &own->browser, &is_new));
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_DEVICE, STR_UNSET, &view.csrf));
    buf_t page = as_page_new(f->a);
    web_page_device(&page, &view);
    TRY(as_page_answer(f, status, &page));
    return is_new ? as_browser_set(f, IDENTITY_COOKIE_BROWSER, own->browser.browser_handle) : RC_OK;
}

static rc_t read(as_flow_t *f)
{
    form_t form;
    oauth_reason_t reason;
    device_page_t *own = f->own;
    TRY(oauth_parameters_read(f->a, as_flow_parameters(f), &form, &reason));
    form_get(&form, STR(WEB_FIELD_USER_CODE), &own->typed);
    form_get(&form, STR(WEB_FIELD_CSRF), &own->token);
    own->browser = as_browser_read(f);
    return oauth_user_code_read(f->a, str_is_set(own->typed) ? own->typed : STR(""), &own->code);
}

static void step_get(as_flow_t *f)
{
    as_flow_settle(f, show(f, 200, STR_UNSET));
}

void as_device_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(device_page_t), read);
    if (f)
        as_flow_gather(f, step_get);
}

static oauth_authorize_facts_t gather_facts(const as_flow_t *f, const device_page_t *own)
{
    oauth_authorize_facts_t facts = as_interaction_facts(f, &own->browser);
    facts.device = own->device ? own->device->u.device : NULL;
    return facts;
}

/* The same words whether the code is none, another's, expired or used: nothing to learn by guessing
 * (RFC 8628 section 5.1). */
static rc_t refuse(as_flow_t *f, const oauth_authorize_facts_t *facts)
{
    static const effects_t NONE = {.n = 0};
    const audit_event_t event = oauth_device_event(OAUTH_USER_CODE_UNKNOWN, facts->user, STR_UNSET);
    as_flow_take(f, &NONE, &event);
    str_t problem = arena_printf(f->a, "%" PRIstr ".",
                                 STR_ARG(oauth_reason_description(OAUTH_USER_CODE_UNKNOWN)));
    if (!str_is_set(problem))
        return RC_MEMORY;
    return show(f, oauth_reason_status(OAUTH_USER_CODE_UNKNOWN), problem);
}

static rc_t decide(as_flow_t *f)
{
    device_page_t *own = f->own;
    oauth_authorize_verdict_t verdict;
    const oauth_authorize_facts_t facts = gather_facts(f, own);
    if (oauth_device_open(facts.device, f->now, &own->request) != OAUTH_FINE)
        return refuse(f, &facts);
    TRY(oauth_authorize_next(f->a, &facts, &own->request, &verdict));
    if (!verdict.has_event) {
        verdict.has_event = true;
        verdict.event = oauth_device_event(OAUTH_FINE, facts.user, own->request.client_id);
    }
    return as_interaction_answer(f, &own->browser, &facts, &verdict, AS_LEAVE_PAGE);
}

static void step_decide(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static void step_device(as_flow_t *f)
{
    device_page_t *own = f->own;
    const device_t *device = own->device ? own->device->u.device : NULL;
    if (device)
        as_flow_client(f, device->client_id);
    as_flow_gather(f, step_decide);
}

/* Both for the address and for the browser, and counted before anything is looked up. */
static bool may_guess(as_flow_t *f)
{
    uint32_t retry_after = 1;
    const device_page_t *own = f->own;
    as_limits_t *limits = f->w->as->limits;
    if (as_limits_take(limits, AS_RATE_DEVICE, f->x->rate_key, &retry_after) &&
        as_limits_take(limits, AS_RATE_DEVICE, own->browser.browser_handle, &retry_after))
        return true;
    as_page_retry(f->x, 429, retry_after, STR("too many codes were tried; try again later"));
    return false;
}

static void look_up(as_flow_t *f)
{
    device_page_t *own = f->own;
    if (str_is_set(own->code)) {
        ask_t *device = as_flow_ask(f, ASK_DEVICE_BY_CODE);
        device->key = own->code;
        device->since = f->now;
        own->device = device;
    }
    as_flow_gather(f, step_device);
}

void as_device_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(device_page_t), read);
    const device_page_t *own = f ? f->own : NULL;
    if (!own)
        return;
    if (!as_browser_fits(f, &own->browser, IDENTITY_CSRF_DEVICE, STR_UNSET, own->token))
        as_page_refuse_form(f, AUDIT_DEVICE);
    else if (may_guess(f))
        look_up(f);
}
