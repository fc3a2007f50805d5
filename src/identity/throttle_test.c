#include "identity/identity_test_util.h"

#include "identity/throttle.h"

#include <stdio.h>

#define SECONDS 1000
#define MINUTES (60 * SECONDS)
#define HOURS   (60 * MINUTES)
#define DAYS    (24LL * HOURS)

static const uint8_t SEED[32] = {1, 2, 3};
static const int64_t START = 5 * MINUTES; /* of the monotonic clock: soon after the machine's */

typedef struct {
    identity_throttle_t *t;
    int64_t now;
    uint32_t retry;
    unsigned fresh; /* for names and addresses that nobody used before */
    char text[32];
} door_t;

static void build(door_t *d, size_t max)
{
    *d = (door_t){.t = identity_throttle_new(SEED, max), .now = START};
    assert_non_null(d->t);
}

static void tear(door_t *d)
{
    identity_throttle_free(d->t);
}

static identity_throttle_who_t who(const char *account, const char *address)
{
    return (identity_throttle_who_t){str_c(account), str_c(address)};
}

/* A text that is not used twice; good until the next call. */
static const char *fresh(door_t *d)
{
    snprintf(d->text, sizeof d->text, "fresh%u", d->fresh++);
    return d->text;
}

static bool attempt(door_t *d, const char *account, const char *address, identity_attempt_t how)
{
    identity_throttle_who_t w = who(account, address);
    if (!identity_throttle_begin(d->t, &w, d->now, &d->retry))
        return false;
    assert_int_equal(d->retry, 0);
    identity_throttle_end(d->t, &w, how, d->now);
    return true;
}

static bool fails(door_t *d, const char *account, const char *address)
{
    return attempt(d, account, address, IDENTITY_ATTEMPT_FAILED);
}

/* Whether a right password is looked at; nothing is left of the try. */
static bool is_open(door_t *d, const char *account, const char *address)
{
    return attempt(d, account, address, IDENTITY_ATTEMPT_UNDONE);
}

/* Fails once; the answer to the next try is to wait so many seconds. The clock goes there. */
static uint32_t wait_after_failure(door_t *d, const char *account, const char *address)
{
    assert_true(fails(d, account, address));
    assert_false(fails(d, account, address));
    d->now += (int64_t)d->retry * SECONDS;
    return d->retry;
}

static void free_failures(door_t *d, const char *account, const char *address, int n)
{
    for (int i = 0; i < n; i++)
        assert_true(fails(d, account ? account : fresh(d), address ? address : fresh(d)));
}

/* The first row of the table. The failures are the free ones, then one for each wait. */
static void account_and_address(void **state)
{
    (void)state;
    static const uint32_t WAITS[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300};
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 4);
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++)
        assert_int_equal(wait_after_failure(&d, "alice", "a"), WAITS[i]);
    tear(&d);
}

static void login_throttled(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 5);
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 2);
    d.now += 1;
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 2); /* rounded up: who comes back then is let in */
    d.now += 1000;
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 1);
    d.now += 999;
    assert_true(fails(&d, "alice", "a"));
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 4);
    tear(&d);
}

/* Else somebody who only knocks would keep the right user out. */
static void refused_attempts_do_not_count(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 5);
    for (int i = 0; i < 1000; i++)
        assert_false(fails(&d, "alice", "a"));
    d.now += 2 * SECONDS;
    assert_true(is_open(&d, "alice", "a"));
    tear(&d);
}

static void account_from_any_address(void **state)
{
    (void)state;
    static const int WAITS[] = {1, 2, 4, 8, 16, 30, 30};
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", NULL, 9);
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++) {
        assert_true(fails(&d, "alice", fresh(&d)));
        assert_false(fails(&d, "alice", fresh(&d)));
        assert_int_equal(d.retry, WAITS[i]);
        d.now += WAITS[i] * SECONDS - 1;
        assert_false(fails(&d, "alice", fresh(&d)));
        d.now += 1;
    }
    assert_true(fails(&d, "bob", fresh(&d)));
    tear(&d);
}

