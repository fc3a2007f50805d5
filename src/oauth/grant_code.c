#include "oauth/grant.h"
#include "oauth/mint.h"
#include "oauth/pkce.h"
#include "oauth/redirect_uri.h"

/* Whether this client may redeem this code at all. Only a replay that passes here and has the right
 * verifier says that the code got into two hands; anything less revokes nothing, or whoever saw a
 * code could end the grant of its owner (OAuth 2.1 section 4.1.3). */
static oauth_reason_t check_binding(const oauth_token_facts_t *f)
{
    const code_t *code = f->code;
    if (!f->request->has_hash)
        return OAUTH_CODE_MISSING;
    if (!code)
        return OAUTH_CODE_UNKNOWN;
    if (!str_eq(code->request.client_id, f->client->id))
        return OAUTH_CODE_OTHER_CLIENT;
    /* OAuth 2.1 clients leave it out (section 10.2). */
    if (str_is_set(f->request->redirect_uri) &&
        !str_eq(f->request->redirect_uri, code->request.redirect_uri))
        return OAUTH_CODE_REDIRECT_URI;
    str_t jkt = code->request.dpop_jkt;
    if (str_is_set(jkt) && !str_eq(jkt, oauth_token_jkt(f)))
        return OAUTH_CODE_OTHER_KEY;
    /* A wrong verifier does not burn the code: guessing 256 bits within its minute is hopeless, and
     * burning would let whoever saw the code keep its owner out. */
    return oauth_pkce_check_verifier(f->request->code_verifier, code->request.code_challenge);
}

static rc_t refuse_replay(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    out->reason = OAUTH_CODE_REPLAYED;
    out->event.kind = AUDIT_CODE_REPLAY;
    return oauth_mint_revoke(a, f->family, OAUTH_CODE_REPLAYED, f->now, &out->effects);
}

static rc_t redeem(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    const code_t *code = f->code;
    family_t grant = {
        .id = code->family_id,
        .user_id = code->user_id,
        .scope = code->request.scope,
        .resource = code->request.resource,
        .auth_time = code->auth_time,
        .acr = code->acr,
    };
    TRY(oauth_redirect_uri_key(a, code->request.redirect_uri, &grant.redirect_uri));
    effects_add(&out->effects, EFFECT_CODE_CONSUME, f->now)->u.hash = &code->id;
    return oauth_mint_family(a, f, &grant, out);
}

rc_t oauth_grant_code(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    out->reason = check_binding(f);
    if (f->code) {
        out->event.user = f->code->user_id;
        out->event.family = f->code->family_id;
    }
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    if (f->code->consumed_at != 0)
        return refuse_replay(a, f, out);
    if (f->now >= f->code->expires_at) {
        out->reason = OAUTH_CODE_EXPIRED;
        return RC_OK;
    }
    TRY(oauth_mint_check_use(a, f, f->code->request.resource, out));
    return out->reason == OAUTH_FINE ? redeem(a, f, out) : RC_OK;
}
