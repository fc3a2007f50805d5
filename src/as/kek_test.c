#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/kek.h"
#include "jose/seal.h"

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

#define HEX    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

static void key_is_read_in_each_form(void **state)
{
    static const uint8_t BYTES[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                    22, 23, 24, 25, 26, 27, 28, 29, 30, 255};
    const str_t forms[] = {
        str_of(BYTES, sizeof BYTES),
        STR(HEX),
        STR("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1EFF\n"),
        STR(BASE64),
        STR(" " BASE64 "\r\n"),
        STR("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8"),
    };
    as_kek_t first, other;
    assert_int_equal(as_kek_read(*state, forms[0], &first), RC_OK);
    assert_memory_equal(first.key.p, BYTES, sizeof BYTES);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(as_kek_read(*state, forms[i], &other), RC_OK);
        assert_true(str_eq(first.key, other.key));
        assert_true(str_eq(first.name, other.name));
    }
    /* the other two letters of base64, in both alphabets */
    as_kek_t standard, url;
    assert_int_equal(
        as_kek_read(*state, STR("+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s="), &standard), RC_OK);
    assert_int_equal(as_kek_read(*state, STR("-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s"), &url),
                     RC_OK);
    assert_true(str_eq(standard.key, url.key));
    assert_false(str_eq(standard.name, first.name));
}

static void what_is_no_key_is_refused(void **state)
{
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT("a passphrase"),
        STR_INIT("0123456789abcdef0123456789abcdef"), /* 16 bytes, though 32 characters */
        STR_INIT(HEX "00"),
        STR_INIT("0g0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"),
        STR_INIT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=="),
        STR_INIT("=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8"),
        STR_INIT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="),
        STR_INIT("AAECAwQFBgcICQoLDA0ODxAREhMU FRYXGBkaGxwdHv8="),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        as_kek_t kek;
        assert_int_equal(as_kek_read(*state, BAD[i], &kek), RC_MALFORMED);
        assert_false(str_is_set(kek.key));
    }
}

static void name_shows_nothing_of_the_key(void **state)
{
    as_kek_t kek;
    assert_int_equal(as_kek_read(*state, STR(HEX), &kek), RC_OK);
    assert_int_equal(kek.name.n, 8);
    assert_false(str_contains(STR(BASE64), kek.name));
}

static const key_record_t PLAIN[] = {
    {.kid = {"a", 1}, .use = KEY_SIGN, .state = KEY_CURRENT, .secret = {"first secret", 12}},
    {.kid = {"b", 1}, .use = KEY_SEAL, .state = KEY_CURRENT, .secret = {"other secret", 12}},
};

static as_kek_t kek_of(arena_t *a, const char *bytes)
{
    as_kek_t kek;
    assert_int_equal(as_kek_read(a, str_c(bytes), &kek), RC_OK);
    return kek;
}

static const char KEY_1[] = "one key that has 32 bytes, plain";
static const char KEY_2[] = "two key that has 32 bytes, plain";

static void seal_both(arena_t *a, const as_kek_t *kek, key_record_t out[2])
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(as_kek_seal(a, kek, random_system(), &PLAIN[i], &out[i]), RC_OK);
}

static void records_are_sealed_and_opened(void **state)
{
    as_kek_t kek = kek_of(*state, KEY_1);
    key_record_t sealed[2];
    const key_record_t *plain;
    seal_both(*state, &kek, sealed);
    for (int i = 0; i < 2; i++) {
        assert_true(str_eq(sealed[i].sealed_by, kek.name));
        assert_int_equal(sealed[i].secret.n, PLAIN[i].secret.n + SEAL_EXTRA_BYTES);
        assert_true(str_eq(sealed[i].kid, PLAIN[i].kid));
    }
    assert_null(as_kek_misfit(&kek, sealed, 2));
    assert_int_equal(as_kek_open(*state, &kek, sealed, 2, &plain), RC_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(str_eq(plain[i].secret, PLAIN[i].secret));
        assert_false(str_is_set(plain[i].sealed_by));
        assert_int_equal(plain[i].use, PLAIN[i].use);
    }
}

static void without_a_key_records_stay_plain(void **state)
{
    const as_kek_t none = {.key = STR_UNSET};
    key_record_t same[2];
    const key_record_t *plain;
    seal_both(*state, &none, same);
    assert_false(str_is_set(same[0].sealed_by));
    assert_true(str_eq(same[0].secret, PLAIN[0].secret));
    assert_int_equal(as_kek_open(*state, &none, same, 2, &plain), RC_OK);
    assert_true(str_eq(plain[1].secret, PLAIN[1].secret));
}

static void plain_records_open_under_any_key(void **state)
{
    as_kek_t kek = kek_of(*state, KEY_1);
    const key_record_t *plain;
    assert_null(as_kek_misfit(&kek, PLAIN, 2));
    assert_int_equal(as_kek_open(*state, &kek, PLAIN, 2, &plain), RC_OK);
    assert_true(str_eq(plain[0].secret, PLAIN[0].secret));
}

static void another_key_or_none_opens_nothing(void **state)
{
    as_kek_t kek = kek_of(*state, KEY_1), other = kek_of(*state, KEY_2), none = {.key = STR_UNSET};
    key_record_t mixed[2];
    const key_record_t *plain;
    seal_both(*state, &kek, mixed);
    mixed[0] = PLAIN[0];
    assert_ptr_equal(as_kek_misfit(&other, mixed, 2), &mixed[1]);
    assert_int_equal(as_kek_open(*state, &other, mixed, 2, &plain), RC_CONFIG);
    assert_null(plain);
    assert_ptr_equal(as_kek_misfit(&none, mixed, 2), &mixed[1]);
    assert_int_equal(as_kek_open(*state, &none, mixed, 2, &plain), RC_CONFIG);
}

/* Who can write to the database must not make one key stand for another. */
static void secret_under_another_name_or_use_does_not_open(void **state)
{
    as_kek_t kek = kek_of(*state, KEY_1);
    key_record_t sealed[2];
    const key_record_t *plain;
    seal_both(*state, &kek, sealed);
    str_t secret = sealed[0].secret;
    sealed[0].secret = sealed[1].secret;
    assert_int_equal(as_kek_open(*state, &kek, sealed, 1, &plain), RC_MALFORMED);
    sealed[0].secret = secret;
    sealed[0].use = KEY_DERIVE;
    assert_int_equal(as_kek_open(*state, &kek, sealed, 1, &plain), RC_MALFORMED);
    sealed[0].use = KEY_SIGN;
    sealed[0].kid = STR("c");
    assert_int_equal(as_kek_open(*state, &kek, sealed, 1, &plain), RC_MALFORMED);
    sealed[0].kid = STR("a");
    assert_int_equal(as_kek_open(*state, &kek, sealed, 1, &plain), RC_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(key_is_read_in_each_form),
        TEST(what_is_no_key_is_refused),
        TEST(name_shows_nothing_of_the_key),
        TEST(records_are_sealed_and_opened),
        TEST(without_a_key_records_stay_plain),
        TEST(plain_records_open_under_any_key),
        TEST(another_key_or_none_opens_nothing),
        TEST(secret_under_another_name_or_use_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
