/* The disk and the memory failing at every call of decisions that change many rows, and of a
 * migration: all of it happened or nothing did. */
#include "store/sqlite_test_fault.h"
#include "store/sqlite_test_version_1.h"
#include "store/store_test_util.h"

#include <stdio.h>
#include <unistd.h>

static play_t *begin(void)
{
    void *state = NULL;
    play_begin_sqlite(&state);
    return state;
}

static void end(play_t *p)
{
    void *state = p;
    play_end(&state);
}

/* One person and one client, with something of everything that ends with them. */
static void settle(play_t *p)
{
    user_t u = test_user(STR("u1"), STR("mia"));
    client_t c = test_client(STR("c1"));
    family_t f = test_family(STR("f1"));
    code_t code = test_code("code", f.id);
    device_t d = test_device("d", STR("CODE"));
    pushed_t x = test_pushed("p");
    consent_t consent = {
        .user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("https://r.test/mcp")};
    code.request.redirect_uri = STR(""); /* of the same consent as the device */
    d.state = DEVICE_APPROVED;
    d.user_id = u.id;
    play_add(p, EFFECT_USER_INSERT)->u.user = &u;
    play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c;
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f;
    play_add(p, EFFECT_CODE_INSERT)->u.code = &code;
    play_add(p, EFFECT_DEVICE_INSERT)->u.device = &d;
    play_add(p, EFFECT_PUSHED_INSERT)->u.pushed = &x;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
    assert_applied(p);
}

static void assert_ended_or_not(play_t *p, bool want)
{
    ask_t ask = {.kind = ASK_REVOCATIONS};
    play_ask(p, &ask);
    const device_t *d = get_device(p, "d");
    assert_int_equal(get_family(p, STR("f1"))->revoked_at != 0, want);
    assert_int_equal(get_code(p, "code") == NULL, want);
    assert_int_equal(!d || d->state == DEVICE_DENIED, want);
    assert_int_equal(ask.count > 0, want);
}

static const effect_kind_t ENDINGS[] = {EFFECT_CLIENT_DELETE, EFFECT_USER_DISABLE,
                                        EFFECT_CONSENT_DELETE};

static rc_t end_by(play_t *p, effect_kind_t kind)
{
    consent_t consent = {
        .user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("https://r.test/mcp")};
    effect_t *e = play_add(p, kind);
    if (kind == EFFECT_CONSENT_DELETE)
        e->u.consent = &consent;
    else
        e->u.key = kind == EFFECT_CLIENT_DELETE ? STR("c1") : STR("u1");
    return play_apply(p);
}

/* Hundreds of calls, in a migration thousands: each of the first, then ever wider steps. */
static int wider(int n)
{
    return n + 1 + n / 8;
}

/* Returns whether the fault struck. */
static bool end_under(effect_kind_t kind, fault_t fault, int n)
{
    play_t *p = begin();
    settle(p);
    fault_arm(fault, n);
    rc_t rc = end_by(p, kind);
    bool struck = fault_disarm();
    assert_true(rc == RC_OK || rc == RC_MEMORY || rc == RC_IO);
    assert_true(rc == RC_OK || struck);
    assert_ended_or_not(p, rc == RC_OK);
    play_close(p);
    play_open(p);
    assert_ended_or_not(p, rc == RC_OK);
    if (rc != RC_OK)
        assert_int_equal(end_by(p, kind), RC_OK);
    assert_ended_or_not(p, true);
    end(p);
    return struck;
}

static void end_under_all(fault_t fault)
{
    for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++) {
        int n = 0;
        while (end_under(ENDINGS[i], fault, n))
            n = wider(n);
        assert_true(n > 0);
    }
}

static void no_memory_ends_nothing_by_half(void **state)
{
    end_under_all(FAULT_MEMORY);
}

static void failed_write_ends_nothing_by_half(void **state)
{
    end_under_all(FAULT_WRITE);
}

static void failed_sync_ends_nothing_by_half(void **state)
{
    end_under_all(FAULT_SYNC);
}

/* At the quota one goes and one comes, or neither does. */
static bool make_room_under(fault_t fault, int n)
{
    play_t *p = begin();
    client_t old = test_client(STR("old")), new = test_client(STR("new"));
    put_client(p, &old);
    effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = &new;
    e->quota.max_clients = 1;
    fault_arm(fault, n);
    rc_t rc = play_apply(p);
    bool struck = fault_disarm();
    assert_true(rc == RC_OK || rc == RC_MEMORY || rc == RC_IO);
    assert_int_equal(get_client(p, new.id) != NULL, rc == RC_OK);
    assert_int_equal(get_client(p, old.id) == NULL, rc == RC_OK);
    end(p);
    return struck;
}

static void nobody_makes_room_for_one_who_does_not_come(void **state)
{
    static const fault_t FAULTS[] = {FAULT_MEMORY, FAULT_WRITE, FAULT_FULL, FAULT_SYNC};
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        int n = 0;
        while (make_room_under(FAULTS[i], n))
            n = wider(n);
        assert_true(n > 0);
    }
}

static bool migrate_under(fault_t fault, int n)
{
    play_t *p = begin();
    store_config_t config = {
        .driver = STR("sqlite"), .path = str_c(p->path), .clock = clock_fake(&p->clock)};
    store_t *store = NULL;
    str_t why = STR_UNSET;
    play_close(p);
    assert_int_equal(unlink(p->path), 0);
    test_write_version_1(p->path);
    fault_arm(fault, n);
    rc_t rc = store_open(p->a, &config, &store, &why);
    bool struck = fault_disarm();
    assert_true(rc == RC_OK || (struck && str_is_set(why)));
    if (rc == RC_OK)
        store_close(store);
    play_open(p);
    assert_str(get_client(p, STR("c1"))->name, STR("A client"));
    assert_int_equal(get_refresh(p, "r")->uses, 2);
    assert_false(str_is_set(get_family(p, STR("f1"))->jkt));
    pushed_t x = test_pushed("p");
    put_pushed(p, &x);
    end(p);
    return struck;
}

static void migration_that_fails_can_be_tried_again(void **state)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        int n = 0;
        while (migrate_under((fault_t)fault, n))
            n = wider(n);
        /* Nothing is cut short at opening. */
        assert_true(n > 0 || fault == FAULT_TRUNCATE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_ends_nothing_by_half),
        cmocka_unit_test(failed_write_ends_nothing_by_half),
        cmocka_unit_test(failed_sync_ends_nothing_by_half),
        cmocka_unit_test(nobody_makes_room_for_one_who_does_not_come),
        cmocka_unit_test(migration_that_fails_can_be_tried_again),
    };
    if (!fault_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
