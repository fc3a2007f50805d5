/* What the engine answers with its own model: classes, probabilities, one company at a time. */
#include "engine_test_world.h"

#include "core/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void class_is(void **state, const char *text, sentiment_class_t c)
{
    sentiment_t s = analyzed(*state, str_c(text));
    if (s.class != c)
        fail_msg("%s: %" PRIstr, text, STR_ARG(engine_class_name(s.class)));
}

static void target_is(void **state, const char *text, const char *name, sentiment_class_t c)
{
    sentiment_t s = analyzed_target(*state, text, name);
    assert_true(s.mention_count > 0);
    if (s.class != c)
        fail_msg("%s, for %s: %" PRIstr, text, name, STR_ARG(engine_class_name(s.class)));
}

static void directions_and_metrics_are_read(void **state)
{
    class_is(state, "Profit rose in the third quarter", CLASS_POSITIVE);
    class_is(state, "Profit fell in the third quarter", CLASS_NEGATIVE);
    class_is(state, "Net loss narrowed last year", CLASS_POSITIVE);
    class_is(state, "Net loss widened last year", CLASS_NEGATIVE);
    class_is(state, "Costs fell", CLASS_POSITIVE);
    class_is(state, "Costs rose", CLASS_NEGATIVE);
    class_is(state, "Sales of 1.2 bn vs 900 mn", CLASS_POSITIVE);
    class_is(state, "Sales of 900 mn vs 1.2 bn", CLASS_NEGATIVE);
}

static void negation_is_read(void **state)
{
    class_is(state, "Revenue did not fall", CLASS_POSITIVE);
    class_is(state, "Revenue did not rise", CLASS_NEGATIVE);
    class_is(state, "The plan fails to boost sales", CLASS_NEGATIVE);
}

static void what_is_no_news_is_neutral(void **state)
{
    class_is(state, "", CLASS_NEUTRAL);
    class_is(state, " . , ", CLASS_NEUTRAL);
    class_is(state, "Vantor appoints a new chief financial officer", CLASS_NEUTRAL);
    class_is(state, "Transcript of the earnings call", CLASS_NEUTRAL);
    class_is(state, "The annual meeting takes place in Oslo", CLASS_NEUTRAL);
}

static void companies_in_one_headline_differ(void **state)
{
    target_is(state, "Acme gains as Beta slumps", "Acme", CLASS_POSITIVE);
    target_is(state, "Acme gains as Beta slumps", "Beta", CLASS_NEGATIVE);
    target_is(state, "Acme slides; Beta rallies", "Acme", CLASS_NEGATIVE);
    target_is(state, "Acme slides; Beta rallies", "Beta", CLASS_POSITIVE);
    target_is(state, "Goldman downgrades Acme to sell", "Acme", CLASS_NEGATIVE);
    target_is(state, "Goldman downgrades Acme to sell", "Goldman", CLASS_NEUTRAL);
    target_is(state, "Acme sues Beta over patents", "Beta", CLASS_NEGATIVE);
    target_is(state, "Acme sues Beta over patents", "Acme", CLASS_NEUTRAL);
}

static void check(const sentiment_t *s, size_t bytes)
{
    double sum = s->probability[0] + s->probability[1] + s->probability[2];
    assert_true(fabs(sum - 1) < 1e-9);
    for (int c = 0; c < CLASSES; c++)
        assert_true(s->probability[c] >= 0 && s->probability[c] <= s->confidence);
    assert_true(s->confidence == s->probability[s->class]);
    assert_true(s->score >= -1 && s->score <= 1);
    assert_int_equal(s->label, engine_label(s->score));
    sentiment_class_t c = s->label < SENTIMENT_NEUTRAL   ? CLASS_NEGATIVE
                          : s->label > SENTIMENT_NEUTRAL ? CLASS_POSITIVE
                                                         : CLASS_NEUTRAL;
    assert_int_equal(s->class, c);
    assert_true(s->evidence_count <= ENGINE_EVIDENCE);
    for (size_t i = 0; i < s->evidence_count; i++) {
        const evidence_t *e = &s->evidence[i];
        assert_true(e->start < e->end && e->end <= bytes && e->weight != 0);
        assert_true(i == 0 || s->evidence[i - 1].end <= e->start);
    }
}

