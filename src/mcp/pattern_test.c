#include "mcp/pattern.h"

#include "mcp/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
    const char *pattern, *subject;
    bool matches;
} CASES[] = {
    {"^[A-Z]{1,5}$", "AAPL", true},
    {"^[A-Z]{1,5}$", "AAPL\n", false}, /* $ is the very end */
    {"b", "abc", true},                /* anywhere */
    {"^.$", "\xf0\x9f\x98\x80", true}, /* one character, four bytes */
    {"^.$", "\xe2\x80\xa8", false},    /* a line separator */
    {"^\\s$", "\xc2\xa0", true},
    {"^[\\s]$", "\xef\xbb\xbf", true},
    {"^\\S$", "\xc2\xa0", false},
    {"^\\d$", "\xd9\xa3", false}, /* digits are ASCII */
    {"^\\w$", "\xc3\xa9", false},
    {"^\\v$", "\x0b", true},
    {"^\\v$", "\n", false},
    {"^\\u00e9$", "\xc3\xa9", true},
    {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true},
    {"^\\u{1f600}$", "\xf0\x9f\x98\x80", true},
    {"^\\p{Letter}+$", "h\xc3\xa9", true},
    {"^\\p{Lu}$", "\xc3\x89", true},
    {"^\\P{L}$", "h", false},
    {"^[^]$", "\n", true},
    {"[]", "a", false},
    {"^[[:alpha:]]$", "a]", true}, /* a class of [:alph, then a bracket */
    {"^(?<year>\\d{4})-\\k<year>$", "2024-2024", true},
    {"^(?:a|(b))\\1c$", "ac", true}, /* a group that took no part matches nothing, and does */
    {"(?<=\\$)\\d+", "$5", true},
    {"^\\/$", "/", true},
    {"", "", true},
};

static bool matches(const char *pattern, const char *subject)
{
    arena_t *a = arena_new(1 << 20);
    mcp_pattern_t *p;
    str_t why = STR("");
    uint64_t steps = MCP_SCHEMA_STEPS;
    bool yes = false;
    if (mcp_pattern_read(a, str_c(pattern), &p, &why) != RC_OK)
        fail_msg("%s: %" PRIstr, pattern, STR_ARG(why));
    assert_int_equal(mcp_pattern_match(p, str_c(subject), &steps, &yes), RC_OK);
    arena_free(a);
    return yes;
}

static void patterns_mean_what_ecmascript_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (matches(CASES[i].pattern, CASES[i].subject) != CASES[i].matches)
            fail_msg("%s on %s", CASES[i].pattern, CASES[i].subject);
}

static const char *const REFUSED[] = {
    "(",
    "[a",
    "a{2,1}",
    "\\",
    "\\Z",
    "\\Aa",
    "\\Q.\\E",
    "(?R)",
    "(?i)a",
    "(*UTF)a",
    "(?#no)a",
    "(?|a|b)",
    "a++",
    "a*+",
    "a{2}+",
    "\\u12",
    "\\p{Klingon}",
    "\\pL",
    "(?>a)",
    "*a",
    "\\C",
    "(?<n>a)(?<n>b)",
};

static void patterns_of_other_dialects_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        arena_t *a = arena_new(1 << 20);
        mcp_pattern_t *p;
        str_t why = STR_UNSET;
        if (mcp_pattern_read(a, str_c(REFUSED[i]), &p, &why) != RC_CONFIG || why.n == 0)
            fail_msg("%s", REFUSED[i]);
        arena_free(a);
    }
}

static void long_patterns_are_refused(void **state)
{
    (void)state;
    char text[MCP_SCHEMA_PATTERN_BYTES + 1];
    memset(text, 'a', sizeof text);
    arena_t *a = arena_new(1 << 20);
    mcp_pattern_t *p;
    str_t why = STR_UNSET;
    assert_int_equal(mcp_pattern_read(a, str_of(text, sizeof text), &p, &why), RC_CONFIG);
    assert_int_equal(mcp_pattern_read(a, str_of(text, sizeof text - 1), &p, &why), RC_OK);
    arena_free(a);
}

/* Each takes hours, or as good as, where nothing bounds it. */
static const char *const SLOW[] = {
    "^(a+)+$", "^(a|a)*$", "^(a|aa)+$",  "(x+x+)+y",         "a*b",
    "(?=a*)b", "(?:a*)*b", "(a?){100}b", "(?=.*){9}(?=.*)b",
};

static void bad_patterns_end(void **state)
{
    (void)state;
    enum { BYTES = 200000 };
    char *text = malloc(BYTES);
    assert_non_null(text);
    memset(text, 'a', BYTES);
    text[BYTES - 1] = '!';
    for (size_t i = 0; i < sizeof SLOW / sizeof *SLOW; i++) {
        arena_t *a = arena_new(1 << 20);
        mcp_pattern_t *p;
        str_t why;
        uint64_t steps = MCP_SCHEMA_STEPS;
        bool yes;
        assert_int_equal(mcp_pattern_read(a, str_c(SLOW[i]), &p, &why), RC_OK);
        rc_t rc = mcp_pattern_match(p, str_of(text, BYTES), &steps, &yes);
        assert_true(rc == RC_LIMIT || rc == RC_OK);
        assert_false(yes);
        arena_free(a);
    }
    free(text);
}

static void steps_are_what_a_match_may_cost(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    mcp_pattern_t *p;
    str_t why;
    uint64_t steps = 1;
    bool yes;
    assert_int_equal(mcp_pattern_read(a, STR("^(a|b)*$"), &p, &why), RC_OK);
    assert_int_equal(mcp_pattern_match(p, STR("abababababababababab"), &steps, &yes), RC_LIMIT);
    steps = 1000;
    assert_int_equal(mcp_pattern_match(p, STR("abababababababababab"), &steps, &yes), RC_OK);
    assert_true(yes);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_ecmascript_says),
        cmocka_unit_test(patterns_of_other_dialects_are_refused),
        cmocka_unit_test(long_patterns_are_refused),
        cmocka_unit_test(bad_patterns_end),
        cmocka_unit_test(steps_are_what_a_match_may_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
