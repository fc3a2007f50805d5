/* The schema as numbered migrations, and their carrying out while other nodes are at work. One that
 * has shipped is never edited, and each only adds what an older program does not see: columns with
 * a default, tables, indexes. What an older program could not live with raises schema_min. */
#include "store/postgres_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TEXT   "TEXT COLLATE \"C\""
#define KEY    " NOT NULL PRIMARY KEY"
#define NUMBER "BIGINT NOT NULL"
#define BYTES  "BYTEA NOT NULL"
#define REQUEST                                                                                    \
    "client_id " TEXT ", redirect_uri " TEXT ", redirect_uri_given " NUMBER ", req_state BYTEA, "  \
    "code_challenge " TEXT ", scope " TEXT ", resource " TEXT ", nonce BYTEA, prompt BYTEA, "      \
    "max_age " NUMBER ", acr_values BYTEA, dpop_jkt " TEXT ", pushed " BYTES ", device " BYTES

/* Made first and in one step: by `application` the database is known to be ours. */
static const char *const META =
    "CREATE TABLE meta(name " TEXT KEY ", value " NUMBER ") WITH (fillfactor=10);"
    "INSERT INTO meta VALUES('application', 1463898692), ('schema', 0), ('schema_min', 0);";

static const char *const MIGRATIONS[] = {
    /* Rows that are changed have room beside them, where no index needs to know of the change. */
    "INSERT INTO meta VALUES('generation', 1), ('revocation', 0), ('first_user', 0),"
    " ('expiring', 0);"
    "CREATE TABLE quota(name " TEXT " NOT NULL, slot " NUMBER ", value " NUMBER
    ", PRIMARY KEY(name, slot)) WITH (fillfactor=10);"
    "INSERT INTO quota SELECT name, slot, 0 FROM generate_series(0, 32) AS slots(slot) CROSS JOIN"
    " (VALUES('registered'), ('interactions'), ('pushed'), ('devices'), ('spent')) AS names(name);"
    "CREATE TABLE client(id " TEXT KEY ", name " TEXT ", auth " NUMBER ", type " NUMBER
    ", origin " NUMBER ", has_secret " NUMBER ", secret_hash " BYTES ", grants " NUMBER
    ", redirect_uris " BYTES ", scope " TEXT ", client_uri " TEXT ", logo_uri " TEXT
    ", tos_uri " TEXT ", policy_uri " TEXT ", software_id " TEXT ", software_version " TEXT
    ", contacts " BYTES ", created_at " NUMBER ", expires_at " NUMBER ", jwks " TEXT
    ", jwks_uri " TEXT ", dpop_bound " NUMBER ", par_required " NUMBER ", lenient_loopback " NUMBER
    ", resources " BYTES ", exchange_to " BYTES ", management " BYTES ", document " BYTES
    ", vouched_by " TEXT ", sealed " NUMBER ", deleted_at " NUMBER ");"
    "CREATE INDEX client_expires ON client(expires_at) WHERE expires_at>0;"
    "CREATE INDEX client_unused ON client(created_at)"
    " WHERE origin=1 AND expires_at>0 AND deleted_at=0;"
    "CREATE INDEX client_listed ON client(created_at DESC, id) WHERE deleted_at=0;"
    "CREATE TABLE \"user\"(id " TEXT KEY ", name " TEXT " NOT NULL UNIQUE, password " TEXT
    ", disabled " NUMBER ", admin " NUMBER ", created_at " NUMBER ", password_changed_at " NUMBER
    ", issuer " TEXT ", subject " TEXT ", groups " BYTES ") WITH (fillfactor=90);"
    "CREATE TABLE session(id BYTEA" KEY ", user_id " TEXT " NOT NULL, auth_time " NUMBER
    ", created_at " NUMBER ", seen_at " NUMBER ", expires_at " NUMBER ", acr " TEXT
    ") WITH (fillfactor=80);"
    "CREATE INDEX session_person ON session(user_id);"
    "CREATE INDEX session_expires ON session(expires_at);"
    "CREATE TABLE interaction(id BYTEA" KEY ", state " NUMBER ", decision " NUMBER
    ", session_id " BYTES ", " REQUEST ", granted_scope " TEXT ", created_at " NUMBER
    ", expires_at " NUMBER ", decided_at " NUMBER ") WITH (fillfactor=60);"
    "CREATE INDEX interaction_expires ON interaction(expires_at);"
    "CREATE TABLE code(id BYTEA" KEY ", family_id " TEXT " NOT NULL, user_id " TEXT ", " REQUEST
    ", auth_time " NUMBER ", created_at " NUMBER ", expires_at " NUMBER ", consumed_at " NUMBER
    ", acr " TEXT ") WITH (fillfactor=60);"
    "CREATE INDEX code_expires ON code(expires_at);"
    "CREATE TABLE family(id " TEXT KEY ", client_id " TEXT ", user_id " TEXT ", scope " TEXT
    ", resource " TEXT ", auth_time " NUMBER ", created_at " NUMBER ", expires_at " NUMBER
    ", revoked_at " NUMBER ", revoked_reason " TEXT ", jkt " TEXT ", acr " TEXT
    ", redirect_uri " TEXT ") WITH (fillfactor=95);"
    "CREATE INDEX family_user ON family(user_id, client_id);"
    "CREATE INDEX family_client ON family(client_id, revoked_at, created_at);"
    "CREATE INDEX family_live ON family(created_at) WHERE revoked_at=0;"
    "CREATE INDEX family_expires ON family(expires_at);"
    "CREATE TABLE refresh(id BYTEA" KEY ", family_id " TEXT " NOT NULL, parent " BYTES
    ", created_at " NUMBER ", expires_at " NUMBER ", rotated_at " NUMBER ", uses " NUMBER
    ") WITH (fillfactor=60);"
    "CREATE INDEX refresh_family ON refresh(family_id);"
    "CREATE TABLE consent(user_id " TEXT ", client_id " TEXT ", resource " TEXT
    ", redirect_uri " TEXT ", scope " TEXT ", granted_at " NUMBER ", document " BYTES
    ", PRIMARY KEY(user_id, client_id, resource, redirect_uri));"
    "CREATE INDEX consent_client ON consent(client_id);"
    "CREATE TABLE resource(uri " TEXT KEY ", name " TEXT ", aliases " BYTES ", scopes " BYTES
    ", default_scope " TEXT ", created_at " NUMBER ", access_token_lifetime " NUMBER
    ", token_format " NUMBER ", dpop_required " NUMBER ", from_settings " NUMBER ");"
    "CREATE TABLE key(kid " TEXT KEY ", alg " TEXT ", use " NUMBER ", state " NUMBER
    ", secret BYTEA, created_at " NUMBER ", activated_at " NUMBER ", retired_at " NUMBER
    ", sealed_by " TEXT ");"
    "CREATE UNIQUE INDEX key_current ON key(use) WHERE state=1;"
    "CREATE TABLE registration_token(id BYTEA" KEY ", created_at " NUMBER ", expires_at " NUMBER
    ");"
    "CREATE INDEX registration_token_expires ON registration_token(expires_at);"
    "CREATE TABLE pushed(id BYTEA" KEY ", client_id " TEXT ", form BYTEA, dpop_jkt " TEXT
    ", created_at " NUMBER ", expires_at " NUMBER ");"
    "CREATE INDEX pushed_client ON pushed(client_id);"
    "CREATE INDEX pushed_expires ON pushed(expires_at);"
    "CREATE TABLE device(id BYTEA" KEY ", user_code " TEXT ", state " NUMBER ", client_id " TEXT
    ", scope " TEXT ", resource " TEXT ", dpop_jkt " TEXT ", user_id " TEXT ", family_id " TEXT
    ", auth_time " NUMBER ", acr " TEXT ", created_at " NUMBER ", expires_at " NUMBER
    ", polled_at " NUMBER ", interval_s " NUMBER ") WITH (fillfactor=60);"
    "CREATE UNIQUE INDEX device_code ON device(user_code);"
    "CREATE INDEX device_client ON device(client_id);"
    "CREATE INDEX device_user ON device(user_id) WHERE state=1;"
    "CREATE INDEX device_expires ON device(expires_at);"
    "CREATE TABLE access_token(id BYTEA" KEY ", jti " TEXT ", family_id " TEXT ", client_id " TEXT
    ", sub " TEXT ", scope " TEXT ", resource " TEXT ", jkt " TEXT ", act " TEXT ", acr " TEXT
    ", auth_time " NUMBER ", created_at " NUMBER ", expires_at " NUMBER ");"
    "CREATE INDEX access_token_expires ON access_token(expires_at);"
    "CREATE TABLE spent(id BYTEA" KEY ", expires_at " NUMBER ");"
    "CREATE INDEX spent_expires ON spent(expires_at);"
    "CREATE TABLE revoked(seq " NUMBER " PRIMARY KEY, kind " NUMBER ", key " TEXT ", at " NUMBER
    ", expires_at " NUMBER ", owner " TEXT ");"
    "CREATE INDEX revoked_key ON revoked(kind, key, at);"
    "CREATE INDEX revoked_expires ON revoked(expires_at);"
    "CREATE INDEX revoked_owner ON revoked(owner, kind, seq) WHERE owner IS NOT NULL;"
    "CREATE TABLE lease(name " TEXT KEY ", holder " TEXT " NOT NULL, until " NUMBER
    ") WITH (fillfactor=10);",

    /* When clients and consents were used: 0 of those before, until the cleaning has looked. What
     * keeps readers out is over at once; the indexes of large tables come in steps of their own. */
    "ALTER TABLE client ADD COLUMN IF NOT EXISTS used_at BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE consent ADD COLUMN IF NOT EXISTS used_at BIGINT NOT NULL DEFAULT 0;"
    /* Most clients of the first index went within a day, and pages by time are not filled again. */
    "DROP INDEX client_listed;"
    /* Each token changes once, and not all of a page at the same time. */
    "ALTER TABLE refresh SET (fillfactor=90);",

    "CREATE INDEX IF NOT EXISTS client_used ON client(used_at)"
    " WHERE origin=1 AND expires_at=0 AND deleted_at=0;"
    "CREATE INDEX IF NOT EXISTS client_kept ON client(created_at DESC, id)"
    " WHERE deleted_at=0 AND expires_at=0;",

    "CREATE INDEX IF NOT EXISTS consent_used ON consent(used_at);",

    /* As `until`, where the holder's program knows that what ends many grants does so in steps. */
    "ALTER TABLE lease ADD COLUMN IF NOT EXISTS known_until BIGINT NOT NULL DEFAULT 0;",

#ifdef STORE_TEST_NEXT_SCHEMA
    /* The next version, for tests of two versions side by side, as in sqlite_schema.c. */
    "ALTER TABLE client ADD COLUMN next_note TEXT;"
    "ALTER TABLE session ADD COLUMN next_mark BIGINT NOT NULL DEFAULT 1;"
    "ALTER TABLE refresh ADD COLUMN next_mark BIGINT NOT NULL DEFAULT 1;"
    "CREATE TABLE next_thing(id " TEXT KEY ");",
#endif
};

