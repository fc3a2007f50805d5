#include "oauth/oauth_test_world.h"

#include "oauth/subject.h"

static str_t id_of(world_t *w, const char *issuer, const char *tenant, const char *subject)
{
    str_t out;
    assert_int_equal(oauth_subject_id(w->a, str_c(issuer), str_c(tenant), str_c(subject), &out),
                     RC_OK);
    return out;
}

static void the_same_three_are_the_same_person(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    str_t id = id_of(&w, "https://idp.test", "acme", "u1");
    assert_str(id, id_of(&w, "https://idp.test", "acme", "u1"));
    assert_int_equal(id.n, 50);
    assert_true(str_starts(id, STR("x-")));
    assert_false(str_contains(id, STR("u1")));
    world_end(&w);
}

/* EM-8 */
static void any_other_three_are_somebody_else(void **state)
{
    (void)state;
    static const char *const OTHERS[][3] = {
        {"https://idp.test", "acme", "u2"}, {"https://idp.test", "acm", "eu1"},
        {"https://idp.test", NULL, "u1"},   {"https://idp.test", "", "u1"},
        {"https://idp.test", "acmeu", "1"}, {"https://idp.test4:acme", "", "u1"},
        {"https://idp.tes", "tacme", "u1"},
    };
    world_t w;
    world_begin(&w);
    str_t id = id_of(&w, "https://idp.test", "acme", "u1");
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        assert_false(str_eq(id, id_of(&w, OTHERS[i][0], OTHERS[i][1], OTHERS[i][2])));
    world_end(&w);
}

static rc_t id_in(world_t *w, arena_t *a, void *ctx)
{
    str_t out;
    (void)w, (void)ctx;
    return oauth_subject_id(a, STR("i"), STR_UNSET, STR("s"), &out);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(id_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_three_are_the_same_person),
        cmocka_unit_test(any_other_three_are_somebody_else),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
