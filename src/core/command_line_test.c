#include "core/core_test_util.h"

#include "core/command_line.h"

typedef struct {
    const char *line;
    const char *words[5]; /* NULL ends them */
} good_t;

static const good_t GOOD[] = {
    {"npx -y some-server", {"npx", "-y", "some-server"}},
    {"  npx\t-y  ", {"npx", "-y"}},
    {"'a b' \"c d\"", {"a b", "c d"}},
    {"--dir='/my files'/x", {"--dir=/my files/x"}},
    {"a\\ b", {"a b"}},
    {"\"a\\\"b\\\\c\\d\"", {"a\"b\\c\\d"}},
    {"'a\\'", {"a\\"}},
    {"''", {""}},
    {"a '' b", {"a", "", "b"}},
    {"'$HOME|x'", {"$HOME|x"}},
    {"\"x|y\"", {"x|y"}},
    {"\\$x \"\\$y\"", {"$x", "$y"}},
    {"a*b ~ ?", {"a*b", "~", "?"}},
    {"\xc3\xa9", {"\xc3\xa9"}},
};

static void words(void **state)
{
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        str_list_t out;
        str_t why;
        str_t line = test_exact(*state, str_c(GOOD[i].line));
        assert_int_equal(command_line_split(*state, line, &out, &why), RC_OK);
        size_t n = 0;
        for (; GOOD[i].words[n]; n++) {
            assert_true(n < out.n);
            if (!str_eq(out.v[n], str_c(GOOD[i].words[n])))
                fail_msg("%s: %" PRIstr, GOOD[i].line, STR_ARG(out.v[n]));
        }
        assert_int_equal(out.n, n);
        assert_false(str_is_set(why));
    }
}

static void refusals(void **state)
{
    static const str_t BAD[] = {
        STR_INIT(""),         STR_INIT("  \t "),   STR_INIT("a 'b"),    STR_INIT("a \"b"),
        STR_INIT("a\\"),      STR_INIT("a | b"),   STR_INIT("a > b"),   STR_INIT("a; b"),
        STR_INIT("a && b"),   STR_INIT("$HOME/x"), STR_INIT("`id`"),    STR_INIT("\"$HOME\""),
        STR_INIT("\"`id`\""), STR_INIT("a\nb"),    STR_INIT("a\0b"),    STR_INIT("a\x7f"),
        STR_INIT("(a)"),      STR_INIT("\xff"),    STR_INIT("'a\x01'"),
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_list_t out;
        str_t why = STR_UNSET;
        rc_t rc = command_line_split(*state, test_exact(*state, BAD[i]), &out, &why);
        if (rc != RC_MALFORMED || out.n || !str_is_set(why))
            fail_msg("'%" PRIstr "'", STR_ARG(BAD[i]));
    }
}

static void limits(void **state)
{
    char line[COMMAND_LINE_BYTES + 1];
    str_list_t out;
    str_t why;
    memset(line, 'x', sizeof line);
    assert_int_equal(command_line_split(*state, str_of(line, sizeof line), &out, &why), RC_LIMIT);
    assert_int_equal(command_line_split(*state, str_of(line, sizeof line - 1), &out, &why), RC_OK);
    for (size_t i = 1; i < sizeof line; i += 2)
        line[i] = ' ';
    str_t most = str_of(line, (size_t)2 * COMMAND_LINE_WORDS);
    assert_int_equal(command_line_split(*state, most, &out, &why), RC_OK);
    assert_int_equal(out.n, COMMAND_LINE_WORDS);
    most.n++;
    assert_int_equal(command_line_split(*state, most, &out, &why), RC_LIMIT);
    assert_true(str_is_set(why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(words),
        ARENA_TEST(refusals),
        ARENA_TEST(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
