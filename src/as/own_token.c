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
