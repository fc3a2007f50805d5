/* What nobody uses any more. */
#include "store/sqlite_effects.h"

/* One of the two kinds: what to look at, and what is done to each. */
typedef struct {
    stmt_id_t look, used, forget;
} kind_t;

/* What was looked at: its row, and whether something rests on it. */
typedef struct {
    int64_t row;
    bool held;
    store_forgotten_t whose;
} seen_t;

typedef struct {
    seen_t *v;
    size_t n;
} batch_t;

static rc_t read_text(arena_t *a, sqlite3_stmt *s, int at, str_t *out)
{
    const void *p = sqlite3_column_blob(s, at);
    *out = STR_UNSET;
    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return RC_OK;
    *out = arena_dup(a, str_of(p ? p : "", (size_t)sqlite3_column_bytes(s, at)));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t read_row(arena_t *a, sqlite3_stmt *s, seen_t *out)
{
    out->row = sqlite3_column_int64(s, 0);
    out->held = sqlite3_column_int(s, 4) != 0;
    TRY(read_text(a, s, 1, &out->whose.client_id));
    TRY(read_text(a, s, 2, &out->whose.user_id));
    return read_text(a, s, 3, &out->whose.resource);
}

/* All are read first: what follows changes the index that they are found by. */
static rc_t look(sqlite_db_t *db, const kind_t *kind, const store_forget_t *f, batch_t *out)
{
    sqlite3_stmt *s = sqlite_bind(sqlite_fixed(db, kind->look),
                                  ARGS(ARG_I(f->now), ARG_I(f->before), ARG_I(f->limit)));
    if (!s)
        return sqlite_failure(db);
    rc_t rc = RC_OK;
    int code = SQLITE_DONE;
    while (rc == RC_OK && out->n < f->limit && (code = sqlite3_step(s)) == SQLITE_ROW)
        rc = read_row(f->a, s, &out->v[out->n++]);
    if (rc == RC_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        rc = sqlite_failure(db);
    sqlite_done(s);
    return rc;
}

static rc_t end_one(sqlite_db_t *db, const kind_t *kind, const store_forget_t *f,
                    const seen_t *seen)
{
    if (seen->held)
        return sqlite_change(db, kind->used, ARGS(ARG_I(seen->row), ARG_I(f->now)));
    return sqlite_change(db, kind->forget, ARGS(ARG_I(seen->row)));
}

static rc_t end_kind(sqlite_db_t *db, const kind_t *kind, store_forget_t *f,
                     store_forgotten_t *gone, size_t *looked)
{
    batch_t batch = {ARENA_ARRAY(f->a, f->limit + 1, seen_t), 0};
    if (!batch.v)
        return RC_MEMORY;
    TRY(look(db, kind, f, &batch));
    for (size_t i = 0; i < batch.n; i++) {
        TRY(end_one(db, kind, f, &batch.v[i]));
        if (!batch.v[i].held)
            gone[f->n++] = batch.v[i].whose;
    }
    *looked = batch.n;
    return RC_OK;
}

rc_t sqlite_forget(sqlite_db_t *db, store_forget_t *f, size_t *looked)
{
    static const kind_t CONSENTS = {STMT_UNUSED_CONSENTS, STMT_CONSENT_USED, STMT_CONSENT_FORGET};
    static const kind_t CLIENTS = {STMT_UNUSED_CLIENTS, STMT_CLIENT_USED, STMT_CLIENT_FORGET};
    store_forgotten_t *gone = ARENA_ARRAY(f->a, 2 * (size_t)f->limit + 1, store_forgotten_t);
    size_t consents = 0, clients = 0;
    if (!gone)
        return RC_MEMORY;
    f->gone = gone;
    f->n = 0;
    TRY(end_kind(db, &CONSENTS, f, gone, &consents));
    if (consents < f->limit) /* else clients have consents that are as old */
        TRY(end_kind(db, &CLIENTS, f, gone, &clients));
    *looked = consents + clients;
    return RC_OK;
}
