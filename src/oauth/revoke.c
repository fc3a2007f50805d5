#include "oauth/revoke.h"

#include "jose/jws.h"
#include "jose/jwt.h"
#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/mint.h"

/* The family that our access tokens carry in front of their jti (mint.h). */
static void take_family(const jwt_claims_t *claims, oauth_revoke_request_t *out)
{
    size_t dot = str_find(claims->jti, '.', 0);
    if (dot == claims->jti.n)
        return;
    out->family_id = str_first(claims->jti, dot);
    out->jti = claims->jti;
}

static rc_t read_access_token(arena_t *a, str_t token, const jwks_t *keys, str_t issuer,
                              oauth_revoke_request_t *out)
{
    jws_t jws;
    jwt_claims_t claims;
    TRY(jws_parse(a, token, 0, &jws));
    if (jws.refusal != JWS_FINE)
        return RC_OK;
    const jwk_t *key = jwks_find(keys, jws.kid, jws.alg);
    if (!key || jws_verify(&jws, key) != JWS_FINE)
        return RC_OK;
    TRY(jwt_claims_parse(a, jws.payload, &claims));
    bool ours = claims.refusal == JWT_FINE && str_eq(claims.iss, issuer) &&
                str_eq_nocase(jws.typ, STR("at+jwt"));
    if (ours)
        take_family(&claims, out);
    return RC_OK;
}

rc_t oauth_revoke_read(arena_t *a, const form_t *form, const jwks_t *keys, str_t issuer,
                       oauth_revoke_request_t *out)
{
    str_t token;
    *out = (oauth_revoke_request_t){0};
    form_found_t found = form_get(form, STR("token"), &token);
    if (found != FORM_ONCE) {
        out->reason = found == FORM_REPEATED ? OAUTH_PARAMETER_REPEATED : OAUTH_TOKEN_MISSING;
        return RC_OK;
    }
    out->hash = oauth_handle_hash(token);
    if (str_find(token, '.', 0) == token.n)
        return RC_OK;
    return read_access_token(a, token, keys, issuer, out);
}

static oauth_reason_t check(const oauth_revoke_facts_t *f)
{
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    if (f->request->reason != OAUTH_FINE)
        return f->request->reason;
    if (f->family && !str_eq(f->family->client_id, f->client->id))
        return OAUTH_TOKEN_OTHER_CLIENT;
    return OAUTH_FINE;
}

static void set_event(const oauth_revoke_facts_t *f, oauth_revoke_verdict_t *out)
{
    out->event = oauth_event(AUDIT_REVOKE, out->reason);
    out->event.client = f->claim->client_id;
    out->event.token = f->request->jti;
    if (!f->family) {
        if (out->reason == OAUTH_FINE)
            out->event.detail = STR("unknown token: nothing to revoke");
        return;
    }
    out->event.user = f->family->user_id;
    out->event.family = f->family->id;
    out->event.resource = f->family->resource;
}

rc_t oauth_revoke_decide(arena_t *a, const oauth_revoke_facts_t *facts, oauth_revoke_verdict_t *out)
{
    *out = (oauth_revoke_verdict_t){.reason = check(facts), .body = STR("")};
    out->status = oauth_reason_status(out->reason);
    set_event(facts, out);
    if (out->reason == OAUTH_FINE)
        return oauth_mint_revoke(a, facts->family, OAUTH_REVOKED_BY_CLIENT, facts->now,
                                 &out->effects);
    /* As for a token that nobody knows: whose it is, or that it lives, is not the caller's to
     * learn, and there is nothing that a client could do about it (RFC 7009 section 2.2). */
    if (out->reason == OAUTH_TOKEN_OTHER_CLIENT) {
        out->status = 200;
        return RC_OK;
    }
    out->www_authenticate = oauth_client_auth_challenge(facts->claim, out->reason);
    return oauth_reason_json(a, out->reason, STR_UNSET, &out->body);
}
