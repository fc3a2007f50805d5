/* The verdict on a 401 or 403: what tokens/refusal.h decides is done here. */
#include "oauth/scope.h"
#include "tokens/source_object.h"

/* A token that has ended is not sent: what is there can still be refreshed. */
static tokens_origin_t origin_of(const source_held_t *h, const tokens_refusal_t *r)
{
    if (!h->a)
        return TOKENS_FROM_NOWHERE;
    return r->generation != 0 ? h->origin : TOKENS_FROM_KEEP;
}

/* With the lock. */
static tokens_facts_t facts_of(const tokens_source_t *s, const tokens_refusal_t *r,
                               const client_challenge_t *challenge)
{
    const source_held_t *h = &s->held;
    return (tokens_facts_t){
        .way = s->config.way,
        .status = r->status,
        .challenge = challenge,
        .newer = h->a && !source_ended(s, &h->record) && r->generation < s->token_since,
        .proven = h->proven || clock_seconds(&s->config.clock) - h->record.at > SOURCE_FRESH_S,
        .origin = origin_of(h, r),
        .dpop = h->key.key != NULL,
        .nonce = str_is_set(r->nonce),
        .nonces = s->nonces,
        .can_refresh = h->a && str_is_set(h->record.token.refresh_token.hidden),
    };
}

static tokens_do_t decide(tokens_source_t *s, const tokens_refusal_t *r,
                          const client_challenge_t *challenge, client_reason_t *reason)
{
    pthread_mutex_lock(&s->lock);
    tokens_facts_t facts = facts_of(s, r, challenge);
    tokens_do_t what = tokens_refusal_decide(&facts, reason);
    pthread_mutex_unlock(&s->lock);
    return what;
}

/* A nonce that was refused counts once, however many requests bore it. */
static void count_nonce(tokens_source_t *s, const tokens_refusal_t *r,
                        const client_challenge_t *challenge)
{
    if (!str_is_set(r->nonce))
        return;
    tokens_source_nonce(s, r->nonce);
    if (!str_eq(challenge->error, STR("use_dpop_nonce")))
        return;
    pthread_mutex_lock(&s->lock);
    if (r->generation >= s->nonce_mark) {
        s->nonces++;
        s->nonce_mark = ++s->tick;
    }
    pthread_mutex_unlock(&s->lock);
}

static client_reason_t renew(source_round_t *r, tokens_do_t what)
{
    if (what == TOKENS_DO_REFRESH) {
        bool moved = false;
        GO(source_find_moved(r, &moved));
        if (moved)
            return source_sign_in(r);
        client_reason_t reason = source_refresh(r);
        if (reason == CLIENT_FINE || reason == CLIENT_STOPPED || r->transient ||
            reason == CLIENT_MACHINE || reason == CLIENT_KEEP_FAILED)
            return reason;
    }
    return source_sign_in(r);
}

/* Whether one more step-up may be made: a few for an operation, and of those that ask for nothing
 * new (the person had declined a part, perhaps) only one. */
static bool may_step_up(source_round_t *r, str_t operation)
{
    tokens_source_t *s = r->s;
    const source_held_t *h = &s->held;
    bool idle = h->a && str_is_set(h->record.asked) &&
                oauth_scope_covers(h->record.asked, r->challenge.scope);
    pthread_mutex_lock(&s->lock);
    bool may = !(idle && s->idle_step_up) && client_step_up_may(&s->step_ups, operation);
    s->idle_step_up = s->idle_step_up || idle;
    pthread_mutex_unlock(&s->lock);
    return may;
}

/* With the turn. */
static client_reason_t mend(source_round_t *r, tokens_do_t what, str_t operation)
{
    tokens_source_t *s = r->s;
    bool took = false;
    r->seen = s->held.a ? s->held.record.generation : 0;
    r->step_up = what == TOKENS_DO_STEP_UP;
    /* Another process may have got a newer one. */
    GO(source_reload(r, &took));
    if (took && !source_ended(s, &s->held.record))
        return CLIENT_FINE;
    if (r->step_up && !may_step_up(r, operation))
        return source_fail(r, CLIENT_STEP_UP_LIMIT, r->challenge.scope);
    return renew(r, what);
}

static tokens_verdict_t verdict(const client_failure_t *got, client_failure_t *why)
{
    *why = *got;
    return got->reason == CLIENT_FINE ? TOKENS_AGAIN : TOKENS_GIVE_UP;
}

/* Another thread's verdict is this one's too, if it came while this one waited. */
static bool shared_verdict(tokens_source_t *s, arena_t *a, uint64_t since, client_failure_t *out)
{
    pthread_mutex_lock(&s->lock);
    bool is = s->verdict_round > since;
    if (is)
        *out = (client_failure_t){
            s->verdict, s->verdict_detail[0] ? arena_dup(a, str_c(s->verdict_detail)) : STR_UNSET};
    pthread_mutex_unlock(&s->lock);
    return is;
}

static uint64_t rounds_now(tokens_source_t *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->rounds;
    pthread_mutex_unlock(&s->lock);
    return n;
}

static client_failure_t work(tokens_source_t *s, arena_t *a, const tokens_refusal_t *refusal,
                             const client_challenge_t *challenge)
{
    client_reason_t reason;
    tokens_do_t what = decide(s, refusal, challenge, &reason);
    if (what == TOKENS_DO_AGAIN || what == TOKENS_DO_GIVE_UP) {
        source_leave(s);
        return (client_failure_t){reason, challenge->error_description};
    }
    source_round_t r;
    reason = CLIENT_MACHINE;
    if (source_round_begin(s, &r) == RC_OK) {
        r.challenge = *challenge;
        r.challenged = true;
        reason = mend(&r, what, refusal->operation);
    }
    client_failure_t got = {reason, source_round_end(&r, a).detail};
    if (reason == CLIENT_FINE)
        got.detail = STR_UNSET;
    source_leave_with(s, got.reason, got.detail);
    return got;
}

tokens_verdict_t tokens_source_refused(tokens_source_t *s, arena_t *a, const tokens_refusal_t *r,
                                       client_failure_t *why)
{
    client_challenges_t all;
    client_challenge_t challenge;
    client_reason_t reason;
    *why = (client_failure_t){.reason = CLIENT_MACHINE};
    if (client_challenges_read(a, r->challenges, &all) != RC_OK ||
        client_challenge_pick(a, &all, &challenge) != RC_OK)
        return TOKENS_GIVE_UP;
    reason = s->config.way == TOKENS_NONE ? CLIENT_FINE : source_check_url(s);
    if (reason != CLIENT_FINE)
        return verdict(&(client_failure_t){reason, s->config.url}, why);
    count_nonce(s, r, &challenge);
    for (;;) {
        client_failure_t got;
        uint64_t since = rounds_now(s);
        tokens_do_t what = decide(s, r, &challenge, &reason);
        if (what == TOKENS_DO_AGAIN || what == TOKENS_DO_GIVE_UP)
            return verdict(&(client_failure_t){reason, challenge.error_description}, why);
        source_turn_t turn = source_enter(s);
        if (turn == SOURCE_STOPPED)
            return verdict(&(client_failure_t){.reason = CLIENT_STOPPED}, why);
        if (turn == SOURCE_OTHERS && !shared_verdict(s, a, since, &got))
            continue;
        if (turn == SOURCE_MINE)
            got = work(s, a, r, &challenge);
        return verdict(&got, why);
    }
}
