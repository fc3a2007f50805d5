#include "gate/handle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define KEY STR("0123456789abcdef0123456789abcdef")

static const gate_principal_t ALICE = {
    .issuer = STR_INIT("https://as"), .subject = STR_INIT("alice"), .client = STR_INIT("app")};
static const gate_handle_scope_t SESSION = {GATE_HANDLE_SESSION, STR_INIT("/mcp"), {NULL, 0}};
static const gate_handle_scope_t EVENT = {GATE_HANDLE_EVENT, STR_INIT("/mcp"), STR_INIT("s1")};

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static str_t make(void **state, const gate_handle_scope_t *scope, str_t value)
{
    str_t out;
    assert_int_equal(gate_handle_make(*state, KEY, scope, &ALICE, value, &out), RC_OK);
    return out;
}

static void opens(void **state, const gate_handle_scope_t *scope, const gate_principal_t *who,
                  str_t handle, rc_t want)
{
    str_t out;
    assert_int_equal(gate_handle_open(*state, KEY, scope, who, handle, &out), want);
    assert_int_equal(str_is_set(out), want == RC_OK);
}

static void a_handle_opens_to_its_value(void **state)
{
    str_t out, handle = make(state, &SESSION, STR("0f3c-~!"));
    assert_int_equal(gate_handle_open(*state, KEY, &SESSION, &ALICE, handle, &out), RC_OK);
    assert_true(str_eq(out, STR("0f3c-~!")));
    handle = make(state, &EVENT, STR("\xc3\xa9 1"));
    assert_int_equal(gate_handle_open(*state, KEY, &EVENT, &ALICE, handle, &out), RC_OK);
    assert_true(str_eq(out, STR("\xc3\xa9 1")));
}

