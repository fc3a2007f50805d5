/* Questions, answered from the transaction that is open. */
#include "store/sqlite_db.h"

enum { LIST_MAX = 1000 };

typedef struct {
    table_id_t table;
    size_t max;
} rows_t;

static uint32_t limit_of(const ask_t *ask)
{
    return ask->limit && ask->limit < LIST_MAX ? ask->limit : LIST_MAX;
}

/* Reads the one row of a bound statement; *out stays NULL without one. */
static rc_t read_one(sqlite_db_t *db, arena_t *a, sqlite3_stmt *s, table_id_t table,
                     const void **out)
{
    *out = NULL;
    if (!s)
        return sqlite_failure(db);
    void *record = NULL;
    int code = sqlite3_step(s);
    rc_t rc = code == SQLITE_ROW    ? sqlite_read_record(a, s, table, &record)
              : code == SQLITE_DONE ? RC_OK
                                    : sqlite_failure(db);
    sqlite_done(s);
    *out = record;
    return rc;
}

static rc_t by_key(sqlite_db_t *db, arena_t *a, table_id_t table, str_t key, const void **out)
{
    return read_one(db, a, sqlite_bind(sqlite_select(db, table), ARGS(ARG_S(key))), table, out);
}

static rc_t by_hash(sqlite_db_t *db, arena_t *a, table_id_t table, const hash_t *hash,
                    const void **out)
{
    return read_one(db, a, sqlite_bind(sqlite_select(db, table), ARGS(ARG_H(hash))), table, out);
}

/* The first columns of the rows of a bound statement, at most `max`, copied into the arena. */
static rc_t read_ids(sqlite_db_t *db, arena_t *a, sqlite3_stmt *s, size_t max, str_list_t *out)
{
    if (!s)
        return sqlite_failure(db);
    str_t *v = ARENA_ARRAY(a, max, str_t);
    size_t n = 0;
    rc_t rc = v ? RC_OK : RC_MEMORY;
    int code = SQLITE_DONE;
    while (rc == RC_OK && n < max && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(s, 0);
        v[n] = arena_dup(a, str_of(p ? p : "", (size_t)sqlite3_column_bytes(s, 0)));
        if (!str_is_set(v[n++]))
            rc = RC_MEMORY;
    }
    if (rc == RC_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        rc = sqlite_failure(db);
    sqlite_done(s);
    *out = (str_list_t){v, n};
    return rc;
}

static rc_t answer_user_by_name(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    str_list_t ids;
    sqlite3_stmt *s = sqlite_bind(sqlite_fixed(db, STMT_USER_BY_NAME), ARGS(ARG_S(ask->key)));
    TRY(read_ids(db, a, s, 1, &ids));
    if (ids.n == 0)
        return RC_OK;
    return by_key(db, a, TABLE_USER, ids.v[0], (const void **)&ask->u.user);
}

static rc_t answer_family(sqlite_db_t *db, arena_t *a, ask_t *ask, str_t id)
{
    TRY(by_key(db, a, TABLE_FAMILY, id, (const void **)&ask->family));
    if (!ask->family)
        return RC_OK;
    return by_key(db, a, TABLE_USER, ask->family->user_id, (const void **)&ask->owner);
}

static rc_t answer_code(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    TRY(by_hash(db, a, TABLE_CODE, &ask->hash, (const void **)&ask->u.code));
    const code_t *code = ask->u.code;
    if (!code)
        return RC_OK;
    TRY(by_key(db, a, TABLE_FAMILY, code->family_id, (const void **)&ask->family));
    return by_key(db, a, TABLE_USER, code->user_id, (const void **)&ask->owner);
}

static rc_t answer_refresh(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    TRY(by_hash(db, a, TABLE_REFRESH, &ask->hash, (const void **)&ask->u.refresh));
    return ask->u.refresh ? answer_family(db, a, ask, ask->u.refresh->family_id) : RC_OK;
}

static rc_t answer_session(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    TRY(by_hash(db, a, TABLE_SESSION, &ask->hash, (const void **)&ask->u.session));
    if (!ask->u.session)
        return RC_OK;
    return by_key(db, a, TABLE_USER, ask->u.session->user_id, (const void **)&ask->owner);
}

static rc_t answer_consent(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    str_t place = str_is_set(ask->key4) ? ask->key4 : STR("");
    sqlite3_stmt *s =
        sqlite_bind(sqlite_fixed(db, STMT_CONSENT_GET),
                    ARGS(ARG_S(ask->key), ARG_S(ask->key2), ARG_S(ask->key3), ARG_S(place)));
    return read_one(db, a, s, TABLE_CONSENT, (const void **)&ask->u.consent);
}

/* The keys are read whole first: the same connection reads each record then. */
static rc_t answer_list(sqlite_db_t *db, arena_t *a, ask_t *ask, stmt_id_t ids, table_id_t table)
{
    uint32_t limit = limit_of(ask);
    str_list_t keys;
    TRY(read_ids(db, a, sqlite_bind(sqlite_fixed(db, ids), ARGS(ARG_I(limit))), limit, &keys));
    size_t size = TABLES[table].size;
    char *v = arena_array(a, keys.n + 1, size);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < keys.n; i++) {
        const void *record;
        TRY(by_key(db, a, table, keys.v[i], &record));
        if (record)
            memcpy(v + size * ask->count++, record, size);
    }
    ask->u.resources = (const void *)v;
    return RC_OK;
}

