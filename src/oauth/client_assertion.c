#include "oauth/client_assertion.h"

#include "oauth/metadata.h"

static const oauth_assertion_reasons_t REASONS = {
    .expired = OAUTH_CLIENT_ASSERTION_EXPIRED,
    .lifetime = OAUTH_CLIENT_ASSERTION_LIFETIME,
    .not_yet = OAUTH_CLIENT_ASSERTION_NOT_YET,
    .jti = OAUTH_CLIENT_ASSERTION_JTI,
    .key = OAUTH_CLIENT_ASSERTION_KEY,
    .signature = OAUTH_CLIENT_ASSERTION_SIGNATURE,
    .replayed = OAUTH_CLIENT_ASSERTION_REPLAYED,
};

static oauth_reason_t judge_text(const oauth_assertion_t *assertion)
{
    const jwt_claims_t *claims = &assertion->claims;
    if (!assertion->readable)
        return OAUTH_CLIENT_ASSERTION_MALFORMED;
    if (!oauth_assertion_typ_is(assertion, STR("client-authentication+jwt"), true))
        return OAUTH_CLIENT_ASSERTION_TYP;
    if (str_is_empty(claims->sub) || !str_eq(claims->iss, claims->sub))
        return OAUTH_CLIENT_ASSERTION_SUBJECT;
    return OAUTH_FINE;
}

rc_t oauth_client_assertion_read(arena_t *a, str_t type, str_t text, oauth_client_claim_t *claim)
{
    oauth_assertion_t *assertion = ARENA_NEW(a, oauth_assertion_t);
    if (!assertion)
        return RC_MEMORY;
    claim->method = CLIENT_AUTH_PRIVATE_KEY_JWT;
    claim->proof = OAUTH_CLIENT_AUTH_ASSERTION;
    claim->reason = OAUTH_CLIENT_ASSERTION_TYPE;
    if (!str_is_set(text) ||
        !str_eq(type, STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")))
        return RC_OK;
    TRY(oauth_assertion_read(a, text, assertion));
    claim->reason = judge_text(assertion);
    if (claim->reason != OAUTH_FINE)
        return RC_OK;
    claim->assertion = assertion;
    if (str_is_set(claim->client_id) && !str_eq(claim->client_id, assertion->claims.sub))
        claim->reason = OAUTH_CLIENT_AUTH_OTHER_ID;
    claim->client_id = assertion->claims.sub;
    return RC_OK;
}

static bool needs_keys(const oauth_client_claim_t *claim, const client_t *client)
{
    return claim->reason == OAUTH_FINE && claim->assertion && client &&
           client->auth == CLIENT_AUTH_PRIVATE_KEY_JWT;
}

/* The issuer names this server and nobody else; the URL of the token endpoint may be one that a
 * hostile server's metadata have named as its own, whose client then signs for us. Large clients of
 * today sign for it nevertheless. They are those whom no administrator added: what they get by it
 * is a code's tokens, for which they need the code and its verifier, too; machines, which need
 * nothing but the assertion, are always somebody's own. */
static bool takes_endpoint(const oauth_client_assertion_facts_t *f)
{
    oauth_audience_t taken = f->settings->assertion_audience;
    bool is_own = f->client->origin == CLIENT_BY_ADMIN;
    return taken == OAUTH_AUDIENCE_ENDPOINT || (taken == OAUTH_AUDIENCE_AUTO && !is_own);
}

static rc_t is_for_us(arena_t *a, const oauth_client_assertion_facts_t *f,
                      const oauth_assertion_t *assertion, bool *out)
{
    bool endpoint = takes_endpoint(f);
    const str_t ours[] = {
        f->settings->issuer,
        arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(f->settings->issuer),
                     STR_ARG(oauth_endpoint_path(OAUTH_ENDPOINT_TOKEN))),
    };
    if (!str_is_set(ours[1]))
        return RC_MEMORY;
    *out = oauth_assertion_is_for(assertion, (str_list_t){ours, endpoint ? 2 : 1}, endpoint);
    return RC_OK;
}

static rc_t prove(arena_t *a, const oauth_client_assertion_facts_t *f, oauth_client_claim_t *claim)
{
    bool for_us;
    const spent_t *spend;
    TRY(is_for_us(a, f, claim->assertion, &for_us));
    claim->proof = for_us ? oauth_assertion_check_times(claim->assertion, f->now, &REASONS)
                          : OAUTH_CLIENT_ASSERTION_AUDIENCE;
    if (claim->proof == OAUTH_FINE)
        TRY(oauth_assertion_check_signature(a, claim->assertion, f->client_jwks, &REASONS,
                                            &claim->proof));
    if (claim->proof == OAUTH_CLIENT_ASSERTION_KEY && f->keys_away)
        claim->proof = OAUTH_CLIENT_KEYS_UNAVAILABLE;
    if (claim->proof != OAUTH_FINE)
        return RC_OK;
    TRY(oauth_assertion_spend(a, claim->assertion, STR("client_assertion"), claim->client_id,
                              &spend));
    claim->proof = oauth_assertion_check_use(spend, &f->seen, &REASONS);
    if (claim->proof == OAUTH_FINE)
        claim->spend = spend;
    return RC_OK;
}

rc_t oauth_client_assertion_check(arena_t *a, const oauth_client_assertion_facts_t *facts,
                                  oauth_client_claim_t *claim)
{
    claim->spend = NULL;
    return needs_keys(claim, facts->client) ? prove(a, facts, claim) : RC_OK;
}