/* When dead rows are cleared away, where the usual share of a table would be much too late: rows
 * that live for minutes, tables that grow large, and the few rows that all writers change. What a
 * service that is not quite PostgreSQL refuses here is its own affair. */
#define OFTEN "(autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02)"
#define SOON  "(autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500)"
static const char *const TUNING[] = {
    "ALTER TABLE interaction SET " OFTEN, "ALTER TABLE code SET " OFTEN,
    "ALTER TABLE session SET " OFTEN,     "ALTER TABLE family SET " OFTEN,
    "ALTER TABLE refresh SET " OFTEN,     "ALTER TABLE pushed SET " OFTEN,
    "ALTER TABLE device SET " OFTEN,      "ALTER TABLE access_token SET " OFTEN,
    "ALTER TABLE spent SET " OFTEN,       "ALTER TABLE meta SET " SOON,
    "ALTER TABLE quota SET " SOON,        "ALTER TABLE lease SET " SOON,
};

enum {
    NEWEST = sizeof MIGRATIONS / sizeof MIGRATIONS[0],
    OLDEST = 1,               /* the oldest program that may work with schema NEWEST */
    APPLICATION = 0x57415244, /* "WARD" */
    TRIES = 100,
    PAUSE_MS = 100,
};

/* What the server said of a statement that failed. */
typedef struct {
    char state[6]; /* SQLSTATE; empty: it said nothing */
    char text[512];
} said_t;

