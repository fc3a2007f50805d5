/* How a job is filled, and the effects: one small function for each row of EFFECT_TABLE, by what
 * they are about. Internal to the driver. */
#ifndef STORE_POSTGRES_EFFECTS_H
#define STORE_POSTGRES_EFFECTS_H

#include "store/postgres_plan.h"
#include "store/tables.h"

/* So long a revocation is remembered: until the last access token that it is about has ended, by
 * the clock of a resource server that is a bit behind. */
enum { POSTGRES_REVOKED_S = MODEL_ACCESS_TOKEN_MAX_S + 120 };

/* So many families end in a step (AT_ONCE in postgres_texts.c): what holds the row that numbers of
 * revocations come from is over soon, and within the time that a statement has. */
enum { POSTGRES_AT_ONCE = 1000 };

/* Counts of a quota stand in so many rows, lest all writers wait for one; the cleaner, which
 * deletes of several, has one of its own. */
enum { POSTGRES_SLOTS = 32, POSTGRES_SLOT_OF_CLEANER = POSTGRES_SLOTS };

/* A value for a parameter. */
typedef struct {
    enum { POSTGRES_VALUE_BYTES, POSTGRES_VALUE_NUMBER } kind;
    str_t s; /* unset: NULL */
    int64_t i;
} postgres_value_t;
typedef struct {
    const postgres_value_t *v;
    size_t n;
} postgres_values_t;

#define VALUE_S(value) ((postgres_value_t){.kind = POSTGRES_VALUE_BYTES, .s = (value)})
#define VALUE_H(value)                                                                             \
    ((postgres_value_t){.kind = POSTGRES_VALUE_BYTES,                                              \
                        .s = {(const char *)(value)->b, sizeof(value)->b}})
#define VALUE_I(value) ((postgres_value_t){.kind = POSTGRES_VALUE_NUMBER, .i = (int64_t)(value)})
#define VALUES(...)                                                                                \
    ((postgres_values_t){(const postgres_value_t[]){__VA_ARGS__},                                  \
                         sizeof((const postgres_value_t[]){__VA_ARGS__}) /                         \
                             sizeof(postgres_value_t)})
#define NO_VALUES ((postgres_values_t){NULL, 0})

/* A job that is being filled. */
typedef struct {
    postgres_job_t *job;
    postgres_step_t *steps;
    size_t n, room;
    size_t part; /* of the steps that are added */
} postgres_plan_t;

postgres_plan_t postgres_plan_of(postgres_job_t *job, postgres_kind_t kind);
/** Adds a statement; bytes are borrowed, numbers copied. RC_MALFORMED: a text that is not UTF-8 or
 *  has a NUL. */
rc_t postgres_add(postgres_plan_t *plan, postgres_stmt_t stmt, postgres_values_t values) MUST_USE;
/** Adds one whose first parameters are all columns of a record, in order. */
rc_t postgres_add_record(postgres_plan_t *plan, postgres_stmt_t stmt, table_id_t table,
                         const void *record, postgres_values_t more) MUST_USE;
/** A step that is none of the job's. */
rc_t postgres_make_step(arena_t *a, postgres_stmt_t stmt, postgres_values_t values,
                        postgres_step_t *out) MUST_USE;

/** Whether a column of texts can hold it: UTF-8 without NUL. */
bool postgres_is_text(str_t s);

/** The values of all columns of a record, in order, into `out`, which has room for them. RC_MEMORY.
 */
rc_t postgres_write_record(arena_t *a, table_id_t table, const void *record,
                           postgres_value_t *out) MUST_USE;
/* A row of a result, and the column that a record begins at. */
typedef struct {
    const PGresult *r;
    int row, column;
} postgres_cell_t;
/** Reads a record, copied into `a`; *out is NULL where its key is NULL. RC_IO: these are not such
 *  columns; RC_MEMORY. */
rc_t postgres_read_record(arena_t *a, postgres_cell_t at, table_id_t table, void **out) MUST_USE;
/** Reads a number. RC_IO: it is none. */
rc_t postgres_read_number(postgres_cell_t at, int64_t *out) MUST_USE;

/** Adds what carries out one effect. */
typedef rc_t postgres_effect_fn_t(postgres_plan_t *plan, const effect_t *e);

postgres_effect_fn_t postgres_client_insert, postgres_client_put, postgres_client_keep,
    postgres_client_delete, postgres_registration_token_insert, postgres_registration_token_consume,
    postgres_resource_put, postgres_resource_delete, postgres_lease_take, postgres_key_put,
    postgres_key_delete, postgres_keys_replace;
postgres_effect_fn_t postgres_user_insert, postgres_user_insert_first, postgres_user_set_password,
    postgres_user_disable, postgres_user_set_groups, postgres_session_insert,
    postgres_session_touch, postgres_session_delete, postgres_interaction_insert,
    postgres_interaction_update, postgres_consent_put, postgres_consent_use,
    postgres_consent_delete;
postgres_effect_fn_t postgres_code_insert, postgres_code_consume, postgres_family_insert,
    postgres_family_revoke, postgres_refresh_insert, postgres_refresh_rotate, postgres_refresh_use,
    postgres_access_token_insert, postgres_pushed_insert, postgres_pushed_consume,
    postgres_device_insert, postgres_device_decide, postgres_device_poll, postgres_device_consume,
    postgres_spend, postgres_revocation_put;

/** The slot that what has this id is counted in. */
int64_t postgres_slot_of(str_t id);
#define SLOT_H(hash) postgres_slot_of(str_of((hash)->b, sizeof(hash)->b))
/** Counts one more of `name`, within `max` of them; 0: no limit. */
rc_t postgres_take_quota(postgres_plan_t *plan, str_t name, int64_t slot, uint64_t max) MUST_USE;
/** Remembers a revocation. */
rc_t postgres_put_revocation(postgres_plan_t *plan, const revoked_t *r) MUST_USE;
/** Likewise, for as long as access tokens live. */
rc_t postgres_revoke(postgres_plan_t *plan, revoked_kind_t kind, str_t key, int64_t at) MUST_USE;
/** One that ends all of a person takes the place of more than LIMIT_REVOCATIONS_PERSON entries of
 *  the person. `stmt` is one of POSTGRES_REVOKED_FOLD_*, and says what `of` is. */
rc_t postgres_revoke_fold(postgres_plan_t *plan, postgres_stmt_t stmt, str_t of) MUST_USE;

#endif
