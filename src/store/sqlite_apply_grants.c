/* Effects on what clients hold: codes, grants, tokens, devices. */
#include "core/limits.h"
#include "store/sqlite_effects.h"

/* As it is redeemed by nobody, it is as if it had been there when all were ended. */
rc_t sqlite_code_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_insert_record(db, TABLE_CODE, e->u.code));
    return sqlite_change(db, STMT_CODE_END_LATE, ARGS(ARG_H(&e->u.code->id)));
}

rc_t sqlite_code_consume(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_CODE_CONSUME, ARGS(ARG_H(e->u.hash), ARG_I(e->at)));
}

rc_t sqlite_family_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_insert_record(db, TABLE_FAMILY, e->u.family));
    return sqlite_change(db, STMT_FAMILY_END_LATE, ARGS(ARG_S(e->u.family->id)));
}

rc_t sqlite_family_revoke(sqlite_db_t *db, const effect_t *e)
{
    const family_t *f = e->u.family;
    int ended = 0;
    sqlite3_stmt *s =
        sqlite_bind(sqlite_fixed(db, STMT_FAMILY_REVOKE),
                    ARGS(ARG_S(f->id), ARG_I(f->revoked_at), ARG_S(f->revoked_reason)));
    TRY(sqlite_run(db, s, &ended));
    return ended > 0 ? sqlite_revoke(db, REVOKED_GRANT, f->id, f->revoked_at) : RC_OK;
}

static rc_t check_family(sqlite_db_t *db, str_t id)
{
    int64_t live = 0;
    rc_t rc = sqlite_number(db, STMT_FAMILY_LIVE, ARGS(ARG_S(id)), &live);
    return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
}

rc_t sqlite_refresh_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(check_family(db, e->u.refresh->family_id));
    return sqlite_insert_record(db, TABLE_REFRESH, e->u.refresh);
}

rc_t sqlite_refresh_rotate(sqlite_db_t *db, const effect_t *e)
{
    const refresh_t *r = e->u.refresh;
    return sqlite_change_or_conflict(db, STMT_REFRESH_ROTATE,
                                     ARGS(ARG_H(&r->id), ARG_I(r->uses), ARG_I(e->at)));
}

rc_t sqlite_refresh_use(sqlite_db_t *db, const effect_t *e)
{
    const refresh_t *r = e->u.refresh;
    return sqlite_change_or_conflict(db, STMT_REFRESH_USE,
                                     ARGS(ARG_H(&r->id), ARG_I(r->expires_at)));
}

rc_t sqlite_access_token_insert(sqlite_db_t *db, const effect_t *e)
{
    if (str_is_set(e->u.access_token->family_id))
        TRY(check_family(db, e->u.access_token->family_id));
    return sqlite_insert_record(db, TABLE_ACCESS_TOKEN, e->u.access_token);
}

rc_t sqlite_pushed_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_check_quota(db, STMT_PUSHED_COUNT, e->quota.max_rows));
    return sqlite_insert_record(db, TABLE_PUSHED, e->u.pushed);
}

rc_t sqlite_pushed_consume(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_PUSHED_CONSUME, ARGS(ARG_H(e->u.hash)));
}

rc_t sqlite_device_insert(sqlite_db_t *db, const effect_t *e)
{
    const device_t *d = e->u.device;
    int64_t other = 0;
    TRY(sqlite_check_quota(db, STMT_DEVICE_COUNT, e->quota.max_rows));
    rc_t rc = sqlite_number(db, STMT_DEVICE_LIVE, ARGS(ARG_S(d->user_code), ARG_I(e->at)), &other);
    if (rc != RC_NOT_FOUND)
        return rc == RC_OK ? RC_CONFLICT : rc;
    return sqlite_insert_record(db, TABLE_DEVICE, d);
}

rc_t sqlite_device_decide(sqlite_db_t *db, const effect_t *e)
{
    const device_t *d = e->u.device;
    TRY(sqlite_change_or_conflict(db, STMT_DEVICE_DECIDE,
                                  ARGS(ARG_H(&d->id), ARG_S(d->user_code), ARG_I(d->state),
                                       ARG_S(d->client_id), ARG_S(d->scope), ARG_S(d->resource),
                                       ARG_S(d->dpop_jkt), ARG_S(d->user_id), ARG_S(d->family_id),
                                       ARG_I(d->auth_time), ARG_S(d->acr), ARG_I(d->created_at),
                                       ARG_I(d->expires_at))));
    return sqlite_change(db, STMT_DEVICE_END_LATE, ARGS(ARG_H(&d->id)));
}

