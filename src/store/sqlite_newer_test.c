/* A database that a newer program has changed: what it added stays, and what cannot be understood
 * is refused. */
#include "store/store_test_util.h"

#include <sqlite3.h>

static void execute(play_t *p, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
}

static str_t text_of(play_t *p, const char *sql)
{
    sqlite3 *handle;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    str_t text = arena_dup(p->a, str_c((const char *)sqlite3_column_text(s, 0)));
    sqlite3_finalize(s);
    sqlite3_close(handle);
    return text;
}

static void really_put(play_t *p, const client_t *c)
{
    play_add(p, EFFECT_CLIENT_PUT)->u.client = c;
    assert_applied(p);
}

static const char ADDITIVE[] = "PRAGMA user_version=99;"
                               "ALTER TABLE client ADD COLUMN next_note TEXT;"
                               "ALTER TABLE interaction ADD COLUMN next_note TEXT;"
                               "ALTER TABLE consent ADD COLUMN next_note TEXT;"
                               "ALTER TABLE resource ADD COLUMN next_note TEXT;"
                               "ALTER TABLE key ADD COLUMN next_note TEXT;"
                               "CREATE TABLE next_thing(id TEXT)";

static void additive_schema_is_used(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c1"));
    play_close(p);
    execute(p, ADDITIVE);
    play_open(p);
    put_client(p, &c);
    assert_str(get_client(p, STR("c1"))->name, c.name);
    /* and its number stays that of the newer program, which would migrate twice otherwise */
    assert_str(text_of(p, "PRAGMA user_version"), STR("99"));
}

static void newer_columns_survive_a_put(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c1"));
    interaction_t i = test_interaction("i");
    consent_t consent = {.user_id = STR("u"), .client_id = STR("c"), .resource = STR("r")};
    resource_t resource = {.uri = STR("https://r.test/")};
    key_record_t key = {.kid = STR("k"), .alg = STR("ES256"), .secret = STR("s")};
    static const char *const TABLES_PUT[] = {"client", "interaction", "consent", "resource", "key"};
    play_close(p);
    execute(p, ADDITIVE);
    play_open(p);
    c.deleted_at = 0;
    for (int round = 0; round < 2; round++) {
        really_put(p, &c);
        if (round == 0) {
            put_interaction(p, &i);
        } else {
            effect_t *e = play_add(p, EFFECT_INTERACTION_UPDATE);
            e->u.interaction = &i;
            e->expect_interaction = i.state;
        }
        play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
        play_add(p, EFFECT_RESOURCE_PUT)->u.resource = &resource;
        play_add(p, EFFECT_KEY_PUT)->u.key_record = &key;
        assert_applied(p);
        for (size_t t = 0; t < 5; t++) {
            if (round == 0)
                execute(p, arena_printf(p->a, "UPDATE %s SET next_note='kept'", TABLES_PUT[t]).p);
            else
                assert_str(
                    text_of(p, arena_printf(p->a, "SELECT next_note FROM %s", TABLES_PUT[t]).p),
                    STR("kept"));
        }
        c.name = STR("renamed");
        consent.scope = STR("wider");
    }
    assert_str(get_client(p, STR("c1"))->name, STR("renamed"));
}

/* A replaced row counted as deleted and inserted; an updated one must count by what it becomes. */
static void quota_follows_what_a_put_changes(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c1"));
    const char *count = "SELECT value FROM meta WHERE name='registered'";
    c.deleted_at = 0;
    c.origin = CLIENT_BY_REGISTRATION;
    really_put(p, &c);
    really_put(p, &c);
    assert_str(text_of(p, count), STR("1"));
    c.origin = CLIENT_BY_ADMIN;
    really_put(p, &c);
    assert_str(text_of(p, count), STR("0"));
    c.origin = CLIENT_BY_REGISTRATION;
    really_put(p, &c);
    c.deleted_at = TEST_NOW;
    really_put(p, &c);
    assert_str(text_of(p, count), STR("0"));
}

/* attack case: OPS-013 */
static void value_of_a_newer_program_is_refused_and_not_misread(void **state)
{
    static const struct {
        const char *sql;
        ask_kind_t kind;
    } ROWS[] = {
        {"UPDATE client SET auth=99", ASK_CLIENT},
        {"UPDATE client SET origin=-1", ASK_CLIENT},
        {"UPDATE client SET type=4294967296", ASK_CLIENT},
        {"UPDATE key SET use=9", ASK_KEYS},
        {"UPDATE revoked SET kind=5", ASK_REVOCATIONS},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        void *other;
        play_begin_sqlite(&other);
        play_t *p = other;
        client_t c = test_client(STR("c1"));
        const key_record_t key = {.kid = STR("k"), .alg = STR("ES256"), .secret = STR("s")};
        const revoked_t r = {.kind = REVOKED_TOKEN, .key = STR("j"), .at = 1, .expires_at = 9};
        put_client(p, &c);
        play_add(p, EFFECT_KEY_PUT)->u.key_record = &key;
        play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
        assert_applied(p);
        execute(p, ROWS[i].sql);
        ask_t ask = {.kind = ROWS[i].kind, .key = STR("c1")};
        assert_int_equal(play_ask_all(p, &ask, 1), RC_IO);
        play_end(&other);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(additive_schema_is_used),
        ON_SQLITE(newer_columns_survive_a_put),
        ON_SQLITE(quota_follows_what_a_put_changes),
        cmocka_unit_test(value_of_a_newer_program_is_refused_and_not_misread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
