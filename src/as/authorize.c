/* An authorization request in two rounds of facts: who asks and who is there; then, for a request
 * that is in order, what was approved before. */
#include "oauth/authorize.h"

#include "as/endpoints.h"
#include "as/interaction.h"
#include "oauth/parameters.h"

typedef struct {
    as_browser_t browser;
    oauth_authorize_request_t in;
    form_t query, body;
    const ask_t *pushed; /* NULL: the parameters are all here */
    const ask_t *consent;
    authz_request_t request;
} authorize_t;

static oauth_authorize_facts_t gather_facts(const as_flow_t *f, const authorize_t *own)
{
    oauth_authorize_facts_t facts = as_interaction_facts(f, &own->browser);
    facts.pushed = own->pushed ? own->pushed->u.pushed : NULL;
    facts.consent = own->consent ? own->consent->u.consent : NULL;
    return facts;
}

static rc_t decide(as_flow_t *f)
{
    authorize_t *own = f->own;
    bool fine;
    oauth_authorize_verdict_t verdict;
    const oauth_authorize_facts_t facts = gather_facts(f, own);
    TRY(oauth_authorize_check(f->a, &facts, &own->in, &own->request, &fine, &verdict));
    if (fine)
        TRY(oauth_authorize_next(f->a, &facts, &own->request, &verdict));
    return as_interaction_answer(f, &own->browser, &facts, &verdict, AS_LEAVE_REDIRECT);
}

static void step_decide(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

/* Only now is it known whose consent for which resource is to be looked up. */
static void step_check(as_flow_t *f)
{
    authorize_t *own = f->own;
    bool fine;
    oauth_authorize_verdict_t verdict;
    const oauth_authorize_facts_t facts = gather_facts(f, own);
    rc_t rc = oauth_authorize_check(f->a, &facts, &own->in, &own->request, &fine, &verdict);
    if (rc == RC_OK && fine)
        rc = as_interaction_ask_consent(f, facts.user, &own->request, &own->consent);
    if (rc == RC_OK)
        as_flow_gather(f, step_decide);
    else
        as_flow_fail(f, rc);
}

static rc_t read(as_flow_t *f)
{
    authorize_t *own = f->own;
    http_exchange_t *x = f->x;
    bool is_post = x->method == HTTP_POST;
    str_t query = str_is_set(x->query) ? x->query : STR("");
    oauth_reason_t reason, body_reason = OAUTH_FINE;
    TRY(oauth_parameters_read(f->a, query, &own->query, &reason));
    if (is_post)
        TRY(oauth_parameters_read(f->a, x->body, &own->body, &body_reason));
    own->in = oauth_authorize_read(&own->query, is_post ? &own->body : NULL);
    if (reason != OAUTH_FINE || body_reason != OAUTH_FINE)
        own->in.reason = OAUTH_REQUEST_MALFORMED;
    own->browser = as_browser_read(f);
    if (own->in.reason != OAUTH_FINE)
        return RC_OK;
    as_flow_client(f, own->in.client_id);
    if (!own->in.is_pushed)
        return RC_OK;
    ask_t *ask = as_flow_ask(f, ASK_PUSHED);
    ask->hash = own->in.pushed;
    own->pushed = ask;
    return RC_OK;
}

void as_authorize(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(authorize_t), read);
    if (f)
        as_flow_gather(f, step_check);
}