/* A database on its way. */
typedef struct {
    PGconn *pg;
    arena_t *a;
    str_t *why;
    said_t said; /* of the last statement */
} work_t;

/* What there is before. */
typedef struct {
    int64_t tables, application, schema, schema_min; /* -1: it does not say */
} found_t;

/* A statement, or several; *r is the caller's. RC_IO with `said`. */
static rc_t exec(work_t *w, const char *sql, PGresult **r)
{
    *r = PQexec(w->pg, sql);
    ExecStatusType status = PQresultStatus(*r);
    const char *state = PQresultErrorField(*r, PG_DIAG_SQLSTATE);
    snprintf(w->said.state, sizeof w->said.state, "%s", state ? state : "");
    snprintf(w->said.text, sizeof w->said.text, "%s", PQerrorMessage(w->pg));
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? RC_OK : RC_IO;
}

static rc_t run(work_t *w, const char *sql)
{
    PGresult *r;
    rc_t rc = exec(w, sql, &r);
    PQclear(r);
    return rc;
}

/* The number that a query yields; -1: none. */
static rc_t ask(work_t *w, const char *sql, int64_t *out)
{
    PGresult *r;
    rc_t rc = exec(w, sql, &r);
    *out = -1;
    if (rc == RC_OK && PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
        *out = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return rc;
}

static bool is_state(const work_t *w, const char *state)
{
    return strcmp(w->said.state, state) == 0;
}

/* Whether somebody else was at the same, or in the way. */
static bool may_try_again(const work_t *w)
{
    static const char *const STATES[] = {"40001", "40P01", "55P03", "42P07",
                                         "42710", "23505", "XX000"};
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++)
        if (is_state(w, STATES[i]))
            return true;
    return false;
}

