#include "core/core_test_util.h"

#include "core/form.h"
#include "core/limits.h"

static form_t parsed(arena_t *a, str_t text)
{
    form_t f;
    assert_int_equal(form_parse(a, test_exact(a, text), &f), RC_OK);
    return f;
}

static void fields_are_decoded(void **state)
{
    arena_t *a = *state;
    form_t f = parsed(a, STR("a+b=c%20d&x=%e2%82%AC&&only&=v&k=a=b&"));
    static const form_field_t FIELDS[] = {
        {STR_INIT("a b"), STR_INIT("c d")}, {STR_INIT("x"), STR_INIT("\xe2\x82\xac")},
        {STR_INIT("only"), STR_INIT("")},   {STR_INIT(""), STR_INIT("v")},
        {STR_INIT("k"), STR_INIT("a=b")},
    };
    assert_int_equal(f.n, ROWS(FIELDS));
    for (size_t i = 0; i < f.n; i++) {
        assert_str(f.v[i].name, FIELDS[i].name);
        assert_str(f.v[i].value, FIELDS[i].value);
    }
}

static void nothing_is_no_field(void **state)
{
    assert_int_equal(parsed(*state, STR("")).n, 0);
    assert_int_equal(parsed(*state, STR("&&&")).n, 0);
    form_t f;
    assert_int_equal(form_parse(*state, STR_UNSET, &f), RC_OK);
    assert_int_equal(f.n, 0);
}

static void form_malformed(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("a=%"),    STR_INIT("a=%4"),     STR_INIT("a=%4g"),    STR_INIT("a=%g4"),
        STR_INIT("a=%+1"),  STR_INIT("a=%00"),    STR_INIT("a=\0"),     STR_INIT("%=b"),
        STR_INIT("%00=b"),  STR_INIT("a=%ff"),    STR_INIT("a=%c3"),    STR_INIT("a=%ed%a0%80"),
        STR_INIT("a=\xff"), STR_INIT("ok=1&a=%"), STR_INIT("a=%c0%80"), STR_INIT("a=%\xb1\xb1"),
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        form_t f;
        if (form_parse(*state, test_exact(*state, BAD[i]), &f) != RC_MALFORMED)
            fail_msg("'%" PRIstr "' was taken", STR_ARG(BAD[i]));
        assert_int_equal(f.n, 0);
    }
}

static void form_fields_limit(void **state)
{
    char text[2 * (LIMIT_FORM_FIELDS + 1)];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? '&' : 'a';
    form_t f;
    assert_int_equal(form_parse(*state, str_of(text, sizeof text - 2), &f), RC_OK);
    assert_int_equal(f.n, LIMIT_FORM_FIELDS);
    assert_int_equal(form_parse(*state, str_of(text, sizeof text), &f), RC_LIMIT);
}

static void repeated_parameter(void **state)
{
    form_t f = parsed(*state, STR("a=1&b=&c=1&c=&a=1&d=2&e=&e="));
    str_t out;
    assert_int_equal(form_get(&f, STR("a"), &out), FORM_REPEATED);
    assert_false(str_is_set(out));
    assert_int_equal(form_get(&f, STR("c"), &out), FORM_REPEATED);
    assert_int_equal(form_get(&f, STR("e"), &out), FORM_REPEATED);
    assert_int_equal(form_get(&f, STR("d"), &out), FORM_ONCE);
    assert_str(out, STR("2"));
}

static void an_empty_value_is_absent(void **state)
{
    form_t f = parsed(*state, STR("b=&c"));
    str_t out;
    assert_int_equal(form_get(&f, STR("b"), &out), FORM_ABSENT);
    assert_false(str_is_set(out));
    assert_int_equal(form_get(&f, STR("c"), &out), FORM_ABSENT);
    assert_int_equal(form_get(&f, STR("none"), &out), FORM_ABSENT);
    assert_int_equal(form_get(&f, STR("B"), &out), FORM_ABSENT);
}

static void all_values_in_order(void **state)
{
    form_t f = parsed(*state, STR("r=1&x=9&r=&r=2&r=1"));
    str_list_t list;
    assert_int_equal(form_get_all(*state, &f, STR("r"), &list), RC_OK);
    assert_int_equal(list.n, 3);
    assert_str(list.v[0], STR("1"));
    assert_str(list.v[1], STR("2"));
    assert_str(list.v[2], STR("1"));
    assert_int_equal(form_get_all(*state, &f, STR("none"), &list), RC_OK);
    assert_int_equal(list.n, 0);
}

static void one_piece(void **state)
{
    str_t out;
    assert_int_equal(form_decode(*state, STR("a%3Db+%2b"), &out), RC_OK);
    assert_str(out, STR("a=b +"));
    assert_int_equal(form_decode(*state, STR(""), &out), RC_OK);
    assert_str(out, STR(""));
    assert_int_equal(form_decode(*state, STR("%zz"), &out), RC_MALFORMED);
    assert_false(str_is_set(out));
}

/* Whatever the budget, it is all or RC_MEMORY. */
static void every_failing_allocation(void **state)
{
    (void)state;
    bool done = false;
    size_t failures = 0;
    for (size_t budget = 0; !done; budget += 16) {
        arena_t *a = arena_new(budget);
        form_t f;
        str_list_t list;
        rc_t rc = form_parse(a, STR("a=1&b=2&a=3"), &f);
        if (rc == RC_OK)
            rc = form_get_all(a, &f, STR("a"), &list);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        done = rc == RC_OK;
        failures += !done;
        arena_free(a);
    }
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(fields_are_decoded),       ARENA_TEST(nothing_is_no_field),
        ARENA_TEST(form_malformed),           ARENA_TEST(form_fields_limit),
        ARENA_TEST(repeated_parameter),       ARENA_TEST(an_empty_value_is_absent),
        ARENA_TEST(all_values_in_order),      ARENA_TEST(one_piece),
        ARENA_TEST(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
