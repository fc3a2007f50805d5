#include "oauth/register.h"

#include "as/endpoints.h"
#include "as/flow.h"
#include "as/statement.h"
#include "core/buf.h"
#include "core/url.h"

typedef struct {
    oauth_initial_token_t token;
    const ask_t *record; /* NULL: no token came */
    as_issuer_t issuer;  /* of the software statement */
    bool counted;        /* a conflict decides again, and must not be counted again */
} register_t;

/* The hosted client of the catalogue that all codes go to, or NULL. */
static const conf_known_client_t *hosted_client(const as_t *as, const client_t *client)
{
    const conf_known_client_t *known = NULL;
    for (size_t i = 0; i < client->redirect_uris.n; i++) {
        const conf_known_client_t *k =
            conf_catalogue_of_redirect(&as->catalogue, client->redirect_uris.v[i]);
        if (!k || !k->hosted || (known && k != known))
            return NULL;
        known = k;
    }
    return known;
}

static str_t host_of(const client_t *client)
{
    url_t u;
    if (client->redirect_uris.n == 0 || url_parse(client->redirect_uris.v[0], &u) != RC_OK)
        return STR("");
    return str_is_set(u.host) ? u.host : u.scheme;
}

static rc_t rate_key(as_flow_t *f, const client_t *client, const conf_known_client_t *hosted,
                     str_t *out)
{
    enum { KEY_MAX = 4096 };
    buf_t b = buf_new(f->a, KEY_MAX);
    buf_put(&b, f->x->rate_key);
    if (hosted) {
        buf_put(&b, hosted->id);
        return buf_done(&b, out);
    }
    buf_put(&b, str_is_set(client->software_id) ? client->software_id : client->name);
    buf_char(&b, '\0');
    buf_put(&b, host_of(client));
    return buf_done(&b, out);
}

/* Many people register from one address: those of one company, or of a client that is hosted. Each
 * software with its callback counts for itself. False: answered with 429, nothing is recorded. */
static rc_t may_register(as_flow_t *f, const client_t *client, bool *may)
{
    str_t key;
    uint32_t retry_after = 1;
    register_t *r = f->own;
    *may = true;
    if (r->counted)
        return RC_OK;
    r->counted = true;
    const conf_known_client_t *hosted = hosted_client(f->w->as, client);
    TRY(rate_key(f, client, hosted, &key));
    *may = as_limits_take(f->w->as->limits, hosted ? AS_RATE_REGISTER_KNOWN : AS_RATE_REGISTER_ONE,
                          key, &retry_after);
    if (!*may)
        http_reply_retry(f->x, 429, retry_after, STR("too many requests; try again later"));
    return RC_OK;
}

static rc_t gather_facts(as_flow_t *f, oauth_register_facts_t *facts)
{
    const register_t *r = f->own;
    const as_t *as = f->w->as;
    *facts = (oauth_register_facts_t){
        .settings = &as->oauth,
        .random = &as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .body = f->x->body,
        .token = r->token,
        .registration_token = r->record ? r->record->u.registration_token : NULL,
        .statement_keys = as_issuer_jwks(&r->issuer),
        .statement_away = as_issuer_is_away(&r->issuer),
        .full = f->full,
    };
    return as_snapshot_seal_keys(f->a, f->snapshot, &facts->seal_keys);
}

static void step(as_flow_t *f);

/* *ours: the flow is to be settled here; else it goes on, or is answered. */
static rc_t decide(as_flow_t *f, bool *ours)
{
    bool more;
    register_t *r = f->own;
    oauth_register_facts_t facts;
    oauth_register_verdict_t verdict;
    *ours = true;
    TRY(gather_facts(f, &facts));
    TRY(oauth_register_decide(f->a, &facts, &verdict));
    TRY(as_statement_follow(f, &r->issuer, verdict.reason, &more));
    if (more) {
        *ours = false;
        as_flow_gather(f, step);
        return RC_OK;
    }
    if (verdict.client)
        TRY(may_register(f, verdict.client, ours));
    if (!*ours)
        return RC_OK; /* answered: the flow may be gone */
    as_flow_take(f, &verdict.effects, &verdict.event);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    return RC_OK;
}

static void step(as_flow_t *f)
{
    bool ours;
    rc_t rc = decide(f, &ours);
    if (ours)
        as_flow_settle(f, rc);
}

static rc_t read(as_flow_t *f)
{
    register_t *r = f->own;
    str_list_t authorization;
    TRY(as_flow_headers_of(f, STR("authorization"), &authorization));
    TRY(as_statement_want(f, &r->issuer));
    r->token = oauth_register_token(authorization);
    if (!r->token.given)
        return RC_OK;
    ask_t *ask = as_flow_ask(f, ASK_REGISTRATION_TOKEN);
    ask->hash = r->token.hash;
    r->record = ask;
    return RC_OK;
}

void as_register_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(register_t), read);
    if (f)
        as_flow_gather(f, step);
}
