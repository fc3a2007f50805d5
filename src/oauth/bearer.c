#include "oauth/bearer.h"

#include "oauth/metadata.h"
#include "oauth/subject.h"

static const oauth_assertion_reasons_t REASONS = {
    .expired = OAUTH_BEARER_EXPIRED,
    .lifetime = OAUTH_BEARER_LIFETIME,
    .not_yet = OAUTH_BEARER_NOT_YET,
    .jti = OAUTH_BEARER_JTI,
    .key = OAUTH_BEARER_KEY,
    .signature = OAUTH_BEARER_SIGNATURE,
    .replayed = OAUTH_BEARER_REPLAYED,
};

/* ---- reading ---- */

/* Platforms write what they like; but a token of a kind that has a name of its own is no workload's
 * (RFC 8725 section 3.11). */
static oauth_reason_t judge_kind(const oauth_assertion_t *assertion, bool *is_workload)
{
    if (!assertion->readable)
        return OAUTH_BEARER_MALFORMED;
    *is_workload = !oauth_assertion_typ_is(assertion, STR("oauth-id-jag+jwt"), false);
    if (*is_workload && !oauth_assertion_typ_is(assertion, STR("JOSE"), true))
        return OAUTH_BEARER_TYP;
    return OAUTH_FINE;
}

static oauth_reason_t judge_issuer(const oauth_settings_t *settings, oauth_bearer_t *out)
{
    const jwt_claims_t *claims = &out->assertion->claims;
    uint32_t use = out->is_workload ? OAUTH_ISSUER_WORKLOAD : OAUTH_ISSUER_ID_JAG;
    out->issuer = oauth_issuer_find(&settings->issuers, claims->iss, use);
    if (!out->issuer)
        return OAUTH_BEARER_ISSUER;
    if (!oauth_issuer_takes(out->issuer, out->assertion->jws.alg))
        return OAUTH_BEARER_ALG;
    return str_is_empty(claims->sub) ? OAUTH_BEARER_SUBJECT : OAUTH_FINE;
}

/* A subject of one tenant may be somebody else in another. */
static oauth_reason_t judge_tenant(const oauth_bearer_t *bearer, str_t *tenant)
{
    const oauth_issuer_t *issuer = bearer->issuer;
    *tenant = STR_UNSET;
    if (bearer->is_workload || !str_is_set(issuer->tenant_claim))
        return OAUTH_FINE;
    *tenant = json_get_str(bearer->assertion->claims.all, issuer->tenant_claim);
    bool known = issuer->tenants.n == 0 || str_list_has(issuer->tenants, *tenant);
    return tenant->n > 0 && known ? OAUTH_FINE : OAUTH_BEARER_TENANT;
}

rc_t oauth_bearer_read(arena_t *a, const oauth_settings_t *settings, const form_t *form,
                       oauth_bearer_t *out)
{
    str_t text, tenant;
    oauth_assertion_t *assertion = ARENA_NEW(a, oauth_assertion_t);
    *out = (oauth_bearer_t){.reason = OAUTH_GRANT_TYPE_UNSUPPORTED};
    if (!assertion)
        return RC_MEMORY;
    if (!oauth_issuer_any(&settings->issuers, OAUTH_ISSUER_ID_JAG | OAUTH_ISSUER_WORKLOAD))
        return RC_OK;
    out->reason = OAUTH_BEARER_MISSING;
    form_found_t found = form_get(form, STR("assertion"), &text);
    if (found == FORM_REPEATED)
        out->reason = OAUTH_PARAMETER_REPEATED;
    if (found != FORM_ONCE)
        return RC_OK;
    TRY(oauth_assertion_read(a, text, assertion));
    out->assertion = assertion->readable ? assertion : NULL;
    out->reason = judge_kind(assertion, &out->is_workload);
    if (out->reason == OAUTH_FINE)
        out->reason = judge_issuer(settings, out);
    if (out->reason == OAUTH_FINE)
        out->reason = judge_tenant(out, &tenant);
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    return oauth_subject_id(a, out->issuer->issuer, tenant, assertion->claims.sub, &out->subject);
}

oauth_reason_t oauth_bearer_verdict(const oauth_bearer_t *bearer)
{
    bool fine = bearer->reason == OAUTH_FINE;
    return fine && !bearer->checked ? OAUTH_BEARER_SIGNATURE : bearer->reason;
}

/* ---- checking ---- */

/* An ID-JAG names the issuer and nobody else; clients tell their identity provider the issuer as a
 * URL object writes it, with a slash, which is nobody else's either. Workloads are told the issuer
 * or the token endpoint by their platforms. */
