#include "as/client.h"

#include "core/buf.h"
#include "core/limits.h"
#include "oauth/client_assertion.h"
#include "oauth/parameters.h"

/* Who is counted: this client at this address. Not the address alone: the clouds that many clients
 * call from have few of them, and one that has lost its registration must not lock the others out.
 */
static str_t rate_key(as_flow_t *f, str_t client_id)
{
    buf_t b = buf_new(f->a, HTTP_ADDR_KEY + LIMIT_CLIENT_ID_BYTES);
    str_t out;
    buf_put(&b, f->x->rate_key);
    buf_put(&b, str_first(client_id, LIMIT_CLIENT_ID_BYTES));
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

rc_t as_client_read(as_flow_t *f, as_client_t *out)
{
    str_list_t authorization;
    oauth_reason_t reason;
    TRY(as_flow_headers_of(f, STR("authorization"), &authorization));
    TRY(oauth_parameters_read(f->a, f->x->body, &out->form, &reason));
    TRY(oauth_client_auth_read(f->a, authorization, &out->form, &out->claim));
    if (reason != OAUTH_FINE)
        out->claim.reason = reason;
    out->rate_key = rate_key(f, out->claim.client_id);
    if (!str_is_set(out->rate_key))
        return RC_MEMORY;
    if (out->claim.reason != OAUTH_FINE)
        return RC_OK;
    out->flow = f;
    f->asking = out;
    as_flow_client(f, out->claim.client_id);
    f->client_refusal = &out->claim.reason;
    if (out->claim.assertion)
        as_flow_client_keys(f);
    return RC_OK;
}

const client_t *as_client_record(const as_client_t *c)
{
    return c->flow ? c->flow->client : NULL;
}

static rc_t prove(as_flow_t *f, as_client_t *c)
{
    const oauth_client_assertion_facts_t facts = {
        .settings = &f->w->as->oauth,
        .now = f->now,
        .client = as_client_record(c),
        .client_jwks = f->client_jwks,
        .keys_away = f->client_key_set && f->client_key_set->temporary,
        .seen = as_flow_seen(f),
    };
    TRY(oauth_client_assertion_check(f->a, &facts, &c->claim));
    f->spend = c->claim.spend;
    return RC_OK;
}

/* A key that is not there may have been published since. */
rc_t as_client_prove(as_flow_t *f, bool *again)
{
    as_client_t *c = f->asking;
    TRY(prove(f, c));
    bool lacks_key = c->claim.reason == OAUTH_FINE && c->claim.proof == OAUTH_CLIENT_ASSERTION_KEY;
    *again = lacks_key && as_flow_client_keys_again(f);
    return RC_OK;
}

bool as_client_is_proved(const as_flow_t *f, const as_client_t *c)
{
    return c->claim.reason == OAUTH_FINE &&
           oauth_client_auth_check(&c->claim, as_client_record(c), f->now) == OAUTH_FINE;
}

bool as_client_may_ask(as_flow_t *f, const as_client_t *c, as_rate_t rate)
{
    uint32_t retry_after = 1;
    as_limits_t *limits = f->w->as->limits;
    bool may = rate == AS_RATE_CLIENT_FAILS
                   ? as_limits_peek(limits, rate, c->rate_key, &retry_after)
                   : as_limits_take(limits, rate, c->rate_key, &retry_after);
    if (!may)
        http_reply_retry(f->x, 429, retry_after, STR("too many requests; try again later"));
    return may;
}

static void answer_later(as_flow_t *f, uint32_t retry_after)
{
    as_flow_answer_json(f, 429,
                        STR("{\"error\":\"too_many_requests\",\"error_description\":\"Too many "
                            "requests of unknown clients from this address; try again later\"}"));
    as_flow_header(f, STR("Retry-After"), arena_printf(f->a, "%u", retry_after));
}

bool as_client_count(as_flow_t *f, const as_client_t *c, oauth_reason_t reason)
{
    uint32_t retry_after = 1;
    as_limits_t *limits = f->w->as->limits;
    bool failed = oauth_reason_status(reason) == 401;
    bool nobody =
        c->claim.reason == OAUTH_CLIENT_AUTH_MISSING || reason == OAUTH_CLIENT_DOCUMENT_UNAVAILABLE;
    if (reason == OAUTH_FINE || !(failed || nobody))
        return true;
    if (failed)
        as_limits_take(limits, AS_RATE_CLIENT_FAILS, c->rate_key, &retry_after);
    if (as_client_record(c) ||
        as_limits_take(limits, AS_RATE_STRANGER, f->x->rate_key, &retry_after))
        return true;
    answer_later(f, retry_after);
    return false;
}