static void answers_agree_with_themselves(void **state)
{
    static const char WORDS[][12] = {"profit", "rose",  "fell", "not",   "acme", "loss", "by",
                                     "5%",     "from",  "$4m",  "but",   ",",    ".",    "?",
                                     "target", "$ACME", "cut",  "beats", "to",   "buy"};
    uint32_t x = 7;
    for (int round = 0; round < 400; round++) {
        char text[512];
        size_t n = 0;
        for (int i = 0; i < 30; i++) {
            x = x * 1664525U + 1013904223U;
            n += (size_t)snprintf(text + n, sizeof text - n, "%s ", WORDS[(x >> 16) % 20]);
        }
        arena_reset(*state);
        sentiment_t s = analyzed(*state, str_of(text, n)),
                    t = analyzed_target(*state, text, "acme");
        check(&s, n);
        check(&t, n);
    }
}

static void mentions_are_given_back(void **state)
{
    const char *text = "Beta up; Acme Ltd and Acme's unit fall";
    sentiment_t s = analyzed_target(*state, text, "ACME Ltd");
    assert_int_equal(s.mention_count, 2);
    assert_memory_equal(text + s.mentions[0].start, "Acme Ltd", 8);
    assert_int_equal(s.mentions[0].end - s.mentions[0].start, 8);
    assert_memory_equal(text + s.mentions[1].start, "Acme's", 6);
}

static void without_a_mention_the_text_counts(void **state)
{
    sentiment_t s = analyzed_target(*state, "Profit of Acme rose", "Halden");
    sentiment_t t = analyzed(*state, STR("Profit of Acme rose"));
    assert_int_equal(s.mention_count, 0);
    assert_memory_equal(s.probability, t.probability, sizeof s.probability);
    assert_int_equal(t.mention_count, 0);
}

static void case_and_invisible_characters_change_nothing(void **state)
{
    sentiment_t plain = analyzed(*state, STR("Acme profit rose 5% in May"));
    sentiment_t loud = analyzed(*state, STR("ACME PROFIT ROSE 5% IN MAY"));
    sentiment_t marked = analyzed(*state, STR("Acme pro\xe2\x80\xae"
                                              "fit\x02 rose 5% in\xe2\x80\x8b May"));
    assert_memory_equal(plain.probability, loud.probability, sizeof plain.probability);
    assert_memory_equal(plain.probability, marked.probability, sizeof plain.probability);
}

static void long_texts_are_read_in_units(void **state)
{
    buf_t b = buf_new(*state, 1 << 16);
    buf_put(&b, STR("Acme profit rose sharply in the third quarter. "));
    for (int i = 0; i < 20; i++)
        buf_put(&b,
                STR("The company has its seat in Oslo and makes measuring devices for hospitals "
                    "in many countries of the world. "));
    buf_put(&b, STR("Shares of Beta plunged after a profit warning, and its outlook was cut."));
    sentiment_t s = analyzed(*state, buf_str(&b));
    check(&s, b.n);
    buf_char(&b, '\0');
    sentiment_t acme = analyzed_target(*state, b.p, "Acme");
    sentiment_t beta = analyzed_target(*state, b.p, "Beta");
    assert_int_equal(acme.class, CLASS_POSITIVE);
    assert_int_equal(beta.class, CLASS_NEGATIVE);
}

static void units_cover_the_text(void **state)
{
    tokens_t t;
    str_t text = arena_printf(*state, "%0800d. a b c d e f g h i j k l m n o p q. r s t u", 0);
    assert_int_equal(engine_tokenize(*state, text, &t), RC_OK);
    unit_t u[64];
    size_t n = engine_units(&t, u);
    assert_int_equal(n, 1);
    char *many = arena_alloc(*state, 400 * 4 + 1);
    for (int i = 0; i < 400; i++)
        memcpy(many + 4 * i, i % 30 == 29 ? "end." : "and ", 4);
    assert_int_equal(engine_tokenize(*state, str_of(many, 1600), &t), RC_OK);
    n = engine_units(&t, u);
    assert_true(n > 6);
    for (size_t i = 0, at = 0; i < n; at = u[i++].to) {
        assert_true(u[i].from == at && u[i].to > at && u[i].to - at <= UNIT_TOKENS);
        assert_true(i + 1 < n || u[i].to == t.n);
    }
}

static double seconds(arena_t *a, const char *word, size_t bytes, const char *name)
{
    struct timespec from, to;
    char *text = malloc(bytes + 1);
    size_t n = strlen(word);
    sentiment_t s;
    str_t names[] = {str_c(name)};
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = word[i % n];
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    rc_t rc = engine_analyze_target(a, str_of(text, bytes), (str_list_t){names, 1}, &s);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    free(text);
    assert_true(rc == RC_OK || rc == RC_LIMIT);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Twice the text may take twice the time, and some more for the memory; four times would be a
 * square. Short times say nothing. */
static void time_grows_with_the_text_only(void **state)
{
    static const char *const WORDS[] = {"a",         "acme ",        "profit rose ",
                                        "not ",      "from 4 to 5 ", "a,,,, ",
                                        "but fell ", "\xe2\x80\xae", "up. "};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        arena_reset(*state);
        double half = seconds(*state, WORDS[i], ENGINE_TEXT_BYTES / 4, "acme a b a a");
        arena_reset(*state);
        double whole = seconds(*state, WORDS[i], ENGINE_TEXT_BYTES, "acme a b a a");
        if (whole > 0.2 && whole > 9 * half)
            fail_msg("'%s' takes %.3f s, a quarter of it %.3f s", WORDS[i], whole, half);
    }
}

