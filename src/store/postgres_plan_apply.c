/* Effects as statements: which function adds those of which effect, what comes before all of them,
 * and what several share. */
#include "store/postgres_effects.h"

#include "core/limits.h"

typedef struct {
    postgres_effect_fn_t *add;
    bool cached; /* caches hold what it changes: the generation grows */
} row_t;

static const row_t ROWS[EFFECT_COUNT] = {
    [EFFECT_CLIENT_INSERT] = {postgres_client_insert, false},
    [EFFECT_CLIENT_PUT] = {postgres_client_put, false},
    [EFFECT_CLIENT_KEEP] = {postgres_client_keep, false},
    [EFFECT_CLIENT_DELETE] = {postgres_client_delete, false},
    [EFFECT_USER_INSERT] = {postgres_user_insert, false},
    [EFFECT_USER_INSERT_FIRST] = {postgres_user_insert_first, false},
    [EFFECT_USER_SET_PASSWORD] = {postgres_user_set_password, false},
    [EFFECT_USER_DISABLE] = {postgres_user_disable, false},
    [EFFECT_USER_SET_GROUPS] = {postgres_user_set_groups, false},
    [EFFECT_SESSION_INSERT] = {postgres_session_insert, false},
    [EFFECT_SESSION_TOUCH] = {postgres_session_touch, false},
    [EFFECT_SESSION_DELETE] = {postgres_session_delete, false},
    [EFFECT_INTERACTION_INSERT] = {postgres_interaction_insert, false},
    [EFFECT_INTERACTION_UPDATE] = {postgres_interaction_update, false},
    [EFFECT_CODE_INSERT] = {postgres_code_insert, false},
    [EFFECT_CODE_CONSUME] = {postgres_code_consume, false},
    [EFFECT_FAMILY_INSERT] = {postgres_family_insert, false},
    [EFFECT_FAMILY_REVOKE] = {postgres_family_revoke, false},
    [EFFECT_REFRESH_INSERT] = {postgres_refresh_insert, false},
    [EFFECT_REFRESH_ROTATE] = {postgres_refresh_rotate, false},
    [EFFECT_CONSENT_PUT] = {postgres_consent_put, false},
    [EFFECT_CONSENT_USE] = {postgres_consent_use, false},
    [EFFECT_CONSENT_DELETE] = {postgres_consent_delete, false},
    [EFFECT_RESOURCE_PUT] = {postgres_resource_put, true},
    [EFFECT_RESOURCE_DELETE] = {postgres_resource_delete, true},
    [EFFECT_KEY_PUT] = {postgres_key_put, true},
    [EFFECT_KEY_DELETE] = {postgres_key_delete, true},
    [EFFECT_KEYS_REPLACE] = {postgres_keys_replace, true},
    [EFFECT_REGISTRATION_TOKEN_INSERT] = {postgres_registration_token_insert, false},
    [EFFECT_REGISTRATION_TOKEN_CONSUME] = {postgres_registration_token_consume, false},
    [EFFECT_REFRESH_USE] = {postgres_refresh_use, false},
    [EFFECT_PUSHED_INSERT] = {postgres_pushed_insert, false},
    [EFFECT_PUSHED_CONSUME] = {postgres_pushed_consume, false},
    [EFFECT_DEVICE_INSERT] = {postgres_device_insert, false},
    [EFFECT_DEVICE_DECIDE] = {postgres_device_decide, false},
    [EFFECT_DEVICE_POLL] = {postgres_device_poll, false},
    [EFFECT_DEVICE_CONSUME] = {postgres_device_consume, false},
    [EFFECT_ACCESS_TOKEN_INSERT] = {postgres_access_token_insert, false},
    [EFFECT_SPEND] = {postgres_spend, false},
    [EFFECT_LEASE_TAKE] = {postgres_lease_take, false},
    [EFFECT_REVOCATION_PUT] = {postgres_revocation_put, false},
};

int64_t postgres_slot_of(str_t id)
{
    unsigned sum = 0;
    for (size_t i = 0; i < id.n; i++)
        sum += (uint8_t)id.p[i];
    return sum % POSTGRES_SLOTS;
}

rc_t postgres_take_quota(postgres_plan_t *plan, str_t name, int64_t slot, uint64_t max)
{
    int64_t most = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    return postgres_add(plan, POSTGRES_QUOTA_TAKE,
                        VALUES(VALUE_S(name), VALUE_I(slot), VALUE_I(most)));
}

/* Who ends all of a person: it must see whatever others make of the person, or they see it. */
static str_t ends_user(const effect_t *e)
{
    switch (e->kind) {
    case EFFECT_USER_SET_PASSWORD:
        return e->u.user->id;
    case EFFECT_USER_DISABLE:
        return e->u.key;
    case EFFECT_CONSENT_DELETE:
        return e->u.consent->user_id;
    case EFFECT_REVOCATION_PUT:
        return e->u.revoked->kind == REVOKED_SUBJECT ? e->u.revoked->key : STR_UNSET;
    default:
        return STR_UNSET;
    }
}

static str_t makes_of_user(const effect_t *e)
{
    switch (e->kind) {
    case EFFECT_SESSION_INSERT:
        return e->u.session->user_id;
    case EFFECT_CODE_INSERT:
        return e->u.code->user_id;
    case EFFECT_FAMILY_INSERT:
        return e->u.family->user_id;
    case EFFECT_DEVICE_DECIDE:
        return e->u.device->state == DEVICE_APPROVED ? e->u.device->user_id : STR_UNSET;
    default:
        return STR_UNSET;
    }
}

static str_t user_of(const effect_t *e)
{
    str_t id = ends_user(e);
    return str_is_set(id) ? id : makes_of_user(e);
}

