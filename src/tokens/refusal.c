#include "tokens/refusal.h"

static tokens_do_t give_up(client_reason_t why, client_reason_t *reason)
{
    *reason = why;
    return TOKENS_DO_GIVE_UP;
}

static tokens_do_t without_way(const tokens_facts_t *f, client_reason_t *reason)
{
    if (f->status == 403)
        return give_up(CLIENT_FORBIDDEN, reason);
    return give_up(f->way == TOKENS_NONE ? CLIENT_TOKEN_WANTED : CLIENT_GIVEN_NOT_TAKEN, reason);
}

static bool lacks_scope(const client_challenge_t *c)
{
    return str_eq(c->error, STR("insufficient_scope")) && str_is_set(c->scope);
}

static tokens_do_t renew(const tokens_facts_t *f, client_reason_t *reason)
{
    bool fresh = !f->proven;
    /* A refresh gives a token of the same kind, and of the same sign-in. One that this challenge
     * leads to is bound, or fails: so this comes once. */
    if (f->challenge->dpop && !f->challenge->bearer && !f->dpop)
        return TOKENS_DO_SIGN_IN;
    if (fresh && f->origin == TOKENS_FROM_SIGN_IN)
        return give_up(CLIENT_TOKEN_NOT_TAKEN, reason);
    if (str_eq(f->challenge->error, STR("insufficient_user_authentication")))
        return TOKENS_DO_SIGN_IN;
    if (fresh && f->origin == TOKENS_FROM_REFRESH)
        return TOKENS_DO_SIGN_IN;
    return f->can_refresh ? TOKENS_DO_REFRESH : TOKENS_DO_SIGN_IN;
}

tokens_do_t tokens_refusal_decide(const tokens_facts_t *f, client_reason_t *reason)
{
    *reason = CLIENT_FINE;
    if (f->way == TOKENS_NONE || f->way == TOKENS_GIVEN)
        return without_way(f, reason);
    if (f->newer)
        return TOKENS_DO_AGAIN;
    if (f->dpop && f->nonce && str_eq(f->challenge->error, STR("use_dpop_nonce")))
        return f->nonces > TOKENS_NONCES_MAX ? give_up(CLIENT_NONCE_LOOP, reason) : TOKENS_DO_AGAIN;
    if (lacks_scope(f->challenge))
        return TOKENS_DO_STEP_UP;
    if (f->origin == TOKENS_FROM_NOWHERE)
        return TOKENS_DO_SIGN_IN;
    if (f->status == 403)
        return give_up(CLIENT_FORBIDDEN, reason);
    return renew(f, reason);
}
