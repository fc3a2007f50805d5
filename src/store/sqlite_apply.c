/* Effects within the open transaction: one small function for each row of EFFECT_TABLE. */
#include "store/sqlite_db.h"

/* A fixed statement that may change nothing. */
static rc_t run(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args)
{
    return sqlite_run(db, sqlite_bind(sqlite_fixed(db, id), args), NULL);
}

/* One that had to change its row: otherwise the precondition did not hold. */
static rc_t run_or_conflict(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args)
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

static rc_t insert(sqlite_db_t *db, table_id_t table, const void *record)
{
    return write_record(db, sqlite_insert(db, table), table, record);
}

static rc_t put(sqlite_db_t *db, table_id_t table, const void *record)
{
    return write_record(db, sqlite_put(db, table), table, record);
}

static rc_t number(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args, int64_t *out)
{
    return sqlite_run_number(db, sqlite_bind(sqlite_fixed(db, id), args), out);
}

static rc_t check_quota(sqlite_db_t *db, stmt_id_t count, uint64_t max)
{
    int64_t n = 0;
    if (max == 0)
        return RC_OK;
    TRY(sqlite_run_number(db, sqlite_fixed(db, count), &n));
    return (uint64_t)n < max ? RC_OK : RC_LIMIT;
}

static rc_t client_insert(sqlite_db_t *db, const effect_t *e)
{
    if (e->u.client->origin == CLIENT_BY_REGISTRATION)
        TRY(check_quota(db, STMT_CLIENT_COUNT, e->quota.max_clients));
    return insert(db, TABLE_CLIENT, e->u.client);
}

static rc_t client_keep(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_CLIENT_KEEP, ARGS(ARG_S(e->u.key)));
}

static rc_t client_delete(sqlite_db_t *db, const effect_t *e)
{
    TRY(run_or_conflict(db, STMT_CLIENT_DELETE, ARGS(ARG_S(e->u.key))));
    TRY(run(db, STMT_CLIENT_CONSENTS_DELETE, ARGS(ARG_S(e->u.key))));
    return run(db, STMT_FAMILIES_END_CLIENT, ARGS(ARG_S(e->u.key), ARG_I(e->at)));
}

static rc_t user_insert(sqlite_db_t *db, const effect_t *e)
{
    return insert(db, TABLE_USER, e->u.user);
}

static rc_t user_insert_first(sqlite_db_t *db, const effect_t *e)
{
    int64_t n = 0;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_USER_COUNT), &n));
    return n == 0 ? user_insert(db, e) : RC_CONFLICT;
}

/* Who took over an account must not keep what it had opened. */
static rc_t end_user(sqlite_db_t *db, str_t user_id, int64_t at, str_t why)
{
    TRY(run(db, STMT_USER_SESSIONS_DELETE, ARGS(ARG_S(user_id))));
    TRY(run(db, STMT_CODES_END_USER, ARGS(ARG_S(user_id), ARG_I(at))));
    return run(db, STMT_FAMILIES_END_USER, ARGS(ARG_S(user_id), ARG_I(at), ARG_S(why)));
}

static rc_t user_set_password(sqlite_db_t *db, const effect_t *e)
{
    const user_t *user = e->u.user;
    TRY(run_or_conflict(db, STMT_USER_SET_PASSWORD,
                        ARGS(ARG_S(user->id), ARG_S(user->password), ARG_I(e->at))));
    return end_user(db, user->id, e->at, STR("password_changed"));
}

static rc_t user_disable(sqlite_db_t *db, const effect_t *e)
{
    TRY(run_or_conflict(db, STMT_USER_DISABLE, ARGS(ARG_S(e->u.key))));
    return end_user(db, e->u.key, e->at, STR("user_disabled"));
}

static rc_t session_insert(sqlite_db_t *db, const effect_t *e)
{
    return insert(db, TABLE_SESSION, e->u.session);
}

static rc_t session_touch(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_SESSION_TOUCH,
                           ARGS(ARG_H(&e->u.session->id), ARG_I(e->u.session->seen_at)));
}

static rc_t session_delete(sqlite_db_t *db, const effect_t *e)
{
    return run(db, STMT_SESSION_DELETE, ARGS(ARG_H(e->u.hash)));
}

static rc_t interaction_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(check_quota(db, STMT_INTERACTION_COUNT, e->quota.max_interactions));
    return insert(db, TABLE_INTERACTION, e->u.interaction);
}

static rc_t interaction_update(sqlite_db_t *db, const effect_t *e)
{
    int64_t state = 0;
    rc_t rc = number(db, STMT_INTERACTION_STATE, ARGS(ARG_H(&e->u.interaction->id)), &state);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && state != (int64_t)e->expect_interaction))
        return RC_CONFLICT;
    return rc == RC_OK ? put(db, TABLE_INTERACTION, e->u.interaction) : rc;
}

static rc_t code_insert(sqlite_db_t *db, const effect_t *e)
{
    return insert(db, TABLE_CODE, e->u.code);
}

static rc_t code_consume(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_CODE_CONSUME, ARGS(ARG_H(e->u.hash), ARG_I(e->at)));
}

static rc_t family_insert(sqlite_db_t *db, const effect_t *e)
{
    return insert(db, TABLE_FAMILY, e->u.family);
}

static rc_t family_revoke(sqlite_db_t *db, const effect_t *e)
{
    const family_t *f = e->u.family;
    return run(db, STMT_FAMILY_REVOKE,
               ARGS(ARG_S(f->id), ARG_I(f->revoked_at), ARG_S(f->revoked_reason)));
}

