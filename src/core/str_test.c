#include <ctype.h>

#include "core/core_test_util.h"

static void unset_differs_from_empty(void **state)
{
    (void)state;
    assert_false(str_is_set(STR_UNSET));
    assert_true(str_is_set(STR("")));
    assert_true(str_is_empty(STR("")));
    assert_true(str_is_empty(STR_UNSET));
    assert_false(str_eq(STR_UNSET, STR("")));
    assert_false(str_eq(STR(""), STR_UNSET));
    assert_true(str_eq(STR_UNSET, STR_UNSET));
    assert_true(str_eq(STR(""), STR("")));
    assert_false(str_is_set(str_c(NULL)));
    assert_true(str_is_set(str_c("")));
}

static void equality_is_of_all_bytes(void **state)
{
    arena_t *a = *state;
    assert_true(str_eq(STR("a\0b"), test_exact(a, STR("a\0b"))));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_false(str_eq(STR("ab"), STR("abc")));
}

static void secret_equality(void **state)
{
    arena_t *a = *state;
    assert_true(str_eq_ct(STR("secret"), test_exact(a, STR("secret"))));
    assert_true(str_eq_ct(STR(""), STR("")));
    assert_false(str_eq_ct(STR("secret"), STR("Secret")));
    assert_false(str_eq_ct(STR("secret"), STR("secreT")));
    assert_false(str_eq_ct(STR("secret"), STR("secre")));
    assert_false(str_eq_ct(STR_UNSET, STR_UNSET));
    assert_false(str_eq_ct(STR(""), STR_UNSET));
}

static void secret_equality_sees_every_bit(void **state)
{
    (void)state;
    uint8_t left[32] = {0}, right[32] = {0};
    for (size_t bit = 0; bit < sizeof right * 8; bit++) {
        right[bit / 8] = (uint8_t)(1u << bit % 8);
        assert_false(str_eq_ct(str_of(left, sizeof left), str_of(right, sizeof right)));
        right[bit / 8] = 0;
    }
    assert_true(str_eq_ct(str_of(left, sizeof left), str_of(right, sizeof right)));
}

static void case_is_folded_in_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("HTTPS"), STR("https")));
    assert_true(str_eq_nocase(STR("aZ09-"), STR("Az09-")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
    assert_true(str_eq_nocase(STR_UNSET, STR_UNSET));
    assert_false(str_eq_nocase(STR_UNSET, STR("")));
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(str_starts(STR("Bearer x"), STR("Bearer ")));
    assert_false(str_starts(STR("Bear"), STR("Bearer ")));
    assert_false(str_starts(STR("bearer x"), STR("Bearer ")));
    assert_true(str_starts(STR_UNSET, STR("")));
    assert_true(str_ends(STR("a.json"), STR(".json")));
    assert_false(str_ends(STR("json"), STR(".json")));
    assert_true(str_ends(STR_UNSET, STR_UNSET));
}

static void order_is_bytewise(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("b"), STR("a")) > 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0);
    assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
    assert_int_equal(str_cmp(STR_UNSET, STR("")), 0);
}

static void finding(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a=b=c"), '=', 0), 1);
    assert_int_equal(str_find(STR("a=b=c"), '=', 2), 3);
    assert_int_equal(str_find(STR("a=b=c"), '=', 4), 5);
    assert_int_equal(str_find(STR("abc"), '=', 0), 3);
    assert_int_equal(str_find(STR("abc"), 'a', 9), 3);
    assert_int_equal(str_find(STR_UNSET, 'a', 0), 0);
    assert_true(str_contains(STR("news:read"), STR("s:r")));
    assert_true(str_contains(STR("abc"), STR("abc")));
    assert_false(str_contains(STR("abc"), STR("abcd")));
    assert_false(str_contains(STR("abc"), STR("ac")));
    assert_true(str_contains(STR_UNSET, STR("")));
}

static void cutting_is_clamped(void **state)
{
    (void)state;
    assert_str(str_skip(STR("abc"), 1), STR("bc"));
    assert_str(str_skip(STR("abc"), 9), STR(""));
    assert_str(str_first(STR("abc"), 2), STR("ab"));
    assert_str(str_first(STR("abc"), 9), STR("abc"));
    assert_false(str_is_set(str_skip(STR_UNSET, 1)));
    assert_false(str_is_set(str_first(STR_UNSET, 1)));
}

static void trimming(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \ta b\t "), " \t"), STR("a b"));
    assert_str(str_trim(STR("   "), " "), STR(""));
    assert_str(str_trim(STR("\0a\0"), " "), STR("\0a\0"));
    assert_str(str_trim(STR("a"), ""), STR("a"));
    assert_false(str_is_set(str_trim(STR_UNSET, " ")));
}

static void splitting_gives_every_part(void **state)
{
    (void)state;
    str_t rest = STR(",a,,b,"), part;
    static const str_t PARTS[] = {STR_INIT(""), STR_INIT("a"), STR_INIT(""), STR_INIT("b"),
                                  STR_INIT("")};
    for (size_t i = 0; i < ROWS(PARTS); i++) {
        assert_true(str_split(&rest, ',', &part));
        assert_str(part, PARTS[i]);
    }
    assert_false(str_is_set(rest));
    assert_false(str_split(&rest, ',', &part));
}