static void address_for_any_account(void **state)
{
    (void)state;
    static const int WAITS[] = {1, 2, 4, 8};
    door_t d;
    build(&d, 1024);
    free_failures(&d, NULL, "a", 59);
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++) {
        assert_true(fails(&d, fresh(&d), "a"));
        assert_false(fails(&d, fresh(&d), "a"));
        assert_int_equal(d.retry, WAITS[i]);
        d.now += WAITS[i] * SECONDS - 1;
        assert_false(fails(&d, fresh(&d), "a"));
        d.now += 1;
    }
    /* meanwhile one is forgiven each 20 seconds, so the rest of the way is slower */
    for (int i = 0; i < 30; i++) {
        assert_true(fails(&d, fresh(&d), "a"));
        assert_false(fails(&d, fresh(&d), "a"));
        assert_true(d.retry <= 60);
        d.now += d.retry * SECONDS;
    }
    assert_true(d.retry >= 8);
    assert_true(fails(&d, fresh(&d), "b"));
    tear(&d);
}

/* Strangers alone never come so far, for one failure is forgiven each 20 seconds; but the mistakes
 * of those who are known at the address count as well. */
static void address_waits_a_minute_at_most(void **state)
{
    (void)state;
    static const char *const KNOWN[] = {"alice", "bob", "carol"};
    door_t d;
    build(&d, 1024);
    for (size_t i = 0; i < 3; i++)
        assert_true(attempt(&d, KNOWN[i], "a", IDENTITY_ATTEMPT_FITTED));
    free_failures(&d, NULL, "a", 60);
    for (size_t i = 0; i < 3; i++)
        free_failures(&d, KNOWN[i], "a", 5);
    assert_false(fails(&d, fresh(&d), "a"));
    assert_int_equal(d.retry, 60);
    tear(&d);
}

static void forgiven_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *account, *address; /* NULL: a fresh one each time */
        int free;
        int64_t forgive;
        uint32_t wait; /* after one failure more than the free ones */
    } ROWS[] = {
        {"alice", "a", 5, 10 * MINUTES, 4},
        {"alice", NULL, 10, 2 * MINUTES, 2},
        {NULL, "a", 60, 20 * SECONDS, 2},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        door_t d;
        build(&d, 1024);
        free_failures(&d, ROWS[i].account, ROWS[i].address, ROWS[i].free);
        d.now += ROWS[i].forgive - 1; /* the wait is over, but no failure is forgiven */
        free_failures(&d, ROWS[i].account, ROWS[i].address, 1);
        assert_false(fails(&d, ROWS[i].account ? ROWS[i].account : fresh(&d),
                           ROWS[i].address ? ROWS[i].address : fresh(&d)));
        assert_int_equal(d.retry, ROWS[i].wait);
        tear(&d);
        build(&d, 1024);
        free_failures(&d, ROWS[i].account, ROWS[i].address, ROWS[i].free);
        d.now += 3 * ROWS[i].forgive; /* three are */
        free_failures(&d, ROWS[i].account, ROWS[i].address, 3);
        assert_false(fails(&d, ROWS[i].account ? ROWS[i].account : fresh(&d),
                           ROWS[i].address ? ROWS[i].address : fresh(&d)));
        tear(&d);
    }
}

static void all_is_forgiven_in_the_end(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 5);
    d.now += 50 * MINUTES;
    free_failures(&d, "alice", "a", 5);
    assert_false(fails(&d, "alice", "a"));
    tear(&d);
}

/* How many guesses a day come through, when each comes as soon as it may. */
static int guesses_a_day(bool one_address)
{
    door_t d;
    int n = 0;
    build(&d, 16384);
    while (d.now < START + DAYS) {
        if (fails(&d, "alice", one_address ? "a" : fresh(&d)))
            n++;
        else
            d.now += d.retry * SECONDS;
    }
    tear(&d);
    return n;
}

static void guesses_of_a_day(void **state)
{
    (void)state;
    assert_in_range(guesses_a_day(true), 280, 320);
    assert_in_range(guesses_a_day(false), 2800, 3100);
}

/* attack case: UI-012 */
static void unknown_accounts_count_alike(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    /* the throttle is never told which accounts exist; the name alone counts */
    free_failures(&d, "nobody", "a", 5);
    assert_false(fails(&d, "nobody", "a"));
    assert_int_equal(d.retry, 2);
    assert_true(fails(&d, "nobody2", "a"));
    tear(&d);
}

static void names_that_are_none_count_for_the_address(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "", "other", 1); /* empty is a name like any; unset is none */
    for (int i = 0; i < 60; i++)
        assert_true(fails(&d, NULL, "a"));
    assert_false(fails(&d, NULL, "a"));
    assert_false(fails(&d, "alice", "a"));
    assert_true(fails(&d, NULL, "b"));
    d.now += MINUTES;
    assert_true(attempt(&d, NULL, "a", IDENTITY_ATTEMPT_FITTED)); /* cannot be; harms nothing */
    tear(&d);
}