static rc_t explain(work_t *w)
{
    str_t said = str_trim(str_c(w->said.text), " \n");
    const char *mend = is_state(w, "42501") || is_state(w, "3F000")
                           ? "give its user the right to create tables there"
                           : "see to the server, and start again";
    *w->why = arena_printf(w->a, "the PostgreSQL database %s cannot be prepared (%" PRIstr "); %s",
                           PQdb(w->pg), STR_ARG(said), mend);
    return RC_IO;
}

static rc_t refuse_foreign(work_t *w)
{
    *w->why = arena_printf(w->a,
                           "the PostgreSQL database %s belongs to another program; name another "
                           "one in the setting postgres, or a schema of its own by "
                           "options=-csearch_path=NAME",
                           PQdb(w->pg));
    return RC_CONFIG;
}

static rc_t refuse_newer(work_t *w, const found_t *found)
{
    *w->why =
        arena_printf(w->a,
                     "the PostgreSQL database %s has schema %lld, which programs can use that "
                     "know schema %lld, and this one knows up to %d; start the newer program",
                     PQdb(w->pg), (long long)found->schema, (long long)found->schema_min, NEWEST);
    return RC_CONFIG;
}

/* 42P01, 42703: there is such a table, and it is not ours. */
static rc_t look(work_t *w, found_t *out)
{
    *out = (found_t){-1, -1, -1, -1};
    TRY(ask(w, "SELECT count(*) FROM information_schema.tables WHERE table_schema=current_schema()",
            &out->tables));
    if (out->tables == 0)
        return RC_OK;
    TRY(ask(w, "SELECT value FROM meta WHERE name='application'", &out->application));
    TRY(ask(w, "SELECT value FROM meta WHERE name='schema'", &out->schema));
    return ask(w, "SELECT value FROM meta WHERE name='schema_min'", &out->schema_min);
}

