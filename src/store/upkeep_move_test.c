/* Whole stores read and filled: nothing is lost between two of any kind, and it is all or nothing.
 */
#include "store/postgres_test_run.h"
#include "store/store_test_dump.h"

#include <sqlite3.h>

typedef int (*begin_fn_t)(void **state);
static const begin_fn_t KINDS[] = {play_begin_memory, play_begin_sqlite, play_begin_postgres};

/* The last one is there only where tests have a server. */
static size_t kinds(void)
{
    return pg_test_has("WARDER_TEST_POSTGRES") ? 3 : 2;
}

static play_t *begin(size_t kind)
{
    void *state = NULL;
    KINDS[kind](&state);
    return state;
}

static void end(play_t *p)
{
    void *state = p;
    play_end(&state);
}

static void copy(play_t *from, play_t *to)
{
    str_t why = STR_UNSET;
    rc_t rc = play_copy(from, to, &why);
    if (rc != RC_OK)
        fail_msg("%s %" PRIstr, rc_name(rc), STR_ARG(why));
}

static void nothing_is_lost_between_any_two(void **state)
{
    (void)state;
    const size_t n = kinds();
    for (size_t i = 0; i < n * n; i++) {
        if (i == 8) /* two on the server would be one */
            continue;
        play_t *from = begin(i / n), *to = begin(i % n);
        play_put_all(from);
        copy(from, to);
        assert_str(play_dump(to), play_dump(from));
        end(from);
        end(to);
    }
}

static void every_table_is_read_but_leases(void **state)
{
    play_t *p = *state;
    play_put_all(p);
    str_t text = play_dump(p);
    for (int t = 0; t < TABLE_COUNT; t++) {
        str_t name = arena_printf(p->a, "{\"table\":\"%s\",", TABLES[t].name);
        assert_int_equal(str_contains(text, name), t != TABLE_LEASE);
    }
}

static void server_goes_on_with_what_was_filled_in(void **state)
{
    play_t *to = *state, *from = begin(1);
    play_put_all(from);
    copy(from, to);
    refresh_t r2 = test_refresh("r3", STR("f1"));
    ask_t session = {.kind = ASK_SESSION, .hash = test_hash("s1")};
    play_ask(to, &session);
    assert_str(session.owner->name, STR("ann"));
    play_add(to, EFFECT_REFRESH_INSERT)->u.refresh = &r2;
    assert_applied(to);
    ask_t ended = {.kind = ASK_FAMILY, .key = STR("f2")};
    play_ask(to, &ended);
    assert_int_equal(ended.family->revoked_at, TEST_NOW);
    end(from);
}

static void quotas_count_what_was_filled_in(void **state)
{
    play_t *to = *state, *from = begin(1);
    play_put_all(from);
    copy(from, to);
    pushed_t x = test_pushed("more");
    effect_t *e = play_add(to, EFFECT_PUSHED_INSERT);
    e->u.pushed = &x;
    e->quota.max_rows = 1;
    assert_refused(to, RC_LIMIT, 0);
    client_t c = test_client(STR("c3"));
    c.origin = CLIENT_BY_REGISTRATION;
    c.expires_at = 0;
    e = play_add(to, EFFECT_CLIENT_INSERT);
    e->u.client = &c;
    e->quota.max_clients = 3;
    assert_applied(to);
    end(from);
}

static uint64_t next_revocation(play_t *p)
{
    const revoked_t r = {.kind = REVOKED_TOKEN, .key = STR("new"), .at = 1, .expires_at = 2};
    ask_t list = {.kind = ASK_REVOCATIONS};
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
    play_ask(p, &list);
    return list.u.revoked[list.count - 1].seq;
}

static void numbers_of_revocations_go_on(void **state)
{
    play_t *to = *state, *from = begin(1);
    play_put_all(from);
    copy(from, to);
    assert_true(next_revocation(to) > 4);
    end(from);
}

/* What followers have seen may be forgotten long since. */
static void numbers_go_on_above_what_was_forgotten(void **state)
{
    play_t *to = *state, *from = begin(1);
    str_t why;
    test_source_t s;
    store_stats_t stats;
    play_put_all(from);
    assert_int_equal(play_expire(from, TEST_NOW + 100000, 1000), RC_OK);
    str_t rest = play_dump(from);
    assert_false(str_contains(rest, STR("\"revoked\"")));
    store_source_t source = test_source(&s, to->a, rest);
    assert_int_equal(store_stats(from->store, &stats, from->a, &why), RC_OK);
    assert_int_equal(stats.revocation, 4);
    s.revocation = 1000;
    assert_int_equal(store_fill(to->store, to->a, &source, &why), RC_OK);
    assert_true(next_revocation(to) > 1000);
    end(from);
}

