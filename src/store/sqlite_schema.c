/* The schema as numbered migrations. A migration that has shipped is never edited. Quotas are asked
 * with each registration and each authorization, so triggers keep the counts.
 *
 * A migration adds what older programs need not know: tables, indexes, columns with a default.
 * Then they may go on with the database, so that servers are replaced one by one and the newer
 * program can be taken back. One that older programs would do wrong with sets 'schema_min' in
 * `meta` to its own number; they refuse it at their start. */
#include "store/sqlite_db.h"

#define REQUEST_COLUMNS                                                                            \
    "client_id TEXT, redirect_uri TEXT, redirect_uri_given INTEGER NOT NULL, "                     \
    "req_state TEXT, code_challenge TEXT, scope TEXT, resource TEXT, "                             \
    "nonce TEXT, prompt TEXT, max_age INTEGER NOT NULL"

#define NO_HASH "x'0000000000000000000000000000000000000000000000000000000000000000'"

static const char *const MIGRATIONS[] = {
    "CREATE TABLE meta(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('generation', 1), ('registered', 0), ('interactions', 0);"
    "CREATE TABLE client(id TEXT NOT NULL PRIMARY KEY, name TEXT, auth INTEGER NOT NULL,"
    " type INTEGER NOT NULL, origin INTEGER NOT NULL, has_secret INTEGER NOT NULL,"
    " secret_hash BLOB NOT NULL, grants INTEGER NOT NULL, redirect_uris BLOB NOT NULL, scope TEXT,"
    " client_uri TEXT, logo_uri TEXT, tos_uri TEXT, policy_uri TEXT, software_id TEXT,"
    " software_version TEXT, contacts BLOB NOT NULL, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL);"
    "CREATE TRIGGER client_in AFTER INSERT ON client WHEN new.origin=1 BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='registered'; END;"
    "CREATE TRIGGER client_out AFTER DELETE ON client WHEN old.origin=1 BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='registered'; END;"
    "CREATE INDEX client_expires ON client(expires_at) WHERE expires_at>0;"
    "CREATE TABLE user(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT,"
    " disabled INTEGER NOT NULL, admin INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " password_changed_at INTEGER NOT NULL);"
    "CREATE TABLE session(id BLOB NOT NULL PRIMARY KEY, user_id TEXT NOT NULL,"
    " auth_time INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);"
    "CREATE INDEX session_user ON session(user_id);"
    "CREATE INDEX session_expires ON session(expires_at);"
    "CREATE TABLE interaction(id BLOB NOT NULL PRIMARY KEY, state INTEGER NOT NULL,"
    " decision INTEGER NOT NULL, session_id BLOB NOT NULL, " REQUEST_COLUMNS ","
    " granted_scope TEXT, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " decided_at INTEGER NOT NULL);"
    "CREATE TRIGGER interaction_in AFTER INSERT ON interaction BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='interactions'; END;"
    "CREATE TRIGGER interaction_out AFTER DELETE ON interaction BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='interactions'; END;"
    "CREATE INDEX interaction_expires ON interaction(expires_at);"
    "CREATE TABLE code(id BLOB NOT NULL PRIMARY KEY, family_id TEXT NOT NULL, user_id TEXT,"
    " " REQUEST_COLUMNS ", auth_time INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, consumed_at INTEGER NOT NULL);"
    "CREATE INDEX code_expires ON code(expires_at);"
    "CREATE TABLE family(id TEXT NOT NULL PRIMARY KEY, client_id TEXT, user_id TEXT,"
    " scope TEXT, resource TEXT, auth_time INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,"
    " revoked_reason TEXT);"
    "CREATE INDEX family_user ON family(user_id, client_id);"
    "CREATE INDEX family_client ON family(client_id);"
    "CREATE INDEX family_expires ON family(expires_at);"
    "CREATE TABLE refresh(id BLOB NOT NULL PRIMARY KEY, family_id TEXT NOT NULL,"
    " parent BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " rotated_at INTEGER NOT NULL, uses INTEGER NOT NULL);"
    "CREATE INDEX refresh_family ON refresh(family_id);"
    "CREATE TABLE consent(user_id TEXT NOT NULL, client_id TEXT NOT NULL, resource TEXT NOT NULL,"
    " redirect_uri TEXT, scope TEXT, granted_at INTEGER NOT NULL,"
    " PRIMARY KEY(user_id, client_id, resource));"
    "CREATE INDEX consent_client ON consent(client_id);"
    "CREATE TABLE resource(uri TEXT NOT NULL PRIMARY KEY, name TEXT, aliases BLOB NOT NULL,"
    " scopes BLOB NOT NULL, default_scope TEXT, created_at INTEGER NOT NULL);"
    "CREATE TABLE key(kid TEXT NOT NULL PRIMARY KEY, alg TEXT, use INTEGER NOT NULL,"
    " state INTEGER NOT NULL, secret BLOB, created_at INTEGER NOT NULL,"
    " activated_at INTEGER NOT NULL, retired_at INTEGER NOT NULL);"
    "CREATE TABLE registration_token(id BLOB NOT NULL PRIMARY KEY, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL);"
    "CREATE INDEX registration_token_expires ON registration_token(expires_at);",
    /* Documents, pushed requests, devices, bound and opaque tokens, revocations: what stood before
     * has none of them. A client that is gone and keeps its row does not count. */
    "ALTER TABLE client ADD COLUMN jwks TEXT;"
    "ALTER TABLE client ADD COLUMN jwks_uri TEXT;"
    "ALTER TABLE client ADD COLUMN dpop_bound INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE client ADD COLUMN par_required INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE client ADD COLUMN lenient_loopback INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE client ADD COLUMN resources BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE client ADD COLUMN exchange_to BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE client ADD COLUMN management BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE client ADD COLUMN document BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE client ADD COLUMN vouched_by TEXT;"
    "ALTER TABLE client ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE client ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0;"
    "DROP TRIGGER client_in; DROP TRIGGER client_out;"
    "CREATE TRIGGER client_in AFTER INSERT ON client WHEN new.origin=1 AND new.deleted_at=0 BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='registered'; END;"
    "CREATE TRIGGER client_out AFTER DELETE ON client WHEN old.origin=1 AND old.deleted_at=0 BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='registered'; END;"
    "CREATE TRIGGER client_gone AFTER UPDATE OF deleted_at ON client"
    " WHEN new.origin=1 AND old.deleted_at=0 AND new.deleted_at<>0 BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='registered'; END;"
    "CREATE INDEX client_unused ON client(origin, created_at)"
    " WHERE expires_at>0 AND deleted_at=0;"
    "ALTER TABLE user ADD COLUMN issuer TEXT;"
    "ALTER TABLE user ADD COLUMN subject TEXT;"
    "ALTER TABLE session ADD COLUMN acr TEXT;"
    "ALTER TABLE interaction ADD COLUMN acr_values TEXT;"
    "ALTER TABLE interaction ADD COLUMN dpop_jkt TEXT;"
    "ALTER TABLE interaction ADD COLUMN pushed BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE interaction ADD COLUMN device BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE code ADD COLUMN acr_values TEXT;"
    "ALTER TABLE code ADD COLUMN dpop_jkt TEXT;"
    "ALTER TABLE code ADD COLUMN pushed BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE code ADD COLUMN device BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE code ADD COLUMN acr TEXT;"
    "ALTER TABLE family ADD COLUMN jkt TEXT;"
    "ALTER TABLE family ADD COLUMN acr TEXT;"
    "ALTER TABLE consent ADD COLUMN document BLOB NOT NULL DEFAULT " NO_HASH ";"
    "ALTER TABLE resource ADD COLUMN access_token_lifetime INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE resource ADD COLUMN token_format INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE resource ADD COLUMN dpop_required INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE resource ADD COLUMN from_settings INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE key ADD COLUMN sealed_by TEXT;"
    "INSERT INTO meta VALUES('pushed', 0), ('devices', 0), ('spent', 0);"
    "CREATE TABLE pushed(id BLOB NOT NULL PRIMARY KEY, client_id TEXT, form TEXT, dpop_jkt TEXT,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);"
    "CREATE TRIGGER pushed_in AFTER INSERT ON pushed BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='pushed'; END;"
    "CREATE TRIGGER pushed_out AFTER DELETE ON pushed BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='pushed'; END;"
    "CREATE INDEX pushed_client ON pushed(client_id);"
    "CREATE INDEX pushed_expires ON pushed(expires_at);"
    "CREATE TABLE device(id BLOB NOT NULL PRIMARY KEY, user_code TEXT, state INTEGER NOT NULL,"
    " client_id TEXT, scope TEXT, resource TEXT, dpop_jkt TEXT, user_id TEXT, family_id TEXT,"
    " auth_time INTEGER NOT NULL, acr TEXT, created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, polled_at INTEGER NOT NULL, interval_s INTEGER NOT NULL);"
    "CREATE TRIGGER device_in AFTER INSERT ON device BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='devices'; END;"
    "CREATE TRIGGER device_out AFTER DELETE ON device BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='devices'; END;"
    "CREATE INDEX device_code ON device(user_code);"
    "CREATE INDEX device_client ON device(client_id);"
    "CREATE INDEX device_user ON device(user_id) WHERE state=1;"
    "CREATE INDEX device_expires ON device(expires_at);"
    "CREATE TABLE access_token(id BLOB NOT NULL PRIMARY KEY, jti TEXT, family_id TEXT,"
    " client_id TEXT, sub TEXT, scope TEXT, resource TEXT, jkt TEXT, act TEXT, acr TEXT,"
    " auth_time INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);"
    "CREATE INDEX access_token_expires ON access_token(expires_at);"
    "CREATE TABLE spent(id BLOB NOT NULL PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER spent_in AFTER INSERT ON spent BEGIN"
    " UPDATE meta SET value=value+1 WHERE name='spent'; END;"
    "CREATE TRIGGER spent_out AFTER DELETE ON spent BEGIN"
    " UPDATE meta SET value=value-1 WHERE name='spent'; END;"
    "CREATE INDEX spent_expires ON spent(expires_at);"
    "CREATE TABLE revoked(seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, key TEXT,"
    " at INTEGER NOT NULL, expires_at INTEGER NOT NULL);"
    "CREATE INDEX revoked_key ON revoked(kind, key, at);"
    "CREATE INDEX revoked_expires ON revoked(expires_at);",
    /* A consent holds for one redirect URI, and so does what rests on it. */
    "CREATE TABLE consent_3(user_id TEXT NOT NULL, client_id TEXT NOT NULL,"
    " resource TEXT NOT NULL, redirect_uri TEXT NOT NULL, scope TEXT, granted_at INTEGER NOT NULL,"
    " document BLOB NOT NULL, PRIMARY KEY(user_id, client_id, resource, redirect_uri));"
    "INSERT INTO consent_3 SELECT user_id, client_id, resource, coalesce(redirect_uri, ''), scope,"
    " granted_at, document FROM consent;"
    "DROP TABLE consent;"
    "ALTER TABLE consent_3 RENAME TO consent;"
    "CREATE INDEX consent_client ON consent(client_id);"
    "ALTER TABLE family ADD COLUMN redirect_uri TEXT;",

    /* Whose tokens an entry ends, so that those of one person can be counted. */
    ("ALTER TABLE revoked ADD COLUMN owner TEXT;"
     "CREATE INDEX revoked_owner ON revoked(owner, kind, seq) WHERE owner IS NOT NULL;"),

    /* Which groups a person is in. */
    "ALTER TABLE user ADD COLUMN groups BLOB NOT NULL DEFAULT x'';",

    /* Who does what for all. */
    "CREATE TABLE lease(name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL,"
    " until INTEGER NOT NULL) WITHOUT ROWID;",

    /* From here on changes are additive, and an older program may go on beside a newer one. A put
       updates where it replaced before, so that clients may change their origin. */
    "INSERT INTO meta VALUES('schema_min', 7);"
    "DROP TRIGGER client_gone;"
    "CREATE TRIGGER client_gone AFTER UPDATE OF origin, deleted_at ON client"
    " WHEN (new.origin=1 AND new.deleted_at=0)<>(old.origin=1 AND old.deleted_at=0) BEGIN"
    " UPDATE meta SET value=value+(new.origin=1 AND new.deleted_at=0)"
    "-(old.origin=1 AND old.deleted_at=0) WHERE name='registered'; END;",

    /* When clients and consents were used: 0 of those before, until the cleaning has looked. */
    "ALTER TABLE client ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE consent ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX client_used ON client(used_at)"
    " WHERE origin=1 AND expires_at=0 AND deleted_at=0;"
    "CREATE INDEX consent_used ON consent(used_at);",