rc_t sqlite_device_poll(sqlite_db_t *db, const effect_t *e)
{
    const device_t *d = e->u.device;
    return sqlite_change(db, STMT_DEVICE_POLL,
                         ARGS(ARG_H(&d->id), ARG_I(d->polled_at), ARG_I(d->interval_s)));
}

rc_t sqlite_device_consume(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_DEVICE_CONSUME, ARGS(ARG_H(e->u.hash)));
}

rc_t sqlite_spend(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_check_quota(db, STMT_SPENT_COUNT, e->quota.max_rows));
    return sqlite_insert_record(db, TABLE_SPENT, e->u.spent);
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
static rc_t fold(sqlite_db_t *db, str_t family)
{
    TRY(sqlite_change(
        db, STMT_REVOKED_FOLD,
        ARGS(ARG_I(SQLITE_REVOKED_S), ARG_I(LIMIT_REVOCATIONS_PERSON), ARG_S(family))));
    return sqlite_change(db, STMT_REVOKED_FOLDED, ARGS(ARG_S(family)));
}

rc_t sqlite_revoke_fold(sqlite_db_t *db)
{
    TRY(sqlite_change(db, STMT_REVOKED_FOLD_ALL,
                      ARGS(ARG_I(SQLITE_REVOKED_S), ARG_I(LIMIT_REVOCATIONS_PERSON))));
    return sqlite_run_fixed(db, STMT_REVOKED_FOLDED_ALL);
}

/* REVOKED_ALL is looked up by its key as the others are: always the empty one. */
static rc_t put_revocation(sqlite_db_t *db, const revoked_t *r)
{
    str_t family = family_of(r);
    TRY(sqlite_change(db, STMT_REVOKE,
                      ARGS(ARG_I(r->kind), ARG_S(r->kind == REVOKED_ALL ? STR("") : r->key),
                           ARG_I(r->at), ARG_I(r->expires_at), ARG_S(family))));
    return str_is_set(family) ? fold(db, family) : RC_OK;
}

/* What ends with many access tokens at once: all they could be had anew by. */
static const struct {
    stmt_id_t families, codes, devices;
} ENDED[REVOKED_KIND_COUNT] = {
    [REVOKED_SUBJECT] = {STMT_REVOKED_FAMILIES_SUBJECT, STMT_REVOKED_CODES_SUBJECT,
                         STMT_REVOKED_DEVICES_SUBJECT},
    [REVOKED_CLIENT] = {STMT_REVOKED_FAMILIES_CLIENT, STMT_REVOKED_CODES_CLIENT,
                        STMT_REVOKED_DEVICES_CLIENT},
    [REVOKED_ALL] = {STMT_REVOKED_FAMILIES_ALL, STMT_REVOKED_CODES_ALL, STMT_REVOKED_DEVICES_ALL},
};

rc_t sqlite_revocation_put(sqlite_db_t *db, const effect_t *e)
{
    const revoked_t *r = e->u.revoked;
    bool many = r->kind == REVOKED_SUBJECT || r->kind == REVOKED_CLIENT || r->kind == REVOKED_ALL;
    const sqlite_args_t whose =
        ARGS(ARG_S(r->kind == REVOKED_ALL ? STR("") : r->key), ARG_I(r->at));
    if (r->kind == REVOKED_CLIENT)
        TRY(sqlite_revoke_exchanged(db, r->key, r->at));
    if (many) {
        TRY(sqlite_change(db, ENDED[r->kind].families, whose));
        TRY(sqlite_change(db, ENDED[r->kind].codes, whose));
        TRY(sqlite_change(db, ENDED[r->kind].devices, whose));
    }
    return put_revocation(db, r);
}

rc_t sqlite_revoke(sqlite_db_t *db, revoked_kind_t kind, str_t key, int64_t at)
{
    return put_revocation(
        db, &(revoked_t){.kind = kind, .key = key, .at = at, .expires_at = at + SQLITE_REVOKED_S});
}

rc_t sqlite_revoke_exchanged(sqlite_db_t *db, str_t client_id, int64_t at)
{
    TRY(sqlite_change(db, STMT_FAMILIES_REVOKE_CLIENT,
                      ARGS(ARG_S(client_id), ARG_I(at), ARG_I(at + SQLITE_REVOKED_S))));
    TRY(sqlite_revoke_fold(db));
    return sqlite_revoke(db, REVOKED_SUBJECT, client_id, at);
}