static void splitting_empty_gives_one_part(void **state)
{
    (void)state;
    str_t rest = STR(""), part;
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, STR(""));
    assert_false(str_split(&rest, ',', &part));
}

static void lists(void **state)
{
    (void)state;
    str_t words[] = {STR("a"), STR("b")};
    str_list_t list = {words, 2};
    assert_true(str_list_has(list, STR("b")));
    assert_false(str_list_has(list, STR("c")));
    assert_false(str_list_has(list, STR("")));
    assert_false(str_list_has((str_list_t){0}, STR("a")));
}

static void printable_ascii(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        assert_int_equal(str_is_printable_ascii(str_of(&byte, 1)), c >= 0x20 && c <= 0x7e);
    }
    assert_true(str_is_printable_ascii(STR("")));
}

/* RFC 3629 section 4, its edges, and what lies next to them. */
static void utf8(void **state)
{
    static const struct {
        str_t text;
        bool good;
    } TABLE[] = {
        {STR_INIT(""), true},
        {STR_INIT("a\0b"), true},
        {STR_INIT("\x7f"), true},
        {STR_INIT("\x80"), false},
        {STR_INIT("\xbf"), false},
        {STR_INIT("\xc0\x80"), false},
        {STR_INIT("\xc1\xbf"), false},
        {STR_INIT("\xc2\x80"), true},
        {STR_INIT("\xdf\xbf"), true},
        {STR_INIT("\xc2"), false},
        {STR_INIT("\xc2\x41"), false},
        {STR_INIT("\xc2\xc0"), false},
        {STR_INIT("\xe0\x9f\xbf"), false},
        {STR_INIT("\xe0\xa0\x80"), true},
        {STR_INIT("\xe1\x80\x80"), true},
        {STR_INIT("\xe1\x80"), false},
        {STR_INIT("\xe1\x80\x41"), false},
        {STR_INIT("\xec\xbf\xbf"), true},
        {STR_INIT("\xed\x9f\xbf"), true},
        {STR_INIT("\xed\xa0\x80"), false},
        {STR_INIT("\xed\xbf\xbf"), false},
        {STR_INIT("\xee\x80\x80"), true},
        {STR_INIT("\xef\xbf\xbf"), true},
        {STR_INIT("\xf0\x8f\xbf\xbf"), false},
        {STR_INIT("\xf0\x90\x80\x80"), true},
        {STR_INIT("\xf0\x90\x80"), false},
        {STR_INIT("\xf0\x90\x80\x41"), false},
        {STR_INIT("\xf3\xbf\xbf\xbf"), true},
        {STR_INIT("\xf4\x8f\xbf\xbf"), true},
        {STR_INIT("\xf4\x90\x80\x80"), false},
        {STR_INIT("\xf5\x80\x80\x80"), false},
        {STR_INIT("\xff"), false},
        {STR_INIT("ok\xe2\x82\xac ok"), true},
        {STR_INIT("ok\xe2\x82 ok"), false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        if (str_is_utf8(test_exact(*state, TABLE[i].text)) != TABLE[i].good)
            fail_msg("row %zu", i);
}

/* ASCII is passed over eight bytes at a time: a bad byte at each place of texts of each length. */
static void utf8_at_every_place(void **state)
{
    for (size_t n = 1; n < 30; n++) {
        char text[30];
        memset(text, 'x', sizeof text);
        arena_reset(*state);
        assert_true(str_is_utf8(test_exact(*state, str_of(text, n))));
        for (size_t at = 0; at < n; at++) {
            text[at] = '\x80';
            assert_false(str_is_utf8(test_exact(*state, str_of(text, n))));
            text[at] = 'x';
        }
    }
}

static void only_letters_have_a_case(void **state)
{
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("cONTENT-type")));
    assert_true(str_eq_nocase(STR(""), STR("")));
    assert_true(str_eq_nocase(STR_UNSET, STR_UNSET));
    assert_false(str_eq_nocase(STR(""), STR_UNSET));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char x = (char)a, y = (char)b;
            bool same = a == b || (a < 128 && b < 128 && isalpha((int)a) && (a ^ b) == 0x20);
            assert_int_equal(str_eq_nocase(str_of(&x, 1), str_of(&y, 1)), same);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_letters_have_a_case),
        cmocka_unit_test(unset_differs_from_empty),
        ARENA_TEST(equality_is_of_all_bytes),
        ARENA_TEST(secret_equality),
        cmocka_unit_test(secret_equality_sees_every_bit),
        cmocka_unit_test(case_is_folded_in_ascii_only),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(order_is_bytewise),
        cmocka_unit_test(finding),
        cmocka_unit_test(cutting_is_clamped),
        cmocka_unit_test(trimming),
        cmocka_unit_test(splitting_gives_every_part),
        cmocka_unit_test(splitting_empty_gives_one_part),
        cmocka_unit_test(lists),
        cmocka_unit_test(printable_ascii),
        ARENA_TEST(utf8),
        ARENA_TEST(utf8_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