/* Whole rows of a bound statement, at most `max`, each a record; ask->count says how many. */
static rc_t read_rows(sqlite_db_t *db, arena_t *a, ask_t *ask, sqlite3_stmt *s, rows_t rows,
                      void ***out)
{
    if (!s)
        return sqlite_failure(db);
    void **v = ARENA_ARRAY(a, rows.max, void *);
    rc_t rc = v ? RC_OK : RC_MEMORY;
    int code = SQLITE_DONE;
    while (rc == RC_OK && ask->count < rows.max && (code = sqlite3_step(s)) == SQLITE_ROW) {
        rc = sqlite_read_record(a, s, rows.table, &v[ask->count]);
        ask->count += rc == RC_OK;
    }
    if (rc == RC_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        rc = sqlite_failure(db);
    sqlite_done(s);
    *out = v;
    return rc;
}

static rc_t answer_grants(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    uint32_t limit = limit_of(ask);
    void **consents;
    sqlite3_stmt *s =
        sqlite_bind(sqlite_fixed(db, STMT_CONSENTS_OF), ARGS(ARG_S(ask->key), ARG_I(limit)));
    TRY(read_rows(db, a, ask, s, (rows_t){TABLE_CONSENT, limit}, &consents));
    store_grant_t *v = ARENA_ARRAY(a, ask->count + 1, store_grant_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < ask->count; i++) {
        const client_t *client;
        v[i].consent = consents[i];
        TRY(by_key(db, a, TABLE_CLIENT, v[i].consent->client_id, (const void **)&client));
        v[i].client = client && client->deleted_at == 0 ? client : NULL;
    }
    ask->u.grants = v;
    return RC_OK;
}

static rc_t answer_revocations(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    uint32_t limit = limit_of(ask);
    void **rows;
    sqlite3_stmt *s =
        sqlite_bind(sqlite_fixed(db, STMT_REVOCATIONS), ARGS(ARG_I(ask->since), ARG_I(limit)));
    TRY(read_rows(db, a, ask, s, (rows_t){TABLE_REVOKED, limit}, &rows));
    revoked_t *v = ARENA_ARRAY(a, ask->count + 1, revoked_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < ask->count; i++)
        v[i] = *(const revoked_t *)rows[i];
    ask->u.revoked = v;
    return RC_OK;
}

/* The family that a jti names before its dot; unset when it names none. */
static str_t family_of(str_t jti)
{
    size_t dot = str_find(jti, '.', 0);
    return dot < jti.n ? str_first(jti, dot) : STR_UNSET;
}

static rc_t answer_revoked(sqlite_db_t *db, ask_t *ask)
{
    int64_t n = 0;
    const sqlite_args_t token = ARGS(ARG_S(ask->key), ARG_S(family_of(ask->key)), ARG_S(ask->key2),
                                     ARG_S(ask->key3), ARG_I(ask->since));
    TRY(sqlite_run_number(db, sqlite_bind(sqlite_fixed(db, STMT_REVOKED), token), &n));
    ask->count = (size_t)n;
    return RC_OK;
}

static rc_t answer_device(sqlite_db_t *db, arena_t *a, ask_t *ask, const hash_t *id)
{
    TRY(by_hash(db, a, TABLE_DEVICE, id, (const void **)&ask->u.device));
    if (!ask->u.device)
        return RC_OK;
    return by_key(db, a, TABLE_USER, ask->u.device->user_id, (const void **)&ask->owner);
}

static rc_t answer_device_by_code(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    str_list_t ids;
    hash_t id;
    sqlite3_stmt *s = sqlite_bind(sqlite_fixed(db, STMT_DEVICE_BY_CODE),
                                  ARGS(ARG_S(ask->key), ARG_I(ask->since)));
    TRY(read_ids(db, a, s, 1, &ids));
    if (ids.n == 0)
        return RC_OK;
    if (ids.v[0].n != sizeof id)
        return RC_IO;
    memcpy(&id, ids.v[0].p, sizeof id);
    return answer_device(db, a, ask, &id);
}

static rc_t answer_access_token(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    TRY(by_hash(db, a, TABLE_ACCESS_TOKEN, &ask->hash, (const void **)&ask->u.access_token));
    if (!ask->u.access_token)
        return RC_OK;
    return by_key(db, a, TABLE_FAMILY, ask->u.access_token->family_id, (const void **)&ask->family);
}

static rc_t answer_count(sqlite_db_t *db, ask_t *ask)
{
    int64_t n = 0;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_ANY_USER), &n));
    ask->count = (size_t)n;
    return RC_OK;
}