static rc_t take(void *ctx, table_id_t table, const void *record)
{
    (void)record;
    (void)table;
    ++*(int *)ctx;
    return RC_OK;
}

static void dump_tells_the_newest_number(void **state)
{
    play_t *p = *state;
    uint64_t newest = 0;
    int rows = 0;
    str_t why;
    play_put_all(p);
    const store_sink_t sink = {take, &rows, &newest};
    assert_int_equal(store_dump(p->store, p->a, &sink, &why), RC_OK);
    ask_t list = {.kind = ASK_REVOCATIONS};
    play_ask(p, &list);
    assert_int_equal(list.count, 4);
    assert_int_equal(newest, list.u.revoked[3].seq);
    assert_true(rows > 15);
}

static rc_t refuse_third(void *ctx, table_id_t table, const void *record)
{
    (void)table;
    (void)record;
    return ++*(int *)ctx == 3 ? RC_BUSY : RC_OK;
}

static void sink_ends_the_dump(void **state)
{
    play_t *p = *state;
    int rows = 0;
    str_t why;
    play_put_all(p);
    const store_sink_t sink = {refuse_third, &rows, NULL};
    assert_int_equal(store_dump(p->store, p->a, &sink, &why), RC_BUSY);
    assert_int_equal(rows, 3);
    /* and nothing is held */
    assert_true(play_dump(p).n > 0);
}

static void caches_learn_of_it(void **state)
{
    play_t *to = *state, *from = begin(1);
    ask_t keys = {.kind = ASK_KEYS};
    play_ask(to, &keys);
    uint64_t before = store_generation(to->conn);
    play_put_all(from);
    copy(from, to);
    play_ask(to, &keys);
    assert_true(store_generation(to->conn) > before);
    end(from);
}

static void store_with_records_is_not_filled(void **state)
{
    play_t *to = *state, *from = begin(1);
    str_t why;
    play_put_all(from);
    user_t u = test_user(STR("u9"), STR("zoe"));
    put_user(to, &u);
    str_t before = play_dump(to);
    assert_int_equal(play_copy(from, to, &why), RC_CONFLICT);
    assert_true(str_contains(why, STR("holds records already")));
    assert_str(play_dump(to), before);
    end(from);
}

static void leases_do_not_count_as_records(void **state)
{
    play_t *to = *state, *from = begin(1);
    const lease_t lease = {STR("clean"), STR("n"), TEST_NOW + 60};
    play_put_all(from);
    play_add(to, EFFECT_LEASE_TAKE)->u.lease = &lease;
    assert_applied(to);
    copy(from, to);
    end(from);
}

static void source_that_fails_leaves_nothing(void **state)
{
    play_t *to = *state, *from = begin(1);
    test_source_t s;
    str_t why;
    play_put_all(from);
    const store_source_t source = test_source(&s, to->a, play_dump(from));
    s.ends_with = RC_MALFORMED;
    assert_int_equal(store_fill(to->store, to->a, &source, &why), RC_MALFORMED);
    assert_int_equal(play_dump(to).n, 0);
    copy(from, to);
    end(from);
}

static void record_that_comes_twice_leaves_nothing(void **state)
{
    play_t *to = *state, *from = begin(1);
    test_source_t s;
    str_t why;
    play_put_all(from);
    str_t lines = play_dump(from);
    str_t last = str_skip(lines, lines.n - 100);
    last = str_skip(last, str_find(last, '\n', 0) + 1);
    const store_source_t source = test_source(
        &s, to->a, arena_printf(to->a, "%" PRIstr "%" PRIstr, STR_ARG(lines), STR_ARG(last)));
    assert_int_equal(store_fill(to->store, to->a, &source, &why), RC_MALFORMED);
    assert_true(str_contains(why, STR("comes twice")));
    assert_int_equal(play_dump(to).n, 0);
    end(from);
}

static bool refresh_is_refused(play_t *p, str_t family, const refresh_t *t)
{
    ask_t ended = {.kind = ASK_FAMILY, .key = family};
    play_ask(p, &ended);
    assert_non_null(ended.family);
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = t;
    return play_apply(p) == RC_CONFLICT && ended.family->revoked_at > 0;
}

static revoked_t entry_about(revoked_kind_t kind, const family_t *f)
{
    return (revoked_t){.kind = kind,
                       .key = kind == REVOKED_CLIENT ? f->client_id : STR(""),
                       .at = TEST_NOW + 2,
                       .expires_at = TEST_NOW + 1000};
}