static bool ends(const effects_t *effects, str_t user)
{
    for (size_t i = 0; i < effects->n; i++)
        if (str_eq(ends_user(&effects->v[i]), user))
            return true;
    return false;
}

static bool was_before(const effects_t *effects, size_t at, str_t user)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(user_of(&effects->v[i]), user))
            return true;
    return false;
}

/* Before anything else, lest two jobs hold what the other one waits for; alone at once where the
 * job will need it, for two that share could not both go on to that. */
static rc_t lock_users(postgres_plan_t *plan, const effects_t *effects)
{
    for (plan->part = 0; plan->part < effects->n; plan->part++) {
        str_t user = user_of(&effects->v[plan->part]);
        if (!str_is_set(user) || was_before(effects, plan->part, user))
            continue;
        postgres_stmt_t lock = ends(effects, user) ? POSTGRES_USER_LOCK : POSTGRES_USER_SHARE;
        TRY(postgres_add(plan, lock, VALUES(VALUE_S(user))));
    }
    return RC_OK;
}

static rc_t grow_generation(postgres_plan_t *plan, const effects_t *effects)
{
    for (plan->part = 0; plan->part < effects->n; plan->part++)
        if (ROWS[effects->v[plan->part].kind].cached)
            return postgres_add(plan, POSTGRES_GENERATION_NEXT, NO_VALUES);
    return RC_OK;
}

/* A code may be derived of what was asked, so that two may want to insert the same; the family that
 * it is for is drawn anew by each. A family alone is no witness: the code that it is of names it to
 * all who come with it. */
static rc_t witness_of(arena_t *a, const effect_t *e, postgres_step_t *out)
{
    switch (e->kind) {
    case EFFECT_CODE_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_CODE,
                                  VALUES(VALUE_H(&e->u.code->id), VALUE_S(e->u.code->family_id)),
                                  out);
    case EFFECT_REFRESH_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_REFRESH, VALUES(VALUE_H(&e->u.refresh->id)),
                                  out);
    case EFFECT_SESSION_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_SESSION, VALUES(VALUE_H(&e->u.session->id)),
                                  out);
    case EFFECT_INTERACTION_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_INTERACTION,
                                  VALUES(VALUE_H(&e->u.interaction->id)), out);
    case EFFECT_PUSHED_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_PUSHED, VALUES(VALUE_H(&e->u.pushed->id)),
                                  out);
    case EFFECT_DEVICE_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_DEVICE, VALUES(VALUE_H(&e->u.device->id)),
                                  out);
    case EFFECT_ACCESS_TOKEN_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_ACCESS_TOKEN,
                                  VALUES(VALUE_H(&e->u.access_token->id)), out);
    case EFFECT_REGISTRATION_TOKEN_INSERT:
        return postgres_make_step(a, POSTGRES_WITNESS_REGISTRATION_TOKEN,
                                  VALUES(VALUE_H(&e->u.registration_token->id)), out);
    default:
        return RC_NOT_FOUND;
    }
}

static rc_t find_witness(postgres_job_t *job, const effects_t *effects)
{
    for (size_t i = 0; i < effects->n; i++) {
        rc_t rc = witness_of(job->a, &effects->v[i], &job->witness);
        if (rc == RC_NOT_FOUND)
            continue;
        job->n_witness = rc == RC_OK;
        return rc;
    }
    return RC_OK;
}

rc_t postgres_plan_apply(postgres_job_t *job, const effects_t *effects)
{
    postgres_plan_t plan = postgres_plan_of(job, POSTGRES_WRITE);
    TRY(grow_generation(&plan, effects));
    TRY(lock_users(&plan, effects));
    for (plan.part = 0; plan.part < effects->n; plan.part++) {
        const effect_t *e = &effects->v[plan.part];
        TRY(ROWS[e->kind].add(&plan, e));
    }
    return find_witness(job, effects);
}

/* The family whose tokens an entry ends; unset: it ends others. A jti names its family. */
static str_t family_of(const revoked_t *r)
{
    size_t dot = str_find(r->key, '.', 0);
    if (r->kind == REVOKED_GRANT)
        return r->key;
    return r->kind == REVOKED_TOKEN && dot < r->key.n ? str_first(r->key, dot) : STR_UNSET;
}

/* Clients refresh and revoke as often as they please: without a bound for each person, one of them
 * made the list longer than resource servers remember, who would then let nobody in. */
rc_t postgres_revoke_fold(postgres_plan_t *plan, postgres_stmt_t stmt, str_t of)
{
    return postgres_add(
        plan, stmt,
        VALUES(VALUE_I(POSTGRES_REVOKED_S), VALUE_I(LIMIT_REVOCATIONS_PERSON), VALUE_S(of)));
}

/* REVOKED_ALL is looked up by its key as the others are: always the empty one. */
rc_t postgres_put_revocation(postgres_plan_t *plan, const revoked_t *r)
{
    str_t family = family_of(r);
    TRY(postgres_add(plan, POSTGRES_REVOKE,
                     VALUES(VALUE_I(r->kind), VALUE_S(r->kind == REVOKED_ALL ? STR("") : r->key),
                            VALUE_I(r->at), VALUE_I(r->expires_at), VALUE_S(family))));
    return str_is_set(family) ? postgres_revoke_fold(plan, POSTGRES_REVOKED_FOLD_FAMILY, family)
                              : RC_OK;
}

rc_t postgres_revoke(postgres_plan_t *plan, revoked_kind_t kind, str_t key, int64_t at)
{
    return postgres_put_revocation(
        plan,
        &(revoked_t){.kind = kind, .key = key, .at = at, .expires_at = at + POSTGRES_REVOKED_S});
}
