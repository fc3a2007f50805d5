/* Effects on clients and on what the server itself has. */
#include "store/postgres_effects.h"

static bool is_counted(const client_t *client)
{
    return client->origin == CLIENT_BY_REGISTRATION && client->deleted_at == 0;
}

/* Inserted first: at the quota, a client with that id must not be the one that makes room. */
rc_t postgres_client_insert(postgres_plan_t *plan, const effect_t *e)
{
    const client_t *client = e->u.client;
    int64_t slot = postgres_slot_of(client->id);
    TRY(postgres_add_record(plan, POSTGRES_CLIENT_INSERT, TABLE_CLIENT, client, NO_VALUES));
    if (!is_counted(client))
        return RC_OK;
    TRY(postgres_take_quota(plan, STR("registered"), slot, 0));
    if (e->quota.max_clients == 0)
        return RC_OK;
    return postgres_add(plan, POSTGRES_CLIENT_EVICT,
                        VALUES(VALUE_S(client->id), VALUE_I(slot), VALUE_I(e->quota.max_clients)));
}

rc_t postgres_client_put(postgres_plan_t *plan, const effect_t *e)
{
    const client_t *client = e->u.client;
    const postgres_values_t slot = VALUES(VALUE_I(postgres_slot_of(client->id)));
    TRY(postgres_add_record(plan, POSTGRES_CLIENT_ADD, TABLE_CLIENT, client, slot));
    return postgres_add_record(plan, POSTGRES_CLIENT_PUT, TABLE_CLIENT, client, slot);
}

rc_t postgres_client_keep(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_CLIENT_KEEP, VALUES(VALUE_S(e->u.key), VALUE_I(e->at)));
}

/* Strangers register and delete clients as they like: what never had a token has no entry, or they
 * could make the list longer than resource servers remember, who would then let nobody in. What
 * services got in exchange for the client's tokens names the service as its client: it ends by the
 * family, and what the client got for itself by the client as a subject. */
static rc_t revoke_client(postgres_plan_t *plan, str_t id, int64_t at)
{
    static const revoked_kind_t KINDS[] = {REVOKED_SUBJECT, REVOKED_CLIENT};
    const int64_t alone = GRANT_CLIENT_CREDENTIALS | GRANT_TOKEN_EXCHANGE;
    for (size_t i = 0; i < 2; i++)
        TRY(postgres_add(plan, POSTGRES_REVOKE_HOLDER,
                         VALUES(VALUE_S(id), VALUE_I(KINDS[i]), VALUE_I(alone), VALUE_I(at),
                                VALUE_I(at + POSTGRES_REVOKED_S))));
    return RC_OK;
}

/* Codes, pushed requests and devices end before families: whoever makes a family of one holds it
 * until the family can be seen. */
rc_t postgres_client_delete(postgres_plan_t *plan, const effect_t *e)
{
    const str_t id = e->u.key;
    const postgres_value_t who = VALUE_S(id), slot = VALUE_I(postgres_slot_of(id));
    TRY(postgres_add(plan, POSTGRES_CLIENT_LOCK, VALUES(who)));
    TRY(postgres_add(plan, POSTGRES_CLIENT_CONSENTS_DELETE, VALUES(who)));
    TRY(postgres_add(plan, POSTGRES_CLIENT_PUSHED_DELETE, VALUES(who, slot)));
    TRY(postgres_add(plan, POSTGRES_CLIENT_DEVICES_DELETE, VALUES(who, slot)));
    TRY(postgres_add(plan, POSTGRES_CLIENT_CODES_END, VALUES(who, VALUE_I(e->at))));
    TRY(postgres_add(plan, POSTGRES_CLIENT_FAMILIES_END,
                     VALUES(who, VALUE_I(e->at), VALUE_I(e->at + POSTGRES_REVOKED_S),
                            VALUE_S(STR("client_deleted")))));
    TRY(postgres_revoke_fold(plan, POSTGRES_REVOKED_FOLD_CLIENT, id));
    TRY(revoke_client(plan, id, e->at));
    return postgres_add(plan, POSTGRES_CLIENT_REMOVE, VALUES(who, VALUE_I(e->at), slot));
}

rc_t postgres_registration_token_insert(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_REGISTRATION_TOKEN_INSERT, TABLE_REGISTRATION_TOKEN,
                               e->u.registration_token, NO_VALUES);
}

rc_t postgres_registration_token_consume(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_REGISTRATION_TOKEN_CONSUME,
                        VALUES(VALUE_H(e->u.hash), VALUE_I(e->at)));
}

rc_t postgres_resource_put(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add_record(plan, POSTGRES_RESOURCE_PUT, TABLE_RESOURCE, e->u.resource,
                               NO_VALUES);
}

rc_t postgres_resource_delete(postgres_plan_t *plan, const effect_t *e)
{
    return postgres_add(plan, POSTGRES_RESOURCE_DELETE, VALUES(VALUE_S(e->u.key)));
}

rc_t postgres_lease_take(postgres_plan_t *plan, const effect_t *e)
{
    const lease_t *l = e->u.lease;
    return postgres_add(
        plan, POSTGRES_LEASE_TAKE,
        VALUES(VALUE_S(l->name), VALUE_S(l->holder), VALUE_I(l->until), VALUE_I(e->at)));
}