rc_t sqlite_answer(sqlite_db_t *db, arena_t *a, ask_t *ask)
{
    ask->u.client = NULL;
    ask->count = 0;
    ask->family = NULL;
    ask->owner = NULL;
    const void **record = (const void **)&ask->u.client;
    switch (ask->kind) {
    case ASK_CLIENT:
        return by_key(db, a, TABLE_CLIENT, ask->key, record);
    case ASK_USER:
        return by_key(db, a, TABLE_USER, ask->key, record);
    case ASK_USER_BY_NAME:
        return answer_user_by_name(db, a, ask);
    case ASK_ANY_USER:
        return answer_count(db, ask);
    case ASK_SESSION:
        return answer_session(db, a, ask);
    case ASK_INTERACTION:
        return by_hash(db, a, TABLE_INTERACTION, &ask->hash, record);
    case ASK_CODE:
        return answer_code(db, a, ask);
    case ASK_REFRESH:
        return answer_refresh(db, a, ask);
    case ASK_FAMILY: {
        TRY(answer_family(db, a, ask, ask->key));
        ask->u.family = ask->family;
        return RC_OK;
    }
    case ASK_CONSENT:
        return answer_consent(db, a, ask);
    case ASK_REGISTRATION_TOKEN:
        return by_hash(db, a, TABLE_REGISTRATION_TOKEN, &ask->hash, record);
    case ASK_PUSHED:
        return by_hash(db, a, TABLE_PUSHED, &ask->hash, record);
    case ASK_DEVICE:
        return answer_device(db, a, ask, &ask->hash);
    case ASK_DEVICE_BY_CODE:
        return answer_device_by_code(db, a, ask);
    case ASK_ACCESS_TOKEN:
        return answer_access_token(db, a, ask);
    case ASK_REVOCATIONS:
        return answer_revocations(db, a, ask);
    case ASK_REVOKED:
        return answer_revoked(db, ask);
    case ASK_GRANTS:
        return answer_grants(db, a, ask);
    case ASK_RESOURCES:
        return answer_list(db, a, ask, STMT_RESOURCE_IDS, TABLE_RESOURCE);
    case ASK_KEYS:
        return answer_list(db, a, ask, STMT_KEY_IDS, TABLE_KEY);
    case ASK_CLIENTS:
        return answer_list(db, a, ask, STMT_CLIENT_IDS, TABLE_CLIENT);
    case ASK_USERS:
        return answer_list(db, a, ask, STMT_USER_IDS, TABLE_USER);
    }
    return RC_IO;
}
