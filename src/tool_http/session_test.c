#include "tool_http/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const principal_t ALICE = {STR_INIT("https://as"), STR_INIT("alice"), STR_INIT("c1")};
static const principal_t BOB = {STR_INIT("https://as"), STR_INIT("bob"), STR_INIT("c1")};

typedef struct {
    clock_fake_t clock;
    random_fake_t random;
    sessions_t *s;
} fixture_t;

enum { MAX = 200, IDLE_MS = 1000 };

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    sessions_config_t c = {MAX, IDLE_MS, clock_fake(&f->clock), random_fake(&f->random)};
    f->s = sessions_new(&c);
    *state = f;
    return f->s ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    sessions_free(f->s);
    free(f);
    return 0;
}

static str_t open_one(fixture_t *f, const principal_t *who, char id[SESSION_ID_TEXT])
{
    assert_int_equal(sessions_open(f->s, who, mcp_version_assumed(), id), RC_OK);
    return str_of(id, SESSION_ID_TEXT);
}

static void opened_session_is_usable_and_ends(void **state)
{
    fixture_t *f = *state;
    char id[SESSION_ID_TEXT];
    str_t s = open_one(f, &ALICE, id);
    assert_ptr_equal(sessions_use(f->s, s, &ALICE), mcp_version_assumed());
    assert_true(sessions_close(f->s, s, &ALICE));
    assert_null(sessions_use(f->s, s, &ALICE));
    assert_false(sessions_close(f->s, s, &ALICE));
}

/* attack case: CHL-006 */
static void session_of_another_principal_is_unknown(void **state)
{
    fixture_t *f = *state;
    char id[SESSION_ID_TEXT];
    str_t s = open_one(f, &ALICE, id);
    const principal_t others[] = {
        BOB,
        {STR("https://other"), STR("alice"), STR("c1")},
        {STR("https://as"), STR("alice"), STR("c2")},
        {STR("https://as"), STR("alic"), STR("ec1")},
        {STR_UNSET, STR_UNSET, STR_UNSET},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_null(sessions_use(f->s, s, &others[i]));
        assert_false(sessions_close(f->s, s, &others[i]));
        assert_int_equal(sessions_stream_open(f->s, s, &others[i]), RC_NOT_FOUND);
    }
    assert_non_null(sessions_use(f->s, s, &ALICE));
}

static void idle_session_expires(void **state)
{
    fixture_t *f = *state;
    char id[SESSION_ID_TEXT];
    str_t s = open_one(f, &ALICE, id);
    f->clock.ms += IDLE_MS - 1;
    assert_non_null(sessions_use(f->s, s, &ALICE));
    f->clock.ms += IDLE_MS - 1;
    assert_non_null(sessions_use(f->s, s, &ALICE));
    f->clock.ms += IDLE_MS;
    assert_null(sessions_use(f->s, s, &ALICE));
    assert_int_equal(sessions_count(f->s), 0);
}

static void principal_over_quota_loses_its_oldest(void **state)
{
    fixture_t *f = *state;
    char first[SESSION_ID_TEXT], id[SESSION_ID_TEXT], bobs[SESSION_ID_TEXT];
    str_t oldest = open_one(f, &ALICE, first);
    str_t bob = open_one(f, &BOB, bobs);
    for (int i = 0; i < SESSIONS_PER_PRINCIPAL; i++) {
        f->clock.ms++;
        open_one(f, &ALICE, id);
    }
    assert_null(sessions_use(f->s, oldest, &ALICE));
    assert_non_null(sessions_use(f->s, str_of(id, sizeof id), &ALICE));
    assert_non_null(sessions_use(f->s, bob, &BOB));
    assert_int_equal(sessions_count(f->s), SESSIONS_PER_PRINCIPAL + 1);
}

static void full_table_is_busy(void **state)
{
    fixture_t *f = *state;
    char id[SESSION_ID_TEXT];
    char name[2] = "a";
    for (int i = 0; i < MAX; i++) {
        principal_t who = ALICE;
        name[0] = (char)('a' + i / 50);
        who.client = str_of(name, 1);
        open_one(f, &who, id);
    }
    assert_int_equal(sessions_open(f->s, &BOB, mcp_version_assumed(), id), RC_BUSY);
    f->clock.ms += IDLE_MS;
    open_one(f, &BOB, id);
}

/* attack case: GWM-008 */
static void ids_are_long_and_differ(void **state)
{
    fixture_t *f = *state;
    char a[SESSION_ID_TEXT], b[SESSION_ID_TEXT];
    open_one(f, &ALICE, a);
    open_one(f, &ALICE, b);
    assert_memory_not_equal(a, b, SESSION_ID_TEXT);
    assert_true(SESSION_ID_BYTES * 8 >= 160);
    assert_null(sessions_use(f->s, STR("chosen-by-the-attacker-000000000"), &ALICE));
}

static void streams_are_counted(void **state)
{
    fixture_t *f = *state;
    char id[SESSION_ID_TEXT];
    str_t s = open_one(f, &ALICE, id);
    for (int i = 0; i < STREAMS_PER_SESSION; i++)
        assert_int_equal(sessions_stream_open(f->s, s, &ALICE), RC_OK);
    assert_int_equal(sessions_stream_open(f->s, s, &ALICE), RC_LIMIT);
    sessions_stream_close(f->s, s);
    assert_int_equal(sessions_stream_open(f->s, s, &ALICE), RC_OK);
    assert_true(sessions_stream_alive(f->s, s));
    assert_true(sessions_close(f->s, s, &ALICE));
    assert_false(sessions_stream_alive(f->s, s));
    sessions_stream_close(f->s, s);
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(opened_session_is_usable_and_ends),
        SESSION_TEST(session_of_another_principal_is_unknown),
        SESSION_TEST(idle_session_expires),
        SESSION_TEST(principal_over_quota_loses_its_oldest),
        SESSION_TEST(full_table_is_busy),
        SESSION_TEST(ids_are_long_and_differ),
        SESSION_TEST(streams_are_counted),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
