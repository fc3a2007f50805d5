/* Effects within the open transaction: which function carries out which, and what all share. */
#include "store/sqlite_effects.h"

rc_t sqlite_change(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args)
{
    return sqlite_run(db, sqlite_bind(sqlite_fixed(db, id), args), NULL);
}

rc_t sqlite_change_or_conflict(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args)
{
    int changed = 0;
    TRY(sqlite_run(db, sqlite_bind(sqlite_fixed(db, id), args), &changed));
    return changed > 0 ? RC_OK : RC_CONFLICT;
}

static rc_t write_record(sqlite_db_t *db, sqlite3_stmt *s, table_id_t table, const void *record)
{
    if (!s)
        return sqlite_failure(db);
    rc_t rc = sqlite_bind_record(s, table, record);
    if (rc == RC_OK)
        return sqlite_run(db, s, NULL);
    sqlite_done(s);
    return rc;
}

rc_t sqlite_insert_record(sqlite_db_t *db, table_id_t table, const void *record)
{
    return write_record(db, sqlite_insert(db, table), table, record);
}

rc_t sqlite_put_record(sqlite_db_t *db, table_id_t table, const void *record)
{
    return write_record(db, sqlite_put(db, table), table, record);
}

rc_t sqlite_number(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args, int64_t *out)
{
    return sqlite_run_number(db, sqlite_bind(sqlite_fixed(db, id), args), out);
}

rc_t sqlite_check_quota(sqlite_db_t *db, stmt_id_t count, uint64_t max)
{
    int64_t n = 0;
    if (max == 0)
        return RC_OK;
    TRY(sqlite_run_number(db, sqlite_fixed(db, count), &n));
    return (uint64_t)n < max ? RC_OK : RC_LIMIT;
}

typedef struct {
    sqlite_effect_fn_t *run;
    bool cached; /* caches hold what it changes: the generation grows */
} row_t;

static const row_t ROWS[EFFECT_COUNT] = {
    [EFFECT_CLIENT_INSERT] = {sqlite_client_insert, false},
    [EFFECT_CLIENT_PUT] = {sqlite_client_put, false},
    [EFFECT_CLIENT_KEEP] = {sqlite_client_keep, false},
    [EFFECT_CLIENT_DELETE] = {sqlite_client_delete, false},
    [EFFECT_USER_INSERT] = {sqlite_user_insert, false},
    [EFFECT_USER_INSERT_FIRST] = {sqlite_user_insert_first, false},
    [EFFECT_USER_SET_PASSWORD] = {sqlite_user_set_password, false},
    [EFFECT_USER_DISABLE] = {sqlite_user_disable, false},
    [EFFECT_USER_SET_GROUPS] = {sqlite_user_set_groups, false},
    [EFFECT_SESSION_INSERT] = {sqlite_session_insert, false},
    [EFFECT_SESSION_TOUCH] = {sqlite_session_touch, false},
    [EFFECT_SESSION_DELETE] = {sqlite_session_delete, false},
    [EFFECT_INTERACTION_INSERT] = {sqlite_interaction_insert, false},
    [EFFECT_INTERACTION_UPDATE] = {sqlite_interaction_update, false},
    [EFFECT_CODE_INSERT] = {sqlite_code_insert, false},
    [EFFECT_CODE_CONSUME] = {sqlite_code_consume, false},
    [EFFECT_FAMILY_INSERT] = {sqlite_family_insert, false},
    [EFFECT_FAMILY_REVOKE] = {sqlite_family_revoke, false},
    [EFFECT_REFRESH_INSERT] = {sqlite_refresh_insert, false},
    [EFFECT_REFRESH_ROTATE] = {sqlite_refresh_rotate, false},
    [EFFECT_CONSENT_PUT] = {sqlite_consent_put, false},
    [EFFECT_CONSENT_USE] = {sqlite_consent_use, false},
    [EFFECT_CONSENT_DELETE] = {sqlite_consent_delete, false},
    [EFFECT_RESOURCE_PUT] = {sqlite_resource_put, true},
    [EFFECT_RESOURCE_DELETE] = {sqlite_resource_delete, true},
    [EFFECT_KEY_PUT] = {sqlite_key_put, true},
    [EFFECT_KEY_DELETE] = {sqlite_key_delete, true},
    [EFFECT_KEYS_REPLACE] = {sqlite_keys_replace, true},
    [EFFECT_REGISTRATION_TOKEN_INSERT] = {sqlite_registration_token_insert, false},
    [EFFECT_REGISTRATION_TOKEN_CONSUME] = {sqlite_registration_token_consume, false},
    [EFFECT_REFRESH_USE] = {sqlite_refresh_use, false},
    [EFFECT_PUSHED_INSERT] = {sqlite_pushed_insert, false},
    [EFFECT_PUSHED_CONSUME] = {sqlite_pushed_consume, false},
    [EFFECT_DEVICE_INSERT] = {sqlite_device_insert, false},
    [EFFECT_DEVICE_DECIDE] = {sqlite_device_decide, false},
    [EFFECT_DEVICE_POLL] = {sqlite_device_poll, false},
    [EFFECT_DEVICE_CONSUME] = {sqlite_device_consume, false},
    [EFFECT_ACCESS_TOKEN_INSERT] = {sqlite_access_token_insert, false},
    [EFFECT_SPEND] = {sqlite_spend, false},
    [EFFECT_LEASE_TAKE] = {sqlite_lease_take, false},
    [EFFECT_REVOCATION_PUT] = {sqlite_revocation_put, false},
};

rc_t sqlite_apply_effects(sqlite_db_t *db, const effects_t *effects, size_t *failed)
{
    bool cached = false;
    for (size_t i = 0; i < effects->n; i++) {
        const row_t *row = &ROWS[effects->v[i].kind];
        *failed = i;
        TRY(row->run(db, &effects->v[i]));
        cached |= row->cached;
    }
    if (!cached)
        return RC_OK;
    db->generation_grew = true;
    return sqlite_run_fixed(db, STMT_GENERATION_NEXT);
}

rc_t sqlite_expire(sqlite_db_t *db, int64_t now, uint32_t limit, size_t *deleted)
{
    static const stmt_id_t ALL[] = {
        STMT_EXPIRE_SESSION, STMT_EXPIRE_INTERACTION, STMT_EXPIRE_CODE,
        STMT_EXPIRE_REFRESH, STMT_USED_CLIENTS,       STMT_USED_CONSENTS,
        STMT_EXPIRE_FAMILY,  STMT_EXPIRE_CLIENT,      STMT_EXPIRE_REGISTRATION_TOKEN,
        STMT_EXPIRE_PUSHED,  STMT_EXPIRE_DEVICE,      STMT_EXPIRE_ACCESS_TOKEN,
        STMT_EXPIRE_SPENT,   STMT_EXPIRE_REVOKED,
    };
    *deleted = 0;
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0] && limit > 0; i++) {
        int changed = 0;
        sqlite3_stmt *s = sqlite_bind(sqlite_fixed(db, ALL[i]), ARGS(ARG_I(now), ARG_I(limit)));
        TRY(sqlite_run(db, s, &changed));
        if (ALL[i] == STMT_USED_CLIENTS || ALL[i] == STMT_USED_CONSENTS)
            continue;
        limit -= (uint32_t)changed;
        *deleted += (size_t)changed;
    }
    return RC_OK;
}
