/* Questions as statements, and their rows as answers. */
#include "store/postgres_effects.h"

enum { LIST_MAX = 1000 };

/* Which parts of a question are parameters. */
typedef enum {
    BY_NOTHING,
    BY_KEY,
    BY_HASH,
    BY_LIMIT,
    BY_KEY_LIMIT,
    BY_KEY_SINCE,
    BY_SINCE_LIMIT,
    BY_CONSENT,
    BY_TOKEN,
} by_t;

/* What comes back. */
typedef enum { ONE, LIST, GRANTS, NUMBER } shape_t;

typedef struct {
    postgres_stmt_t stmt;
    by_t by;
    shape_t shape;
    table_id_t table;
    bool family, owner; /* whether they follow in the row */
} row_t;

static const row_t ROWS[] = {
    [ASK_CLIENT] = {POSTGRES_GET_CLIENT, BY_KEY, ONE, TABLE_CLIENT, false, false},
    [ASK_USER] = {POSTGRES_GET_USER, BY_KEY, ONE, TABLE_USER, false, false},
    [ASK_USER_BY_NAME] = {POSTGRES_GET_USER_BY_NAME, BY_KEY, ONE, TABLE_USER, false, false},
    [ASK_ANY_USER] = {POSTGRES_GET_ANY_USER, BY_NOTHING, NUMBER, TABLE_USER, false, false},
    [ASK_SESSION] = {POSTGRES_GET_SESSION, BY_HASH, ONE, TABLE_SESSION, false, true},
    [ASK_INTERACTION] = {POSTGRES_GET_INTERACTION, BY_HASH, ONE, TABLE_INTERACTION, false, false},
    [ASK_CODE] = {POSTGRES_GET_CODE, BY_HASH, ONE, TABLE_CODE, true, true},
    [ASK_REFRESH] = {POSTGRES_GET_REFRESH, BY_HASH, ONE, TABLE_REFRESH, true, true},
    [ASK_FAMILY] = {POSTGRES_GET_FAMILY, BY_KEY, ONE, TABLE_FAMILY, false, true},
    [ASK_CONSENT] = {POSTGRES_GET_CONSENT, BY_CONSENT, ONE, TABLE_CONSENT, false, false},
    [ASK_RESOURCES] = {POSTGRES_GET_RESOURCES, BY_LIMIT, LIST, TABLE_RESOURCE, false, false},
    [ASK_KEYS] = {POSTGRES_GET_KEYS, BY_LIMIT, LIST, TABLE_KEY, false, false},
    [ASK_CLIENTS] = {POSTGRES_GET_CLIENTS, BY_LIMIT, LIST, TABLE_CLIENT, false, false},
    [ASK_USERS] = {POSTGRES_GET_USERS, BY_LIMIT, LIST, TABLE_USER, false, false},
    [ASK_REGISTRATION_TOKEN] = {POSTGRES_GET_REGISTRATION_TOKEN, BY_HASH, ONE,
                                TABLE_REGISTRATION_TOKEN, false, false},
    [ASK_GRANTS] = {POSTGRES_GET_GRANTS, BY_KEY_LIMIT, GRANTS, TABLE_CONSENT, false, false},
    [ASK_PUSHED] = {POSTGRES_GET_PUSHED, BY_HASH, ONE, TABLE_PUSHED, false, false},
    [ASK_DEVICE] = {POSTGRES_GET_DEVICE, BY_HASH, ONE, TABLE_DEVICE, false, true},
    [ASK_DEVICE_BY_CODE] = {POSTGRES_GET_DEVICE_BY_CODE, BY_KEY_SINCE, ONE, TABLE_DEVICE, false,
                            true},
    [ASK_ACCESS_TOKEN] = {POSTGRES_GET_ACCESS_TOKEN, BY_HASH, ONE, TABLE_ACCESS_TOKEN, true, false},
    [ASK_REVOCATIONS] = {POSTGRES_GET_REVOCATIONS, BY_SINCE_LIMIT, LIST, TABLE_REVOKED, false,
                         false},
    [ASK_REVOKED] = {POSTGRES_GET_REVOKED, BY_TOKEN, NUMBER, TABLE_REVOKED, false, false},
};

/* What no column of texts can hold is nowhere: nothing equals NULL. */
static postgres_value_t key_of(str_t key)
{
    return VALUE_S(postgres_is_text(key) ? key : STR_UNSET);
}

static postgres_value_t limit_of(const ask_t *ask)
{
    return VALUE_I(ask->limit && ask->limit < LIST_MAX ? ask->limit : LIST_MAX);
}

static rc_t add_consent(postgres_plan_t *plan, postgres_stmt_t stmt, const ask_t *ask)
{
    str_t place = str_is_set(ask->key4) ? ask->key4 : STR("");
    return postgres_add(
        plan, stmt, VALUES(key_of(ask->key), key_of(ask->key2), key_of(ask->key3), key_of(place)));
}

/* A jti names its family before its dot. */
static rc_t add_token(postgres_plan_t *plan, postgres_stmt_t stmt, const ask_t *ask)
{
    size_t dot = str_find(ask->key, '.', 0);
    str_t family = dot < ask->key.n ? str_first(ask->key, dot) : STR_UNSET;
    return postgres_add(plan, stmt,
                        VALUES(key_of(ask->key), key_of(family), key_of(ask->key2),
                               key_of(ask->key3), VALUE_I(ask->since)));
}

