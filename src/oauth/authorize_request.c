/* Which parameters count: those of the request, or those that were pushed before it. */
#include "core/limits.h"
#include "oauth/authorize_answer.h"
#include "oauth/handle.h"
#include "oauth/parameters.h"
#include "oauth/pushed.h"

/* A request_uri that we may have given. Others are never fetched, and refused in stage B. */
static void read_pushed(oauth_authorize_request_t *out)
{
    str_t uri;
    if (form_get(out->form, STR("request_uri"), &uri) != FORM_ONCE ||
        !str_starts(uri, STR(OAUTH_PUSHED_URN)))
        return;
    out->is_pushed = true;
    out->pushed = oauth_handle_hash(str_skip(uri, STR(OAUTH_PUSHED_URN).n));
}

oauth_authorize_request_t oauth_authorize_read(const form_t *query, const form_t *body)
{
    oauth_authorize_request_t out = {.form = body ? body : query};
    if (body && query->n > 0) {
        out.reason = OAUTH_PARAMETERS_IN_TWO_PLACES;
        return out;
    }
    form_found_t found = form_get(out.form, STR("client_id"), &out.client_id);
    if (found == FORM_REPEATED)
        out.reason = OAUTH_PARAMETER_REPEATED;
    else if (found == FORM_ABSENT)
        out.reason = OAUTH_CLIENT_ID_MISSING;
    else if (out.client_id.n > LIMIT_CLIENT_ID_BYTES)
        out.reason = OAUTH_PARAMETER_TOO_LONG;
    else
        read_pushed(&out);
    return out;
}

/* The parameters that count: where some were pushed, those, and whatever else stands in the request
 * does not (RFC 9126 section 4). */
static rc_t choose_form(arena_t *a, const oauth_authorize_facts_t *facts,
                        const oauth_authorize_request_t *in, form_t *out, oauth_reason_t *reason)
{
    *out = *in->form;
    *reason = in->reason;
    if (*reason != OAUTH_FINE || !in->is_pushed)
        return RC_OK;
    *reason = oauth_pushed_check(facts);
    return *reason == OAUTH_FINE ? oauth_parameters_read(a, facts->pushed->form, out, reason)
                                 : RC_OK;
}

static bool must_push(const oauth_authorize_facts_t *facts, const oauth_authorize_request_t *in)
{
    return !in->is_pushed && (facts->settings->pushed_required || facts->client->par_required);
}

rc_t oauth_authorize_check(arena_t *a, const oauth_authorize_facts_t *facts,
                           const oauth_authorize_request_t *in, authz_request_t *request,
                           bool *fine, oauth_authorize_verdict_t *out)
{
    form_t form;
    oauth_authorize_finding_t found = {.reason = OAUTH_FINE};
    *fine = false;
    TRY(choose_form(a, facts, in, &form, &found.reason));
    if (found.reason == OAUTH_FINE)
        TRY(oauth_authorize_judge(a, facts, &form, request, &found));
    if (found.trusted && must_push(facts, in))
        found.reason = OAUTH_PUSHED_REQUIRED;
    if (found.reason != OAUTH_FINE && !found.trusted) {
        oauth_answer_page(facts, found.reason, found.detail, out);
        if (str_is_set(found.description))
            out->description = found.description;
        return RC_OK;
    }
    if (in->is_pushed) {
        request->pushed = in->pushed;
        if (str_is_set(facts->pushed->dpop_jkt))
            request->dpop_jkt = facts->pushed->dpop_jkt;
    }
    *fine = found.reason == OAUTH_FINE;
    return *fine ? RC_OK
                 : oauth_answer_error(a, facts, request, found.reason, found.description, out);
}