static void success_forgives_this_account_from_here(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 4);
    assert_true(attempt(&d, "alice", "a", IDENTITY_ATTEMPT_FITTED));
    free_failures(&d, "alice", "a", 5);
    assert_false(fails(&d, "alice", "a"));
    tear(&d);
}

/* Nor does a guesser's own account make the address, or another account, forget. */
static void success_forgives_nothing_else(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    for (int i = 0; i < 60; i++) {
        assert_true(fails(&d, fresh(&d), "a"));
        assert_true(i == 59 || attempt(&d, "mallory", "a", IDENTITY_ATTEMPT_FITTED));
    }
    assert_false(fails(&d, fresh(&d), "a"));
    free_failures(&d, "alice", "b", 5);
    assert_true(attempt(&d, "mallory", "b", IDENTITY_ATTEMPT_FITTED));
    assert_false(fails(&d, "alice", "b"));
    tear(&d);
}

static void known_here_is_held_by_own_mistakes_only(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    assert_true(attempt(&d, "alice", "home", IDENTITY_ATTEMPT_FITTED));
    free_failures(&d, "alice", NULL, 10);
    free_failures(&d, NULL, "home", 60);
    assert_false(is_open(&d, "alice", "elsewhere"));
    assert_false(is_open(&d, "bob", "home"));
    assert_true(is_open(&d, "alice", "home"));
    free_failures(&d, "alice", "home", 5);
    assert_false(is_open(&d, "alice", "home"));
    assert_int_equal(d.retry, 2);
    tear(&d);
}

static void known_here_for_30_days(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    assert_true(attempt(&d, "alice", "home", IDENTITY_ATTEMPT_FITTED));
    d.now += 30 * DAYS - 1;
    free_failures(&d, "alice", NULL, 10);
    assert_true(is_open(&d, "alice", "home"));
    d.now += 1;
    assert_false(is_open(&d, "alice", "home"));
    d.now += SECONDS;
    assert_true(attempt(&d, "alice", "home", IDENTITY_ATTEMPT_FITTED)); /* known anew */
    assert_true(fails(&d, "alice", fresh(&d)));
    assert_false(is_open(&d, "alice", "elsewhere"));
    assert_true(is_open(&d, "alice", "home"));
    tear(&d);
}

static void elsewhere_half_a_minute_at_most(void **state)
{
    (void)state;
    door_t d;
    build(&d, 16384);
    for (int i = 0; i < 500; i++)
        if (!fails(&d, "alice", fresh(&d))) {
            assert_true(d.retry <= 30);
            d.now += d.retry * SECONDS;
        }
    tear(&d);
}

static void undone_leaves_nothing(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    for (int i = 0; i < 1000; i++)
        assert_true(attempt(&d, "alice", "a", IDENTITY_ATTEMPT_UNDONE));
    free_failures(&d, "alice", "a", 5);
    d.now += 1500;
    assert_false(is_open(&d, "alice", "a"));
    d.now += 500;
    /* the wait since the failure stays what it was, too */
    assert_true(attempt(&d, "alice", "a", IDENTITY_ATTEMPT_UNDONE));
    assert_true(fails(&d, "alice", "a"));
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 4);
    tear(&d);
}

/* Undone is no success: the address does not become a known one. */
static void undone_makes_nobody_known(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    assert_true(attempt(&d, "alice", "home", IDENTITY_ATTEMPT_UNDONE));
    free_failures(&d, "alice", NULL, 10);
    assert_false(is_open(&d, "alice", "home"));
    tear(&d);
}

static void undone_after_it_was_forgotten(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1);
    identity_throttle_who_t w = who("alice", "a");
    assert_true(identity_throttle_begin(d.t, &w, d.now, &d.retry));
    for (int round = 0; round < 3; round++)
        for (unsigned i = 0; i < 100; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%u", i);
            (void)fails(&d, name, fresh(&d));
        }
    identity_throttle_end(d.t, &w, IDENTITY_ATTEMPT_UNDONE, d.now);
    identity_throttle_end(d.t, &w, IDENTITY_ATTEMPT_FITTED, d.now);
    assert_true(is_open(&d, "alice", "a"));
    tear(&d);
}

