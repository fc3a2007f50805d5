/* Effects on people: accounts, logins, requests that wait for them, what they approved. */
#include "store/postgres_effects.h"

#include "store/list.h"

#include <stdlib.h>

rc_t postgres_user_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_USER_INSERT, TABLE_USER, e->u.user, NO_VALUES);
}

rc_t postgres_user_insert_first(postgres_plan_t *plan, const effect_t *e)
{
    TRY(postgres_add(plan, POSTGRES_USERS_LOCK, NO_VALUES));
    return postgres_add_record(plan, POSTGRES_USER_INSERT_FIRST, TABLE_USER, e->u.user, NO_VALUES);
}

/* Who took over an account must not keep what it had opened. */
static rc_t end_user(postgres_plan_t *plan, str_t user_id, int64_t at, str_t why)
{
    TRY(postgres_add(plan, POSTGRES_USER_END, VALUES(VALUE_S(user_id), VALUE_I(at), VALUE_S(why))));
    return postgres_revoke(plan, REVOKED_SUBJECT, user_id, at);
}

rc_t postgres_user_set_password(postgres_plan_t *plan, const effect_t *e)
{
    const user_t *user = e->u.user;
    TRY(postgres_add(plan, POSTGRES_USER_SET_PASSWORD,
                     VALUES(VALUE_S(user->id), VALUE_S(user->password), VALUE_I(e->at))));
    return end_user(plan, user->id, e->at, STR("password_changed"));
}

rc_t postgres_user_disable(postgres_plan_t *plan, const effect_t *e)
{
    TRY(postgres_add(plan, POSTGRES_USER_DISABLE, VALUES(VALUE_S(e->u.key))));
    return end_user(plan, e->u.key, e->at, STR("user_disabled"));
}

/* What the person may do elsewhere changes with the next token; nothing that is open ends. */
rc_t postgres_user_set_groups(postgres_plan_t *plan, const effect_t *e)
{
    str_t bytes;
    const user_t *user = e->u.user;
    TRY(store_list_write(user->groups, &bytes));
    str_t groups = arena_dup(plan->job->a, bytes);
    free((void *)(uintptr_t)bytes.p);
    if (!str_is_set(groups))
        return RC_MEMORY;
    return postgres_add(plan, POSTGRES_USER_SET_GROUPS, VALUES(VALUE_S(user->id), VALUE_S(groups)));
}

rc_t postgres_session_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_SESSION_INSERT, TABLE_SESSION, e->u.session,
                               NO_VALUES);
}

rc_t postgres_session_touch(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_SESSION_TOUCH,
                        VALUES(VALUE_H(&e->u.session->id), VALUE_I(e->u.session->seen_at)));
}

rc_t postgres_session_delete(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_SESSION_DELETE, VALUES(VALUE_H(e->u.hash)));
}

rc_t postgres_interaction_insert(postgres_plan_t *plan, const effect_t *e)
{
    const interaction_t *i = e->u.interaction;
    TRY(postgres_take_quota(plan, STR("interactions"), SLOT_H(&i->id), e->quota.max_interactions));
    return postgres_add_record(plan, POSTGRES_INTERACTION_INSERT, TABLE_INTERACTION, i, NO_VALUES);
}

rc_t postgres_interaction_update(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_INTERACTION_UPDATE, TABLE_INTERACTION,
                               e->u.interaction, VALUES(VALUE_I(e->expect_interaction)));
}

/* A part of the key, which NULL could not be. */
static str_t place_of(const consent_t *c)
{
    return str_is_set(c->redirect_uri) ? c->redirect_uri : STR("");
}

rc_t postgres_consent_put(postgres_plan_t *plan, const effect_t *e)
{
    consent_t *consent = ARENA_NEW(plan->job->a, consent_t);
    if (!consent)
        return RC_MEMORY;
    *consent = *e->u.consent;
    consent->redirect_uri = place_of(consent);
    return postgres_add_record(plan, POSTGRES_CONSENT_PUT, TABLE_CONSENT, consent, NO_VALUES);
}

rc_t postgres_consent_use(postgres_plan_t *plan, const effect_t *e)
{
    const consent_t *c = e->u.consent;
    return postgres_add(plan, POSTGRES_CONSENT_USE,
                        VALUES(VALUE_S(c->user_id), VALUE_S(c->client_id), VALUE_S(c->resource),
                               VALUE_S(place_of(c))));
}

rc_t postgres_consent_delete(postgres_plan_t *plan, const effect_t *e)
{
    const consent_t *c = e->u.consent;
    const postgres_value_t v[] = {VALUE_S(c->user_id),  VALUE_S(c->client_id),
                                  VALUE_S(c->resource), VALUE_S(place_of(c)),
                                  VALUE_I(e->at),       VALUE_I(e->at + POSTGRES_REVOKED_S)};
    TRY(postgres_add(plan, POSTGRES_CONSENT_DELETE, (postgres_values_t){v, 4}));
    TRY(postgres_add(plan, POSTGRES_CONSENT_END, (postgres_values_t){v, 5}));
    TRY(postgres_add(plan, POSTGRES_CONSENT_FAMILIES_END, (postgres_values_t){v, 6}));
    return postgres_revoke_fold(plan, POSTGRES_REVOKED_FOLD_USER, c->user_id);
}
