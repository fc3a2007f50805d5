#include "core/core_test_util.h"

#include "proxy/child_stderr.h"

static char heard[4096];
static unsigned lines;
static uint64_t lost;
static bool was_cut;

static void line(void *ctx, str_t text, bool cut, uint64_t dropped)
{
    memcpy(heard, text.p, text.n);
    heard[text.n] = '\0';
    lines++;
    lost += dropped;
    was_cut = cut;
}

static int setup(void **state)
{
    lines = 0;
    lost = 0;
    heard[0] = '\0';
    return 0;
}

static void lines_however_they_come(void **state)
{
    child_stderr_t s = {.n = 0};
    child_stderr_take(&s, STR("he"), 0, line, NULL);
    assert_int_equal(lines, 0);
    child_stderr_take(&s, STR("llo\r\n\n  \nwor"), 0, line, NULL);
    assert_int_equal(lines, 1);
    assert_string_equal(heard, "hello");
    child_stderr_end(&s, 0, line, NULL);
    assert_string_equal(heard, "wor");
    assert_false(was_cut);
}

static void control_bytes_and_noise(void **state)
{
    child_stderr_t s = {.n = 0};
    child_stderr_take(&s, STR("\x1b[31mred\x1b[0m \x07 \xc3\xa9\n"), 0, line, NULL);
    assert_string_equal(heard, "[31mred [0m   \xc3\xa9");
    child_stderr_take(&s,
                      STR("a\xff"
                          "b\xc3\n"),
                      0, line, NULL);
    assert_string_equal(heard, "a?b?");
    child_stderr_take(&s, STR("a\0b\n"), 0, line, NULL);
    assert_string_equal(heard, "a b");
}

static void long_lines_are_cut_between_characters(void **state)
{
    child_stderr_t s = {.n = 0};
    char text[2 * CHILD_STDERR_LINE];
    text[0] = 'x';
    for (size_t i = 1; i < sizeof text - 1; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof text - 1] = '\n';
    child_stderr_take(&s, str_of(text, sizeof text), 0, line, NULL);
    assert_true(was_cut);
    assert_int_equal(strlen(heard), CHILD_STDERR_LINE - 1);
    assert_true(str_is_utf8(str_c(heard)));
    child_stderr_take(&s, STR("next\n"), 0, line, NULL);
    assert_string_equal(heard, "next");
    assert_false(was_cut);
}

static void too_many_are_counted(void **state)
{
    child_stderr_t s = {.n = 0};
    for (int i = 0; i < 1000; i++)
        child_stderr_take(&s, STR("x\n"), 5, line, NULL);
    assert_int_equal(lines, CHILD_STDERR_BURST);
    child_stderr_take(&s, STR("y\n"), 5 + CHILD_STDERR_LINE_MS, line, NULL);
    assert_int_equal(lines, CHILD_STDERR_BURST + 1);
    assert_int_equal(lost, 1000 - CHILD_STDERR_BURST);
    for (int i = 0; i < 1000; i++)
        child_stderr_take(&s, STR("x\n"), 1000000, line, NULL);
    assert_int_equal(lines, 2 * CHILD_STDERR_BURST + 1);
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_however_they_come),
        TEST(control_bytes_and_noise),
        TEST(long_lines_are_cut_between_characters),
        TEST(too_many_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
