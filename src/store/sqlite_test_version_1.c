#include "store/sqlite_test_version_1.h"

#include "store/store_test_util.h"

/* Frozen: as it shipped. */
#define REQUEST_COLUMNS                                                                            \
    "client_id TEXT, redirect_uri TEXT, redirect_uri_given INTEGER NOT NULL, "                     \
    "req_state TEXT, code_challenge TEXT, scope TEXT, resource TEXT, "                             \
    "nonce TEXT, prompt TEXT, max_age INTEGER NOT NULL"

static const char SCHEMA[] =
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
    "CREATE INDEX registration_token_expires ON registration_token(expires_at);";

/* A row in every table, two where one stands for others; the texts hold bytes that are hostile. */
static const char ROWS[] =
    "INSERT INTO client VALUES('c1', 'A client', 2, 1, 1, 1, h('secret'), 5,"
    " CAST('17:https://a.test/cb,0:,-,' AS BLOB), 'a b', 'https://a.test/', 'logo', 'tos',"
    " 'policy', 'software', '1.2', CAST('11:mail@a.test,' AS BLOB), 1699999995, 1700000100);"
    "INSERT INTO client VALUES('admin', NULL, 0, 0, 0, 0, h(''), 1, x'', NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL, x'', 7, 0);"
    "INSERT INTO client VALUES('used', CAST(x'27ff00e28080' AS TEXT), 0, 0, 1, 0, h(''), 1, x'',"
    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, x'', 8, 0);"
    "INSERT INTO user VALUES('u1', 'mia', '$argon2id$x', 0, 1, 1699999990, 1699999991);"
    "INSERT INTO session VALUES(h('s'), 'u1', 1, 2, 3, 1700000100);"
    "INSERT INTO interaction VALUES(h('i'), 1, 2, h('s'), 'c1', 'http://127.0.0.1:5/cb', 1,"
    " CAST(x'00ff' AS TEXT), 'challenge', 'a b', 'https://r.test/mcp', 'nonce', 'consent', -1,"
    " 'a', 1, 1700000100, 2);"
    "INSERT INTO code VALUES(h('c'), 'f1', 'u1', 'c1', 'http://127.0.0.1:5/cb', 0, 'state',"
    " 'challenge', 'a', 'https://r.test/mcp', NULL, NULL, 30, 1, 2, 1700000060, 0);"
    "INSERT INTO code VALUES(h('spent'), 'f1', 'u1', 'c1', NULL, 0, NULL, NULL, NULL, NULL, NULL,"
    " NULL, -1, 1, 2, 1700000060, 5);"
    "INSERT INTO family VALUES('f1', 'c1', 'u1', 'a', 'https://r.test/mcp', 1, 2, 1700001000, 0,"
    " NULL);"
    "INSERT INTO family VALUES('f2', 'c1', 'u1', 'a', 'https://r.test/mcp', 1, 2, 1700001000, 9,"
    " 'refresh_reuse');"
    "INSERT INTO refresh VALUES(h('r'), 'f1', h('parent'), 3, 1700000100, 4, 2);"
    "INSERT INTO consent VALUES('u1', 'c1', 'https://r.test/mcp', 'https://a.test/cb', 'a', 6);"
    "INSERT INTO resource VALUES('https://r.test/mcp', 'R', CAST('14:https://r.test,' AS BLOB),"
    " CAST('1:a,6:Do \"a\",' AS BLOB), 'a', 7);"
    "INSERT INTO key VALUES('k1', 'ES256', 0, 1, x'0030ff00', 1, 2, 0);"
    "INSERT INTO registration_token VALUES(h('t'), 1, 1700000100);"
    "UPDATE meta SET value=41 WHERE name='generation';"
    "PRAGMA user_version=1; PRAGMA application_id=1463898692;";

/* h('text'): the hash that the tests have for it. */
static void hash_of(sqlite3_context *context, int n, sqlite3_value **values)
{
    hash_t h = test_hash((const char *)sqlite3_value_text(values[0]));
    assert_int_equal(n, 1);
    sqlite3_result_blob(context, h.b, sizeof h.b, SQLITE_TRANSIENT);
}

static void execute(sqlite3 *handle, const char *sql)
{
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(handle));
}

void test_write_version_1(const char *path)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_create_function(handle, "h", 1, SQLITE_UTF8, NULL, hash_of, NULL, NULL), SQLITE_OK);
    execute(handle, "PRAGMA journal_mode=WAL; BEGIN");
    execute(handle, SCHEMA);
    execute(handle, ROWS);
    execute(handle, "COMMIT");
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}