/* The same bits on each machine: what stands here was computed once, for the model of this day. */
static const uint64_t GOLDEN = 0x6c0286bcd857e14dU;

static void answers_are_the_same_everywhere(void **state)
{
    static const char *const TEXTS[] = {
        "Acme gains as Beta slumps 4.1% on weak demand, profit at Rs 667 crore vs 712 crore",
        "$ACME - Halden cuts Acme to hold https://t.example/x"};
    uint64_t h = 0;
    for (size_t i = 0; i < 2; i++) {
        sentiment_t s = analyzed(*state, str_c(TEXTS[i])),
                    t = analyzed_target(*state, TEXTS[i], "Acme");
        h = h * 31 + model_digest(str_of(s.probability, sizeof s.probability));
        h = h * 31 + model_digest(str_of(t.probability, sizeof t.probability));
        for (size_t k = 0; k < s.evidence_count; k++)
            h = h * 31 + model_digest(str_of(&s.evidence[k].weight, sizeof(double)));
    }
    if (h != GOLDEN)
        fail_msg("the digest is 0x%016llx", (unsigned long long)h);
}

static void *analyze_often(void *arg)
{
    arena_t *a = arena_new(ENGINE_ARENA_BYTES);
    double *sum = arg;
    for (int i = 0; a && i < 200; i++) {
        sentiment_t s;
        arena_reset(a);
        if (engine_analyze(a, STR("Acme profit rose, Beta fell"), &s) != RC_OK)
            break;
        *sum += s.score;
    }
    arena_free(a);
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    enum { THREADS = 4 };
    pthread_t t[THREADS];
    double sums[THREADS] = {0};
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, analyze_often, &sums[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        assert_true(sums[i] != 0 && sums[i] == sums[0]);
    }
}

static void no_memory_is_said(void **state)
{
    str_t text = STR("Acme profit rose to 4.1m from 3.2m, but the company cut its outlook");
    str_t names[] = {STR("Acme")};
    (void)state;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 1; rc != RC_OK; budget += 97) {
        sentiment_t s;
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        rc = engine_analyze_target(a, text, (str_list_t){names, 1}, &s);
        arena_free(a);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true(budget < ENGINE_ARENA_BYTES);
    }
}

static void the_card_belongs_to_the_model(void **state)
{
    const json_t *card;
    int64_t n;
    assert_int_equal(json_parse(*state, engine_card(), &JSON_LIMITS_DEFAULT, &card), RC_OK);
    assert_true(json_get_i64(card, STR("weights_bytes"), &n));
    assert_int_equal(n, model_builtin_bytes().n);
    assert_true(json_get_i64(card, STR("version"), &n));
    assert_int_equal(n, MODEL_FORMAT);
    str_t digest =
        arena_printf(*state, "%016llx", (unsigned long long)model_digest(model_builtin_bytes()));
    assert_true(str_eq(json_get_str(card, STR("weights_digest")), digest));
    assert_true(json_is(json_get(card, STR("measured")), JSON_ARRAY));
    assert_true(json_is(json_get(card, STR("limits")), JSON_ARRAY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(directions_and_metrics_are_read),
        ENGINE_TEST(negation_is_read),
        ENGINE_TEST(what_is_no_news_is_neutral),
        ENGINE_TEST(companies_in_one_headline_differ),
        ENGINE_TEST(answers_agree_with_themselves),
        ENGINE_TEST(mentions_are_given_back),
        ENGINE_TEST(without_a_mention_the_text_counts),
        ENGINE_TEST(case_and_invisible_characters_change_nothing),
        ENGINE_TEST(long_texts_are_read_in_units),
        ENGINE_TEST(units_cover_the_text),
        ENGINE_TEST(time_grows_with_the_text_only),
        ENGINE_TEST(answers_are_the_same_everywhere),
        ENGINE_TEST(threads_do_not_meet),
        ENGINE_TEST(no_memory_is_said),
        ENGINE_TEST(the_card_belongs_to_the_model),
    };
    return cmocka_run_group_tests_name("engine_answer", tests, NULL, NULL);
}
