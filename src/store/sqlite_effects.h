/* Effects within the open transaction: one small function for each row of EFFECT_TABLE, by what
 * they are about, and what these functions share. Internal to the driver. */
#ifndef STORE_SQLITE_EFFECTS_H
#define STORE_SQLITE_EFFECTS_H

#include "store/sqlite_db.h"

/* So long a revocation is remembered: until the last access token that it is about has ended, by
 * the clock of a resource server that is a bit behind. */
enum { SQLITE_REVOKED_S = MODEL_ACCESS_TOKEN_MAX_S + 120 };

/** Carries out one effect; RC_CONFLICT or RC_LIMIT where its precondition does not hold. */
typedef rc_t sqlite_effect_fn_t(sqlite_db_t *db, const effect_t *e);

sqlite_effect_fn_t sqlite_client_insert, sqlite_client_put, sqlite_client_keep,
    sqlite_client_delete, sqlite_registration_token_insert, sqlite_registration_token_consume,
    sqlite_resource_put, sqlite_resource_delete, sqlite_lease_take, sqlite_key_put,
    sqlite_key_delete, sqlite_keys_replace;
sqlite_effect_fn_t sqlite_user_insert, sqlite_user_insert_first, sqlite_user_set_password,
    sqlite_user_disable, sqlite_user_set_groups, sqlite_session_insert, sqlite_session_touch,
    sqlite_session_delete, sqlite_interaction_insert, sqlite_interaction_update, sqlite_consent_put,
    sqlite_consent_use, sqlite_consent_delete;
sqlite_effect_fn_t sqlite_code_insert, sqlite_code_consume, sqlite_family_insert,
    sqlite_family_revoke, sqlite_refresh_insert, sqlite_refresh_rotate, sqlite_refresh_use,
    sqlite_access_token_insert, sqlite_pushed_insert, sqlite_pushed_consume, sqlite_device_insert,
    sqlite_device_decide, sqlite_device_poll, sqlite_device_consume, sqlite_spend,
    sqlite_revocation_put;

/** Runs a fixed statement that may change nothing. */
rc_t sqlite_change(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args) MUST_USE;
/** One that has to change its row; RC_CONFLICT: the precondition did not hold. */
rc_t sqlite_change_or_conflict(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args) MUST_USE;
/** Inserts a record. RC_CONFLICT: its key, or another unique column, is taken. */
rc_t sqlite_insert_record(sqlite_db_t *db, table_id_t table, const void *record) MUST_USE;
/** Inserts a record, or gives that of its key these values; what a newer program keeps in other
 *  columns stays. */
rc_t sqlite_put_record(sqlite_db_t *db, table_id_t table, const void *record) MUST_USE;
/** The number a fixed statement yields; RC_NOT_FOUND without a row. */
rc_t sqlite_number(sqlite_db_t *db, stmt_id_t id, sqlite_args_t args, int64_t *out) MUST_USE;
/** RC_LIMIT when `count` yields `max` or more; 0: no limit. */
rc_t sqlite_check_quota(sqlite_db_t *db, stmt_id_t count, uint64_t max) MUST_USE;
/** Remembers a revocation for as long as access tokens live. */
rc_t sqlite_revoke(sqlite_db_t *db, revoked_kind_t kind, str_t key, int64_t at) MUST_USE;
/** Remembers the same of what services got in exchange for a client's tokens, which names the
 *  service as its client: of each live family made until `at`, and of the client as a subject. */
rc_t sqlite_revoke_exchanged(sqlite_db_t *db, str_t client_id, int64_t at) MUST_USE;
/** Where a person has more than LIMIT_REVOCATIONS_PERSON entries, one that ends all of the person
 *  takes their place: after many were written at once. */
rc_t sqlite_revoke_fold(sqlite_db_t *db) MUST_USE;

#endif
