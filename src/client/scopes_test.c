/* attack case: CLI-018 */
#include "client/client_test_util.h"

#include "client/scopes.h"
#include "core/buf.h"
#include "core/limits.h"

static const struct {
    const char *what;
    const char *wanted, *challenged, *before, *offered;
    const char *server; /* the server's scopes_supported; NULL: it has none */
    bool refresh;
    const char *scope;
} CHOICES[] = {
    /* the first time: what the person wants, the challenge, the resource, none */
    {"all of them", "w", "c", NULL, "o", NULL, false, "w"},
    {"no wish", NULL, "c d", NULL, "o", NULL, false, "c d"},
    {"no challenge", NULL, NULL, NULL, "o p", NULL, false, "o p"},
    {"nothing", NULL, NULL, NULL, NULL, NULL, false, NULL},
    {"an empty list", NULL, NULL, NULL, "", NULL, true, NULL},
    {"a wish for none", "", "c", NULL, "o", NULL, false, NULL},
    {"a wish written twice", "a  b a", NULL, NULL, NULL, NULL, false, "a b"},
    {"a challenge that is no part of the list", NULL, "x", NULL, "o p", NULL, false, "x"},
    /* a step-up loses nothing */
    {"a step-up", NULL, "c", "a b", "o", NULL, false, "a b c"},
    {"a step-up that asks for a part", NULL, "b", "a b", NULL, NULL, false, "a b"},
    {"a step-up after none", NULL, "c", "", NULL, NULL, false, "c"},
    {"a step-up does not come back to a wish", "w", "c", "a", NULL, NULL, false, "a c"},
    {"a step-up without a scope", NULL, NULL, "a", "o", NULL, false, "a"},
    /* offline_access, where the server lists it */
    {"listed", NULL, "c", NULL, NULL, "offline_access", true, "c offline_access"},
    {"listed, with a wish", "w", NULL, NULL, NULL, "openid offline_access", true,
     "w offline_access"},
    {"listed, and of the resource", NULL, NULL, NULL, "o p", "offline_access", true,
     "o p offline_access"},
    {"listed, in a step-up", NULL, "c", "a", NULL, "offline_access", true, "a c offline_access"},
    {"listed, and there", NULL, "offline_access c", NULL, NULL, "offline_access", true,
     "offline_access c"},
    {"listed, but not needed", NULL, "c", NULL, NULL, "offline_access", false, "c"},
    {"listed, but it would stand alone", NULL, NULL, NULL, NULL, "offline_access", true, NULL},
    {"not listed", NULL, "c", NULL, NULL, "openid", true, "c"},
    {"no list", NULL, "c", NULL, NULL, NULL, true, "c"},
    {"not listed, of a challenge", NULL, "c offline_access", NULL, NULL, "openid", true, "c"},
    {"not listed, of the resource", NULL, NULL, NULL, "offline_access o", NULL, true, "o"},
    {"not listed, of a step-up", NULL, "offline_access c", "a", NULL, NULL, true, "a c"},
    {"not listed, and nothing else", NULL, "offline_access", NULL, "o", NULL, true, NULL},
    {"not listed, but wanted", "w offline_access", NULL, NULL, NULL, NULL, false,
     "w offline_access"},
};

static str_list_t list_of(arena_t *a, const char *words)
{
    enum { WORDS = 8 };
    str_t rest = str_c(words), *v = ARENA_ARRAY(a, WORDS, str_t);
    size_t n = 0;
    while (n < WORDS && str_split(&rest, ' ', &v[n]))
        n++;
    return (str_list_t){v, n};
}

static void the_scope_that_is_asked_for(void **state)
{
    for (size_t i = 0; i < ROWS(CHOICES); i++) {
        str_t scope;
        client_discovery_t found = {.resource.scopes_supported = str_c(CHOICES[i].offered),
                                    .server.scopes = list_of(*state, CHOICES[i].server)};
        client_scope_want_t want = {.wanted = str_c(CHOICES[i].wanted),
                                    .challenged = str_c(CHOICES[i].challenged),
                                    .before = str_c(CHOICES[i].before),
                                    .refresh = CHOICES[i].refresh,
                                    .found = &found};
        assert_ok(client_scope_choose(*state, &want, &scope));
        if (!str_eq(scope, str_c(CHOICES[i].scope)))
            fail_msg("%s: %" PRIstr, CHOICES[i].what, STR_ARG(scope));
    }
}