/* What nearly every start finds, in one question that costs the same whatever there is. A `meta`
 * that stands in another schema of the search path is not ours. */
static bool is_up_to_date(work_t *w)
{
    char sql[256];
    int64_t both = 0;
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM meta m JOIN pg_class c ON c.oid=m.tableoid JOIN pg_namespace n "
             "ON n.oid=c.relnamespace WHERE n.nspname=current_schema() AND ((name='application' "
             "AND value=%d) OR (name='schema' AND value=%d))",
             APPLICATION, NEWEST);
    return ask(w, sql, &both) == RC_OK && both == 2;
}

static rc_t begin(work_t *w)
{
    return run(w, "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout='2s'; SET LOCAL "
                  "statement_timeout=0");
}

/* Ends the transaction by what became of it. */
static rc_t end(work_t *w, rc_t rc)
{
    const said_t said = w->said;
    if (rc == RC_OK)
        return run(w, "COMMIT");
    (void)!run(w, "ROLLBACK");
    w->said = said;
    return rc;
}

static rc_t tune(work_t *w)
{
    for (size_t i = 0; i < sizeof TUNING / sizeof TUNING[0]; i++) {
        TRY(run(w, "SAVEPOINT tuning"));
        if (run(w, TUNING[i]) != RC_OK)
            TRY(run(w, "ROLLBACK TO SAVEPOINT tuning"));
    }
    return RC_OK;
}

/* One migration, behind the row's lock: who comes second finds the work done. Each is a transaction
 * of its own, lest the locks of one be held for as long as the next one takes. */
static rc_t step(work_t *w)
{
    char set[128];
    int64_t schema = -1;
    TRY(ask(w, "SELECT value FROM meta WHERE name='schema' FOR UPDATE", &schema));
    if (schema < 0 || schema >= NEWEST)
        return schema < 0 ? RC_IO : RC_OK;
    TRY(run(w, MIGRATIONS[schema]));
    if (schema == 0)
        TRY(tune(w));
    snprintf(set, sizeof set,
             "UPDATE meta SET value=%lld WHERE name='schema';"
             "UPDATE meta SET value=%d WHERE name='schema_min'",
             (long long)schema + 1, OLDEST);
    return run(w, set);
}

/* One attempt; *done says that there is nothing left to do. */
static rc_t attempt(work_t *w, bool *done)
{
    found_t found;
    rc_t rc = look(w, &found);
    if (is_state(w, "42P01") || is_state(w, "42703") || is_state(w, "42883"))
        return refuse_foreign(w);
    TRY(rc);
    if (found.tables > 0 && found.application != APPLICATION)
        return refuse_foreign(w);
    if (found.schema > NEWEST && found.schema_min > NEWEST)
        return refuse_newer(w, &found);
    *done = found.schema >= NEWEST;
    if (*done)
        return RC_OK;
    TRY(begin(w));
    return end(w, found.tables == 0 ? run(w, META) : step(w));
}

rc_t postgres_migrate(PGconn *pg, arena_t *a, str_t *why)
{
    work_t w = {.pg = pg, .a = a, .why = why};
    bool done = is_up_to_date(&w);
    for (int i = 0; i < TRIES && !done; i++) {
        rc_t rc = attempt(&w, &done);
        if (rc == RC_CONFIG)
            return rc;
        if (rc != RC_OK && !may_try_again(&w))
            return explain(&w);
        if (rc != RC_OK)
            nanosleep(&(struct timespec){0, PAUSE_MS * 1000000L}, NULL);
    }
    return done ? RC_OK : explain(&w);
}
