#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oauth/scope.h"

/* The published vectors: granted, needed, whether it is held. */
static const struct {
    const char *granted, *needed;
    bool covers;
} VECTORS[] = {
    {"a", "a", true},
    {"a b", "b a", true},
    {"a", "a b", false},
    {"", "", true},
    {"", "a", false},
    {"a", "", true},
    {"A", "a", false},
    {"openid", "openid.x", false},
    {"files", "files:read", false},
    {"files:read", "files", false},
    {"files:*", "files:read", true},
    {"files:*", "files:read:all", true},
    {"files:*", "files", false},
    {"files:*", "files:", false},
    {"files:*", "other:read", false},
    {"files:*:read", "files:a:read", true},
    {"files:*:read", "files:a:b:read", false},
    {"files:*:read", "files::read", false},
    {"files:*:read", "files:read", false},
    {"files:*:read", "files:a:write", false},
    {"files:*:*", "files:a:b", true},
    {"files:*:*", "files:a", false},
    {"*", "files", true},
    {"*", "files:read", true},
    {"*:read", "files:read", true},
    {"*:read", "files:write", false},
    {"fil*", "files", false},
    {"files:r*", "files:read", false},
    {"files:*", "files:*", true},
    {"*", "files:*", false},
    {"files:*:x", "files:*:x", true},
    {"files:**", "files:read", false},
    {"news:read sentiment:*", "sentiment:analyze news:read", true},
    {"news:read sentiment:*", "sentiment:analyze news:write", false},
};

static void vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        bool covers = oauth_scope_covers(str_c(VECTORS[i].granted), str_c(VECTORS[i].needed));
        if (covers != VECTORS[i].covers)
            fail_msg("%s for %s", VECTORS[i].granted, VECTORS[i].needed);
    }
    assert_true(oauth_scope_covers(STR("a"), STR_UNSET));
    assert_false(oauth_scope_covers(STR_UNSET, STR("a")));
}

static void grammar(void **state)
{
    (void)state;
    assert_true(oauth_scope_is_valid(STR("a b:c https://x/y! ~")));
    static const str_t BAD[] = {STR_INIT(""),      STR_INIT(" "),        STR_INIT("a "),
                                STR_INIT(" a"),    STR_INIT("a  b"),     STR_INIT("a\"b"),
                                STR_INIT("a\\b"),  STR_INIT("a\tb"),     STR_INIT("a\nb"),
                                STR_INIT("a\x7f"), STR_INIT("\xc3\xa9"), STR_INIT("a\0b")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(oauth_scope_is_valid(BAD[i]));
}

static void wildcards_are_known(void **state)
{
    (void)state;
    assert_true(oauth_scope_is_wildcard(STR("*")));
    assert_true(oauth_scope_is_wildcard(STR("a:*")));
    assert_true(oauth_scope_is_wildcard(STR("a:*:b")));
    assert_false(oauth_scope_is_wildcard(STR("a*")));
    assert_false(oauth_scope_is_wildcard(STR("a:b*")));
}

static void lists(void **state)
{
    (void)state;
    assert_true(oauth_scope_has(STR("a b"), STR("b")));
    assert_false(oauth_scope_has(STR("a:*"), STR("a:b")));
    str_t rest = STR("  a   b "), token;
    assert_true(oauth_scope_next(&rest, &token));
    assert_true(str_eq(token, STR("a")));
    assert_true(oauth_scope_next(&rest, &token));
    assert_true(str_eq(token, STR("b")));
    assert_false(oauth_scope_next(&rest, &token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(grammar),
        cmocka_unit_test(wildcards_are_known),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
