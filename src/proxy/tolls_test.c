#include "core/core_test_util.h"

#include "proxy/tolls.h"

#include <pthread.h>

static const gate_principal_t ALICE = {
    .issuer = STR_INIT("https://as.test"), .subject = STR_INIT("alice"), .client = STR_INIT("one")};
static const gate_principal_t BOB = {
    .issuer = STR_INIT("https://as.test"), .subject = STR_INIT("bob"), .client = STR_INIT("one")};
static const gate_principal_t OTHER = {.issuer = STR_INIT("https://other.test"),
                                       .subject = STR_INIT("alice"),
                                       .client = STR_INIT("two")};

static random_fake_t randomness;

static tolls_t *make(void)
{
    tolls_t *t;
    assert_int_equal(tolls_new(random_fake(&randomness), &t), RC_OK);
    return t;
}

static toll_verdict_t take(tolls_t *t, const conf_rate_t *rate, const gate_principal_t *who,
                           const char *tool, int64_t ms)
{
    uint32_t retry_s;
    gate_toll_t toll = {rate, STR("rule")};
    toll_payer_t payer = {STR("/mcp"), who, str_c(tool)};
    return tolls_take(t, &toll, &payer, ms, &retry_s);
}

static void so_many_at_once_then_one_for_each_part(void **state)
{
    static const conf_rate_t RATE = {CONF_PER_SUBJECT, 3, 60};
    uint32_t retry_s;
    gate_toll_t toll = {&RATE, STR("rule")};
    toll_payer_t payer = {STR("/mcp"), &ALICE, STR("a")};
    tolls_t *t = make();
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(t, &RATE, &ALICE, "a", 1000), TOLL_PAID);
    assert_int_equal(tolls_take(t, &toll, &payer, 1000, &retry_s), TOLL_OVER);
    assert_int_equal(retry_s, 20);
    assert_int_equal(take(t, &RATE, &ALICE, "a", 20999), TOLL_OVER);
    assert_int_equal(take(t, &RATE, &ALICE, "a", 21000), TOLL_PAID);
    assert_int_equal(take(t, &RATE, &ALICE, "a", 21000), TOLL_OVER);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(t, &RATE, &ALICE, "a", 90000), TOLL_PAID);
    assert_int_equal(take(t, &RATE, &ALICE, "a", 90000), TOLL_OVER);
    tolls_free(t);
}

/* Who shares a bucket with alice's first call of the tool `a`. */
static void buckets_are_of_what_the_rate_says(void **state)
{
    static const struct {
        conf_rate_t rate;
        toll_verdict_t other_tool, bob, other_issuer;
    } ROWS_[] = {
        {{CONF_PER_SUBJECT, 1, 60}, TOLL_OVER, TOLL_PAID, TOLL_PAID},
        {{CONF_PER_CLIENT, 1, 60}, TOLL_OVER, TOLL_OVER, TOLL_PAID},
        {{CONF_PER_TOOL, 1, 60}, TOLL_PAID, TOLL_PAID, TOLL_PAID},
        {{CONF_PER_RULE, 1, 60}, TOLL_OVER, TOLL_OVER, TOLL_OVER},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(ROWS_); i++) {
        tolls_t *t = make();
        assert_int_equal(take(t, &ROWS_[i].rate, &ALICE, "a", 1), TOLL_PAID);
        assert_int_equal(take(t, &ROWS_[i].rate, &ALICE, "a", 1), TOLL_OVER);
        assert_int_equal(take(t, &ROWS_[i].rate, &ALICE, "b", 1), ROWS_[i].other_tool);
        assert_int_equal(take(t, &ROWS_[i].rate, &BOB, "a", 1), ROWS_[i].bob);
        assert_int_equal(take(t, &ROWS_[i].rate, &OTHER, "a", 1), ROWS_[i].other_issuer);
        tolls_free(t);
    }
}

static void a_rate_of_nothing_lets_nothing_through(void **state)
{
    static const conf_rate_t NONE = {CONF_PER_RULE, 0, 60}, NEVER = {CONF_PER_RULE, 1, 0};
    tolls_t *t = make();
    (void)state;
    assert_int_equal(take(t, &NONE, &ALICE, "a", 1), TOLL_OVER);
    assert_int_equal(take(t, &NEVER, &ALICE, "a", 1), TOLL_OVER);
    tolls_free(t);
}

/* More callers than buckets: nobody's bucket is given to another, and what cannot be counted is
 * refused. */
static void a_full_table_refuses(void **state)
{
    static const conf_rate_t RATE = {CONF_PER_SUBJECT, 1, 60};
    arena_t *a = *state;
    tolls_t *t = make();
    size_t full = 0;
    for (int i = 0; i < TOLLS_ROWS * TOLLS_WAYS; i++) {
        gate_principal_t who = ALICE;
        who.subject = arena_printf(a, "%d", i);
        full += take(t, &RATE, &who, "a", 1) == TOLL_FULL;
    }
    assert_true(full > 0 && full < TOLLS_ROWS * TOLLS_WAYS / 4);
    gate_principal_t first = ALICE;
    first.subject = STR("0");
    assert_int_equal(take(t, &RATE, &first, "a", 1), TOLL_OVER);
    assert_int_equal(take(t, &RATE, &first, "a", 60001), TOLL_PAID);
    tolls_free(t);
}

typedef struct {
    tolls_t *t;
    int paid;
} payer_t;

static void *pay_often(void *arg)
{
    static const conf_rate_t RATE = {CONF_PER_RULE, 1000, 1000000};
    payer_t *p = arg;
    for (int i = 0; i < 1000; i++)
        p->paid += take(p->t, &RATE, &ALICE, "a", 1) == TOLL_PAID;
    return NULL;
}

static void workers_share_buckets(void **state)
{
    enum { WORKERS = 4 };
    pthread_t threads[WORKERS];
    payer_t payers[WORKERS];
    tolls_t *t = make();
    int paid = 0;
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        payers[i] = (payer_t){t, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, pay_often, &payers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        paid += payers[i].paid;
    }
    assert_int_equal(paid, 1000);
    tolls_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_at_once_then_one_for_each_part),
        cmocka_unit_test(buckets_are_of_what_the_rate_says),
        cmocka_unit_test(a_rate_of_nothing_lets_nothing_through),
        ARENA_TEST(a_full_table_refuses),
        cmocka_unit_test(workers_share_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
