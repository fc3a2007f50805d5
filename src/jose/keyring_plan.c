/* When keys change state. Times are compared as differences of Unix seconds. */
#include "jose/keyring.h"

enum {
    LEEWAY = 60,    /* what others allow for clocks that differ */
    FAR_AHEAD = 300 /* no clock of another node differs so much: ours was set back */
};

/* Made by a clock that was ahead and is right again: its age says nothing, and waiting for it to
 * pass could take years. */
static bool is_from_ahead(int64_t at, int64_t now)
{
    return at - now > FAR_AHEAD;
}

static void step(keyring_plan_t *plan, keyring_step_kind_t kind, str_t kid)
{
    if (plan->n < KEYRING_STEPS_MAX)
        plan->v[plan->n++] = (keyring_step_t){kind, kid};
}

static void look_again(keyring_plan_t *plan, int64_t at)
{
    if (plan->next_at == 0 || at < plan->next_at)
        plan->next_at = at;
}

/* Tokens it signed may be as old as their lifetime; whoever checks them may hold an older document
 * for cache_age. */
static void forget_retired(const keyring_record_t *r, const keyring_policy_t *policy, int64_t now,
                           keyring_plan_t *out)
{
    int64_t until = r->retired_at + policy->token_lifetime + policy->cache_age + LEEWAY;
    if (now >= until)
        step(out, KEYRING_DELETE, r->kid);
    else
        look_again(out, until);
}

static const keyring_record_t *find_current(const keyring_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].state == KEYRING_CURRENT)
            return &records[i];
    return NULL;
}

/* The oldest next key of the right algorithm; others have signed nothing and go. */
static const keyring_record_t *choose_next(const keyring_record_t *records, size_t n, alg_t alg,
                                           int64_t now, keyring_plan_t *out)
{
    const keyring_record_t *next = NULL;
    for (size_t i = 0; i < n; i++)
        if (records[i].state == KEYRING_NEXT && records[i].alg == alg &&
            !is_from_ahead(records[i].created_at, now) &&
            (!next || records[i].created_at < next->created_at))
            next = &records[i];
    for (size_t i = 0; i < n; i++)
        if (records[i].state == KEYRING_NEXT && &records[i] != next)
            step(out, KEYRING_DELETE, records[i].kid);
    return next;
}

/* A rotation that was under way goes on, with another next key. */
static bool lost_next(const keyring_record_t *records, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].state == KEYRING_NEXT && is_from_ahead(records[i].created_at, now))
            return true;
    return false;
}

static bool is_due(const keyring_record_t *current, const keyring_policy_t *policy, int64_t now)
{
    if (policy->rotate_now || current->alg != policy->alg)
        return true;
    return policy->rotate_every > 0 && (now - current->activated_at >= policy->rotate_every ||
                                        is_from_ahead(current->activated_at, now));
}

void keyring_plan(const keyring_record_t *records, size_t n, const keyring_policy_t *policy,
                  int64_t now, keyring_plan_t *out)
{
    *out = (keyring_plan_t){0};
    for (size_t i = 0; i < n; i++)
        if (records[i].state == KEYRING_RETIRED)
            forget_retired(&records[i], policy, now, out);
    const keyring_record_t *current = find_current(records, n);
    const keyring_record_t *next = choose_next(records, n, policy->alg, now, out);
    if (!current) {
        step(out, next ? KEYRING_PROMOTE : KEYRING_MAKE_CURRENT, next ? next->kid : STR_UNSET);
        return;
    }
    if (next && now - next->created_at >= policy->cache_age) {
        step(out, KEYRING_RETIRE, current->kid);
        step(out, KEYRING_PROMOTE, next->kid);
        return;
    }
    if (next) {
        look_again(out, next->created_at + policy->cache_age);
        return;
    }
    if (lost_next(records, n, now) || is_due(current, policy, now)) {
        step(out, KEYRING_MAKE_NEXT, STR_UNSET);
        look_again(out, now + policy->cache_age);
        return;
    }
    if (policy->rotate_every > 0)
        look_again(out, current->activated_at + policy->rotate_every);
}