static void without_a_discovery(void **state)
{
    str_t scope;
    client_scope_want_t want = {.challenged = STR("c"), .refresh = true};
    assert_ok(client_scope_choose(*state, &want, &scope));
    assert_str(scope, STR("c"));
}

static void too_much_to_ask_for(void **state)
{
    arena_t *a = *state;
    buf_t b = buf_new(a, 2 * LIMIT_SCOPE_BYTES);
    while (b.n < LIMIT_SCOPE_BYTES)
        buf_char(&b, 'x');
    str_t scope;
    client_scope_want_t want = {.before = buf_str(&b)};
    assert_ok(client_scope_choose(a, &want, &scope));
    assert_int_equal(scope.n, LIMIT_SCOPE_BYTES);
    want.challenged = STR("y");
    assert_int_equal(client_scope_choose(a, &want, &scope), RC_LIMIT);
    assert_false(str_is_set(scope));
    buf_put(&b, STR(" y"));
    want = (client_scope_want_t){.challenged = buf_str(&b)};
    assert_int_equal(client_scope_choose(a, &want, &scope), RC_LIMIT);
}

static void step_ups_of_one_operation_end(void **state)
{
    (void)state;
    client_step_ups_t s = {0};
    for (int i = 0; i < CLIENT_STEP_UP_TRIES; i++)
        assert_true(client_step_up_may(&s, STR("tools/call a")));
    assert_false(client_step_up_may(&s, STR("tools/call a")));
    assert_true(client_step_up_may(&s, STR("tools/call b")));
    client_step_up_done(&s, STR("tools/call b"));
    assert_false(client_step_up_may(&s, STR("tools/call a")));
    client_step_up_done(&s, STR("tools/call a"));
    assert_true(client_step_up_may(&s, STR("tools/call a")));
}

static void step_ups_of_all_operations_end(void **state)
{
    (void)state;
    client_step_ups_t s = {0};
    char name[] = "tools/call a";
    for (int i = 0; i < CLIENT_STEP_UP_IN_A_ROW; i++) {
        assert_true(client_step_up_may(&s, str_c(name)));
        name[sizeof name - 2]++;
    }
    assert_false(client_step_up_may(&s, str_c(name)));
    client_step_up_done(&s, STR("tools/call that never stepped up"));
    assert_true(client_step_up_may(&s, str_c(name)));
}

static void rows_make_room(void **state)
{
    client_step_ups_t s = {0};
    for (int i = 0; i < 3 * CLIENT_STEP_UP_ROWS; i++) {
        str_t name = arena_printf(*state, "tools/call %d", i);
        assert_true(client_step_up_may(&s, name));
        assert_true(s.n <= CLIENT_STEP_UP_ROWS);
        s.in_a_row = 0;
    }
    str_t last = arena_printf(*state, "tools/call %d", 3 * CLIENT_STEP_UP_ROWS - 1);
    assert_true(client_step_up_may(&s, last));
    assert_true(client_step_up_may(&s, last));
    assert_false(client_step_up_may(&s, last));
}

static rc_t choose_one(arena_t *a, void *ctx)
{
    str_t scope;
    return client_scope_choose(a, ctx, &scope);
}

static void without_memory(void **state)
{
    client_discovery_t found = {.server.scopes = list_of(*state, "offline_access")};
    client_scope_want_t want = {
        .before = STR("a"), .challenged = STR("b"), .refresh = true, .found = &found};
    client_test_starve(choose_one, &want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_scope_that_is_asked_for),
        ARENA_TEST(without_a_discovery),
        ARENA_TEST(too_much_to_ask_for),
        cmocka_unit_test(step_ups_of_one_operation_end),
        cmocka_unit_test(step_ups_of_all_operations_end),
        ARENA_TEST(rows_make_room),
        ARENA_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
