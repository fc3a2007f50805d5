/* Changes of the keys that no rotation makes. */
#include "as/keys.h"

static bool all_sealed(const as_keys_t *keys, str_t name)
{
    for (size_t i = 0; i < keys->n; i++)
        if (!str_eq(keys->v[i].sealed_by, name))
            return false;
    return true;
}

/* One that is under the new key already stays as it is. */
static rc_t reseal(arena_t *a, const as_kek_t *old, const as_opener_t *now, const key_record_t *r,
                   key_record_t *out)
{
    const key_record_t *plain = r;
    if (!str_eq(r->sealed_by, now->kek.name))
        TRY(as_kek_open(a, old, r, 1, &plain));
    return as_vault_seal(a, now, plain, out);
}

/* What lies plain in the store may be anybody's: behind a wall only keys sign that were made there.
 */
static bool is_left_out(const as_keys_policy_t *policy, const key_record_t *r)
{
    return policy->vault && r->use == KEY_SIGN && !str_is_set(r->sealed_by);
}

static rc_t reseal_all(arena_t *a, const as_keys_t *keys, const as_kek_t *old,
                       const as_keys_policy_t *policy, key_change_t *change)
{
    const as_opener_t opener = as_keys_opener(policy);
    key_record_t *v = ARENA_ARRAY(a, keys->n + 1, key_record_t);
    *change = (key_change_t){keys->v, keys->n, v, 0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < keys->n; i++)
        if (!is_left_out(policy, &keys->v[i]))
            TRY(reseal(a, old, &opener, &keys->v[i], &v[change->n_becomes++]));
    return RC_OK;
}

rc_t as_keys_reseal(arena_t *a, const as_keys_t *keys, const as_kek_t *old,
                    const as_keys_policy_t *policy, as_keys_plan_t *out)
{
    *out = (as_keys_plan_t){.next_at = 0};
    if (!str_is_set(policy->kek.name) || all_sealed(keys, policy->kek.name))
        return RC_OK;
    if (as_kek_planted(keys->v, keys->n))
        return RC_CONFIG;
    key_change_t *change = ARENA_NEW(a, key_change_t);
    if (!change)
        return RC_MEMORY;
    effects_add(&out->effects, EFFECT_KEYS_REPLACE, policy->now)->u.key_change = change;
    TRY(reseal_all(a, keys, old, policy, change));
    const char *left_out =
        change->n_becomes < keys->n ? "; signing keys that were plain are deleted" : "";
    out->about = arena_printf(a, "all keys are encrypted under key %" PRIstr "%s",
                              STR_ARG(policy->kek.name), left_out);
    return str_is_set(out->about) ? RC_OK : RC_MEMORY;
}

/* ---- removing one ---- */

static const key_record_t *published_next(const key_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_SIGN && records[i].state == KEY_NEXT)
            return &records[i];
    return NULL;
}

static as_keys_removal_t judge_removal(const key_record_t *key, const key_record_t *next)
{
    if (!key)
        return AS_KEYS_UNKNOWN;
    if (key->state != KEY_CURRENT)
        return AS_KEYS_REMOVED;
    if (key->use != KEY_SIGN)
        return AS_KEYS_IN_USE;
    return next ? AS_KEYS_REMOVED : AS_KEYS_ALONE;
}

/* Secret and seal stay as they are: only what stands beside them changes. */
static rc_t take_over(arena_t *a, const key_record_t *next, int64_t now, effects_t *effects)
{
    key_record_t *r = ARENA_NEW(a, key_record_t);
    if (!r)
        return RC_MEMORY;
    *r = *next;
    r->state = KEY_CURRENT;
    r->activated_at = now;
    effects_add(effects, EFFECT_KEY_PUT, now)->u.key_record = r;
    return RC_OK;
}

static const key_record_t *find_key(const key_record_t *records, size_t n, str_t kid)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(records[i].kid, kid))
            return &records[i];
    return NULL;
}

rc_t as_keys_remove(arena_t *a, const as_keys_t *keys, str_t kid, int64_t now, as_removal_t *out)
{
    const key_record_t *key = find_key(keys->v, keys->n, kid);
    const key_record_t *next = published_next(keys->v, keys->n);
    *out = (as_removal_t){.verdict = judge_removal(key, next)};
    if (out->verdict != AS_KEYS_REMOVED)
        return RC_OK;
    effects_add(&out->effects, EFFECT_KEY_DELETE, now)->u.key = key->kid;
    out->about = arena_printf(a, "deleted key %" PRIstr, STR_ARG(key->kid));
    if (key->state == KEY_CURRENT) {
        TRY(take_over(a, next, now, &out->effects));
        out->about = arena_printf(a, "deleted key %" PRIstr "; activated key %" PRIstr,
                                  STR_ARG(key->kid), STR_ARG(next->kid));
    }
    return str_is_set(out->about) ? RC_OK : RC_MEMORY;
}
