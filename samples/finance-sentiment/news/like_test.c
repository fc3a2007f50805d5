#include "like.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define TITLE "Acme raises full-year guidance after a record third quarter"
#define BODY                                                                                       \
    "Acme Instruments raised its full-year sales guidance to EUR 410m from EUR 385m. Operating "   \
    "profit rose to EUR 18.4m from EUR 14.1m a year earlier, helped by strong demand for "         \
    "laboratory sensors. Order backlog climbed 12 percent."

static bool same(const char *title, const char *body, bool other)
{
    like_t a, b;
    like_of(STR(TITLE), STR(BODY), &a);
    like_of(str_c(title), str_c(body), &b);
    assert_true(like_same(&a, &b, other) == like_same(&b, &a, other));
    return like_same(&a, &b, other);
}

static void what_outlets_change_is_not_seen(void **state)
{
    (void)state;
    assert_true(same(TITLE, BODY, false));
    assert_true(same("ACME raises full year guidance, after a record third quarter", BODY, false));
    assert_true(same("Acme: guidance is raised", BODY, true));
    /* the same text, cut */
    assert_true(same("Acme raises guidance",
                     "Acme Instruments raised its full-year sales guidance to EUR 410m from EUR "
                     "385m. Operating profit rose to EUR 18.4m from",
                     true));
    assert_true(same(TITLE, "Other words of another desk about it.", true));
}

static void other_stories_stay_apart(void **state)
{
    (void)state;
    assert_false(same("Acme cuts its guidance after a weak third quarter",
                      "Acme Instruments cut its full-year guidance, blaming freight rates.", true));
    /* a column of one outlet keeps its title and changes its text */
    assert_false(same(TITLE, "Other words of another day about other things.", false));
    /* the same sentence with other numbers is another report */
    assert_false(same("Acme raises full-year guidance by 5 percent", BODY, true));
    assert_false(same("", "", true));
}

static void short_texts_need_their_title(void **state)
{
    like_t a, b, c;
    (void)state;
    like_of(STR("Results at noon"), STR(""), &a);
    like_of(STR("Results at noon"), STR(""), &b);
    like_of(STR("Results at ten"), STR(""), &c);
    assert_true(like_same(&a, &b, true));
    assert_false(like_same(&a, &c, true));
}

/* What is alike must be found: pairs with a word changed here and there share a band. */
static void alike_articles_share_a_band(void **state)
{
    enum { WORDS = 60, ROUNDS = 400 };
    unsigned found = 0, seed = 1;
    (void)state;
    for (unsigned r = 0; r < ROUNDS; r++) {
        char one[WORDS * 8], two[WORDS * 8];
        size_t n = 0, m = 0;
        for (unsigned i = 0; i < WORDS; i++) {
            seed = seed * 1103515245u + 12345u;
            unsigned word = seed >> 12;
            n += (size_t)snprintf(one + n, sizeof one - n, "w%05x ", word & 0xfffff);
            /* every fifteenth word differs: 0.76 of the pairs are common */
            m += (size_t)snprintf(two + m, sizeof two - m, "w%05x ",
                                  (i % 15 == 7 ? ~word : word) & 0xfffff);
        }
        like_t a, b;
        int64_t x[LIKE_BANDS], y[LIKE_BANDS];
        like_of(STR("one"), str_of(one, n), &a);
        like_of(STR("two"), str_of(two, m), &b);
        assert_true(like_same(&a, &b, true));
        assert_int_equal(like_bands(&a, x), LIKE_BANDS);
        assert_int_equal(like_bands(&b, y), LIKE_BANDS);
        bool hit = false;
        for (size_t i = 0; i < LIKE_BANDS; i++)
            hit |= x[i] == y[i];
        found += hit;
    }
    assert_in_range(found, ROUNDS * 90 / 100, ROUNDS);
}

static void long_and_odd_texts_are_bounded(void **state)
{
    char *text = malloc(1 << 20);
    like_t l;
    int64_t bands[LIKE_BANDS];
    (void)state;
    for (size_t i = 0; i < 1 << 20; i++)
        text[i] = (char)(i * 7 % 251);
    like_of(str_of(text, 1 << 20), str_of(text, 1 << 20), &l);
    assert_true(l.n <= LIKE_PAIRS);
    like_bands(&l, bands);
    like_of(STR_UNSET, STR_UNSET, &l);
    assert_int_equal(l.n, 0);
    assert_int_equal(like_bands(&l, bands), 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_outlets_change_is_not_seen),
        cmocka_unit_test(other_stories_stay_apart),
        cmocka_unit_test(short_texts_need_their_title),
        cmocka_unit_test(alike_articles_share_a_band),
        cmocka_unit_test(long_and_odd_texts_are_bounded),
    };
    return cmocka_run_group_tests_name("like", tests, NULL, NULL);
}
