#include "identity/groups.h"

#include "identity/identity_test_util.h"

#define LIST(...)                                                                                  \
    ((str_list_t){(const str_t[]){__VA_ARGS__},                                                    \
                  sizeof((const str_t[]){__VA_ARGS__}) / sizeof(str_t)})

static arena_t *setup_arena(void)
{
    arena_t *a = arena_new(1 << 22);
    assert_non_null(a);
    return a;
}

static void names(void **state)
{
    (void)state;
    char longest[IDENTITY_GROUP_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    assert_true(identity_group_is_name(STR("traders")));
    assert_true(identity_group_is_name(STR("Sales & Service (EMEA)")));
    assert_true(identity_group_is_name(STR("\xc3\xa4rzte")));
    assert_true(identity_group_is_name(str_of(longest, IDENTITY_GROUP_BYTES)));
    assert_false(identity_group_is_name(str_of(longest, sizeof longest)));
    assert_false(identity_group_is_name(STR("")));
    assert_false(identity_group_is_name(STR_UNSET));
    assert_false(identity_group_is_name(STR(" a")));
    assert_false(identity_group_is_name(STR("a ")));
    assert_false(identity_group_is_name(STR("a\nb")));
    assert_false(identity_group_is_name(STR("a\"b")));
    assert_false(identity_group_is_name(STR("a\\b")));
    assert_false(identity_group_is_name(STR("\xff")));
}

static void words_come_out_sorted_and_once(void **state)
{
    (void)state;
    arena_t *a = setup_arena();
    str_list_t out;
    assert_int_equal(
        identity_groups_of_words(a, LIST(STR("b"), STR("a"), STR("b"), STR("ab")), &out), RC_OK);
    assert_true(identity_groups_equal(out, LIST(STR("a"), STR("ab"), STR("b"))));
    assert_int_equal(identity_groups_of_words(a, (str_list_t){0}, &out), RC_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(identity_groups_of_words(a, LIST(STR("a"), STR("")), &out), RC_MALFORMED);
    assert_false(identity_groups_equal(LIST(STR("a")), LIST(STR("b"))));
    arena_free(a);
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    arena_t *a = setup_arena();
    str_t v[IDENTITY_GROUPS_MAX + 1];
    str_list_t out;
    for (size_t i = 0; i <= IDENTITY_GROUPS_MAX; i++)
        v[i] = arena_printf(a, "g%zu", i);
    assert_int_equal(identity_groups_of_words(a, (str_list_t){v, IDENTITY_GROUPS_MAX}, &out),
                     RC_OK);
    assert_int_equal(identity_groups_of_words(a, (str_list_t){v, IDENTITY_GROUPS_MAX + 1}, &out),
                     RC_LIMIT);
    for (size_t i = 0; i < 41; i++)
        v[i] = arena_printf(a, "%0100zu", i);
    assert_int_equal(identity_groups_of_words(a, (str_list_t){v, 40}, &out), RC_OK);
    assert_int_equal(identity_groups_of_words(a, (str_list_t){v, 41}, &out), RC_LIMIT);
    arena_free(a);
}

static str_list_t claim(arena_t *a, const char *name, const char *json)
{
    const json_t *claims;
    str_list_t out;
    assert_int_equal(json_parse(a, str_c(json), NULL, &claims), RC_OK);
    assert_int_equal(identity_groups_of_claim(a, claims, str_c(name), &out), RC_OK);
    return out;
}

static void claims_of_providers(void **state)
{
    (void)state;
    arena_t *a = setup_arena();
    const str_list_t two = LIST(STR("a"), STR("b"));
    assert_true(identity_groups_equal(claim(a, "groups", "{\"groups\":[\"b\",\"a\",\"b\"]}"), two));
    assert_true(identity_groups_equal(
        claim(a, "groups", "{\"groups\":[{\"value\":\"a\",\"display\":\"A\"},{\"value\":\"b\"}]}"),
        two));
    assert_true(identity_groups_equal(claim(a, "groups", "{\"groups\":\"a\"}"), LIST(STR("a"))));
    assert_true(identity_groups_equal(
        claim(a, "realm_access.roles", "{\"realm_access\":{\"roles\":[\"a\",\"b\"]}}"), two));
    assert_true(identity_groups_equal(
        claim(a, "https://x.test/g", "{\"https://x.test/g\":[\"a\",1,null,[],{},\"\",\"b\"]}"),
        two));
    assert_int_equal(claim(a, "groups", "{}").n, 0);
    assert_int_equal(claim(a, "groups", "{\"groups\":null}").n, 0);
    assert_int_equal(claim(a, "groups", "{\"groups\":7}").n, 0);
    arena_free(a);
}

/* Half of them would be a guess. */
static void more_than_there_may_be_are_none(void **state)
{
    (void)state;
    arena_t *a = setup_arena();
    buf_t b = buf_new(a, 1 << 16);
    buf_put(&b, STR("{\"groups\":["));
    for (int i = 0; i <= IDENTITY_GROUPS_MAX; i++)
        buf_fmt(&b, "%s\"g%d\"", i ? "," : "", i);
    buf_put(&b, STR("]}"));
    buf_char(&b, 0);
    assert_int_equal(claim(a, "groups", buf_str(&b).p).n, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(words_come_out_sorted_and_once),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(claims_of_providers),
        cmocka_unit_test(more_than_there_may_be_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
