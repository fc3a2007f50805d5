/* Effects on people: accounts, logins, requests that wait for them, what they approved. */
#include "store/sqlite_effects.h"
#include "store/list.h"

#include <stdlib.h>

rc_t sqlite_user_insert(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_insert_record(db, TABLE_USER, e->u.user);
}

rc_t sqlite_user_insert_first(sqlite_db_t *db, const effect_t *e)
{
    int64_t n = 0;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_ANY_USER), &n));
    return n == 0 ? sqlite_user_insert(db, e) : RC_CONFLICT;
}

/* Who took over an account must not keep what it had opened. */
static rc_t end_user(sqlite_db_t *db, str_t user_id, int64_t at, str_t why)
{
    TRY(sqlite_change(db, STMT_USER_SESSIONS_DELETE, ARGS(ARG_S(user_id))));
    TRY(sqlite_change(db, STMT_CODES_END_USER, ARGS(ARG_S(user_id), ARG_I(at))));
    TRY(sqlite_change(db, STMT_DEVICES_END_USER, ARGS(ARG_S(user_id))));
    TRY(sqlite_change(db, STMT_FAMILIES_END_USER, ARGS(ARG_S(user_id), ARG_I(at), ARG_S(why))));
    return sqlite_revoke(db, REVOKED_SUBJECT, user_id, at);
}

rc_t sqlite_user_set_password(sqlite_db_t *db, const effect_t *e)
{
    const user_t *user = e->u.user;
    TRY(sqlite_change_or_conflict(db, STMT_USER_SET_PASSWORD,
                                  ARGS(ARG_S(user->id), ARG_S(user->password), ARG_I(e->at))));
    return end_user(db, user->id, e->at, STR("password_changed"));
}

rc_t sqlite_user_disable(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_change_or_conflict(db, STMT_USER_DISABLE, ARGS(ARG_S(e->u.key))));
    return end_user(db, e->u.key, e->at, STR("user_disabled"));
}

/* What the person may do elsewhere changes with the next token; nothing that is open ends. */
rc_t sqlite_user_set_groups(sqlite_db_t *db, const effect_t *e)
{
    str_t bytes;
    const user_t *user = e->u.user;
    TRY(store_list_write(user->groups, &bytes));
    rc_t rc =
        sqlite_change_or_conflict(db, STMT_USER_SET_GROUPS, ARGS(ARG_S(user->id), ARG_B(bytes)));
    free((void *)(uintptr_t)bytes.p);
    return rc;
}

rc_t sqlite_session_insert(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_insert_record(db, TABLE_SESSION, e->u.session);
}

rc_t sqlite_session_touch(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change_or_conflict(db, STMT_SESSION_TOUCH,
                                     ARGS(ARG_H(&e->u.session->id), ARG_I(e->u.session->seen_at)));
}

rc_t sqlite_session_delete(sqlite_db_t *db, const effect_t *e)
{
    return sqlite_change(db, STMT_SESSION_DELETE, ARGS(ARG_H(e->u.hash)));
}

rc_t sqlite_interaction_insert(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_check_quota(db, STMT_INTERACTION_COUNT, e->quota.max_interactions));
    return sqlite_insert_record(db, TABLE_INTERACTION, e->u.interaction);
}

rc_t sqlite_interaction_update(sqlite_db_t *db, const effect_t *e)
{
    int64_t state = 0;
    rc_t rc = sqlite_number(db, STMT_INTERACTION_STATE, ARGS(ARG_H(&e->u.interaction->id)), &state);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && state != (int64_t)e->expect_interaction))
        return RC_CONFLICT;
    return rc == RC_OK ? sqlite_put_record(db, TABLE_INTERACTION, e->u.interaction) : rc;
}

/* A part of the key, which NULL could not be. */
static str_t place_of(const consent_t *c)
{
    return str_is_set(c->redirect_uri) ? c->redirect_uri : STR("");
}

rc_t sqlite_consent_put(sqlite_db_t *db, const effect_t *e)
{
    consent_t consent = *e->u.consent;
    consent.redirect_uri = place_of(&consent);
    return sqlite_put_record(db, TABLE_CONSENT, &consent);
}

rc_t sqlite_consent_use(sqlite_db_t *db, const effect_t *e)
{
    const consent_t *c = e->u.consent;
    int64_t one = 0;
    rc_t rc = sqlite_number(
        db, STMT_CONSENT_IS,
        ARGS(ARG_S(c->user_id), ARG_S(c->client_id), ARG_S(c->resource), ARG_S(place_of(c))), &one);
    return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
}

rc_t sqlite_consent_delete(sqlite_db_t *db, const effect_t *e)
{
    const consent_t *c = e->u.consent;
    const str_t place = place_of(c);
    const sqlite_args_t what =
        ARGS(ARG_S(c->user_id), ARG_S(c->client_id), ARG_S(c->resource), ARG_S(place));
    const sqlite_args_t when = ARGS(ARG_S(c->user_id), ARG_S(c->client_id), ARG_S(c->resource),
                                    ARG_I(e->at), ARG_S(place), ARG_I(e->at + SQLITE_REVOKED_S));
    TRY(sqlite_change_or_conflict(db, STMT_CONSENT_DELETE, what));
    TRY(sqlite_change(db, STMT_DEVICES_END_CONSENT, what));
    TRY(sqlite_change(db, STMT_CODES_END_CONSENT, (sqlite_args_t){when.v, 5}));
    TRY(sqlite_change(db, STMT_FAMILIES_REVOKE_CONSENT, when));
    TRY(sqlite_revoke_fold(db));
    return sqlite_change(db, STMT_FAMILIES_END_CONSENT, (sqlite_args_t){when.v, 5});
}
