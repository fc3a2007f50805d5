/* Where names stand in texts, whatever form they have there. */
#include "engine_test_world.h"

static places_t find(arena_t *a, const char *text, const str_t *names, size_t n)
{
    tokens_t t;
    places_t p;
    assert_int_equal(engine_tokenize(a, str_c(text), &t), RC_OK);
    assert_int_equal(target_find(a, &t, (str_list_t){names, n}, &p), RC_OK);
    return p;
}

static size_t count(arena_t *a, const char *text, const char *name)
{
    str_t names[] = {str_c(name)};
    return find(a, text, names, 1).n;
}

static void case_does_not_matter(void **state)
{
    assert_int_equal(count(*state, "ACME rises", "Acme"), 1);
    assert_int_equal(count(*state, "acme rises", "ACME"), 1);
    assert_int_equal(count(*state, "Acmet rises", "Acme"), 0);
}

static void legal_forms_may_be_left_out(void **state)
{
    static const char *const NAMES[] = {"Acme Ltd",           "Acme Inc.",        "Acme Corp.",
                                        "Acme Holdings Ltd.", "The Acme Company", "Acme PLC"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        assert_int_equal(count(*state, "Profit of Acme rises", NAMES[i]), 1);
    assert_int_equal(count(*state, "Acme Ltd rises", "Acme"), 1);
    assert_int_equal(count(*state, "Group rises", "Group"), 1);
}

static void possessives_and_plurals_are_found(void **state)
{
    assert_int_equal(count(*state, "Acme's profit rises", "Acme"), 1);
    assert_int_equal(count(*state, "Acme\xe2\x80\x99s profit rises", "Acme"), 1);
    assert_int_equal(count(*state, "Acmes profit rises", "Acme"), 1);
    assert_int_equal(count(*state, "Is it so", "It"), 1);
    assert_int_equal(count(*state, "Its profit", "It"), 0);
}

static void tickers_are_found(void **state)
{
    assert_int_equal(count(*state, "$ACME up", "ACME"), 1);
    assert_int_equal(count(*state, "$ACME up", "$acme"), 1);
    str_t names[] = {STR("Acme Instruments"), STR("ACMI")};
    assert_int_equal(find(*state, "ACMI and Acme Instruments", names, 2).n, 2);
}

static void punctuation_in_names_is_no_matter(void **state)
{
    assert_int_equal(count(*state, "Mid-caps fall", "Mid caps"), 1);
    assert_int_equal(count(*state, "S&P 500 falls", "S&P 500"), 1);
    assert_int_equal(count(*state, "S&P 400 falls", "S&P 500"), 0);
    assert_int_equal(count(*state, "3M falls", "3M"), 1);
}

static void initials_stand_for_a_name(void **state)
{
    assert_int_equal(count(*state, "SBI raises rates", "State Bank of India"), 1);
    assert_int_equal(count(*state, "SB raises rates", "State Bank"), 0);
}

static void first_words_stand_for_a_name(void **state)
{
    assert_int_equal(count(*state, "Infotech falls", "Infotech Consulting Services"), 1);
    assert_int_equal(count(*state, "The day", "The Acme"), 0);
    /* Not where the whole name stands: "Bank" alone is another one. */
    assert_int_equal(count(*state, "Bank rises, Bank Halden falls", "Bank Halden"), 1);
}

static void places_are_apart_and_in_order(void **state)
{
    str_t names[] = {STR("Acme"), STR("Acme Steel"), STR("Steel")};
    places_t p = find(*state, "Steel up, Acme Steel up, Acme down", names, 3);
    assert_true(p.n >= 3);
    for (size_t i = 1; i < p.n; i++)
        assert_true(p.v[i - 1].to < p.v[i].from);
}

static void mentions_are_bounded(void **state)
{
    char text[ENGINE_MENTIONS * 10 + 1];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "acme "[i % 5];
    text[sizeof text - 1] = '\0';
    assert_int_equal(count(*state, text, "Acme"), ENGINE_MENTIONS);
}

static void too_many_names_are_a_limit(void **state)
{
    str_t names[ENGINE_NAMES + 1];
    sentiment_t s;
    for (size_t i = 0; i < ENGINE_NAMES + 1; i++)
        names[i] = STR("Acme");
    str_list_t all = {names, ENGINE_NAMES + 1}, fewer = {names, ENGINE_NAMES};
    assert_int_equal(engine_analyze_target(*state, STR("Acme up"), all, &s), RC_LIMIT);
    assert_int_equal(engine_analyze_target(*state, STR("Acme up"), fewer, &s), RC_OK);
}

static void a_long_name_is_a_limit(void **state)
{
    char bytes[ENGINE_NAME_BYTES + 1];
    sentiment_t s;
    memset(bytes, 'a', sizeof bytes);
    str_t name = str_of(bytes, sizeof bytes);
    assert_int_equal(engine_analyze_target(*state, STR("a"), (str_list_t){&name, 1}, &s), RC_LIMIT);
    name.n--;
    assert_int_equal(engine_analyze_target(*state, STR("a"), (str_list_t){&name, 1}, &s), RC_OK);
}

static void an_empty_name_is_nowhere(void **state)
{
    assert_int_equal(count(*state, "Acme up", ""), 0);
    assert_int_equal(count(*state, "Acme up", "..."), 0);
    assert_int_equal(count(*state, "", "Acme"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(case_does_not_matter),
        ENGINE_TEST(legal_forms_may_be_left_out),
        ENGINE_TEST(possessives_and_plurals_are_found),
        ENGINE_TEST(tickers_are_found),
        ENGINE_TEST(punctuation_in_names_is_no_matter),
        ENGINE_TEST(initials_stand_for_a_name),
        ENGINE_TEST(first_words_stand_for_a_name),
        ENGINE_TEST(places_are_apart_and_in_order),
        ENGINE_TEST(mentions_are_bounded),
        ENGINE_TEST(too_many_names_are_a_limit),
        ENGINE_TEST(a_long_name_is_a_limit),
        ENGINE_TEST(an_empty_name_is_nowhere),
    };
    return cmocka_run_group_tests_name("engine_target", tests, NULL, NULL);
}
