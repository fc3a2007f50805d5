/* A database of an earlier version: nothing is lost, and what is new in it says "none". */
#include "store/sqlite_test_version_1.h"
#include "store/store_test_util.h"

#include <unistd.h>

enum { MOST = 128 };

/* Each row that a query yields, one text a row; in the arena. */
static str_list_t rows_of(play_t *p, const char *sql)
{
    sqlite3 *handle;
    sqlite3_stmt *s;
    str_t *v = ARENA_ARRAY(p->a, MOST, str_t);
    size_t n = 0;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        assert_true(n < MOST);
        v[n++] = arena_dup(p->a, str_c((const char *)sqlite3_column_text(s, 0)));
    }
    sqlite3_finalize(s);
    sqlite3_close(handle);
    return (str_list_t){v, n};
}

/* For each table a query that quotes all of its columns. */
static const char QUERIES[] =
    "SELECT 'SELECT ' || group_concat('hex(' || c.name || ')||typeof(' || c.name || ')', '||') ||"
    " ' FROM ' || m.name || ' ORDER BY 1' FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    " WHERE m.type='table' AND m.name<>'meta' GROUP BY m.name ORDER BY m.name";

static void start_with_version_1(play_t *p)
{
    play_close(p);
    assert_int_equal(unlink(p->path), 0);
    test_write_version_1(p->path);
}

/* Every value of every row of every table of the first version, before and after. */
static void no_value_is_lost(void **state)
{
    play_t *p = *state;
    str_list_t before[MOST];
    start_with_version_1(p);
    str_list_t queries = rows_of(p, QUERIES);
    assert_int_equal(queries.n, 11);
    for (size_t i = 0; i < queries.n; i++)
        before[i] = rows_of(p, arena_cstr(p->a, queries.v[i]));
    play_open(p);
    for (size_t i = 0; i < queries.n; i++) {
        assert_true(before[i].n > 0);
        assert_list(rows_of(p, arena_cstr(p->a, queries.v[i])), before[i]);
    }
}

static const char SCHEMA[] = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM"
                             " sqlite_master ORDER BY 1";

/* Else what was tested on a new database would not hold on one that has grown. */
static void schema_is_that_of_a_new_database(void **state)
{
    play_t *p = *state;
    str_list_t fresh = rows_of(p, SCHEMA);
    start_with_version_1(p);
    play_open(p);
    assert_list(rows_of(p, SCHEMA), fresh);
    assert_list(rows_of(p, "PRAGMA user_version"), (str_list_t){(str_t[]){STR("8")}, 1});
}

static void assert_none(hash_t h)
{
    static const hash_t ZERO;
    assert_memory_equal(&h, &ZERO, sizeof ZERO);
}

static void old_client_has_nothing_new(void **state)
{
    play_t *p = *state;
    start_with_version_1(p);
    play_open(p);
    const client_t *c = get_client(p, STR("c1"));
    assert_str(c->name, STR("A client"));
    assert_int_equal(c->redirect_uris.n, 3);
    assert_str(c->redirect_uris.v[0], STR("https://a.test/cb"));
    assert_false(str_is_set(c->redirect_uris.v[2]));
    assert_true(c->has_secret && c->stored);
    assert_false(str_is_set(c->jwks) || str_is_set(c->jwks_uri) || str_is_set(c->vouched_by));
    assert_false(c->dpop_bound || c->par_required || c->lenient_loopback || c->sealed);
    assert_int_equal(c->resources.n + c->exchange_to.n, 0);
    assert_none(c->management);
    assert_none(c->document);
    assert_int_equal(c->deleted_at, 0);
}

static void assert_no_new_request(const authz_request_t *r)
{
    assert_false(str_is_set(r->acr_values) || str_is_set(r->dpop_jkt));
    assert_none(r->pushed);
    assert_none(r->device);
}