static rc_t refresh_insert(sqlite_db_t *db, const effect_t *e)
{
    int64_t live = 0;
    rc_t rc = number(db, STMT_FAMILY_LIVE, ARGS(ARG_S(e->u.refresh->family_id)), &live);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
    return insert(db, TABLE_REFRESH, e->u.refresh);
}

static rc_t refresh_rotate(sqlite_db_t *db, const effect_t *e)
{
    const refresh_t *r = e->u.refresh;
    return run_or_conflict(db, STMT_REFRESH_ROTATE,
                           ARGS(ARG_H(&r->id), ARG_I(r->uses), ARG_I(e->at)));
}

static rc_t consent_put(sqlite_db_t *db, const effect_t *e)
{
    return put(db, TABLE_CONSENT, e->u.consent);
}

static rc_t consent_delete(sqlite_db_t *db, const effect_t *e)
{
    const consent_t *c = e->u.consent;
    TRY(run_or_conflict(db, STMT_CONSENT_DELETE,
                        ARGS(ARG_S(c->user_id), ARG_S(c->client_id), ARG_S(c->resource))));
    const sqlite_args_t whose =
        ARGS(ARG_S(c->user_id), ARG_S(c->client_id), ARG_S(c->resource), ARG_I(e->at));
    TRY(run(db, STMT_CODES_END_CONSENT, whose));
    return run(db, STMT_FAMILIES_END_CONSENT, whose);
}

static rc_t resource_put(sqlite_db_t *db, const effect_t *e)
{
    return put(db, TABLE_RESOURCE, e->u.resource);
}

static rc_t resource_delete(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_RESOURCE_DELETE, ARGS(ARG_S(e->u.key)));
}

static rc_t key_put(sqlite_db_t *db, const effect_t *e)
{
    const key_record_t *key = e->u.key_record;
    int64_t other = 0;
    if (key->state != KEY_CURRENT)
        return put(db, TABLE_KEY, key);
    rc_t rc = number(db, STMT_KEY_OTHER_CURRENT, ARGS(ARG_I(key->use), ARG_S(key->kid)), &other);
    if (rc != RC_NOT_FOUND)
        return rc == RC_OK ? RC_CONFLICT : rc;
    return put(db, TABLE_KEY, key);
}

static rc_t key_delete(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_KEY_DELETE, ARGS(ARG_S(e->u.key)));
}

static rc_t registration_token_insert(sqlite_db_t *db, const effect_t *e)
{
    return insert(db, TABLE_REGISTRATION_TOKEN, e->u.registration_token);
}

static rc_t registration_token_consume(sqlite_db_t *db, const effect_t *e)
{
    return run_or_conflict(db, STMT_REGISTRATION_TOKEN_CONSUME,
                           ARGS(ARG_H(e->u.hash), ARG_I(e->at)));
}

typedef struct {
    rc_t (*run)(sqlite_db_t *db, const effect_t *e);
    bool cached; /* caches hold what it changes: the generation grows */
} row_t;

static const row_t ROWS[EFFECT_COUNT] = {
    [EFFECT_CLIENT_INSERT] = {client_insert, false},
    [EFFECT_CLIENT_KEEP] = {client_keep, false},
    [EFFECT_CLIENT_DELETE] = {client_delete, false},
    [EFFECT_USER_INSERT] = {user_insert, false},
    [EFFECT_USER_INSERT_FIRST] = {user_insert_first, false},
    [EFFECT_USER_SET_PASSWORD] = {user_set_password, false},
    [EFFECT_USER_DISABLE] = {user_disable, false},
    [EFFECT_SESSION_INSERT] = {session_insert, false},
    [EFFECT_SESSION_TOUCH] = {session_touch, false},
    [EFFECT_SESSION_DELETE] = {session_delete, false},
    [EFFECT_INTERACTION_INSERT] = {interaction_insert, false},
    [EFFECT_INTERACTION_UPDATE] = {interaction_update, false},
    [EFFECT_CODE_INSERT] = {code_insert, false},
    [EFFECT_CODE_CONSUME] = {code_consume, false},
    [EFFECT_FAMILY_INSERT] = {family_insert, false},
    [EFFECT_FAMILY_REVOKE] = {family_revoke, false},
    [EFFECT_REFRESH_INSERT] = {refresh_insert, false},
    [EFFECT_REFRESH_ROTATE] = {refresh_rotate, false},
    [EFFECT_CONSENT_PUT] = {consent_put, false},
    [EFFECT_CONSENT_DELETE] = {consent_delete, false},
    [EFFECT_RESOURCE_PUT] = {resource_put, true},
    [EFFECT_RESOURCE_DELETE] = {resource_delete, true},
    [EFFECT_KEY_PUT] = {key_put, true},
    [EFFECT_KEY_DELETE] = {key_delete, true},
    [EFFECT_REGISTRATION_TOKEN_INSERT] = {registration_token_insert, false},
    [EFFECT_REGISTRATION_TOKEN_CONSUME] = {registration_token_consume, false},
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
        STMT_EXPIRE_SESSION,
        STMT_EXPIRE_INTERACTION,
        STMT_EXPIRE_CODE,
        STMT_EXPIRE_REFRESH,
        STMT_EXPIRE_FAMILY,
        STMT_EXPIRE_CLIENT,
        STMT_EXPIRE_REGISTRATION_TOKEN,
    };
    *deleted = 0;
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0] && limit > 0; i++) {
        int changed = 0;
        sqlite3_stmt *s = sqlite_bind(sqlite_fixed(db, ALL[i]), ARGS(ARG_I(now), ARG_I(limit)));
        TRY(sqlite_run(db, s, &changed));
        limit -= (uint32_t)changed;
        *deleted += (size_t)changed;
    }
    return RC_OK;
}