static const revoked_kind_t OF_MANY[] = {REVOKED_CLIENT, REVOKED_ALL};

/* A PostgreSQL store writes the ends of very many grants step by step. */
static void put_very_many(play_t *p, const family_t *f)
{
    char sql[300];
    PGconn *pg = PQconnectdb(p->conninfo);
    put_family(p, f);
    snprintf(sql, sizeof sql,
             "CREATE TEMPORARY TABLE more AS SELECT * FROM family; INSERT INTO family SELECT "
             "(jsonb_populate_record(more, jsonb_build_object('id', 'm' || i))).* FROM more, "
             "generate_series(1, 2500) AS i; DROP TABLE more");
    pg_test_sql(pg, sql);
    PQfinish(pg);
}

/* A code and an approval that nobody has fetched yet. */
static void put_unfetched(play_t *p, const char *name, int64_t at)
{
    code_t c = test_code(name, str_c(name));
    device_t d = test_device(name, str_c(name));
    d.state = DEVICE_APPROVED;
    d.user_id = c.user_id;
    c.created_at = d.created_at = at;
    put_code(p, &c);
    put_device(p, &d);
}

static void grants_that_are_ended_step_by_step_move_as_ended(void **state)
{
    (void)state;
    if (kinds() < 3)
        skip();
    for (size_t i = 0; i < 2; i++) {
        play_t *from = begin(2), *to = begin(1);
        const family_t f = test_family(STR("first"));
        const revoked_t entry = entry_about(OF_MANY[i], &f);
        refresh_t t = test_refresh("r", STR("m2500"));
        store_stats_t stats;
        str_t why;
        put_very_many(from, &f);
        put_refresh(from, &t);
        play_add(from, EFFECT_REVOCATION_PUT)->u.revoked = &entry;
        assert_applied(from);
        put_unfetched(from, "on its way", entry.at);
        assert_int_equal(store_stats(from->store, &stats, from->a, &why), RC_OK);
        assert_int_equal(stats.oldest, 0);
        str_t lines = play_dump(from);
        assert_false(str_contains(lines, STR("\"revoked_at\":0")));
        copy(from, to);
        assert_str(play_dump(to), lines); /* as whoever moves a store compares them */
        assert_null(get_code(to, "on its way"));
        assert_int_equal(get_device(to, "on its way")->state, DEVICE_DENIED);
        assert_true(refresh_is_refused(to, t.family_id, &t));
        assert_int_equal(store_stats(to->store, &stats, to->a, &why), RC_OK);
        assert_int_equal(stats.table[TABLE_FAMILY].rows, 2501);
        assert_int_equal(stats.oldest, 0);
        end(from);
        end(to);
    }
}

/* As exports of before wrote them: alive, and the entry beside them. */
static void grants_that_an_entry_ends_are_filled_in_as_ended(void **state)
{
    play_t *to = *state;
    for (size_t i = 0; i < 2; i++) {
        play_t *grants = begin(1), *entries = begin(1);
        test_source_t s;
        str_t why;
        family_t f = test_family(STR("f")), late = test_family(STR("late"));
        const revoked_t entry = entry_about(OF_MANY[i], &f);
        const refresh_t t = test_refresh("r", f.id), good = test_refresh("good", late.id);
        late.created_at = entry.at + 1;
        put_unfetched(grants, "f", entry.at);
        put_unfetched(grants, "late", entry.at + 1);
        put_family(grants, &f);
        put_family(grants, &late);
        put_refresh(grants, &t);
        put_refresh(grants, &good);
        play_add(entries, EFFECT_REVOCATION_PUT)->u.revoked = &entry;
        assert_applied(entries);
        str_t lines = arena_printf(to->a, "%" PRIstr "%" PRIstr, STR_ARG(play_dump(grants)),
                                   STR_ARG(play_dump(entries)));
        const store_source_t source = test_source(&s, to->a, lines);
        play_close(to);
        play_empty(to);
        play_open(to);
        assert_int_equal(store_fill(to->store, to->a, &source, &why), RC_OK);
        assert_true(refresh_is_refused(to, f.id, &t));
        assert_false(refresh_is_refused(to, late.id, &good));
        assert_null(get_code(to, "f"));
        assert_non_null(get_code(to, "late"));
        assert_int_equal(get_device(to, "f")->state, DEVICE_DENIED);
        assert_int_equal(get_device(to, "late")->state, DEVICE_APPROVED);
        end(grants);
        end(entries);
    }
}

