/* The contract of clients that are put, and of what goes with one that is deleted, for every
 * driver. */
#include "store/store_test_util.h"

static rc_t put(play_t *p, const client_t *c)
{
    play_add(p, EFFECT_CLIENT_PUT)->u.client = c;
    return play_apply(p);
}

static rc_t delete_at(play_t *p, str_t id, int64_t at)
{
    effect_t *e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = id;
    e->at = at;
    return play_apply(p);
}

static rc_t insert_below(play_t *p, const client_t *c, uint64_t max)
{
    effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = c;
    e->quota.max_clients = max;
    return play_apply(p);
}

static client_t sealed_client(str_t id)
{
    client_t c = test_client(id);
    c.sealed = true;
    return c;
}

static size_t count_clients(play_t *p)
{
    ask_t all = {.kind = ASK_CLIENTS};
    play_ask(p, &all);
    return all.count;
}

static void client_put_inserts_and_replaces(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("https://c.test/client.json"));
    c.origin = CLIENT_BY_DOCUMENT;
    assert_int_equal(put(p, &c), RC_OK);
    assert_str(get_client(p, c.id)->name, c.name);
    c.name = STR("Another name");
    c.document = test_hash("another document");
    assert_int_equal(put(p, &c), RC_OK);
    assert_str(get_client(p, c.id)->name, c.name);
    assert_memory_equal(&get_client(p, c.id)->document, &c.document, sizeof c.document);
    assert_int_equal(count_clients(p), 1);
}

static void client_that_is_replaced_counts_once(void **state)
{
    play_t *p = *state;
    client_t a = test_client(STR("a")), b = test_client(STR("b"));
    a.expires_at = b.expires_at = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(p, &a), RC_OK);
    assert_int_equal(insert_below(p, &b, 2), RC_OK);
    client_t c = test_client(STR("c"));
    assert_int_equal(insert_below(p, &c, 2), RC_LIMIT);
}

static void sealed_client_stays_known_as_gone(void **state)
{
    play_t *p = *state;
    client_t c = sealed_client(STR("sealed")), other = sealed_client(STR("other"));
    const int64_t end = c.expires_at;
    c.expires_at = 0;
    assert_int_equal(put(p, &c), RC_OK);
    assert_int_equal(put(p, &other), RC_OK);
    assert_int_equal(delete_at(p, c.id, TEST_NOW + 3), RC_OK);
    const client_t *got = get_client(p, c.id);
    assert_non_null(got);
    assert_true(got->stored && got->sealed);
    assert_int_equal(got->deleted_at, TEST_NOW + 3);
    assert_int_equal(got->expires_at, 0);
    assert_int_equal(get_client(p, other.id)->deleted_at, 0);
    assert_int_equal(count_clients(p), 1);
    assert_int_equal(play_expire(p, end + 1, 100), RC_OK);
    assert_non_null(get_client(p, c.id));
    assert_null(get_client(p, other.id));
}

static void client_that_is_gone_is_never_revived(void **state)
{
    play_t *p = *state;
    client_t c = sealed_client(STR("sealed"));
    assert_int_equal(put(p, &c), RC_OK);
    assert_int_equal(delete_at(p, c.id, TEST_NOW + 3), RC_OK);
    assert_int_equal(put(p, &c), RC_CONFLICT);
    assert_int_equal(insert_below(p, &c, 0), RC_CONFLICT);
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = c.id;
    assert_refused(p, RC_CONFLICT, 0);
    assert_int_equal(delete_at(p, c.id, TEST_NOW + 9), RC_CONFLICT);
    assert_int_equal(get_client(p, c.id)->deleted_at, TEST_NOW + 3);
}

/* A sealed id that nobody stored until it was deleted: the mark alone is put. */
static void mark_of_a_client_that_is_gone_may_be_put(void **state)
{
    play_t *p = *state;
    client_t c = sealed_client(STR("sealed"));
    const int64_t end = c.expires_at;
    c.expires_at = 0;
    c.deleted_at = TEST_NOW;
    assert_int_equal(put(p, &c), RC_OK);
    assert_int_equal(get_client(p, c.id)->deleted_at, TEST_NOW);
    assert_int_equal(count_clients(p), 0);
    assert_int_equal(play_expire(p, end + 1, 100), RC_OK);
    c.deleted_at = 0;
    assert_int_equal(put(p, &c), RC_CONFLICT);
}

static void client_that_is_gone_holds_no_place(void **state)
{
    play_t *p = *state;
    client_t a = sealed_client(STR("a")), b = test_client(STR("b")), c = test_client(STR("c"));
    a.expires_at = b.expires_at = 0;
    assert_int_equal(insert_below(p, &a, 1), RC_OK);
    assert_int_equal(insert_below(p, &b, 1), RC_LIMIT);
    assert_int_equal(delete_at(p, a.id, TEST_NOW), RC_OK);
    assert_int_equal(insert_below(p, &b, 1), RC_OK);
    assert_int_equal(insert_below(p, &c, 1), RC_LIMIT);
    assert_non_null(get_client(p, a.id));
}

