#include "as/own_token.h"

void as_own_token_ask(as_flow_t *f, const oauth_own_token_t *token, as_own_token_t *out)
{
    *out = (as_own_token_t){.token = token};
    if (token->is_jwt)
        return;
    ask_t *opaque = as_flow_ask(f, ASK_ACCESS_TOKEN), *refresh = as_flow_ask(f, ASK_REFRESH);
    opaque->hash = refresh->hash = token->hash;
    out->opaque = opaque;
    out->refresh = refresh;
}

static const access_token_t *access_of(const as_own_token_t *t)
{
    if (!t->token)
        return NULL;
    if (t->token->is_jwt)
        return &t->token->access;
    return t->opaque ? t->opaque->u.access_token : NULL;
}

/* The same questions whether there is such a token or not: the answer takes as long. */
bool as_own_token_ask_more(as_flow_t *f, as_own_token_t *t)
{
    const access_token_t *access = access_of(t);
    if (!t->token || t->revoked)
        return false;
    ask_t *family = as_flow_ask(f, ASK_FAMILY), *revoked = as_flow_ask(f, ASK_REVOKED);
    bool of_family = access && str_is_set(access->family_id);
    family->key = of_family ? access->family_id : STR("");
    revoked->key = access ? access->jti : STR("");
    revoked->key2 = access ? access->sub : STR("");
    revoked->key3 = access ? access->client_id : STR("");
    revoked->since = access ? access->created_at : INT64_MAX;
    t->family = family;
    t->revoked = revoked;
    return true;
}

oauth_own_facts_t as_own_token_facts(const as_own_token_t *t)
{
    const access_token_t *access = access_of(t);
    oauth_own_facts_t facts = {.access = access};
    if (!t->revoked)
        return facts;
    if (access) {
        facts.family = t->family->u.family;
        facts.owner = t->family->owner;
        facts.revoked = t->revoked->count;
    } else if (t->refresh) {
        facts.refresh = t->refresh->u.refresh;
        facts.family = t->refresh->family;
        facts.owner = t->refresh->owner;
    }
    return facts;
}

static rc_t read_query(as_flow_t *f, const as_client_t *c, as_token_query_t *q)
{
    q->read = true;
    TRY(oauth_token_query_read(f->a, &c->form, keyring_keys(f->snapshot->ring),
                               f->w->as->oauth.issuer, &q->query));
    if (c->flow && q->query.reason == OAUTH_FINE)
        as_own_token_ask(f, &q->query.token, &q->token);
    return RC_OK;
}

rc_t as_token_query_begin(as_flow_t *f, const as_client_t *c, as_token_query_t *q)
{
    str_t token;
    bool has_signature =
        form_get(&c->form, STR("token"), &token) == FORM_ONCE && str_find(token, '.', 0) < token.n;
    return has_signature ? RC_OK : read_query(f, c, q);
}

rc_t as_token_query_go_on(as_flow_t *f, const as_client_t *c, as_token_query_t *q, bool *more)
{
    *more = false;
    if (!q->read && as_client_is_proved(f, c))
        TRY(read_query(f, c, q));
    *more = as_own_token_ask_more(f, &q->token);
    return RC_OK;
}