static void old_grants_are_not_bound(void **state)
{
    play_t *p = *state;
    start_with_version_1(p);
    play_open(p);
    ask_t refresh = {.kind = ASK_REFRESH, .hash = test_hash("r")};
    play_ask(p, &refresh);
    assert_int_equal(refresh.u.refresh->uses, 2);
    assert_false(str_is_set(refresh.family->jkt) || str_is_set(refresh.family->acr));
    assert_false(str_is_set(refresh.family->redirect_uri));
    assert_false(str_is_set(refresh.owner->issuer) || str_is_set(refresh.owner->subject));
    assert_int_equal(refresh.owner->groups.n, 0);
    assert_false(str_is_set(get_session(p, "s")->acr));
    assert_int_equal(get_code(p, "spent")->consumed_at, 5);
    assert_false(str_is_set(get_code(p, "c")->acr));
    assert_no_new_request(&get_code(p, "c")->request);
    assert_str(get_interaction(p, "i")->request.state, STR("\0\xff"));
    assert_no_new_request(&get_interaction(p, "i")->request);
    consent_t key = {.user_id = STR("u1"),
                     .client_id = STR("c1"),
                     .resource = STR("https://r.test/mcp"),
                     .redirect_uri = STR("https://a.test/cb")};
    assert_str(get_consent(p, &key)->scope, STR("a"));
    assert_none(get_consent(p, &key)->document);
}

static void old_resources_and_keys_are_as_before(void **state)
{
    play_t *p = *state;
    start_with_version_1(p);
    play_open(p);
    ask_t asks[] = {{.kind = ASK_RESOURCES}, {.kind = ASK_KEYS}};
    assert_int_equal(play_ask_all(p, asks, 2), RC_OK);
    const resource_t *r = asks[0].u.resources;
    const key_record_t *k = asks[1].u.keys;
    assert_int_equal(asks[0].count, 1);
    assert_str(r->scopes[0].text, STR("Do \"a\""));
    assert_int_equal(r->access_token_lifetime, 0);
    assert_int_equal(r->token_format, TOKEN_JWT);
    assert_false(r->dpop_required || r->from_settings);
    assert_int_equal(asks[1].count, 1);
    assert_str(k->secret, STR("\0\x30\xff\0"));
    assert_false(str_is_set(k->sealed_by));
    assert_int_equal(store_generation(p->conn), 41);
}

static rc_t register_below(play_t *p, str_t id, uint64_t max)
{
    client_t c = test_client(id);
    effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = &c;
    e->quota.max_clients = max;
    return play_apply(p);
}

/* Two were registered, of which one is used. */
static void old_registrations_count_and_make_room(void **state)
{
    play_t *p = *state;
    start_with_version_1(p);
    play_open(p);
    assert_int_equal(register_below(p, STR("new"), 3), RC_OK);
    assert_non_null(get_client(p, STR("c1")));
    assert_int_equal(register_below(p, STR("newer"), 3), RC_OK);
    assert_null(get_client(p, STR("c1")));
    assert_non_null(get_client(p, STR("used")));
    assert_non_null(get_client(p, STR("admin")));
}

/* The old rows work on: what was given before the change can be used, ended and forgotten. */
static void old_grants_go_on(void **state)
{
    play_t *p = *state;
    start_with_version_1(p);
    play_open(p);
    refresh_t r = test_refresh("r", STR("f1")), next = test_refresh("r2", STR("f1"));
    hash_t code = test_hash("c");
    r.uses = 2;
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = &r;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &next;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &code;
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = STR("c1");
    assert_applied(p);
    ask_t ask = {.kind = ASK_REVOKED, .key = STR("f1.x"), .key3 = STR("c1"), .since = TEST_NOW};
    play_ask(p, &ask);
    assert_int_equal(ask.count, 2); /* the client, and the grant */
    assert_int_equal(get_family(p, STR("f1"))->revoked_at, TEST_NOW);
    assert_int_equal(get_family(p, STR("f2"))->revoked_at, 9);
    assert_int_equal(play_expire(p, TEST_NOW + 100000, 1000), RC_OK);
    assert_null(get_refresh(p, "r"));
    assert_null(get_session(p, "s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(no_value_is_lost),
        ON_SQLITE(schema_is_that_of_a_new_database),
        ON_SQLITE(old_client_has_nothing_new),
        ON_SQLITE(old_grants_are_not_bound),
        ON_SQLITE(old_resources_and_keys_are_as_before),
        ON_SQLITE(old_registrations_count_and_make_room),
        ON_SQLITE(old_grants_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
