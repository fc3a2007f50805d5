/* Each family of features, and what must not change any. */
#include "engine_test_world.h"

#include <stdlib.h>

static features_t of(arena_t *a, str_t text, const char *name)
{
    tokens_t t;
    reading_t *r = ARENA_NEW(a, reading_t);
    features_t f;
    places_t p = {0};
    str_t names[] = {str_c(name)};
    assert_int_equal(engine_tokenize(a, text, &t), RC_OK);
    assert_int_equal(reading_open(a, t, r), RC_OK);
    rules_run(r);
    assert_int_equal(reading_weigh(a, r), RC_OK);
    assert_int_equal(features_open(a, r, &f), RC_OK);
    if (name)
        assert_int_equal(target_find(a, &t, (str_list_t){names, 1}, &p), RC_OK);
    if (t.n > 0)
        features_of(&f, (unit_t){0, t.n < UNIT_TOKENS ? t.n : UNIT_TOKENS}, p);
    return f;
}

static int by_hash(const void *a, const void *b)
{
    const feature_t *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* Whether both have the same features of a family, or of all (FAMILIES). */
static bool same(arena_t *a, const char *one, const char *other, int family)
{
    features_t f[2] = {of(a, str_c(one), NULL), of(a, str_c(other), NULL)};
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        for (size_t k = 0; k < f[i].n; k++) {
            if (family == FAMILIES || f[i].v[k].family == family)
                f[i].v[n++] = f[i].v[k];
        }
        f[i].n = n;
        qsort(f[i].v, n, sizeof *f[i].v, by_hash);
    }
    bool equal = f[0].n == f[1].n && f[0].n > 0;
    for (size_t k = 0; equal && k < f[0].n; k++)
        equal = f[0].v[k].hash == f[1].v[k].hash;
    return equal;
}

static void case_changes_nothing(void **state)
{
    assert_true(same(*state, "Profit Rose 5% In May", "PROFIT ROSE 5% IN MAY", FAMILIES));
    assert_false(same(*state, "Profit rose 5% in May", "Profit rose 5% in June", FAMILIES));
}

static void invisible_characters_change_nothing(void **state)
{
    const char *plain = "Profit rose in May";
    assert_true(same(*state, plain,
                     "Pro\xe2\x80\xae"
                     "fit ro\xe2\x80\x8bse in\xc2\xa0May",
                     FAMILIES));
    assert_true(same(*state, plain,
                     "Pro\xc2\xad"
                     "fit \x01rose in\x7f May\xef\xbb\xbf",
                     FAMILIES));
    assert_true(same(*state, plain, "\xe2\x81\xa6Profit\xe2\x81\xa9 rose in May", FAMILIES));
}

static void quotes_and_end_change_no_words(void **state)
{
    const char *plain = "Acme says profit rose";
    static const family_t FAMILY[] = {FAMILY_WORD, FAMILY_PAIR, FAMILY_CHARS, FAMILY_RULE};
    for (size_t i = 0; i < sizeof FAMILY / sizeof *FAMILY; i++) {
        assert_true(same(*state, plain, "Acme says \"profit rose\".", FAMILY[i]));
        assert_true(
            same(*state, plain, "Acme says \xe2\x80\x9cprofit rose\xe2\x80\x9d!", FAMILY[i]));
    }
}

static void numbers_are_types(void **state)
{
    assert_true(same(*state, "up 4.1%", "up 5.7 percent", FAMILY_WORD));
    assert_true(same(*state, "in 2019", "in 2026", FAMILY_WORD));
    assert_true(same(*state, "Q1 net", "Q4 net", FAMILY_WORD));
    assert_true(same(*state, "$ABC up", "$XYZ up", FAMILY_WORD));
    assert_false(same(*state, "up 4.1%", "up $4.1", FAMILY_WORD));
    assert_false(same(*state, "up 4.1%", "up 41%", FAMILY_WORD));
    assert_false(same(*state, "+4%", "-4%", FAMILY_WORD));
}

static void order_is_in_pairs_only(void **state)
{
    assert_true(same(*state, "Acme beats Halden", "Halden beats Acme", FAMILY_WORD));
    assert_false(same(*state, "Acme beats Halden", "Halden beats Acme", FAMILY_PAIR));
}