#ifdef STORE_TEST_NEXT_SCHEMA
    /* The next version, for tests of two versions side by side: a column with a value of its own,
     * and a table that the older program does not know. */
    "ALTER TABLE client ADD COLUMN next_note TEXT;"
    "ALTER TABLE session ADD COLUMN next_mark INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE refresh ADD COLUMN next_mark INTEGER NOT NULL DEFAULT 1;"
    "CREATE TABLE next_thing(id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;",
#endif
};
enum {
    NEWEST = sizeof MIGRATIONS / sizeof MIGRATIONS[0],
    APPLICATION_ID = 0x57415244 /* "WARD": file(1) and we know the file by it */
};

/* The oldest schema whose programs may use the database; where nothing says so, no older one's. */
static const char SCHEMA_MIN[] =
    "SELECT coalesce((SELECT value FROM meta WHERE name='schema_min'), 2147483647)";

/* The number that a PRAGMA or a count yields; -1 when it cannot be read. */
static int ask_number(sqlite_db_t *db, const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL) != SQLITE_OK)
        return -1;
    int value = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
    return sqlite3_finalize(s) == SQLITE_OK ? value : -1;
}

static rc_t run(sqlite_db_t *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : RC_IO;
}

static rc_t migrate_from(sqlite_db_t *db, int version)
{
    char set[96];
    for (; version < NEWEST; version++)
        TRY(run(db, MIGRATIONS[version]));
    sqlite3_snprintf(sizeof set, set, "PRAGMA user_version=%d; PRAGMA application_id=%d", NEWEST,
                     APPLICATION_ID);
    return run(db, set);
}

