/* Effects on what clients hold: codes, grants, tokens, devices. */
#include "store/postgres_effects.h"

rc_t postgres_code_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_CODE_INSERT, TABLE_CODE, e->u.code, NO_VALUES);
}

rc_t postgres_code_consume(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_CODE_CONSUME, VALUES(VALUE_H(e->u.hash), VALUE_I(e->at)));
}

rc_t postgres_family_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_FAMILY_INSERT, TABLE_FAMILY, e->u.family, NO_VALUES);
}

rc_t postgres_family_revoke(postgres_plan_t *plan, const effect_t *e)
{
    const family_t *f = e->u.family;
    TRY(postgres_add(plan, POSTGRES_FAMILY_REVOKE,
                     VALUES(VALUE_S(f->id), VALUE_I(f->revoked_at), VALUE_S(f->revoked_reason),
                            VALUE_I(f->revoked_at + POSTGRES_REVOKED_S))));
    return postgres_revoke_fold(plan, POSTGRES_REVOKED_FOLD_FAMILY, f->id);
}

rc_t postgres_refresh_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_REFRESH_INSERT, TABLE_REFRESH, e->u.refresh,
                               NO_VALUES);
}

rc_t postgres_refresh_rotate(postgres_plan_t *plan, const effect_t *e)
{
    const refresh_t *r = e->u.refresh;
    return postgres_add(plan, POSTGRES_REFRESH_ROTATE,
                        VALUES(VALUE_H(&r->id), VALUE_I(r->uses), VALUE_I(e->at)));
}

rc_t postgres_refresh_use(postgres_plan_t *plan, const effect_t *e)
{
    const refresh_t *r = e->u.refresh;
    return postgres_add(plan, POSTGRES_REFRESH_USE,
                        VALUES(VALUE_H(&r->id), VALUE_I(r->expires_at)));
}

rc_t postgres_access_token_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_ACCESS_TOKEN_INSERT, TABLE_ACCESS_TOKEN,
                               e->u.access_token, NO_VALUES);
}

rc_t postgres_pushed_insert(postgres_plan_t *plan, const effect_t *e)
{
    const pushed_t *x = e->u.pushed;
    TRY(postgres_take_quota(plan, STR("pushed"), SLOT_H(&x->id), e->quota.max_rows));
    return postgres_add_record(plan, POSTGRES_PUSHED_INSERT, TABLE_PUSHED, x, NO_VALUES);
}

rc_t postgres_pushed_consume(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_PUSHED_CONSUME,
                        VALUES(VALUE_H(e->u.hash), VALUE_I(SLOT_H(e->u.hash))));
}

/* The user code is unique among all devices that are still there: the ended one of it makes room,
 * one that lives does not. */
rc_t postgres_device_insert(postgres_plan_t *plan, const effect_t *e)
{
    const device_t *d = e->u.device;
    const int64_t slot = SLOT_H(&d->id);
    TRY(postgres_take_quota(plan, STR("devices"), slot, e->quota.max_rows));
    TRY(postgres_add(plan, POSTGRES_DEVICE_MAKE_ROOM,
                     VALUES(VALUE_S(d->user_code), VALUE_I(e->at), VALUE_I(slot))));
    return postgres_add_record(plan, POSTGRES_DEVICE_INSERT, TABLE_DEVICE, d, NO_VALUES);
}

rc_t postgres_device_decide(postgres_plan_t *plan, const effect_t *e)
{
    const device_t *d = e->u.device;
    return postgres_add(plan, POSTGRES_DEVICE_DECIDE,
                        VALUES(VALUE_H(&d->id), VALUE_S(d->user_code), VALUE_I(d->state),
                               VALUE_S(d->client_id), VALUE_S(d->scope), VALUE_S(d->resource),
                               VALUE_S(d->dpop_jkt), VALUE_S(d->user_id), VALUE_I(d->auth_time),
                               VALUE_S(d->acr), VALUE_I(d->created_at), VALUE_I(d->expires_at),
                               VALUE_S(d->family_id)));
}

rc_t postgres_device_poll(postgres_plan_t *plan, const effect_t *e)
{
    const device_t *d = e->u.device;
    return postgres_add(plan, POSTGRES_DEVICE_POLL,
                        VALUES(VALUE_H(&d->id), VALUE_I(d->polled_at), VALUE_I(d->interval_s)));
}

rc_t postgres_device_consume(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_DEVICE_CONSUME, VALUES(VALUE_H(e->u.hash)));
}

rc_t postgres_spend(postgres_plan_t *plan, const effect_t *e)
{
    const spent_t *s = e->u.spent;
    TRY(postgres_take_quota(plan, STR("spent"), SLOT_H(&s->id), e->quota.max_rows));
    return postgres_add_record(plan, POSTGRES_SPEND, TABLE_SPENT, s, NO_VALUES);
}

/* What ends with many access tokens at once: all they could be had anew by. Codes and devices
 * first: whoever makes a family of one holds it until the family can be seen. */
static rc_t end_many(postgres_plan_t *plan, const revoked_t *r)
{
    const postgres_value_t who = VALUE_S(r->key), at = VALUE_I(r->at);
    if (r->kind == REVOKED_SUBJECT)
        return postgres_add(plan, POSTGRES_SUBJECT_END_BY_ADMIN, VALUES(who, at));
    if (r->kind == REVOKED_ALL) {
        TRY(postgres_add(plan, POSTGRES_ALL_CODES_END_BY_ADMIN, VALUES(at)));
        return postgres_add(plan, POSTGRES_ALL_FAMILIES_END_BY_ADMIN, VALUES(at));
    }
    TRY(postgres_add(plan, POSTGRES_CLIENT_CODES_END_BY_ADMIN, VALUES(who, at)));
    TRY(postgres_add(plan, POSTGRES_CLIENT_FAMILIES_END_BY_ADMIN,
                     VALUES(who, at, VALUE_I(r->at + POSTGRES_REVOKED_S))));
    TRY(postgres_revoke_fold(plan, POSTGRES_REVOKED_FOLD_CLIENT, r->key));
    return postgres_revoke(plan, REVOKED_SUBJECT, r->key, r->at);
}

rc_t postgres_revocation_put(postgres_plan_t *plan, const effect_t *e)
{
    const revoked_t *r = e->u.revoked;
    if (r->kind == REVOKED_SUBJECT || r->kind == REVOKED_CLIENT || r->kind == REVOKED_ALL)
        TRY(end_many(plan, r));
    return postgres_put_revocation(plan, r);
}
