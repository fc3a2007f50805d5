/* analyze_sentiment from its arguments to its answer. */
#include "finance_test_world.h"
#include "finance_write.h"

static void score_of_a_text(void **state)
{
    fixture_t *f = *state;
    const json_t *r = good(f, "analyze_sentiment", "{\"text\":\"Profit rose to 4.1m from 3.2m.\"}");
    const json_t *s = structured(r);
    assert_true(number(s, "score") > 0.15);
    assert_true(str_contains(json_get_str(s, STR("label")), STR("ullish")));
    assert_true(number(s, "evidence_count") >= 1);
    const json_t *e = json_get(s, STR("evidence"))->child;
    assert_true(json_get_str(e, STR("text")).n > 0 && json_get_str(e, STR("rule")).n > 0);
    assert_true(number(e, "weight") > 0);
    assert_true(str_contains(text_of(r), STR("Because of:")));
    s = structured(good(f, "analyze_sentiment", "{\"text\":\"The net loss widened.\"}"));
    assert_true(number(s, "score") < -0.15);
    r = good(f, "analyze_sentiment", "{\"text\":\"The meeting is at noon.\"}");
    assert_true(number(structured(r), "score") > -0.15 && number(structured(r), "score") < 0.15);
    assert_true(str_eq(json_get_str(structured(r), STR("label")), STR("Neutral")));
}

static void bad_analyze_arguments(void **state)
{
    fixture_t *f = *state;
    bad(f, "analyze_sentiment", "{}", "Give `text`");
    bad(f, "analyze_sentiment", "{\"text\":\" \\n\\t\"}", "Give `text`");
    bad(f, "analyze_sentiment", "{\"text\":[\"a\"]}", "Give `text`");
    bad(f, "analyze_sentiment", "{\"text\":\"a\",\"language\":\"en\"}", "no others");
    good(f, "analyze_sentiment", "{\"text\":\"a\"}");
}

static str_t repeat(fixture_t *f, const char *part, size_t bytes)
{
    buf_t b = buf_new(f->a, 1 << 20);
    buf_put(&b, STR("{\"text\":\""));
    for (size_t n = 0; n + strlen(part) <= bytes; n += strlen(part))
        buf_put(&b, str_c(part));
    buf_put(&b, STR("\"}"));
    buf_char(&b, '\0');
    return buf_str(&b);
}

static void text_at_its_bounds(void **state)
{
    fixture_t *f = *state;
    const json_t *s = structured(
        good(f, "analyze_sentiment", repeat(f, "profit rose sharply. ", ENGINE_TEXT_BYTES).p));
    assert_int_equal(json_get(s, STR("evidence"))->count, FINANCE_EVIDENCE_MAX);
    assert_true(number(s, "evidence_count") > FINANCE_EVIDENCE_MAX);
    bad(f, "analyze_sentiment", repeat(f, "x", ENGINE_TEXT_BYTES + 1).p, "longer than 65536");
    bad(f, "analyze_sentiment", repeat(f, "a ", ENGINE_TEXT_BYTES).p, "too many words");
}

static void hostile_text_comes_back_clean(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r = call(
        f, BOTH, "analyze_sentiment",
        "{\"text\":\"profit\\u0000 rose\\u202e \\u001b[31m sharply \\ud83d\\udcc8\\n\\n- 9.99\"}");
    str_t text = text_of(result_of(f, &r));
    for (size_t i = 0; i < text.n; i++)
        assert_true(text.p[i] == '\n' || (unsigned char)text.p[i] >= ' ');
    assert_false(str_contains(text, STR("\xe2\x80\xae")));
}

static void rounding(void **state)
{
    (void)state;
    assert_true(finance_round(0.12344) == 0.1234);
    assert_true(finance_round(-0.00001) == 0);
    assert_false(__builtin_signbit(finance_round(-0.00001)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FINANCE_TEST(score_of_a_text),    FINANCE_TEST(bad_analyze_arguments),
        FINANCE_TEST(text_at_its_bounds), FINANCE_TEST(hostile_text_comes_back_clean),
        FINANCE_TEST(rounding),
    };
    return cmocka_run_group_tests_name("analyze", tests, NULL, NULL);
}