static void forms_share_their_beginning(void **state)
{
    features_t f = of(*state, STR("upgraded"), NULL), g = of(*state, STR("upgrade"), NULL);
    size_t shared = 0;
    for (size_t i = 0; i < f.n; i++) {
        for (size_t k = 0; k < g.n; k++)
            shared += f.v[i].family == FAMILY_CHARS && f.v[i].hash == g.v[k].hash;
    }
    assert_int_equal(shared, 3);
}

static void negation_turns_what_rules_say(void **state)
{
    assert_false(same(*state, "revenue fell", "revenue never fell", FAMILY_RULE));
    assert_false(same(*state, "revenue fell", "revenue never fell", FAMILY_SCORE));
    assert_true(same(*state, "revenue fell", "sales fell", FAMILY_SCORE));
}

static void comparisons_are_what_rules_say(void **state)
{
    assert_true(same(*state, "profit of 4.1m from 3.2m", "profit of 9.9m from 8.8m", FAMILY_RULE));
    assert_false(same(*state, "profit of 4.1m from 3.2m", "profit of 3.2m from 4.1m", FAMILY_RULE));
}

static void shape_knows_questions_and_links(void **state)
{
    assert_false(same(*state, "Time to buy Acme", "Time to buy Acme?", FAMILY_SHAPE));
    assert_false(same(*state, "Acme up", "Acme up https://t.example/x", FAMILY_SHAPE));
    assert_false(same(*state, "Acme up", "#Acme up", FAMILY_SHAPE));
}

static bool has(const features_t *f, const features_t *g, size_t i)
{
    for (size_t k = 0; k < g->n; k++) {
        if (g->v[k].hash == f->v[i].hash)
            return true;
    }
    return false;
}

/* How many features of f are not of g. */
static size_t only(const features_t *f, const features_t *g)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += !has(f, g, i);
    return n;
}

static void a_target_sees_its_own_side(void **state)
{
    str_t text = STR("Acme gains as Halden slumps");
    features_t acme = of(*state, text, "Acme"), halden = of(*state, text, "Halden");
    features_t none = of(*state, text, NULL);
    assert_true(only(&acme, &halden) > 10);
    assert_true(only(&halden, &acme) > 10);
    size_t seen = 0;
    for (size_t i = 0; i < none.n; i++)
        seen += none.v[i].family == FAMILY_TARGET;
    assert_int_equal(seen, 0);
}

static void a_target_is_any_target(void **state)
{
    features_t f = of(*state, STR("Acme gains"), "Acme"),
               g = of(*state, STR("Halden gains"), "Halden");
    /* Only the features of the name differ. */
    assert_int_equal(only(&f, &g), 2);
}

static void features_point_into_the_text(void **state)
{
    features_t f = of(*state, STR("Acme's profit rose to 4.1m, from 3.2m; shares fell 3%"), "Acme");
    assert_true(f.n > 100 && f.n < f.cap);
    for (size_t i = 0; i < f.n; i++)
        assert_true(f.v[i].from <= f.v[i].to && f.v[i].to < f.reading->tokens.n);
}

/* The busiest unit there can be must not lose features in silence. */
static void the_busiest_unit_fits(void **state)
{
    char text[UNIT_TOKENS * 8];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "profit not rises "[i % 17];
    features_t f = of(*state, str_of(text, sizeof text), "profit");
    assert_true(f.n > UNIT_TOKENS * 20);
    assert_true(f.n < f.cap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(case_changes_nothing),
        ENGINE_TEST(invisible_characters_change_nothing),
        ENGINE_TEST(quotes_and_end_change_no_words),
        ENGINE_TEST(numbers_are_types),
        ENGINE_TEST(order_is_in_pairs_only),
        ENGINE_TEST(forms_share_their_beginning),
        ENGINE_TEST(negation_turns_what_rules_say),
        ENGINE_TEST(comparisons_are_what_rules_say),
        ENGINE_TEST(shape_knows_questions_and_links),
        ENGINE_TEST(a_target_sees_its_own_side),
        ENGINE_TEST(a_target_is_any_target),
        ENGINE_TEST(features_point_into_the_text),
        ENGINE_TEST(the_busiest_unit_fits),
    };
    return cmocka_run_group_tests_name("engine_features", tests, NULL, NULL);
}
