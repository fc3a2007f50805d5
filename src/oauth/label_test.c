#include "oauth/oauth_test_world.h"

#include "oauth/label.h"

static void labels(void **state)
{
    (void)state;
    static const struct {
        const char *text, *label;
    } ROWS[] = {
        {"Claude Code", "Claude Code"},
        {"  A  ", "A"},
        {"a\nb\tc\x7f", "abc"},
        {"\xe2\x80\xae"
         "evil",
         "evil"}, /* U+202E turns the line around */
        {"a\xe2\x80\x8b\xef\xbb\xbf"
         "b",
         "ab"},                     /* U+200B, U+FEFF are not seen */
        {"\xf3\xa0\x81\xa1x", "x"}, /* U+E0061, a tag */
        {"\xe3\x85\xa4x", "x"},     /* U+3164, a filler that shows as nothing */
        {"na\xc3\xafve \xf0\x9f\x98\x80", "na\xc3\xafve \xf0\x9f\x98\x80"},
        {"\xc2\x85", NULL}, /* U+0085, a line's end */
        {"", NULL},
        {"   ", NULL},
        {"\xff", NULL},
        {"0123456789012345", "0123456789012345"},
        {"01234567890123456", "0123456789012345"},
        {"012345678901234\xc3\xa9", "012345678901234"}, /* no half character */
    };
    world_t w;
    world_begin(&w);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t label;
        assert_int_equal(oauth_label_clean(w.a, str_c(ROWS[i].text), 16, &label), RC_OK);
        assert_str(label, str_c(ROWS[i].label));
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