/* Within the transaction: two processes may start at once, and the second finds the work done. */
static rc_t migrate(sqlite_db_t *db, arena_t *a, const char *path, str_t *why)
{
    int version = ask_number(db, "PRAGMA user_version");
    int tables = ask_number(db, "SELECT count(*) FROM sqlite_master");
    int application = ask_number(db, "PRAGMA application_id");
    if (version < 0 || tables < 0 || sqlite3_errcode(db->handle) != SQLITE_OK)
        return sqlite_explain(a, path, db->handle, why);
    if (sqlite_was_replaced(db)) {
        *why = arena_printf(a, "the database %s was replaced while it was opened; try again", path);
        return RC_BUSY;
    }
    if (application != APPLICATION_ID && (tables > 0 || version > 0 || application != 0)) {
        *why = arena_printf(a,
                            "the database %s belongs to another program; give the setting data "
                            "another folder",
                            path);
        return RC_CONFIG;
    }
    if (version > NEWEST && ask_number(db, SCHEMA_MIN) > NEWEST) {
        *why = arena_printf(a,
                            "the database %s has schema %d, which programs that know up to %d "
                            "cannot use; start the newer program that wrote it",
                            path, version, NEWEST);
        return RC_CONFIG;
    }
    if (version >= NEWEST)
        return RC_OK;
    return migrate_from(db, version) == RC_OK ? RC_OK : sqlite_explain(a, path, db->handle, why);
}

rc_t sqlite_migrate(sqlite_db_t *db, arena_t *a, const char *path, str_t *why)
{
    if (run(db, "BEGIN IMMEDIATE") != RC_OK)
        return sqlite_explain(a, path, db->handle, why);
    rc_t rc = migrate(db, a, path, why);
    if (rc == RC_OK && run(db, "COMMIT") != RC_OK)
        rc = sqlite_explain(a, path, db->handle, why);
    /* Closing the connection, as the caller does now, rolls back what is open. */
    return rc;
}