static rc_t add(postgres_plan_t *plan, const ask_t *ask)
{
    postgres_stmt_t stmt = ROWS[ask->kind].stmt;
    switch (ROWS[ask->kind].by) {
    case BY_NOTHING:
        return postgres_add(plan, stmt, NO_VALUES);
    case BY_KEY:
        return postgres_add(plan, stmt, VALUES(key_of(ask->key)));
    case BY_HASH:
        return postgres_add(plan, stmt, VALUES(VALUE_H(&ask->hash)));
    case BY_LIMIT:
        return postgres_add(plan, stmt, VALUES(limit_of(ask)));
    case BY_KEY_LIMIT:
        return postgres_add(plan, stmt, VALUES(key_of(ask->key), limit_of(ask)));
    case BY_KEY_SINCE:
        return postgres_add(plan, stmt, VALUES(key_of(ask->key), VALUE_I(ask->since)));
    case BY_SINCE_LIMIT:
        return postgres_add(plan, stmt, VALUES(VALUE_I(ask->since), limit_of(ask)));
    case BY_CONSENT:
        return add_consent(plan, stmt, ask);
    case BY_TOKEN:
        return add_token(plan, stmt, ask);
    }
    return RC_IO;
}

static bool is_grant(const ask_t *ask)
{
    return ask->kind == ASK_REFRESH || ask->kind == ASK_CODE || ask->kind == ASK_DEVICE;
}

/* One statement sees one moment, with all that hangs on its record. So may a client and what it
 * redeems, the pair of every token request, do without a view, whose beginning and end cost a fifth
 * of it: a client that changes between the two was the one or the other when the request came, one
 * that is deleted there is gone, or its grant has ended, and what is redeemed is asked again by the
 * effect that redeems it. */
static bool needs_view(const ask_t *asks, size_t n)
{
    if (n != 2)
        return n > 2;
    return !(asks[0].kind == ASK_CLIENT && is_grant(&asks[1])) &&
           !(asks[1].kind == ASK_CLIENT && is_grant(&asks[0]));
}

rc_t postgres_plan_ask(postgres_job_t *job, const ask_t *asks, size_t n)
{
    postgres_plan_t plan =
        postgres_plan_of(job, needs_view(asks, n) ? POSTGRES_READ_VIEW : POSTGRES_READ);
    if (n == 0)
        return postgres_add(&plan, POSTGRES_GENERATION, NO_VALUES);
    for (plan.part = 0; plan.part < n; plan.part++)
        TRY(add(&plan, &asks[plan.part]));
    return RC_OK;
}

/* Columns begin behind the generation. */
enum { FIRST = 1 };

static rc_t read_next(arena_t *a, postgres_cell_t *at, table_id_t table, const void **out)
{
    void *record;
    TRY(postgres_read_record(a, *at, table, &record));
    at->column += TABLES[table].n_fields;
    *out = record;
    return RC_OK;
}

static rc_t read_one(arena_t *a, const PGresult *r, const row_t *row, ask_t *ask)
{
    postgres_cell_t at = {r, 0, FIRST};
    TRY(read_next(a, &at, row->table, (const void **)&ask->u.client));
    if (row->family)
        TRY(read_next(a, &at, TABLE_FAMILY, (const void **)&ask->family));
    if (row->owner)
        TRY(read_next(a, &at, TABLE_USER, (const void **)&ask->owner));
    if (ask->kind == ASK_FAMILY)
        ask->family = ask->u.family;
    return RC_OK;
}

/* The records of all rows, one behind the other; there may be none, as a row of NULLs. */
static rc_t read_list(arena_t *a, const PGresult *r, const row_t *row, ask_t *ask)
{
    size_t size = TABLES[row->table].size;
    int n = PQntuples(r);
    char *v = arena_array(a, (size_t)n + 1, size);
    if (!v)
        return RC_MEMORY;
    for (int i = 0; i < n; i++) {
        void *record;
        TRY(postgres_read_record(a, (postgres_cell_t){r, i, FIRST}, row->table, &record));
        if (record)
            memcpy(v + size * ask->count++, record, size);
    }
    ask->u.resources = (const void *)v;
    return RC_OK;
}

static rc_t read_grants(arena_t *a, const PGresult *r, ask_t *ask)
{
    int n = PQntuples(r);
    store_grant_t *v = ARENA_ARRAY(a, (size_t)n + 1, store_grant_t);
    if (!v)
        return RC_MEMORY;
    for (int i = 0; i < n; i++) {
        postgres_cell_t at = {r, i, FIRST};
        TRY(read_next(a, &at, TABLE_CONSENT, (const void **)&v[ask->count].consent));
        TRY(read_next(a, &at, TABLE_CLIENT, (const void **)&v[ask->count].client));
        ask->count += v[ask->count].consent != NULL;
    }
    ask->u.grants = v;
    return RC_OK;
}

static rc_t read_count(const PGresult *r, ask_t *ask)
{
    int64_t n = 0;
    TRY(postgres_read_number((postgres_cell_t){r, 0, FIRST}, &n));
    ask->count = (size_t)n;
    return RC_OK;
}

static rc_t read_answer(arena_t *a, const PGresult *r, ask_t *ask)
{
    const row_t *row = &ROWS[ask->kind];
    ask->u.client = NULL;
    ask->count = 0;
    ask->family = NULL;
    ask->owner = NULL;
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) == 0)
        return RC_IO;
    switch (row->shape) {
    case ONE:
        return read_one(a, r, row, ask);
    case LIST:
        return read_list(a, r, row, ask);
    case GRANTS:
        return read_grants(a, r, ask);
    case NUMBER:
        return read_count(r, ask);
    }
    return RC_IO;
}

rc_t postgres_read_answers(postgres_job_t *job, arena_t *a, ask_t *asks, size_t n)
{
    TRY(postgres_read_generation(job, &job->generation));
    for (size_t i = 0; i < n; i++)
        TRY(read_answer(a, job->results[i], &asks[i]));
    return RC_OK;
}
