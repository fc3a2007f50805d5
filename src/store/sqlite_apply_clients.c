/* Effects on clients and on what the server itself has. */
#include "store/sqlite_effects.h"

/* Inserted first: at the quota, a client with that id must not be the one that makes room. */
rc_t sqlite_client_insert(sqlite_db_t *db, const effect_t *e)
{
    const client_t *client = e->u.client;
    int64_t n = 0;
    int evicted = 0;
    TRY(sqlite_insert_record(db, TABLE_CLIENT, client));
    if (client->origin != CLIENT_BY_REGISTRATION || e->quota.max_clients == 0)
        return RC_OK;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_CLIENT_COUNT), &n));
    if ((uint64_t)n <= e->quota.max_clients)
        return RC_OK;
    sqlite3_stmt *oldest = sqlite_fixed(db, STMT_CLIENT_EVICT);
    TRY(sqlite_run(db, sqlite_bind(oldest, ARGS(ARG_S(client->id))), &evicted));
    return evicted > 0 ? RC_OK : RC_LIMIT;
}

/* Who changes a client has read it a while ago: its use does not go back. */
static rc_t put_client(sqlite_db_t *db, client_t client)
{
    int64_t used_at = 0;
    rc_t rc = sqlite_number(db, STMT_CLIENT_USED_AT, ARGS(ARG_S(client.id)), &used_at);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (used_at > client.used_at)
        client.used_at = used_at;
    return sqlite_put_record(db, TABLE_CLIENT, &client);
}

rc_t sqlite_client_put(sqlite_db_t *db, const effect_t *e)
{
    int64_t gone = 0;
    rc_t rc = sqlite_number(db, STMT_CLIENT_GONE, ARGS(ARG_S(e->u.client->id)), &gone);
    if (rc != RC_NOT_FOUND)
        return rc == RC_OK ? RC_CONFLICT : rc;
    return put_client(db, *e->u.client);
}

rc_t sqlite_client_keep(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_CLIENT_KEEP, ARGS(ARG_S(e->u.key), ARG_I(e->at)));
}

/* A client that is sealed would come back by its id alone, so its row stays. */
static rc_t remove_client(sqlite_db_t *db, str_t id, int64_t at)
{
    int buried = 0;
    sqlite3_stmt *bury =
        sqlite_bind(sqlite_fixed(db, STMT_CLIENT_BURY), ARGS(ARG_S(id), ARG_I(at)));
    TRY(sqlite_run(db, bury, &buried));
    if (buried > 0)
        return RC_OK;
    return sqlite_change_or_conflict(db, STMT_CLIENT_DELETE, ARGS(ARG_S(id)));
}

/* Strangers register and delete clients as they like: what never had a token has no entry, or they
 * could make the list longer than resource servers remember, who would then let nobody in. */
static rc_t may_hold_tokens(sqlite_db_t *db, str_t id, bool *may)
{
    int64_t found = 0;
    const int64_t alone = GRANT_CLIENT_CREDENTIALS | GRANT_TOKEN_EXCHANGE;
    rc_t rc = sqlite_number(db, STMT_CLIENT_MAY_HOLD, ARGS(ARG_S(id), ARG_I(alone)), &found);
    *may = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static rc_t revoke_client(sqlite_db_t *db, str_t id, int64_t at)
{
    TRY(sqlite_revoke_exchanged(db, id, at));
    return sqlite_revoke(db, REVOKED_CLIENT, id, at);
}

rc_t sqlite_client_delete(sqlite_db_t *db, const effect_t *e)
{
    bool may_hold;
    const sqlite_args_t whose = ARGS(ARG_S(e->u.key)), when = ARGS(ARG_S(e->u.key), ARG_I(e->at));
    TRY(may_hold_tokens(db, e->u.key, &may_hold));
    TRY(remove_client(db, e->u.key, e->at));
    TRY(sqlite_change(db, STMT_CLIENT_CONSENTS_DELETE, whose));
    TRY(sqlite_change(db, STMT_CLIENT_PUSHED_DELETE, whose));
    TRY(sqlite_change(db, STMT_CLIENT_DEVICES_DELETE, whose));
    TRY(sqlite_change(db, STMT_CODES_END_CLIENT, when));
    if (may_hold)
        TRY(revoke_client(db, e->u.key, e->at));
    return sqlite_change(db, STMT_FAMILIES_END_CLIENT, when);
}

rc_t sqlite_registration_token_insert(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_insert_record(db, TABLE_REGISTRATION_TOKEN, e->u.registration_token);
}

rc_t sqlite_registration_token_consume(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_REGISTRATION_TOKEN_CONSUME,
                                     ARGS(ARG_H(e->u.hash), ARG_I(e->at)));
}

rc_t sqlite_resource_put(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_put_record(db, TABLE_RESOURCE, e->u.resource);
}

rc_t sqlite_resource_delete(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_RESOURCE_DELETE, ARGS(ARG_S(e->u.key)));
}

rc_t sqlite_lease_take(sqlite_db_t *db, const effect_t *e)
{
    const lease_t *l = e->u.lease;
    return sqlite_change_or_conflict(
        db, STMT_LEASE_TAKE, ARGS(ARG_S(l->name), ARG_S(l->holder), ARG_I(l->until), ARG_I(e->at)));
}