static rc_t judge_audience(arena_t *a, const oauth_settings_t *settings,
                           const oauth_bearer_t *bearer, oauth_reason_t *out)
{
    bool single = bearer->assertion->claims.aud.n == 1;
    const str_t ours[] = {
        settings->issuer,
        arena_printf(a, "%" PRIstr "/", STR_ARG(settings->issuer)),
        arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(settings->issuer),
                     STR_ARG(oauth_endpoint_path(OAUTH_ENDPOINT_TOKEN))),
    };
    if (!str_is_set(ours[1]) || !str_is_set(ours[2]))
        return RC_MEMORY;
    const str_list_t audiences = {ours, bearer->is_workload ? 3 : 2};
    bool for_us = oauth_assertion_is_for(bearer->assertion, audiences, true);
    *out = for_us && (single || bearer->is_workload) ? OAUTH_FINE : OAUTH_BEARER_AUDIENCE;
    return RC_OK;
}

/* Not all platforms write a jti. */
static oauth_reason_t judge_times(const oauth_bearer_t *bearer, int64_t now)
{
    const oauth_assertion_t *assertion = bearer->assertion;
    oauth_reason_t reason = oauth_assertion_check_times(assertion, now, &REASONS);
    bool named = str_is_set(assertion->claims.jti);
    if (reason == OAUTH_BEARER_JTI && bearer->is_workload && !named)
        return OAUTH_FINE;
    if (reason == OAUTH_FINE && !bearer->is_workload && assertion->claims.iat_ms == JWT_TIME_ABSENT)
        return OAUTH_BEARER_NOT_YET;
    return reason;
}

static bool claim_fits(const json_t *claims, const oauth_rule_claim_t *wanted)
{
    const json_t *claim = json_get(claims, wanted->name);
    if (!claim || claim->type == JSON_ARRAY || claim->type == JSON_OBJECT)
        return false;
    str_t value = claim->type == JSON_STRING ? claim->str : claim->raw;
    return wanted->prefix ? str_starts(value, wanted->value) : str_eq(value, wanted->value);
}

static bool rule_fits(const json_t *claims, const oauth_rule_t *rule)
{
    for (size_t i = 0; i < rule->n_claims; i++)
        if (!claim_fits(claims, &rule->claims[i]))
            return false;
    return rule->n_claims > 0;
}

/* Nothing of what the token says is copied: what the workload may do, and what it is called, stands
 * in the settings. */
static void take_rule(oauth_bearer_t *bearer)
{
    const oauth_issuer_t *issuer = bearer->issuer;
    bearer->reason = OAUTH_BEARER_RULE;
    for (size_t i = 0; !bearer->rule && i < issuer->n_rules; i++)
        if (rule_fits(bearer->assertion->claims.all, &issuer->rules[i]))
            bearer->rule = &issuer->rules[i];
    if (!bearer->rule)
        return;
    bearer->reason = OAUTH_FINE;
    bearer->client = (client_t){
        .id = bearer->rule->client_id, .grants = GRANT_JWT_BEARER, .scope = bearer->rule->scope};
}

/* A token without jti is named by what it says, not by its signature: of one signature of ECDSA
 * anybody makes a second one. */
static rc_t check_use(arena_t *a, const oauth_bearer_facts_t *f, oauth_bearer_t *bearer)
{
    oauth_assertion_t named = *bearer->assertion;
    if (bearer->is_workload && bearer->issuer->reuse)
        return RC_OK;
    if (!str_is_set(named.claims.jti))
        named.claims.jti = named.jws.payload;
    TRY(oauth_assertion_spend(a, &named, STR("assertion"), named.claims.iss, &bearer->spend));
    bearer->reason = oauth_assertion_check_use(bearer->spend, &f->seen, &REASONS);
    return RC_OK;
}

rc_t oauth_bearer_check(arena_t *a, const oauth_bearer_facts_t *f, const oauth_bearer_t *read,
                        oauth_bearer_t *bearer)
{
    *bearer = *read;
    bearer->checked = true;
    if (bearer->reason != OAUTH_FINE)
        return RC_OK;
    TRY(judge_audience(a, f->settings, bearer, &bearer->reason));
    if (bearer->reason == OAUTH_FINE)
        bearer->reason = judge_times(bearer, f->now);
    if (bearer->reason == OAUTH_FINE)
        TRY(oauth_assertion_check_signature(a, bearer->assertion, f->issuer_jwks, &REASONS,
                                            &bearer->reason));
    if (bearer->reason == OAUTH_BEARER_KEY && f->keys_away)
        bearer->reason = OAUTH_BEARER_KEYS_UNAVAILABLE;
    if (bearer->reason == OAUTH_FINE && bearer->is_workload)
        take_rule(bearer);
    return bearer->reason == OAUTH_FINE ? check_use(a, f, bearer) : RC_OK;
}
