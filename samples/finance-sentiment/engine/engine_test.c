#include "engine.h"
#include "engine_lexicon.h"
#include "engine_token.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 8 << 20 };

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* What the rules say, without the model. */
static double score(void **state, const char *text)
{
    sentiment_t s;
    assert_int_equal(engine_analyze(*state, str_c(text), &s), RC_OK);
    assert_true(s.rules >= -1 && s.rules <= 1);
    return s.rules;
}

typedef struct {
    const char *good, *bad;
} pair_t;

/* Each row: the first text is clearly better news than neutral, the second clearly worse. */
static void pairs(void **state, const pair_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (score(state, v[i].good) < 0.15)
            fail_msg("not good news: %s", v[i].good);
        if (score(state, v[i].bad) > -0.15)
            fail_msg("not bad news: %s", v[i].bad);
    }
}
#define PAIRS(...)                                                                                 \
    do {                                                                                           \
        static const pair_t V[] = {__VA_ARGS__};                                                   \
        pairs(state, V, sizeof V / sizeof *V);                                                     \
    } while (0)

static void direction_follows_the_metric(void **state)
{
    PAIRS({"Profit rose in the third quarter", "Profit fell in the third quarter"},
          {"Net loss narrowed last year", "Net loss widened last year"},
          {"Costs fell", "Costs rose"},
          {"Unemployment dropped again", "Unemployment climbed again"},
          {"A fall in expenses", "A rise in expenses"}, {"Lower costs", "Higher costs"});
}

static void numbers_are_compared(void **state)
{
    PAIRS({"Operating profit of EUR 4.1m from EUR 3.2m",
           "Operating profit of EUR 3.2m from EUR 4.1m"},
          {"Sales came to 1.2 bn vs 900 mn", "Sales came to 900 mn vs 1.2 bn"},
          {"Margin went from 4.2% to 5.1%", "Margin went from 5.1% to 4.2%"},
          {"Loss of 3.2m compared with 4.1m", "Loss of 4.1m compared with 3.2m"},
          {"Profit of 4.1m compared with a loss of 9.2m",
           "Loss of 4.1m compared with a profit of 9.2m"});
}

static void somebody_moves_the_metric(void **state)
{
    PAIRS({"Halden raises guidance", "Halden cuts guidance"},
          {"Halden trims losses", "Halden extends losses"},
          {"Analyst upgraded to buy", "Analyst downgraded to sell"},
          {"Price target raised to $41", "Price target cut to $31"},
          {"The shares extend gains", "The shares pare gains"});
}

static void negation_turns(void **state)
{
    PAIRS({"Revenue did not fall", "Revenue did not rise"},
          {"Orders never weakened", "The plan fails to boost sales"});
}

static void emphasis_scales(void **state)
{
    assert_true(score(state, "Profit rose sharply") > score(state, "Profit rose"));
    assert_true(score(state, "Profit rose") > score(state, "Profit rose slightly"));
    assert_true(score(state, "Profit rose slightly") > 0);
}

static void hedges_and_questions_weaken(void **state)
{
    double plain = score(state, "Sales rise"), hedged = score(state, "Sales may rise");
    assert_true(hedged > 0 && hedged < plain);
    assert_true(score(state, "Sales rise?") < plain);
}

static void contrast_weighs_the_second_half(void **state)
{
    assert_true(score(state, "Sales rose but profit fell") < 0);
    assert_true(score(state, "Sales fell but profit rose") > 0);
    assert_true(score(state, "Shares rose despite weak demand") > 0.15);
}

static void events_have_a_tone(void **state)
{
    PAIRS({"Shares hit an all-time high", "Shares hit an all-time low"},
          {"Halden wins contract", "Halden lays off 400 people, revenue is weak"},
          {"Halden returns to profit", "Halden files for bankruptcy"},
          {"Quarterly revenue beats estimates", "Quarterly revenue misses estimates"});
    assert_true(score(state, "Halden's bonds in default, class action follows") < -0.35);
}

static void neutral_text_is_neutral(void **state)
{
    static const char *const V[] = {"",
                                    "Halden appoints a new chief financial officer",
                                    "Halden to report results on 3 May 2026",
                                    "Halden raises Rs 667 crore",
                                    "Transcript of the earnings call",
                                    "The annual meeting takes place in Oslo"};
    for (size_t i = 0; i < sizeof V / sizeof *V; i++)
        assert_true(fabs(score(state, V[i])) < 0.15);
}

static void labels_have_the_published_thresholds(void **state)
{
    (void)state;
    assert_int_equal(engine_label(-0.35), SENTIMENT_BEARISH);
    assert_int_equal(engine_label(-0.3499), SENTIMENT_SOMEWHAT_BEARISH);
    assert_int_equal(engine_label(-0.15), SENTIMENT_SOMEWHAT_BEARISH);
    assert_int_equal(engine_label(-0.1499), SENTIMENT_NEUTRAL);
    assert_int_equal(engine_label(0.1499), SENTIMENT_NEUTRAL);
    assert_int_equal(engine_label(0.15), SENTIMENT_SOMEWHAT_BULLISH);
    assert_int_equal(engine_label(0.35), SENTIMENT_BULLISH);
    assert_true(str_eq(engine_label_name(SENTIMENT_SOMEWHAT_BULLISH), STR("Somewhat-Bullish")));
}

