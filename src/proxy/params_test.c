#include "core/core_test_util.h"

#include "proxy/params.h"

static random_fake_t randomness;

static mcp_params_t two(void)
{
    static const str_t PATH[] = {STR_INIT("a"), STR_INIT("b")}, FLAT[] = {STR_INIT("region")};
    static const mcp_param_t V[] = {{STR_INIT("Deep"), {PATH, 2}}, {STR_INIT("Region"), {FLAT, 1}}};
    return (mcp_params_t){V, 2};
}

static void what_was_learned_is_found(void **state)
{
    arena_t *a = *state;
    params_t *p;
    mcp_params_t out;
    assert_int_equal(params_new(random_fake(&randomness), &p), RC_OK);
    assert_int_equal(params_find(p, a, STR("/a"), STR("t"), &out), RC_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("t"), two()), RC_OK);
    assert_int_equal(params_find(p, a, STR("/a"), STR("t"), &out), RC_OK);
    assert_int_equal(out.n, 2);
    assert_str(out.v[0].header, STR("Deep"));
    assert_int_equal(out.v[0].path.n, 2);
    assert_str(out.v[0].path.v[1], STR("b"));
    assert_str(out.v[1].path.v[0], STR("region"));
    assert_int_equal(params_find(p, a, STR("/b"), STR("t"), &out), RC_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(params_find(p, a, STR("/a"), STR("tt"), &out), RC_OK);
    assert_int_equal(out.n, 0);
    params_free(p);
}

static void the_last_list_counts(void **state)
{
    arena_t *a = *state;
    params_t *p;
    mcp_params_t out, one = two();
    one.n = 1;
    assert_int_equal(params_new(random_fake(&randomness), &p), RC_OK);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("t"), two()), RC_OK);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("t"), one), RC_OK);
    assert_int_equal(params_find(p, a, STR("/a"), STR("t"), &out), RC_OK);
    assert_int_equal(out.n, 1);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("t"), (mcp_params_t){0}), RC_OK);
    assert_int_equal(params_find(p, a, STR("/a"), STR("t"), &out), RC_OK);
    assert_int_equal(out.n, 0);
    params_free(p);
}

static void too_much_is_refused(void **state)
{
    arena_t *a = *state;
    params_t *p;
    char *name = arena_alloc(a, PARAMS_BYTES);
    const mcp_param_t large = {str_of(name, PARAMS_BYTES), {NULL, 0}};
    assert_int_equal(params_new(random_fake(&randomness), &p), RC_OK);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("t"), (mcp_params_t){&large, 1}), RC_LIMIT);
    for (int i = 0; i < PARAMS_TOOLS; i++)
        assert_int_equal(params_learn(p, a, STR("/a"), arena_printf(a, "%d", i), two()), RC_OK);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("more"), two()), RC_LIMIT);
    assert_int_equal(params_learn(p, a, STR("/a"), STR("0"), two()), RC_OK);
    params_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_was_learned_is_found),
        ARENA_TEST(the_last_list_counts),
        ARENA_TEST(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