/* Counted before the password is looked at: two hundred at once gain nothing. */
static void many_at_once(void **state)
{
    (void)state;
    door_t d;
    int let_in = 0;
    build(&d, 1024);
    identity_throttle_who_t w = who("alice", "a");
    for (int i = 0; i < 200; i++)
        let_in += identity_throttle_begin(d.t, &w, d.now, &d.retry);
    assert_int_equal(let_in, 5);
    for (int i = 0; i < let_in; i++)
        identity_throttle_end(d.t, &w, IDENTITY_ATTEMPT_FAILED, d.now);
    assert_false(is_open(&d, "alice", "a"));
    tear(&d);
}

static void many_at_once_from_many_addresses(void **state)
{
    (void)state;
    door_t d;
    int let_in = 0;
    build(&d, 1024);
    for (int i = 0; i < 200; i++) {
        identity_throttle_who_t w = who("alice", fresh(&d));
        let_in += identity_throttle_begin(d.t, &w, d.now, &d.retry);
    }
    assert_int_equal(let_in, 10);
    tear(&d);
}

/* A small table, flooded with names from everywhere: what is held stays held. */
static void flooding_does_not_push_out_what_is_held(void **state)
{
    (void)state;
    door_t d;
    build(&d, 256);
    assert_true(attempt(&d, "carol", "home", IDENTITY_ATTEMPT_FITTED));
    for (int i = 0; i < 13; i++)
        while (!fails(&d, "bob", "b"))
            d.now += SECONDS;
    for (int i = 0; i < 13; i++)
        while (!fails(&d, "alice", fresh(&d)))
            d.now += SECONDS;
    free_failures(&d, "carol", NULL, 13 - 3);
    for (int i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof name, "made-up%d", i);
        assert_true(fails(&d, name, fresh(&d)));
    }
    assert_false(is_open(&d, "alice", "elsewhere"));
    assert_false(is_open(&d, "bob", "b"));
    assert_true(is_open(&d, "carol", "home"));
    tear(&d);
}

static void the_smallest_table_still_holds(void **state)
{
    (void)state;
    door_t d;
    build(&d, 0);
    free_failures(&d, "alice", "a", 5);
    assert_false(fails(&d, "alice", "a"));
    tear(&d);
}

/* Threads read the clock before they get the lock: a time may come behind a later one. */
static void times_out_of_order(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "alice", "a", 5);
    d.now -= 3;
    assert_false(fails(&d, "alice", "a"));
    assert_int_equal(d.retry, 2);
    d.now += 3 + 2 * SECONDS - 1;
    assert_false(fails(&d, "alice", "a"));
    d.now += 1;
    assert_true(is_open(&d, "alice", "a"));
    tear(&d);
}

/* attack case: UI-014, as far as it belongs here: whole texts are compared, no part of them */
static void accounts_and_addresses_do_not_run_together(void **state)
{
    (void)state;
    door_t d;
    build(&d, 1024);
    free_failures(&d, "ab", "c", 5);
    assert_false(fails(&d, "ab", "c"));
    assert_true(fails(&d, "a", "bc"));
    assert_true(fails(&d, "c", "ab"));
    assert_true(fails(&d, "abc", ""));
    tear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account_and_address),
        cmocka_unit_test(login_throttled),
        cmocka_unit_test(refused_attempts_do_not_count),
        cmocka_unit_test(account_from_any_address),
        cmocka_unit_test(address_for_any_account),
        cmocka_unit_test(address_waits_a_minute_at_most),
        cmocka_unit_test(forgiven_one_by_one),
        cmocka_unit_test(all_is_forgiven_in_the_end),
        cmocka_unit_test(guesses_of_a_day),
        cmocka_unit_test(unknown_accounts_count_alike),
        cmocka_unit_test(names_that_are_none_count_for_the_address),
        cmocka_unit_test(success_forgives_this_account_from_here),
        cmocka_unit_test(success_forgives_nothing_else),
        cmocka_unit_test(known_here_is_held_by_own_mistakes_only),
        cmocka_unit_test(known_here_for_30_days),
        cmocka_unit_test(elsewhere_half_a_minute_at_most),
        cmocka_unit_test(undone_leaves_nothing),
        cmocka_unit_test(undone_makes_nobody_known),
        cmocka_unit_test(undone_after_it_was_forgotten),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(many_at_once_from_many_addresses),
        cmocka_unit_test(flooding_does_not_push_out_what_is_held),
        cmocka_unit_test(the_smallest_table_still_holds),
        cmocka_unit_test(times_out_of_order),
        cmocka_unit_test(accounts_and_addresses_do_not_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
