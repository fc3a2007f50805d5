/* The schema as numbered migrations. A migration that has shipped is never edited. Quotas are asked
 * with each registration and each authorization, so triggers keep the counts. */
#include "store/sqlite_db.h"

#define REQUEST_COLUMNS                                                                            \
    "client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, redirect_uri_given INTEGER NOT NULL, "   \
    "req_state TEXT, code_challenge TEXT NOT NULL, scope TEXT NOT NULL, resource TEXT NOT NULL, "  \
    "nonce TEXT, prompt TEXT, max_age INTEGER NOT NULL"

static const char *const MIGRATIONS[] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('generation', 1), ('registered', 0), ('interactions', 0);"
    "CREATE TABLE client(id TEXT PRIMARY KEY, name TEXT, auth INTEGER NOT NULL,"
    " type INTEGER NOT NULL, origin INTEGER NOT NULL, has_secret INTEGER NOT NULL,"
    " secret_hash BLOB NOT NULL, grants INTEGER NOT NULL, redirect_uris TEXT NOT NULL, scope TEXT,"
    " client_uri TEXT, logo_uri TEXT, tos_uri TEXT, policy_uri TEXT, software_id TEXT,"
    " software_version TEXT, contacts TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL);"
    "CREATE TRIGGER client_in AFTER INSERT ON client WHEN new.origin=1 BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='registered'; END;"
    "CREATE TRIGGER client_out AFTER DELETE ON client WHEN old.origin=1 BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='registered'; END;"
    "CREATE INDEX client_expires ON client(expires_at) WHERE expires_at<>0;"
    "CREATE TABLE user(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,"
    " disabled INTEGER NOT NULL, admin INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " password_changed_at INTEGER NOT NULL);"
    "CREATE TABLE session(id BLOB PRIMARY KEY, user_id TEXT NOT NULL, auth_time INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);"
    "CREATE INDEX session_user ON session(user_id);"
    "CREATE INDEX session_expires ON session(expires_at);"
    "CREATE TABLE interaction(id BLOB PRIMARY KEY, state INTEGER NOT NULL,"
    " decision INTEGER NOT NULL, session_id BLOB NOT NULL, " REQUEST_COLUMNS ","
    " granted_scope TEXT, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " decided_at INTEGER NOT NULL);"
    "CREATE TRIGGER interaction_in AFTER INSERT ON interaction BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='interactions'; END;"
    "CREATE TRIGGER interaction_out AFTER DELETE ON interaction BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='interactions'; END;"
    "CREATE INDEX interaction_expires ON interaction(expires_at);"
    "CREATE TABLE code(id BLOB PRIMARY KEY, family_id TEXT NOT NULL, user_id TEXT NOT NULL,"
    " " REQUEST_COLUMNS ", auth_time INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, consumed_at INTEGER NOT NULL);"
    "CREATE INDEX code_expires ON code(expires_at);"
    "CREATE TABLE family(id TEXT PRIMARY KEY, client_id TEXT NOT NULL, user_id TEXT NOT NULL,"
    " scope TEXT NOT NULL, resource TEXT NOT NULL, auth_time INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,"
    " revoked_reason TEXT);"
    "CREATE INDEX family_user ON family(user_id, client_id);"
    "CREATE INDEX family_client ON family(client_id);"
    "CREATE INDEX family_expires ON family(expires_at);"
    "CREATE TABLE refresh(id BLOB PRIMARY KEY, family_id TEXT NOT NULL, parent BLOB NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, rotated_at INTEGER NOT NULL,"
    " uses INTEGER NOT NULL);"
    "CREATE INDEX refresh_expires ON refresh(expires_at);"
    "CREATE TABLE consent(user_id TEXT NOT NULL, client_id TEXT NOT NULL, resource TEXT NOT NULL,"
    " redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, granted_at INTEGER NOT NULL,"
    " PRIMARY KEY(user_id, client_id, resource));"
    "CREATE INDEX consent_client ON consent(client_id);"
    "CREATE TABLE resource(uri TEXT PRIMARY KEY, name TEXT, aliases TEXT NOT NULL,"
    " scopes TEXT NOT NULL, default_scope TEXT, created_at INTEGER NOT NULL);"
    "CREATE TABLE key(kid TEXT PRIMARY KEY, alg TEXT NOT NULL, use INTEGER NOT NULL,"
    " state INTEGER NOT NULL, secret BLOB NOT NULL, created_at INTEGER NOT NULL,"
    " activated_at INTEGER NOT NULL, retired_at INTEGER NOT NULL);"
    "CREATE TABLE registration_token(id BLOB PRIMARY KEY, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL);",
};
enum { NEWEST = sizeof MIGRATIONS / sizeof MIGRATIONS[0] };

static rc_t read_version(sqlite_db_t *db, int *version)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK)
        return RC_IO;
    *version = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
    sqlite3_finalize(s);
    return *version >= 0 ? RC_OK : RC_IO;
}

static rc_t run(sqlite_db_t *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : RC_IO;
}

static rc_t migrate_from(sqlite_db_t *db, int version)
{
    for (; version < NEWEST; version++) {
        char set[64];
        sqlite3_snprintf(sizeof set, set, "PRAGMA user_version=%d", version + 1);
        TRY(run(db, MIGRATIONS[version]));
        TRY(run(db, set));
    }
    return RC_OK;
}

rc_t sqlite_migrate(sqlite_db_t *db, arena_t *a, str_t *why)
{
    *why = STR("the database cannot be set up; is the disk full or the file damaged?");
    /* Two processes may start at once: the second finds the work done. */
    TRY(run(db, "BEGIN IMMEDIATE"));
    int version;
    rc_t rc = read_version(db, &version);
    if (rc == RC_OK && version > NEWEST) {
        *why = arena_printf(a,
                            "the database has schema %d, this program knows up to %d; start the "
                            "newer program that wrote it",
                            version, NEWEST);
        rc = RC_CONFIG;
    }
    if (rc == RC_OK)
        rc = migrate_from(db, version);
    if (rc != RC_OK) {
        rc_t ignored = run(db, "ROLLBACK");
        (void)ignored;
        return rc;
    }
    return run(db, "COMMIT");
}
