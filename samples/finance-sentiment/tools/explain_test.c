#include "explain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int setup(void **state)
{
    *state = arena_new(2 * ENGINE_ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const str_list_t NOBODY = {0};

/* The bytes of characters [start, end). */
static str_t cut(str_t s, size_t start, size_t end)
{
    size_t from = s.n, to = s.n, n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) == 0x80)
            continue;
        from = n == start ? i : from;
        to = n == end ? i : to;
        n++;
    }
    return str_of(s.p + from, to - from);
}

static explain_t run(void **state, str_t title, str_t summary)
{
    explain_t x;
    assert_int_equal(explain(*state, title, summary, NOBODY, &x), RC_OK);
    for (size_t i = 0; i < x.count; i++) {
        str_t field = x.spans[i].field == EXPLAIN_TITLE ? title : summary;
        str_t there = cut(field, x.spans[i].start, x.spans[i].end);
        if (!str_eq(there, x.spans[i].text))
            fail_msg("'%.*s' is not '%.*s'", STR_ARG(there), STR_ARG(x.spans[i].text));
    }
    return x;
}

static void spans_stand_in_their_field(void **state)
{
    explain_t x =
        run(state, STR("Acme profit rose sharply"), STR("But the net loss widened at Orbit."));
    bool title = false, summary = false;
    assert_true(x.count >= 2);
    for (size_t i = 0; i < x.count; i++) {
        title |= x.spans[i].field == EXPLAIN_TITLE && x.spans[i].weight > 0;
        summary |= x.spans[i].field == EXPLAIN_SUMMARY && x.spans[i].weight < 0;
        assert_true(x.spans[i].rule.n > 0);
    }
    assert_true(title && summary);
}

/* Umlauts have two bytes, the chart four: places count characters. */
static void places_count_characters(void **state)
{
    explain_t x = run(state,
                      STR("\xc3\x9c"
                          "berfl\xc3\xbcssig \xf0\x9f\x93\x88: profit rose"),
                      STR("\xc3\x84hnlich: the net loss narrowed"));
    assert_true(x.count >= 1);
    for (size_t i = 0; i < x.count; i++)
        assert_true(x.spans[i].end > x.spans[i].start);
}

static void score_is_that_of_both_together(void **state)
{
    sentiment_t s;
    explain_t x = run(state, STR("Profit rose"), STR("Sales fell sharply"));
    assert_int_equal(engine_analyze(*state, STR("Profit rose. Sales fell sharply"), &s), RC_OK);
    assert_true(x.s.score == s.score);
}

static void fields_may_be_empty(void **state)
{
    assert_int_equal(run(state, STR(""), STR("")).count, 0);
    assert_true(run(state, STR("Profit rose"), STR_UNSET).count >= 1);
    explain_t x = run(state, STR(""), STR("Profit rose"));
    assert_true(x.count >= 1);
    assert_int_equal(x.spans[0].field, EXPLAIN_SUMMARY);
}

static void longer_than_the_engine_takes_is_said(void **state)
{
    explain_t x;
    char *p = arena_alloc(*state, ENGINE_TEXT_BYTES);
    memset(p, 'x', ENGINE_TEXT_BYTES);
    assert_int_equal(explain(*state, str_of(p, ENGINE_TEXT_BYTES), STR("a"), NOBODY, &x), RC_LIMIT);
    assert_int_equal(explain(*state, STR("a"), STR("b"), NOBODY, &x), RC_OK);
}

static void a_company_may_be_asked_for(void **state)
{
    str_t name = STR("Acme");
    explain_t x;
    assert_int_equal(
        explain(*state, STR("Acme profit rose"), STR("Orbit fell."), (str_list_t){&name, 1}, &x),
        RC_OK);
    assert_true(x.s.score > 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spans_stand_in_their_field),           TEST(places_count_characters),
        TEST(score_is_that_of_both_together),       TEST(fields_may_be_empty),
        TEST(longer_than_the_engine_takes_is_said), TEST(a_company_may_be_asked_for),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
