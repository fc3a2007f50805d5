#include "core/core_test_util.h"
#include "core/glob.h"

#include <time.h>

typedef struct {
    const char *pattern, *text;
    bool fits;
} row_t;

static void fits(void **state)
{
    static const row_t ROWS_OF[] = {
        {"weather", "weather", true},
        {"weather", "weather ", false},
        {"weather", "Weather", false},
        {"weather", "weathe", false},
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything/at?all", true},
        {"get_*", "get_", true},
        {"get_*", "get_price", true},
        {"get_*", "forget_price", false},
        {"*_price", "get_price", true},
        {"*_price", "get_prices", false},
        {"a*b*c", "abc", true},
        {"a*b*c", "axxbxxc", true},
        {"a*b*c", "acb", false},
        {"a*a", "a", false},
        {"a*a", "aa", true},
        {"*ab*ab*", "abab", true},
        {"*ab*ab*", "aba", false},
        {"*ab", "abab", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "\xc3\xa4", true},
        {"?", "ab", false},
        {"*?", "", false},
        {"*?", "\xf0\x9f\x98\x80", true},
        {"a?c*", "abcd", true},
        {"*b?d", "abcd", true},
        {"*b?d*", "xbbcdx", true},
        {"*b?d*", "xbbccdx", false},
        {"\xc3\xa4*", "\xc3\xa4rger", true},
        {"customer-data://*/x", "customer-data://a/b/x", true},
    };
    for (size_t i = 0; i < ROWS(ROWS_OF); i++) {
        str_t text = test_exact(*state, str_c(ROWS_OF[i].text));
        str_t pattern = test_exact(*state, str_c(ROWS_OF[i].pattern));
        if (glob_fits(pattern, text) != ROWS_OF[i].fits)
            fail_msg("%s on %s", ROWS_OF[i].pattern, ROWS_OF[i].text);
    }
    assert_false(glob_fits(STR("*"), STR_UNSET));
    assert_true(glob_fits(STR("a*c"), STR("a\0bc")));
}

/* Names that look like another one, and are not (decoded text, byte for byte). */
static void lookalikes_do_not_fit(void **state)
{
    (void)state;
    const str_t OTHERS[] = {STR("SecretTool"),
                            STR("secretTool\0"),
                            STR("secretTool "),
                            STR(" secretTool"),
                            STR("secrettool"),
                            STR("\xef\xbd\x93"
                                "ecretTool"),
                            STR("secretTool\xcc\x81"),
                            STR("secret\xe2\x80\x8bTool")};
    for (size_t i = 0; i < ROWS(OTHERS); i++)
        assert_false(glob_fits(STR("secretTool"), OTHERS[i]));
    assert_true(glob_fits(STR("secretTool"), STR("secretTool")));
}

/* Patterns that make a backtracking matcher take for ever. */
static void no_pattern_blows_up(void **state)
{
    char *text = arena_alloc(*state, 4096), *pattern = arena_alloc(*state, GLOB_BYTES);
    memset(text, 'a', 4096);
    for (size_t i = 0; i < GLOB_BYTES; i++)
        pattern[i] = i % 2 ? '*' : 'a';
    pattern[GLOB_BYTES - 1] = 'b';
    for (size_t i = 0; i < 200; i++)
        assert_false(glob_fits(str_of(pattern, GLOB_BYTES), str_of(text, 4096)));
    memset(pattern, '?', GLOB_BYTES);
    pattern[0] = '*';
    pattern[GLOB_BYTES - 2] = 'b';
    pattern[GLOB_BYTES - 1] = '*';
    assert_false(glob_fits(str_of(pattern, GLOB_BYTES), str_of(text, 4096)));
    assert_false(glob_meets(str_of(pattern, GLOB_BYTES), str_of(text, 4096)));
    assert_false(glob_fits(str_of(text, GLOB_BYTES + 1), str_of(text, GLOB_BYTES + 1)));
}

