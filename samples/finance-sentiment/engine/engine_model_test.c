/* The model file: what is refused, and that sums are what the file says. */
#include "engine_math.h"
#include "engine_test_world.h"

#include <math.h>

enum {
    AT_FORMAT = 8,
    AT_BUCKETS = 12,
    AT_USED = 16,
    AT_SCALE = 20,
    AT_TEXT = 28,
    AT_ZERO = 36,
    AT_DIGEST = 40,
    SMALL = MODEL_HEADER + MODEL_SLOTS * MODEL_SLOT_BYTES
};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void seal(uint8_t *p, size_t n)
{
    uint64_t d = model_digest(str_of(p + MODEL_HEADER, n - MODEL_HEADER));
    put32(p + AT_DIGEST, (uint32_t)d);
    put32(p + AT_DIGEST + 4, (uint32_t)(d >> 32));
}

/* One bucket, one weight in the mode: 3 for bad, 7 for good. */
static void small(uint8_t *p, uint32_t hash, model_mode_t mode)
{
    memset(p, 0, SMALL);
    memcpy(p, MODEL_MAGIC, 8);
    put32(p + AT_FORMAT, MODEL_FORMAT);
    put32(p + AT_BUCKETS, 1);
    put32(p + AT_USED, 1);
    for (int at = AT_SCALE; at < AT_ZERO; at += 4)
        put32(p + at, MODEL_UNIT);
    uint32_t key = (hash & ((1U << MODEL_CHECK_BITS) - 1)) << 3 | mode;
    p[MODEL_HEADER + 4] = (uint8_t)key;
    p[MODEL_HEADER + 5] = (uint8_t)(key >> 8);
    p[MODEL_HEADER + 6] = 3;
    p[MODEL_HEADER + 7] = 7;
    seal(p, SMALL);
}

static rc_t opened(const uint8_t *p, size_t n)
{
    model_t m;
    return model_open(str_of(p, n), &m);
}

/* The small model with one byte of it changed, and sealed again. */
static rc_t with(size_t at, uint8_t byte)
{
    uint8_t p[SMALL];
    small(p, 5, MODE_SHARED);
    p[at] = byte;
    seal(p, SMALL);
    return opened(p, SMALL);
}

static void magic_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(with(0, 'X'), RC_MALFORMED);
    assert_int_equal(with(0, 'F'), RC_OK);
}

static void another_format_is_refused(void **state)
{
    (void)state;
    assert_int_equal(with(AT_FORMAT, MODEL_FORMAT + 1), RC_MALFORMED);
    assert_int_equal(with(AT_FORMAT, MODEL_FORMAT), RC_OK);
}

static void sizes_must_fit(void **state)
{
    uint8_t p[SMALL + 1];
    (void)state;
    assert_int_equal(with(AT_BUCKETS, 0), RC_MALFORMED);
    assert_int_equal(with(AT_BUCKETS, 2), RC_MALFORMED);
    assert_int_equal(with(AT_BUCKETS + 3, 0xff), RC_MALFORMED);
    small(p, 5, MODE_SHARED);
    p[SMALL] = 0;
    assert_int_equal(opened(p, SMALL - 1), RC_MALFORMED);
    assert_int_equal(opened(p, SMALL + 1), RC_MALFORMED);
    assert_int_equal(opened(p, MODEL_HEADER - 1), RC_MALFORMED);
    assert_int_equal(opened(p, 0), RC_MALFORMED);
    assert_int_equal(opened(p, SMALL), RC_OK);
}

static void a_huge_file_is_a_limit(void **state)
{
    (void)state;
    str_t bytes = model_builtin_bytes();
    model_t m;
    assert_int_equal(model_open(str_of(bytes.p, MODEL_BYTES_MOST + 1), &m), RC_LIMIT);
}

static void damage_is_found(void **state)
{
    uint8_t p[SMALL];
    (void)state;
    for (size_t at = MODEL_HEADER; at < SMALL; at++) {
        small(p, 5, MODE_SHARED);
        p[at] ^= 16;
        assert_int_equal(opened(p, SMALL), RC_MALFORMED);
    }
    small(p, 5, MODE_SHARED);
    assert_int_equal(opened(p, SMALL), RC_OK);
}

static void scales_have_a_range(void **state)
{
    (void)state;
    for (size_t at = AT_SCALE; at < AT_ZERO; at += 4) {
        assert_int_equal(with(at + 2, 0), RC_MALFORMED);    /* zero */
        assert_int_equal(with(at + 3, 0x80), RC_MALFORMED); /* too large */
        assert_int_equal(with(at + 2, 0x20), RC_OK);
    }
}

static void unused_bytes_are_zero(void **state)
{
    (void)state;
    assert_int_equal(with(AT_ZERO, 1), RC_MALFORMED);
    assert_int_equal(with(MODEL_HEADER - 1, 1), RC_MALFORMED);
    assert_int_equal(with(AT_ZERO, 0), RC_OK);
}