static void client_that_is_gone_makes_no_room(void **state)
{
    play_t *p = *state;
    client_t gone = sealed_client(STR("gone")), used = test_client(STR("used"));
    client_t c = test_client(STR("c"));
    gone.deleted_at = TEST_NOW;
    used.expires_at = 0;
    assert_int_equal(put(p, &gone), RC_OK);
    assert_int_equal(insert_below(p, &used, 1), RC_OK);
    assert_int_equal(insert_below(p, &c, 1), RC_LIMIT);
    assert_non_null(get_client(p, gone.id));
}

/* What nobody has used is forgotten, deleted or not; what somebody has is never. */
static void mark_of_a_client_that_nobody_used_expires(void **state)
{
    play_t *p = *state;
    client_t unused = sealed_client(STR("unused")), used = sealed_client(STR("used"));
    unused.expires_at = TEST_NOW + 10;
    used.expires_at = 0;
    assert_int_equal(insert_below(p, &unused, 2), RC_OK);
    assert_int_equal(insert_below(p, &used, 2), RC_OK);
    assert_int_equal(delete_at(p, unused.id, TEST_NOW), RC_OK);
    assert_int_equal(delete_at(p, used.id, TEST_NOW), RC_OK);
    assert_int_equal(play_expire(p, TEST_NOW + 10, 100), RC_OK);
    assert_non_null(get_client(p, unused.id));
    assert_int_equal(play_expire(p, TEST_NOW + 11, 100), RC_OK);
    assert_null(get_client(p, unused.id));
    assert_int_equal(get_client(p, used.id)->deleted_at, TEST_NOW);
    assert_int_equal(insert_below(p, &unused, 1), RC_OK); /* and counted once */
}

static void grants_leave_out_a_client_that_is_gone(void **state)
{
    play_t *p = *state;
    client_t c = sealed_client(STR("c1"));
    consent_t consent = {.user_id = STR("u1"), .client_id = c.id, .resource = STR("r")};
    c.deleted_at = TEST_NOW;
    assert_int_equal(put(p, &c), RC_OK);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
    assert_applied(p);
    ask_t ask = {.kind = ASK_GRANTS, .key = STR("u1")};
    play_ask(p, &ask);
    assert_int_equal(ask.count, 1);
    assert_null(ask.u.grants[0].client);
}

/* What the client of that number holds: an open code, a spent one, a device, a pushed request. */
static void settle(play_t *p, int i)
{
    const char *open = arena_printf(p->a, "open%d", i).p;
    const char *spent = arena_printf(p->a, "spent%d", i).p;
    const char *late = arena_printf(p->a, "late%d", i).p;
    str_t id = arena_printf(p->a, "c%d", i);
    client_t c = test_client(id);
    code_t code = test_code(open, id), used = test_code(spent, id), past = test_code(late, id);
    device_t d = test_device(open, id);
    pushed_t x = test_pushed(open);
    code.request.client_id = used.request.client_id = past.request.client_id = id;
    d.client_id = x.client_id = id;
    used.consumed_at = TEST_NOW - 1;
    past.expires_at = TEST_NOW - 1;
    put_client(p, &c);
    put_code(p, &code);
    put_code(p, &used);
    put_code(p, &past);
    put_device(p, &d);
    put_pushed(p, &x);
}

static void client_delete_ends_what_it_had_begun(void **state)
{
    play_t *p = *state;
    settle(p, 1);
    settle(p, 2);
    assert_int_equal(delete_at(p, STR("c1"), TEST_NOW), RC_OK);
    assert_null(get_code(p, "open1"));
    assert_non_null(get_code(p, "spent1")); /* a replay is still known */
    assert_null(get_device(p, "open1"));
    assert_null(get_pushed(p, "open1"));
    assert_non_null(get_code(p, "open2"));
    assert_non_null(get_device(p, "open2"));
    assert_non_null(get_pushed(p, "open2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(client_put_inserts_and_replaces),
        ON_EVERY_STORE(client_that_is_replaced_counts_once),
        ON_EVERY_STORE(sealed_client_stays_known_as_gone),
        ON_EVERY_STORE(client_that_is_gone_is_never_revived),
        ON_EVERY_STORE(mark_of_a_client_that_is_gone_may_be_put),
        ON_EVERY_STORE(client_that_is_gone_holds_no_place),
        ON_EVERY_STORE(client_that_is_gone_makes_no_room),
        ON_EVERY_STORE(mark_of_a_client_that_nobody_used_expires),
        ON_EVERY_STORE(grants_leave_out_a_client_that_is_gone),
        ON_EVERY_STORE(client_delete_ends_what_it_had_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
