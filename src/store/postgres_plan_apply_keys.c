/* Effects on the server's own keys. The generation was changed first: one such job follows the
 * other, and what one looks at stays until it is done. */
#include "store/postgres_effects.h"

rc_t postgres_key_put(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_KEY_PUT, TABLE_KEY, e->u.key_record, NO_VALUES);
}

rc_t postgres_key_delete(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_KEY_DELETE, VALUES(VALUE_S(e->u.key)));
}

static rc_t check_keys(postgres_plan_t *plan, const key_change_t *change)
{
    TRY(postgres_add(plan, POSTGRES_KEYS_ARE, VALUES(VALUE_I(change->n_was))));
    for (size_t i = 0; i < change->n_was; i++) {
        const key_record_t *key = &change->was[i];
        TRY(postgres_add(plan, POSTGRES_KEY_IS,
                         VALUES(VALUE_S(key->kid), VALUE_I(key->state), VALUE_S(key->sealed_by))));
    }
    return RC_OK;
}

rc_t postgres_keys_replace(postgres_plan_t *plan, const effect_t *e)
{
    const key_change_t *change = e->u.key_change;
    TRY(check_keys(plan, change));
    TRY(postgres_add(plan, POSTGRES_KEYS_CLEAR, NO_VALUES));
    for (size_t i = 0; i < change->n_becomes; i++)
        TRY(postgres_add_record(plan, POSTGRES_KEY_INSERT, TABLE_KEY, &change->becomes[i],
                                NO_VALUES));
    return RC_OK;
}
