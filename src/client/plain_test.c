/* attack case: CLI-022 */
#include "core/core_test_util.h"

#include "client/plain.h"

#define ELLIPSIS "\xe2\x80\xa6"

static void words_of_strangers(void **state)
{
    static const struct {
        const char *text, *plain;
    } TEXTS[] = {
        {"plain words", "plain words"},
        {"na\xc3\xafve \xf0\x9f\x98\x80 \xe6\x97\xa5",
         "na\xc3\xafve \xf0\x9f\x98\x80 \xe6\x97\xa5"},
        {"", ""},
        /* colours, a title, a link, the clipboard */
        {"\x1b[31mred\x1b[0m", "[31mred[0m"},
        {"\x1b]0;title\a", "]0;title"},
        {"\x1b]8;;https://evil.example\x1b\\here", "]8;;https://evil.example\\here"},
        {"\x1b]52;c;cm0gLXJm\x07", "]52;c;cm0gLXJm"},
        {"\xc2\x9b"
         "31m",
         "31m"}, /* CSI as one C1 character */
        {"\x9b"
         "31m",
         "?31m"}, /* and as a byte */
        {"a\bb\x7f"
         "c",
         "abc"},
        /* ends of lines */
        {"one\rtwo", "one two"},
        {"one\r\ntwo\nthree", "one two three"},
        {"a\tb\vc\fd", "a b c d"},
        {"a\xc2\x85"
         "b\xe2\x80\xa8"
         "c\xe2\x80\xa9"
         "d",
         "a b c d"},
        /* what turns around or is not seen */
        {"\xe2\x80\xae"
         "gpj.exe",
         "gpj.exe"},
        {"\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8f", "x"},
        {"a\xe2\x80\x8b\xef\xbb\xbf\xc2\xad"
         "b",
         "ab"},
        {"\xf3\xa0\x81\xa1\xf3\xa0\x84\x80x", "x"},
        /* no UTF-8: a lone byte, an overlong form, a surrogate, cut off, too high */
        {"a\xff"
         "b",
         "a?b"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"a\xe2\x82", "a??"},
        {"\xf4\x90\x80\x80", "????"},
    };
    for (size_t i = 0; i < ROWS(TEXTS); i++) {
        str_t text = test_exact(*state, str_c(TEXTS[i].text));
        assert_str(client_plain(*state, text, 100), str_c(TEXTS[i].plain));
    }
    assert_str(client_plain(*state, STR("a\0b"), 100), STR("ab"));
    assert_str(client_plain(*state, STR_UNSET, 100), STR(""));
}

static void cut_at_a_whole_character(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *plain;
    } CUTS[] = {
        {"123456", 6, "123456"},
        {"1234567", 6, "123" ELLIPSIS},
        {"12\xc3\xa9\xc3\xa9"
         "7",
         6, "12" ELLIPSIS},
        {"1\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8, "1\xf0\x9f\x98\x80" ELLIPSIS},
        {"1\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 7, "1" ELLIPSIS},
        {"1234", 3, ELLIPSIS},
        {"1234", 2, "12"},
        {"\xc3\xa9", 1, ""},
        {"1", 0, ""},
        {"", 0, ""},
        /* nothing that is seen is missing */
        {"123456\x1b\xe2\x80\x8b", 6, "123456"},
        {"\x1b\x1b\x1b\x1b\x1b\x1b\x1b", 2, ""},
    };
    for (size_t i = 0; i < ROWS(CUTS); i++)
        assert_str(client_plain(*state, str_c(CUTS[i].text), CUTS[i].max), str_c(CUTS[i].plain));
}

static void without_memory(void **state)
{
    (void)state;
    arena_t *a = arena_new(8);
    assert_non_null(a);
    assert_false(str_is_set(client_plain(a, STR("words"), 100)));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(words_of_strangers),
        ARENA_TEST(cut_at_a_whole_character),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