/* One long template against the patterns of a thousand rules: as many as one request may ask. */
static void what_is_settled_takes_no_more_time(void **state)
{
    enum { TIMES = 2000, LONG = 4096 };
    char *text = arena_alloc(*state, LONG);
    memset(text, 'a', LONG);
    memcpy(text, "file:///public/", 15);
    clock_t began = clock();
    for (size_t i = 0; i < TIMES; i++) {
        assert_false(glob_meets(STR("https://example.test/*"), str_of(text, LONG)));
        assert_true(glob_meets(STR("file:///public/*"), str_of(text, LONG)));
        assert_false(glob_covers(STR("https://example.test/*"), str_of(text, LONG)));
        assert_true(glob_covers(STR("file:///public/*"), str_of(text, LONG)));
    }
    assert_true(clock() - began < 4 * CLOCKS_PER_SEC);
}

static void covers(void **state)
{
    (void)state;
    static const row_t TABLE[] = {
        {"*", "get_*", true},      {"*", "*", true},
        {"*", "", true},           {"get_*", "get_price", true},
        {"get_*", "get_p*", true}, {"get_p*", "get_*", false},
        {"get_?", "get_*", false}, {"get_*", "get_?", true},
        {"get_?", "get_?", true},  {"a", "?", false},
        {"a*c", "abc", true},      {"a*c", "a*c", true},
        {"a*c", "a*b*c", true},    {"a*b*c", "a*c", false},
        {"*a*", "ba*", true},      {"get", "get", true},
        {"get", "got", false},     {"?", "\xc3\xa4", true},
        {"??", "\xc3\xa4", false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        if (glob_covers(str_c(TABLE[i].pattern), str_c(TABLE[i].text)) != TABLE[i].fits)
            fail_msg("%s covers %s", TABLE[i].pattern, TABLE[i].text);
}

static void meets(void **state)
{
    (void)state;
    static const row_t TABLE[] = {
        {"file:///public/*", "file:///*", true},
        {"file:///public/*", "file:///*/x", true},
        {"file:///public/*", "note://*", false},
        {"a*", "*b", true},
        {"ab", "a*", true},
        {"ab", "b*", false},
        {"a?c", "abc", true},
        {"a?c", "a*", true},
        {"", "*", true},
        {"*", "", true},
        {"a", "", false},
        {"*x", "y", false},
        {"\xc3\xa4*", "?b", true},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        str_t one = str_c(TABLE[i].pattern), other = str_c(TABLE[i].text);
        if (glob_meets(one, other) != TABLE[i].fits || glob_meets(other, one) != TABLE[i].fits)
            fail_msg("%s meets %s", TABLE[i].pattern, TABLE[i].text);
    }
}

/* All patterns and texts of up to four letters of a small alphabet, against the plain definition.
 */
static bool plain(const char *p, const char *t)
{
    if (*p == 0)
        return *t == 0;
    if (*p == '*')
        return plain(p + 1, t) || (*t && plain(p, t + 1));
    return *t && (*p == '?' || *p == *t) && plain(p + 1, t + 1);
}

static void word(unsigned n, const char *letters, char out[5])
{
    size_t k = strlen(letters) + 1, at = 0;
    for (; n > 0 && at < 4; n /= (unsigned)k)
        if (n % k > 0)
            out[at++] = letters[n % k - 1];
    out[at] = 0;
}

static void as_the_plain_definition(void **state)
{
    (void)state;
    char p[5], q[5], t[5];
    for (unsigned i = 0; i < 625; i++) {
        word(i, "ab*?", p);
        for (unsigned k = 0; k < 81; k++) {
            word(k, "ab", t);
            assert_int_equal(glob_fits(str_c(p), str_c(t)), plain(p, t));
        }
        for (unsigned k = 0; k < 625; k++) {
            word(k, "ab*?", q);
            bool wide = glob_covers(str_c(p), str_c(q)), meets_both = false;
            for (unsigned m = 0; m < 81; m++) {
                word(m, "ab", t);
                assert_true(!wide || !plain(q, t) || plain(p, t));
                meets_both |= plain(p, t) && plain(q, t);
            }
            assert_true(!meets_both || glob_meets(str_c(p), str_c(q)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(fits),
        ARENA_TEST(lookalikes_do_not_fit),
        ARENA_TEST(no_pattern_blows_up),
        ARENA_TEST(what_is_settled_takes_no_more_time),
        ARENA_TEST(covers),
        ARENA_TEST(meets),
        ARENA_TEST(as_the_plain_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
