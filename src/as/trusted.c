#include "as/trusted.h"

#include "oauth/scope.h"

static rc_t copy_claims(arena_t *a, const conf_rule_t *from, oauth_rule_t *to)
{
    oauth_rule_claim_t *v = ARENA_ARRAY(a, from->n_claims + 1, oauth_rule_claim_t);
    if (!v)
        return RC_MEMORY;
    to->claims = v;
    to->n_claims = from->n_claims;
    for (size_t i = 0; i < from->n_claims; i++)
        v[i] = (oauth_rule_claim_t){from->claims[i].name, from->claims[i].value,
                                    from->claims[i].prefix};
    return RC_OK;
}

static rc_t copy_rules(arena_t *a, const conf_issuer_t *from, oauth_issuer_t *to)
{
    oauth_rule_t *v = ARENA_ARRAY(a, from->n_rules + 1, oauth_rule_t);
    if (!v)
        return RC_MEMORY;
    to->rules = v;
    to->n_rules = from->n_rules;
    for (size_t i = 0; i < from->n_rules; i++) {
        v[i].client_id = arena_printf(a, "workload:%" PRIstr, STR_ARG(from->rules[i].name));
        if (!str_is_set(v[i].client_id))
            return RC_MEMORY;
        v[i].resources = from->rules[i].resources;
        TRY(copy_claims(a, &from->rules[i], &v[i]));
        TRY(oauth_scope_of_words(a, from->rules[i].scopes, &v[i].scope));
    }
    return RC_OK;
}

static rc_t copy_issuer(arena_t *a, const conf_issuer_t *from, oauth_issuer_t *to)
{
    *to = (oauth_issuer_t){
        .issuer = from->issuer,
        .jwks_uri = from->jwks_uri,
        .jwks = from->jwks,
        .tenant_claim = from->tenant_claim,
        .tenants = from->tenants,
        .resources = from->resources,
        .reuse = from->reuse,
    };
    to->uses |= from->for_id_jag ? OAUTH_ISSUER_ID_JAG : 0;
    to->uses |= from->for_workload ? OAUTH_ISSUER_WORKLOAD : 0;
    to->uses |= from->for_software_statement ? OAUTH_ISSUER_SOFTWARE_STATEMENT : 0;
    for (size_t i = 0; i < from->algorithms.n; i++)
        to->algs |= 1u << alg_parse(from->algorithms.v[i]);
    TRY(oauth_scope_of_words(a, from->scopes, &to->scope));
    return copy_rules(a, from, to);
}

rc_t as_trusted_issuers(arena_t *a, const conf_t *conf, oauth_issuers_t *out)
{
    oauth_issuer_t *v = ARENA_ARRAY(a, conf->n_issuers + 1, oauth_issuer_t);
    if (!v)
        return RC_MEMORY;
    *out = (oauth_issuers_t){v, conf->n_issuers};
    for (size_t i = 0; i < conf->n_issuers; i++)
        TRY(copy_issuer(a, &conf->issuers[i], &v[i]));
    return RC_OK;
}