static void an_unknown_mode_is_refused(void **state)
{
    (void)state;
    assert_int_equal(with(MODEL_HEADER, MODES), RC_MALFORMED);
    assert_int_equal(with(MODEL_HEADER, MODES - 1), RC_OK);
}

static void slots_in_use_are_counted(void **state)
{
    (void)state;
    assert_int_equal(with(AT_USED, 2), RC_MALFORMED);
    assert_int_equal(with(MODEL_HEADER + 10, 1), RC_MALFORMED);
    assert_int_equal(with(AT_USED, 1), RC_OK);
}

static void the_built_in_one_opens(void **state)
{
    model_t m, built = model_builtin();
    (void)state;
    assert_int_equal(model_open(model_builtin_bytes(), &m), RC_OK);
    assert_ptr_equal(m.slots, built.slots);
    assert_true(m.scale == built.scale && m.text_heat == built.text_heat);
    assert_true(model_builtin_bytes().n > 100000 && model_builtin_bytes().n <= 250000);
}

static void sums_are_what_slots_say(void **state)
{
    uint8_t p[SMALL];
    model_t m;
    model_pull_t pulls[3];
    feature_t v[] = {{.hash = 5}, {.hash = 6}, {.hash = 5}};
    features_t f = {.v = v, .n = 3, .cap = 3};
    (void)state;
    for (int mode = 0; mode < MODES; mode++) {
        small(p, 5, (model_mode_t)mode);
        assert_int_equal(model_open(str_of(p, SMALL), &m), RC_OK);
        model_sums_t s = model_sums(&m, &f, pulls);
        for (int k = 0; k < MODES; k++) {
            assert_int_equal(s.v[k][0], k == mode ? 6 : 0);
            assert_int_equal(s.v[k][1], k == mode ? 14 : 0);
        }
        assert_int_equal(pulls[0].v[mode % MODE_STYLE], mode < MODE_STYLE ? 4 : 0);
        assert_int_equal(pulls[1].v[mode % MODE_STYLE], 0);
    }
}

static void targets_have_weights_of_their_own(void **state)
{
    uint8_t p[SMALL];
    model_t m;
    (void)state;
    small(p, 5, MODE_TARGET);
    assert_int_equal(model_open(str_of(p, SMALL), &m), RC_OK);
    model_sums_t s = {.v[MODE_TARGET] = {0, 4}};
    model_verdict_t text = model_judge(&m, &s, 1, false), target = model_judge(&m, &s, 1, true);
    assert_true(fabs(text.probability[CLASS_POSITIVE] - 1.0 / 3) < 1e-12);
    assert_true(target.probability[CLASS_POSITIVE] > 0.9);
}

static void styles_are_mixed(void **state)
{
    uint8_t p[SMALL];
    model_t m;
    model_verdict_t v;
    (void)state;
    small(p, 5, MODE_HEADLINE);
    assert_int_equal(model_open(str_of(p, SMALL), &m), RC_OK);
    model_sums_t s = {.v[MODE_HEADLINE] = {0, 9}, .v[MODE_MESSAGE] = {9, 0}};
    s.v[MODE_STYLE][0] = -30;
    v = model_judge(&m, &s, 1, false);
    assert_true(v.message < 1e-9 && v.probability[CLASS_POSITIVE] > 0.99);
    s.v[MODE_STYLE][0] = 30;
    v = model_judge(&m, &s, 1, false);
    assert_true(v.message > 1 - 1e-9 && v.probability[CLASS_NEGATIVE] > 0.99);
    s.v[MODE_STYLE][0] = 0;
    v = model_judge(&m, &s, 1, false);
    assert_true(fabs(v.probability[CLASS_NEGATIVE] - v.probability[CLASS_POSITIVE]) < 1e-9);
}

static void functions_of_numbers_are_exact(void **state)
{
    (void)state;
    for (double x = -50; x < 50; x += 0.37)
        assert_true(fabs(math_exp(x) / exp(x) - 1) < 1e-12);
    for (double x = 1e-12; x < 1e12; x *= 1.7)
        assert_true(fabs(math_log(x) - log(x)) < 1e-11);
    double v[] = {1000, -1000, 999};
    math_softmax(v, 3);
    assert_true(fabs(v[0] + v[1] + v[2] - 1) < 1e-12 && v[1] < 1e-20);
    assert_true(math_exp(0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magic_is_asked_for),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(sizes_must_fit),
        cmocka_unit_test(a_huge_file_is_a_limit),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(scales_have_a_range),
        cmocka_unit_test(unused_bytes_are_zero),
        cmocka_unit_test(an_unknown_mode_is_refused),
        cmocka_unit_test(slots_in_use_are_counted),
        cmocka_unit_test(the_built_in_one_opens),
        cmocka_unit_test(sums_are_what_slots_say),
        cmocka_unit_test(targets_have_weights_of_their_own),
        cmocka_unit_test(styles_are_mixed),
        cmocka_unit_test(functions_of_numbers_are_exact),
    };
    return cmocka_run_group_tests_name("engine_model", tests, NULL, NULL);
}