static bool has_evidence(const sentiment_t *s, str_t text, str_t words, str_t rule)
{
    for (size_t i = 0; i < s->evidence_count; i++) {
        const evidence_t *e = &s->evidence[i];
        if (str_eq(str_of(text.p + e->start, e->end - e->start), words))
            return e->weight > 0 && str_eq(e->rule, rule);
    }
    return false;
}

static void evidence_points_into_the_text(void **state)
{
    str_t text = STR("Yesterday, profit rose to 4.1m.");
    sentiment_t s;
    assert_int_equal(engine_analyze(*state, text, &s), RC_OK);
    assert_true(has_evidence(&s, text, STR("profit rose"), STR("metric and direction")));
    for (size_t i = 0; i < s.evidence_count; i++) {
        assert_true(s.evidence[i].start < s.evidence[i].end && s.evidence[i].end <= text.n);
        assert_true(i == 0 || s.evidence[i - 1].end <= s.evidence[i].start);
    }
}

static void too_long_is_a_limit(void **state)
{
    size_t n = ENGINE_TEXT_BYTES + 1;
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, 'a', n);
    sentiment_t s;
    assert_int_equal(engine_analyze(*state, str_of(text, n), &s), RC_LIMIT);
    for (size_t i = 0; i < n - 1; i++)
        text[i] = i % 2 ? ' ' : 'a';
    assert_int_equal(engine_analyze(*state, str_of(text, n - 1), &s), RC_LIMIT);
    assert_int_equal(engine_analyze(*state, str_of(text, 1000), &s), RC_OK);
    free(text);
}

static void tokens_know_their_units(void **state)
{
    tokens_t t;
    str_t text =
        STR("EUR 4.1 mn, $1,234.50 +8% -4 pc 10 per cent 2026 U.S. S&P don\xe2\x80\x99t $HALD");
    assert_int_equal(engine_tokenize(*state, text, &t), RC_OK);
    assert_int_equal(t.v[0].unit, UNIT_MONEY);
    assert_true(t.v[0].value > 4099999 && t.v[0].value < 4100001);
    assert_int_equal(t.v[0].start, 0);
    assert_int_equal(t.v[1].punct, ',');
    assert_int_equal(t.v[2].unit, UNIT_MONEY);
    assert_true(fabs(t.v[2].value - 1234.5) < 1e-6);
    assert_true(t.v[3].is_signed && t.v[3].unit == UNIT_PERCENT && t.v[3].value == 8);
    assert_true(t.v[4].is_signed && t.v[4].unit == UNIT_PERCENT && t.v[4].value == -4);
    assert_true(t.v[5].unit == UNIT_PERCENT && t.v[5].value == 10);
    assert_int_equal(t.v[6].unit, UNIT_YEAR);
    assert_true(str_eq(t.v[7].word, STR("u.s")));
}

static void any_bytes_are_safe(void **state)
{
    uint32_t x = 1;
    for (int round = 0; round < 300; round++) {
        char text[257];
        for (size_t i = 0; i < sizeof text; i++) {
            x = x * 1664525U + 1013904223U;
            text[i] = round % 2 ? (char)(x >> 24) : " .,-+$%'&0a\xe2\x80\x99\x94"[(x >> 24) % 14];
        }
        sentiment_t s;
        arena_reset(*state);
        assert_int_equal(engine_analyze(*state, str_of(text, sizeof text), &s), RC_OK);
        assert_true(s.score >= -1 && s.score <= 1);
    }
}

static void lexicon_is_in_order(void **state)
{
    (void)state;
    size_t n;
    const lexicon_word_t *w = lexicon_words(&n);
    assert_true(n > 500);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(lexicon_find(w[i].word), &w[i]);
        assert_true(i == 0 || !str_eq(w[i - 1].word, w[i].word));
    }
    const lexicon_phrase_t *p = lexicon_phrases(&n);
    for (size_t i = 1; i < n; i++)
        assert_true(str_cmp(p[i - 1].words, p[i].words) < 0);
    size_t count = n, found = 0;
    for (size_t i = 0; i < count; i += n, found++) {
        str_t word = str_first(p[i].words, str_find(p[i].words, ' ', 0));
        assert_ptr_equal(lexicon_phrases_of(word, &n), &p[i]);
        assert_true(n > 0);
    }
    assert_true(found > 50);
    assert_null(lexicon_phrases_of(STR(""), &n));
    assert_null(lexicon_phrases_of(STR("zebra"), &n));
    assert_non_null(lexicon_find(STR("slipping")));
    assert_null(lexicon_find(STR("zebra")));
}

#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(direction_follows_the_metric),
        ENGINE_TEST(numbers_are_compared),
        ENGINE_TEST(somebody_moves_the_metric),
        ENGINE_TEST(negation_turns),
        ENGINE_TEST(emphasis_scales),
        ENGINE_TEST(hedges_and_questions_weaken),
        ENGINE_TEST(contrast_weighs_the_second_half),
        ENGINE_TEST(events_have_a_tone),
        ENGINE_TEST(neutral_text_is_neutral),
        ENGINE_TEST(labels_have_the_published_thresholds),
        ENGINE_TEST(evidence_points_into_the_text),
        ENGINE_TEST(too_long_is_a_limit),
        ENGINE_TEST(tokens_know_their_units),
        ENGINE_TEST(any_bytes_are_safe),
        ENGINE_TEST(lexicon_is_in_order),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