static void run_beside(play_t *p, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* What the ends of codes pass by: nobody redeemed it, and it had expired. Beside it one that is
 * spent, which tells of replays, and one of later. */
static void put_expired(play_t *p, int64_t at)
{
    code_t expired = test_code("expired", STR("f")), spent = test_code("spent", STR("f"));
    code_t later = test_code("later", STR("f"));
    expired.created_at = spent.created_at = at - 600;
    expired.expires_at = spent.expires_at = at - 540;
    spent.consumed_at = at - 590;
    later.created_at = at + 1;
    put_code(p, &expired);
    put_code(p, &spent);
    put_code(p, &later);
}

/* To each kind of store, behind an entry of either kind, what is read again is what was read. */
static void moves_as_it_is(void (*settle)(play_t *from, const revoked_t *entry),
                           void (*look)(play_t *to))
{
    for (size_t i = 0; i < 2 * kinds(); i++) {
        play_t *from = begin(1), *to = begin(i / 2);
        const family_t f = test_family(STR("f"));
        const revoked_t entry = entry_about(OF_MANY[i % 2], &f);
        put_family(from, &f);
        settle(from, &entry);
        copy(from, to);
        assert_str(play_dump(to), play_dump(from)); /* as whoever moves a store compares them */
        look(to);
        end(from);
        end(to);
    }
}

static void settle_expired(play_t *from, const revoked_t *entry)
{
    put_expired(from, entry->at);
    play_add(from, EFFECT_REVOCATION_PUT)->u.revoked = entry;
    assert_applied(from);
    assert_non_null(get_code(from, "expired"));
}

static void expired_is_gone(play_t *to)
{
    assert_null(get_code(to, "expired"));
    assert_non_null(get_code(to, "spent"));
    assert_non_null(get_code(to, "later"));
}

static void code_that_expired_before_an_entry_hinders_no_move(void **state)
{
    (void)state;
    moves_as_it_is(settle_expired, expired_is_gone);
}

/* An older program wrote down alive what came behind the entry. */
static void settle_late(play_t *from, const revoked_t *entry)
{
    char sql[300];
    const family_t late = test_family(STR("late"));
    play_add(from, EFFECT_REVOCATION_PUT)->u.revoked = entry;
    assert_applied(from);
    put_family(from, &late);
    put_unfetched(from, "late", entry->at + 1);
    put_unfetched(from, "good", entry->at + 1);
    play_close(from);
    snprintf(sql, sizeof sql,
             "UPDATE family SET revoked_at=0, revoked_reason=NULL WHERE id='late';"
             "UPDATE code SET created_at=%lld WHERE family_id='late';"
             "UPDATE device SET created_at=%lld WHERE user_code='late'",
             (long long)entry->at, (long long)entry->at);
    run_beside(from, sql);
    play_open(from);
    assert_int_equal(get_device(from, "late")->state, DEVICE_APPROVED);
}

static void late_is_ended(play_t *to)
{
    const family_t *f = get_family(to, STR("late"));
    assert_int_equal(f->revoked_at, TEST_NOW + 2);
    assert_true(str_is_set(f->revoked_reason));
    assert_null(get_code(to, "late"));
    assert_non_null(get_code(to, "good"));
    assert_int_equal(get_device(to, "late")->state, DEVICE_DENIED);
    assert_int_equal(get_device(to, "good")->state, DEVICE_APPROVED);
}

static void what_an_older_program_left_alive_moves_as_ended(void **state)
{
    (void)state;
    moves_as_it_is(settle_late, late_is_ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_any_two),
        ON_EVERY_STORE(every_table_is_read_but_leases),
        ON_EVERY_STORE(server_goes_on_with_what_was_filled_in),
        ON_EVERY_STORE(quotas_count_what_was_filled_in),
        ON_EVERY_STORE(numbers_of_revocations_go_on),
        ON_EVERY_STORE(numbers_go_on_above_what_was_forgotten),
        ON_EVERY_STORE(dump_tells_the_newest_number),
        ON_EVERY_STORE(sink_ends_the_dump),
        ON_EVERY_STORE(caches_learn_of_it),
        ON_EVERY_STORE(store_with_records_is_not_filled),
        ON_EVERY_STORE(leases_do_not_count_as_records),
        ON_EVERY_STORE(source_that_fails_leaves_nothing),
        ON_EVERY_STORE(record_that_comes_twice_leaves_nothing),
        cmocka_unit_test(grants_that_are_ended_step_by_step_move_as_ended),
        cmocka_unit_test(code_that_expired_before_an_entry_hinders_no_move),
        cmocka_unit_test(what_an_older_program_left_alive_moves_as_ended),
        ON_EVERY_STORE(grants_that_an_entry_ends_are_filled_in_as_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
