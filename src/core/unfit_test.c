#include "core/core_test_util.h"

#include "core/unfit.h"

static void what_hides_or_turns_text_is_unfit(void **state)
{
    static const uint32_t UNFIT[] = {0,      0x1b,   0x7f,   0x9b,   0xad,    0x61c,  0x200b,
                                     0x202e, 0x2028, 0x2066, 0xfeff, 0x1d173, 0xe0041};
    static const uint32_t FIT[] = {' ', 'a', '~', 0xa0, 0xe9, 0x4e2d, 0x2014, 0xfe0f, 0x1f44d};
    (void)state;
    for (size_t i = 0; i < sizeof UNFIT / sizeof UNFIT[0]; i++)
        assert_true(unfit_is(UNFIT[i]));
    for (size_t i = 0; i < sizeof FIT / sizeof FIT[0]; i++)
        assert_false(unfit_is(FIT[i]));
}

static void the_first_character_has_all_its_bytes(void **state)
{
    static const struct {
        const char *text;
        uint32_t c;
        size_t n;
    } CASES[] = {{"ab", 'a', 1},
                 {"\xc2\x9b!", 0x9b, 2},
                 {"\xe2\x80\xae!", 0x202e, 3},
                 {"\xf3\xa0\x81\x81!", 0xe0041, 4}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        size_t n;
        assert_int_equal(unfit_first(str_c(CASES[i].text), &n), CASES[i].c);
        assert_int_equal(n, CASES[i].n);
    }
}

static void an_escape_means_the_same(void **state)
{
    char room[32];
    buf_t b = buf_fixed(room, sizeof room);
    (void)state;
    unfit_escape(&b, 0x9b);
    unfit_escape(&b, 0xe0041);
    assert_str(buf_str(&b), STR("\\u009b\\udb40\\udc41"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hides_or_turns_text_is_unfit),
        cmocka_unit_test(the_first_character_has_all_its_bytes),
        cmocka_unit_test(an_escape_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
