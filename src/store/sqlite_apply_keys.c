/* Effects on the server's own keys. */
#include "store/sqlite_effects.h"

/* Whether there is a row at all: a conflict. */
static rc_t conflict_if(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args)
{
    int64_t found = 0;
    rc_t rc = sqlite_number(db, id, args, &found);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc == RC_OK ? RC_CONFLICT : rc;
}

rc_t sqlite_key_put(sqlite_db_t *db, const effect_t *e)
{
    const key_record_t *key = e->u.key_record;
    TRY(conflict_if(db, STMT_KEY_OTHER_SEAL, ARGS(ARG_S(key->kid), ARG_S(key->sealed_by))));
    if (key->state != KEY_RETIRED)
        TRY(conflict_if(db, STMT_KEY_OTHER,
                        ARGS(ARG_I(key->use), ARG_I(key->state), ARG_S(key->kid))));
    return sqlite_put_record(db, TABLE_KEY, key);
}

/* A deleted row stays in the file until its place is needed: a key is overwritten first. */
rc_t sqlite_key_delete(sqlite_db_t *db, const effect_t *e)
{
    TRY(sqlite_change(db, STMT_KEY_BLANK, ARGS(ARG_S(e->u.key))));
    db->keys_went = true;
    return sqlite_change_or_conflict(db, STMT_KEY_DELETE, ARGS(ARG_S(e->u.key)));
}

static rc_t check_keys(sqlite_db_t *db, const key_change_t *change)
{
    int64_t n = 0;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_KEY_COUNT), &n));
    if ((uint64_t)n != change->n_was)
        return RC_CONFLICT;
    for (size_t i = 0; i < change->n_was; i++) {
        const key_record_t *key = &change->was[i];
        rc_t rc = sqlite_number(
            db, STMT_KEY_SAME, ARGS(ARG_S(key->kid), ARG_I(key->state), ARG_S(key->sealed_by)), &n);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
    }
    return RC_OK;
}

rc_t sqlite_keys_replace(sqlite_db_t *db, const effect_t *e)
{
    const key_change_t *change = e->u.key_change;
    TRY(check_keys(db, change));
    TRY(sqlite_run_fixed(db, STMT_KEYS_BLANK));
    db->keys_went = true;
    TRY(sqlite_run_fixed(db, STMT_KEYS_CLEAR));
    for (size_t i = 0; i < change->n_becomes; i++)
        TRY(sqlite_insert_record(db, TABLE_KEY, &change->becomes[i]));
    return RC_OK;
}