static void values_are_bounded(void **state)
{
    char longest[GATE_HANDLE_VALUE_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    static const str_t BAD[] = {STR_INIT(""), STR_INIT("a b"), STR_INIT("a\n"),
                                STR_INIT("\xc3\xa9")};
    str_t out;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(gate_handle_make(*state, KEY, &SESSION, &ALICE, BAD[i], &out), RC_LIMIT);
    assert_int_equal(gate_handle_make(*state, KEY, &EVENT, &ALICE, STR("\xff"), &out), RC_LIMIT);
    assert_int_equal(
        gate_handle_make(*state, KEY, &EVENT, &ALICE, str_of(longest, sizeof longest), &out),
        RC_LIMIT);
    opens(state, &EVENT, &ALICE, make(state, &EVENT, str_of(longest, sizeof longest - 1)), RC_OK);
}

/* attack case: GWM-008 */
static void nobody_else_opens_a_session(void **state)
{
    static const gate_principal_t OTHERS[] = {
        {.issuer = STR_INIT("https://as"), .subject = STR_INIT("bob"), .client = STR_INIT("app")},
        {.issuer = STR_INIT("https://b"), .subject = STR_INIT("alice"), .client = STR_INIT("app")},
        {.issuer = STR_INIT("https://as"), .subject = STR_INIT("alice"), .client = STR_INIT("x")},
        {.issuer = STR_INIT("https://as"), .subject = STR_INIT("alice"), .client = STR_INIT("")},
        {.issuer = STR_INIT("https://as"), .subject = STR_INIT("alice")},
        /* The same bytes, cut elsewhere. */
        {.issuer = STR_INIT("https://"), .subject = STR_INIT("asalice"), .client = STR_INIT("app")},
        {.issuer = STR_INIT("https://as"), .subject = STR_INIT("alic"), .client = STR_INIT("eapp")},
        {.issuer = STR_INIT("https://asalice"), .subject = STR_INIT(""), .client = STR_INIT("app")},
    };
    str_t handle = make(state, &SESSION, STR("s1"));
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        opens(state, &SESSION, &OTHERS[i], handle, RC_NOT_FOUND);
    opens(state, &SESSION, &ALICE, handle, RC_OK);
}

/* attack case: GWM-008 */
static void no_session_can_be_guessed_or_fixed(void **state)
{
    static const char *const BAD[] = {
        "", "s1", ".", "czE.", "czE", "czE.AAAAAAAAAAAAAAAAAAAAAA", ".AAAAAAAAAAAAAAAAAAAAAA"};
    str_t handle = make(state, &SESSION, STR("s1"));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        opens(state, &SESSION, &ALICE, str_c(BAD[i]), RC_NOT_FOUND);
    opens(state, &SESSION, &ALICE, STR_UNSET, RC_NOT_FOUND);
    for (size_t i = 0; i < handle.n; i++) {
        str_t copy = arena_dup(*state, handle);
        ((char *)(uintptr_t)copy.p)[i] ^= 1;
        opens(state, &SESSION, &ALICE, copy, RC_NOT_FOUND);
    }
    opens(state, &SESSION, &ALICE, arena_printf(*state, "%.*sA", STR_ARG(handle)), RC_NOT_FOUND);
    opens(state, &SESSION, &ALICE, str_first(handle, handle.n - 1), RC_NOT_FOUND);
    opens(state, &SESSION, &ALICE, handle, RC_OK);
}

static void another_key_opens_nothing(void **state)
{
    str_t out, handle = make(state, &SESSION, STR("s1"));
    str_t other = STR("0123456789abcdef0123456789abcdeF");
    assert_int_equal(gate_handle_open(*state, other, &SESSION, &ALICE, handle, &out), RC_NOT_FOUND);
    opens(state, &SESSION, &ALICE, handle, RC_OK);
}

/* attack case: GWM-009 */
static void an_event_belongs_to_its_stream(void **state)
{
    static const gate_principal_t BOB = {
        .issuer = STR_INIT("https://as"), .subject = STR_INIT("bob"), .client = STR_INIT("app")};
    static const gate_handle_scope_t OTHERS[] = {
        {GATE_HANDLE_EVENT, STR_INIT("/mcp"), STR_INIT("s2")},
        {GATE_HANDLE_EVENT, STR_INIT("/mcp"), STR_INIT("")},
        {GATE_HANDLE_EVENT, STR_INIT("/mcp"), {NULL, 0}},
        {GATE_HANDLE_EVENT, STR_INIT("/other"), STR_INIT("s1")},
        {GATE_HANDLE_EVENT, STR_INIT("/mcps"), STR_INIT("1")},
        {GATE_HANDLE_SESSION, STR_INIT("/mcp"), STR_INIT("s1")},
        {GATE_HANDLE_SESSION, STR_INIT("/mcp"), {NULL, 0}},
    };
    str_t handle = make(state, &EVENT, STR("7"));
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        opens(state, &OTHERS[i], &ALICE, handle, RC_NOT_FOUND);
    opens(state, &EVENT, &BOB, handle, RC_NOT_FOUND);
    opens(state, &EVENT, &ALICE, handle, RC_OK);
}

static void little_memory_opens_nothing(void **state)
{
    str_t out, handle = make(state, &SESSION, STR("s1"));
    for (size_t budget = 1; budget < 400; budget += 9) {
        arena_t *a = arena_new(budget);
        rc_t rc = gate_handle_open(a, KEY, &SESSION, &ALICE, handle, &out);
        assert_true(rc == RC_MEMORY || rc == RC_OK);
        assert_int_equal(str_is_set(out), rc == RC_OK);
        arena_free(a);
    }
}

#define HANDLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLE_TEST(a_handle_opens_to_its_value), HANDLE_TEST(values_are_bounded),
        HANDLE_TEST(nobody_else_opens_a_session), HANDLE_TEST(no_session_can_be_guessed_or_fixed),
        HANDLE_TEST(another_key_opens_nothing),   HANDLE_TEST(an_event_belongs_to_its_stream),
        HANDLE_TEST(little_memory_opens_nothing),
    };
    return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
